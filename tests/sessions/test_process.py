"""A command leaves nothing behind, however it ends."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from benchmarks.sessions.process import Place, execute, last_words
from benchmarks.sessions.signals import Interrupted
from tests.support.processes import alive


def test_nothing_survives(tmp_path):
    """An interrupted command is killed, not waited for, and so is what it started."""
    family, here = [], psutil.Process()
    before = here.children(recursive=True)

    def shell_and_sleepers():
        return [process for process in here.children(recursive=True) if process not in before]

    class Soon:
        def check(self):
            while len(found := shell_and_sleepers()) < 2:
                time.sleep(0.1)
            family.extend(found)
            raise Interrupted

    start = time.monotonic()
    with (tmp_path / "log").open("w") as log, pytest.raises(Interrupted):
        execute(["sh", "-c", "sleep 600 & sleep 600"], Place(tmp_path, sys.executable, os.environ), log, Soon())

    assert time.monotonic() - start < 300  # half of what waiting for it would take
    assert len(family) >= 2
    psutil.wait_procs(family, timeout=60)
    assert not [process for process in family if alive(process)]


FAULT = """
..Fatal Python error: Segmentation fault

Thread 0x00007f0000000001 (most recent call first):
  File "{project}/waits.py", line 1 in wait

Current thread 0x00007f0000000000 (most recent call first):
  File "/usr/lib/python3.11/ctypes/__init__.py", line 519 in string_at
  File "{project}/.venv/lib/site-packages/other.py", line 2 in other
  File "{project}/src/it/parse.py", line 7 in work
  File "{project}/tests/test_it.py", line 5 in test_work
  File "<frozen runpy>", line 198 in _run_module_as_main

Extension modules: numpy.core (total: 1)
"""

FATAL = "Fatal Python error: Segmentation fault"


@pytest.mark.parametrize(
    ("said", "project", "words"),
    [
        (FAULT, "/project", f"{FATAL} in work, src/it/parse.py, line 7"),
        (FAULT, None, f"{FATAL} in string_at, /usr/lib/python3.11/ctypes/__init__.py, line 519"),
        (f"{FATAL}\n\n<no Python frame>\n", "/project", FATAL),
        (f"{FAULT}\nERROR: not found: x\n", "/project", "ERROR: not found: x"),
        ("collected 2 items\nkilled\n", "/project", "killed"),
        ("", None, "it printed nothing"),
    ],
)
def test_last_words(tmp_path, said, project, words):
    """Of a fault of the interpreter what it was, and where the project had it; else pytest's last error, or the last line."""
    (tmp_path / "log").write_text(said.format(project=project))
    assert last_words(tmp_path / "log", project and Path(project)) == words
