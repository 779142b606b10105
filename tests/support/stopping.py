"""Sessions of pytest that a test stops in the middle: a copy of the project, cases that say where they are, and what such a session saved."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.support.processes import appeared, until

CASES = '''
"""Cases that a test stops: each says that it runs by writing its process's number into a file of its name."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from benchmarks.isolated import program

pytestmark = pytest.mark.benchmark(group="control")
FOLDER = Path(os.environ["STOPPING"])


def say(name):
    (FOLDER / f"{name}.new").write_text(str(os.getpid()))
    (FOLDER / f"{name}.new").rename(FOLDER / name)


def wait():
    """Until the test lets the case go on."""
    while not (FOLDER / "go on").exists():
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def subject(benchmark):
    benchmark.extra_info.update(framework="control", mode="sum")


def test_first(benchmark):
    benchmark.pedantic(sum, ([1, 2],), rounds=5)


def test_sleeps(benchmark):
    def work():
        say("sleeps")
        wait()

    benchmark.pedantic(work, rounds=2)


def test_computes(benchmark):
    """One call of a function in C, which no signal interrupts."""
    def work():
        say("computes")
        sum(range(20_000_000))
        wait()

    benchmark.pedantic(work, rounds=2)


def test_loses_the_exception(benchmark):
    def work():
        say("loses")
        try:
            wait()
        except BaseException:
            pass

    benchmark.pedantic(work, rounds=2)


def test_program(benchmark):
    benchmark.pedantic(program.call, (__name__,), rounds=2)


def test_after(benchmark):
    benchmark.pedantic(sum, ([1, 2],), rounds=5)


if __name__ == "__main__":
    tempfile.mkstemp()
    say("program")
    wait()
    print("{}")
'''

PLUGIN = '''
"""The plug-in's own machine info asks several programs about the CPU, which takes a second."""


def pytest_benchmark_generate_machine_info():
    return {"cpu": {"brand_raw": "a CPU", "count": 2}, "system": "a system", "release": "1"}
'''

SLOW_SAVING = '''
"""Saving takes until the test says that it goes on."""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_benchmark_update_json():
    from benchmarks.test_stopping import say, wait

    say("saves")
    wait()
'''

SLOW_REPORT = '''
"""The end of the session takes until the test says that it goes on."""


def pytest_terminal_summary():
    from benchmarks.test_stopping import say, wait

    say("reports")
    wait()
'''

FILE = "benchmarks/test_stopping.py"


def write(project: Path) -> Path:
    """Write the cases into a copy of the project."""
    (project / FILE).write_text(CASES)
    (project / "quick_info.py").write_text(PLUGIN)
    (project / "slow_saving.py").write_text(SLOW_SAVING)
    (project / "slow_report.py").write_text(SLOW_REPORT)
    return project


class Running:
    """A program in a copy of the project that tells, in a folder, how far it is."""

    def __init__(self, project: Path, folder: Path, words: Sequence[str], ignores: Sequence[int] = ()) -> None:
        (folder / "tmp").mkdir(parents=True)
        self.folder, self._saved = folder, folder / "saved.json"
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON", "GITHUB"))}
        self.process = subprocess.Popen(
            [sys.executable, *words],
            cwd=project,
            env={**environment, "PYTHONPATH": str(project), "STOPPING": str(folder), "TMPDIR": str(folder / "tmp")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=partial(_handle, ignores),
        )

    def reached(self, name: str) -> int:
        """Wait until it says that it is there.   -> the number of the process that says so"""
        until(lambda: appeared(self.folder / name) or self.process.poll() is not None)
        if not appeared(self.folder / name):
            raise AssertionError(self.process.communicate()[0])
        return int((self.folder / name).read_text())

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def go_on(self) -> None:
        (self.folder / "go on").touch()

    def end(self) -> str:
        """Wait for its end.   -> what it printed"""
        return self.process.communicate(timeout=240)[0]

    def measured(self) -> list[str]:
        """The names of the cases in the file that it saved."""
        return [case["name"] for case in json.loads(self._saved.read_text())["benchmarks"]]

    def without_a_number(self) -> dict[str, str]:
        """Why cases have no number, by their names, as the file has it."""
        document = json.loads(self._saved.read_text())
        return {case.partition("::")[2]: why for case, why in document["machine_info"]["lenet5"]["not_measured"].items()}

    def left(self) -> list[str]:
        """What lies in its temporary folder."""
        return sorted(path.name for path in (self.folder / "tmp").iterdir())


def _handle(ignores: Sequence[int]) -> None:
    # A script that runs these tests in the background ignores Ctrl-C, under nohup SIGHUP; so would what the tests start.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN if number in ignores else signal.SIG_DFL)


def session(
    project: Path, folder: Path, *names: str, options: Sequence[str] = ("--no-report",), ignores: Sequence[int] = ()
) -> Running:
    """A session of pytest that runs these cases."""
    cases = [f"{FILE}::test_{name}" for name in names]
    saved = f"--benchmark-json={folder / 'saved.json'}"
    return Running(
        project, folder, ["-m", "pytest", *cases, saved, "-p", "no:cacheprovider", "-p", "quick_info", *options], ignores
    )
