"""Two processes take turns for real: who runs which case when, and what becomes of one when the other ends."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from benchmarks import turns

CONFTEST = """
import os

ME = os.environ["ME"]


def log(text):
    with open("log", "a") as file:
        file.write(f"{ME} {text}\\n")


def pytest_collection_finish():
    log("ready")


def pytest_sessionfinish():
    log("ended")
"""

CASES = """
import os
import time

import pytest
from conftest import ME, log

SLOW, DIES, COUNT = (os.environ.get(name, "") for name in ("SLOW", "DIES", "COUNT"))

time.sleep(0.5 * (ME == SLOW))


@pytest.mark.parametrize("number", range(int(COUNT or 4)))
def test_case(number):
    log(number)
    time.sleep(0.02)
    if DIES == f"{ME} {number}":
        os._exit(9)
    assert number != 1, "a case that fails is done all the same"
"""


@pytest.fixture
def together(tmp_path):
    """together(one, other) -> what two processes did, one line each, with these further variables of either; the first one begins."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_cases.py").write_text(CASES)
    turns.install(tmp_path / "plugins")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "test_cases.py"]
    usual = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}

    def run(one, other):
        ends = socket.socketpair()
        processes = []
        for name, more, end in zip("AB", (one, other), ends, strict=True):
            environment = turns.variables(end, name == "A", {**usual, "ME": name, **more}, tmp_path / "plugins")
            processes.append(
                subprocess.Popen(command, cwd=tmp_path, env=environment, pass_fds=[end.fileno()], stdout=subprocess.DEVNULL)
            )
        for end in ends:
            end.close()
        for process in processes:
            process.wait(timeout=60)
        return (tmp_path / "log").read_text().splitlines()

    return run


IN_TURNS = ["A 0", "B 0", "B 1", "A 1", "A 2", "B 2", "B 3", "A 3"]


@pytest.mark.parametrize("slow", "AB")
def test_in_turns(together, slow):
    """ABBA, whether a case fails or not; nobody begins before both are ready, nor ends before both are done."""
    done = together({"SLOW": slow}, {"SLOW": slow})
    assert sorted(done[:2]) == ["A ready", "B ready"]
    assert done[2:-2] == IN_TURNS
    assert sorted(done[-2:]) == ["A ended", "B ended"]


@pytest.mark.parametrize("dies", ["A 0", "A 2", "B 1"])
def test_one_dies(together, dies):
    """The other one does all of its cases, alone."""
    left = "B" if dies[0] == "A" else "A"
    done = together({"DIES": dies}, {"DIES": dies})
    assert [line for line in done if line[0] == left] == [
        f"{left} ready",
        *(f"{left} {number}" for number in range(4)),
        f"{left} ended",
    ]
    assert done[2:].index(dies) == IN_TURNS.index(dies)
    assert f"{dies[0]} ended" not in done


@pytest.mark.parametrize("count", ["1", "2", "0"])
def test_one_has_fewer_cases(together, count):
    """It waits for the other one, which goes on alone."""
    done = together({"COUNT": count}, {})
    assert [line for line in done if line[0] == "B"] == ["B ready", "B 0", "B 1", "B 2", "B 3", "B ended"]
    assert done.index("A ended") > done.index("B 3")


def test_without_another_nobody_waits(together, tmp_path):
    """The plug-in does nothing in a process that was not told with whom to take turns."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", turns.PLUGIN, "test_cases.py"],
        cwd=tmp_path,
        env={**os.environ, "ME": "A", "PYTHONPATH": str(tmp_path / "plugins")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "3 passed" in done.stdout
