"""A command that is killed, and can clean up nothing, leaves no process; and what still measures keeps its folder to itself."""

from __future__ import annotations

import signal
import subprocess
import sys

import psutil
import pytest

from benchmarks.sessions.folder import alone
from lenet5 import InputError
from tests.support import fake_project, gates, stopping
from tests.support.copies import PROJECT, copy_of_project
from tests.support.fake_project import commit
from tests.support.processes import command_line, gone, mentioning, until

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with the one that started it")

RUN = """
import sys
from pathlib import Path
from benchmarks.sessions import processes
from benchmarks.sessions.plan import Plan

cases = "benchmarks/test_stopping.py"
processes.run(Plan(cases, "test_program", options=("-p", "quick_info")), 2, Path(sys.argv[1]))
"""
"""What `python -m benchmarks run` and `coverage` do, with a case that runs a program."""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project with cases to stop."""
    return stopping.write(copy_of_project(tmp_path_factory.mktemp("killed") / "project"))


@pytest.fixture
def clean(tmp_path):
    """Whatever the outcome, no process of the test's is left."""
    yield
    for process in mentioning(str(tmp_path)):
        process.kill()


@linux
@pytest.mark.usefixtures("clean")
def test_a_killed_session(project, tmp_path):
    """pytest is killed: the program of its case ends too."""
    running = stopping.session(project, tmp_path / "session", "program")
    program = psutil.Process(running.reached("program"))

    running.send(signal.SIGKILL)
    running.end()

    assert gone(program)


@linux
@pytest.mark.usefixtures("clean")
def test_a_killed_run(project, tmp_path):
    """A run is killed: its session ends, the program of the session's case ends, and the folder is free for the next."""
    running = stopping.Running(project, tmp_path / "run", ["-c", RUN, str(tmp_path / "run" / "output")])
    program = psutil.Process(running.reached("program"))
    sessions = psutil.Process(running.process.pid).children(recursive=True)
    assert program in sessions
    with pytest.raises(InputError, match="another run is measuring"), alone(tmp_path / "run" / "output", make=False):
        pass

    running.send(signal.SIGKILL)
    running.end()

    assert gone(*sessions)
    assert until(lambda: free(tmp_path / "run" / "output"))


@linux
@pytest.mark.slow
@pytest.mark.usefixtures("clean")
def test_a_killed_gate(tmp_path):
    """A gate is killed: both processes of its pair end, which would otherwise run for ten minutes."""
    repository = fake_project.write(tmp_path / "project", check="import time; time.sleep(600)")
    commit(repository, "first")
    running, _ = gates.start(repository, tmp_path, "--base", "HEAD", "--head", "HEAD")
    sessions = until(lambda: both(psutil.Process(running.pid)))

    running.kill()
    running.communicate()

    assert gone(*sessions)
    assert until(lambda: not mentioning(str(tmp_path)))


def free(folder):
    """Whether a run could hold the folder.  Of a killed process with several threads the last one may still have it when the first has ended."""
    try:
        with alone(folder, make=False):
            return True
    except InputError:
        return False


def both(gate):
    """The two sessions of a gate's pair, as soon as there are two."""
    children = gate.children(recursive=True)
    return children if sum("pytest" in command_line(child)[:3] for child in children) == 2 else []


HOLDER = """
import subprocess, sys
from pathlib import Path
from benchmarks.launch import tied
from benchmarks.sessions.folder import alone

tied.tied = list  # as on a system that does not end a process with the one that started it
with alone(Path(sys.argv[1]), make=True):
    process = tied.start([sys.executable, "-c", "import time; time.sleep(600)", sys.argv[1]], stdout=subprocess.DEVNULL)
    print(process.pid, flush=True)
    process.wait()
"""


@pytest.mark.usefixtures("clean")
def test_the_lock_is_held_by_what_still_measures(tmp_path):
    """The process that took the folder is killed while one that it started goes on: the folder is free only after that one."""
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    child = psutil.Process(int(holder.stdout.readline()))
    holder.kill()
    holder.communicate()

    with pytest.raises(InputError, match="another run is measuring"), alone(tmp_path, make=False):
        pass
    child.kill()
    assert gone(child)
    assert until(lambda: free(tmp_path))
