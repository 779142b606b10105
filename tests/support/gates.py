"""A gate over a repository of a test's: in this process or in one of its own, with as few pairs as can be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
import pytest

from benchmarks.__main__ import main
from benchmarks.gate import command as gate_command
from benchmarks.gate.rules import Rules
from benchmarks.saved.provenance import ROOT
from benchmarks.sessions.this_project import this_project
from tests.support.fake_project import git

FEW_PAIRS = {"looks": (2,), "confirm": 1, "alpha": 0.4, "agree": 0.5}
"""Rules with as few pairs as the mathematics allows: the same after 2, slower after 3."""

DRIVER = f"""
import sys, tempfile
from functools import partial
from pathlib import Path
from benchmarks.__main__ import main
from benchmarks.gate import command
from benchmarks.sessions.this_project import this_project

command.Rules = partial(command.Rules, **{FEW_PAIRS!r})
command.this_project = partial(this_project, repository=Path(sys.argv[1]))
tempfile.tempdir = sys.argv[2]
sys.exit(main(sys.argv[3:]))
"""
"""The command in a process of its own, with few pairs, and the revisions of a repository of the test's."""


@contextmanager
def commanding(repository, folder):
    """Within the block: call(*arguments) -> exit code, of a gate over the repository's revisions that works in a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(gate_command, "Rules", partial(Rules, **FEW_PAIRS))
        patch.setattr(gate_command, "this_project", partial(this_project, repository=repository))
        patch.delenv("GITHUB_STEP_SUMMARY", raising=False)
        (folder / "tmp").mkdir(exist_ok=True)
        patch.setattr(tempfile, "tempdir", str(folder / "tmp"))

        def call(*arguments):
            try:
                code = main(["gate", "-k", "case", "--output", "raw", *map(str, arguments)])
            except SystemExit as end:
                code = end.code
            assert not list((folder / "tmp").iterdir())
            assert git(repository, "worktree", "list").count("\n") == 0
            return code

        yield call


@dataclass(frozen=True)
class Done:
    """A gate that has ended: what it said, and the folder that it worked in."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def outcome(self):
        return json.loads((self.folder / "out" / "gate.json").read_text())


def cells(table):
    """The rows of a Markdown table by their first two cells."""
    found = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.startswith("| test_")]
    return {tuple(row[:2]): row[2:] for row in found}


def start(repository, tmp_path, *arguments):
    """A gate in a process of its own, when its first pair is under way: the process, and its children."""
    (tmp_path / "tmp").mkdir(exist_ok=True)
    line = [
        sys.executable,
        "-c",
        DRIVER,
        repository,
        tmp_path / "tmp",
        "gate",
        "-k",
        "case",
        "--output",
        tmp_path / "raw",
        *arguments,
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = subprocess.Popen(
        list(map(str, line)),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A script that runs these tests in the background ignores Ctrl-C, and so would the gate.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    for _ in range(6000):
        if list(tmp_path.glob("raw/*/*.log")) and (children := psutil.Process(running.pid).children(recursive=True)):
            return running, children
        time.sleep(0.1)
    running.kill()
    raise AssertionError(running.communicate())
