"""A session that measures and is told to stop keeps what it has measured."""

from __future__ import annotations

import signal

import psutil
import pytest

from tests.support import stopping
from tests.support.copies import copy_of_project
from tests.support.processes import gone
from tests.support.rows import one_quick

STOPPING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
INTERRUPTED = 2
"""pytest's exit code."""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project with cases to stop."""
    return stopping.write(copy_of_project(tmp_path_factory.mktemp("stops") / "project"))


@pytest.fixture
def start(project, tmp_path):
    """start(*names of cases) -> a session that runs them; it is killed when the test ends."""
    started = []

    def session(*names, **options):
        started.append(stopping.session(project, tmp_path / "session", *names, **options))
        return started[-1]

    yield session
    for running in started:
        running.process.kill()
        running.process.communicate()


@pytest.mark.parametrize("number", one_quick(STOPPING), ids=lambda number: number.name)
def test_what_was_measured_is_kept(start, number):
    """Whichever signal comes: the file holds the case before, not the one in the middle, of which not even one round was done."""
    running = start("first", "sleeps", "after")
    running.reached("sleeps")

    running.send(number)
    said = running.end()

    assert running.process.returncode == INTERRUPTED, said
    assert f"! KeyboardInterrupt: {number.name} !" in said
    assert "1 passed" in said
    assert running.measured() == ["test_first"]
    assert running.without_a_number() == dict.fromkeys(["test_sleeps", "test_after"], "not run: the session was interrupted")
    assert running.left() == []


@pytest.mark.slow
def test_a_report_is_written(start, project):
    """Not only the file: the report too, as after Ctrl-C."""
    running = start("first", "sleeps", options=())
    running.reached("sleeps")

    running.send(signal.SIGTERM)
    said = running.end()

    assert "LeNet-5: the report" in said
    assert "saved.json" in said.partition("LeNet-5: the report")[2]
    assert (project / "report" / "report.md").exists()


def test_nothing_was_measured(start):
    """Then no file is written, and that is no error of its own."""
    running = start("sleeps", "first")
    running.reached("sleeps")

    running.send(signal.SIGTERM)
    said = running.end()

    assert running.process.returncode == INTERRUPTED, said
    assert "Not saving anything, no benchmarks have been run!" in said
    assert "Traceback" not in said
    assert not (running.folder / "saved.json").exists()


@pytest.mark.parametrize("number", one_quick([signal.SIGINT, signal.SIGHUP]), ids=lambda number: number.name)
def test_what_is_ignored_stays_ignored(start, number):
    """nohup ignores SIGHUP, a shell Ctrl-C for what runs in the background: the session goes on to its end."""
    running = start("first", "sleeps", ignores=[number])
    running.reached("sleeps")

    running.send(number)
    running.go_on()
    said = running.end()

    assert running.process.returncode == 0, said
    assert running.measured() == ["test_first", "test_sleeps"]


@pytest.mark.slow
def test_a_long_call_in_c(start):
    """The signal waits until the call is over, and then ends the session."""
    running = start("first", "computes", "after")
    running.reached("computes")

    running.send(signal.SIGTERM)
    said = running.end()

    assert running.process.returncode == INTERRUPTED, said
    assert running.measured() == ["test_first"]


@pytest.mark.parametrize("after", one_quick([["after"], []]), ids=["in the middle", "last"])
def test_a_library_that_catches_everything(start, after):
    """The session ends all the same, with the case that ran; that one is no measurement."""
    running = start("first", "loses_the_exception", *after)
    running.reached("loses")

    running.send(signal.SIGTERM)
    running.go_on()
    said = running.end()

    assert running.process.returncode == INTERRUPTED, said
    assert running.measured() == ["test_first"]
    assert running.without_a_number().keys() == {"test_loses_the_exception", *(f"test_{name}" for name in after)}


@pytest.mark.parametrize("second", one_quick(STOPPING), ids=lambda number: number.name)
def test_a_second_signal_while_it_saves(start, second):
    """It is heard no more: the file is whole."""
    running = start("first", "sleeps", options=("--no-report", "-p", "slow_saving"))
    running.reached("sleeps")
    running.send(signal.SIGTERM)
    running.reached("saves")

    running.send(second)
    running.go_on()
    said = running.end()

    assert running.process.returncode == INTERRUPTED, said
    assert running.measured() == ["test_first"]


@pytest.mark.parametrize("second", one_quick(STOPPING), ids=lambda number: number.name)
def test_a_second_signal_while_it_reports(start, second):
    """All is saved: Ctrl-C ends the report too, as it ends every program; the others let it come to its end."""
    running = start("first", "sleeps", options=("--no-report", "-p", "slow_report"))
    running.reached("sleeps")
    running.send(signal.SIGTERM)
    running.reached("reports")

    running.send(second)
    if second != signal.SIGINT:
        running.go_on()
    said = running.end()

    assert ("1 passed" in said) == (second != signal.SIGINT)
    assert running.measured() == ["test_first"]


def test_a_first_signal_while_it_saves(start):
    """All cases are done: the session ends as if no signal had come."""
    running = start("first", options=("--no-report", "-p", "slow_saving"))
    running.reached("saves")

    running.send(signal.SIGTERM)
    running.go_on()
    said = running.end()

    assert running.process.returncode == 0, said
    assert running.measured() == ["test_first"]


@pytest.mark.parametrize("number", one_quick([signal.SIGTERM, signal.SIGINT]), ids=lambda number: number.name)
def test_in_the_middle_of_a_program(start, number):
    """The program of a case ends with it, and its temporary folder is gone."""
    running = start("first", "program")
    program = psutil.Process(running.reached("program"))

    running.send(number)
    said = running.end()

    assert running.process.returncode == INTERRUPTED, said
    assert running.measured() == ["test_first"]
    assert gone(program)
    assert running.left() == []


def test_tests_are_left_alone(start):
    """A session that takes no times ends by SIGTERM as every program does."""
    running = start("sleeps", options=("--benchmark-disable",))
    running.reached("sleeps")

    running.send(signal.SIGTERM)
    running.end()

    assert running.process.returncode == -signal.SIGTERM
