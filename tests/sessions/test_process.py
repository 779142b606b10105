"""A command leaves nothing behind, however it ends."""

from __future__ import annotations

import os
import sys
import time

import psutil
import pytest

from benchmarks.sessions.process import Place, execute
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
