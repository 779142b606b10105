"""Two processes pass the baton for real: which runs which case when, and what becomes of one when the other ends."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from benchmarks.sessions import baton
from tests.support.rows import one_quick

CONFTEST = """
import atexit
import gc
import os
import threading
import time
import time

import pytest

ME = os.environ["ME"]


def log(text):
    with open("log", "a") as file:
        file.write(f"{ME} {text}\\n")


def log_cpus(what):
    with open("cpus", "a") as file:
        for thread in os.listdir("/proc/self/task"):
            file.write(f"{what} {sorted(os.sched_getaffinity(int(thread)))}\\n")


def log_garbage(when):
    with open("garbage", "a") as file:
        file.write(f"{ME} {when} {gc.get_threshold()[0] > 0} {gc.get_freeze_count() > 1000}\\n")


atexit.register(log_garbage, "end")


# One that is there before the first case, as those of a BLAS are.
threading.Thread(target=threading.Event().wait, daemon=True).start()


def pytest_collection_finish():
    log("ready")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop():
    # Stands for the imports of frameworks that a project's conftest does here.
    time.sleep(0.5 if ME == os.environ.get("SLOW") else 0)
    log("imports")
    log_garbage("imports")


def pytest_sessionfinish():
    log("ended")
"""

CASES = """
import os
import time

import pytest
from conftest import ME, log, log_cpus, log_garbage

SLOW, DIES, COUNT = (os.environ.get(name, "") for name in ("SLOW", "DIES", "COUNT"))

time.sleep(0.5 * (ME == SLOW))


@pytest.mark.parametrize("number", range(int(COUNT or 4)))
def test_case(number):
    log(number)
    log_cpus("timed")
    if number == 0:
        log_garbage("case")
    time.sleep(0.02)
    if DIES == f"{ME} {number}":
        os._exit(9)
    assert number != 1, "a case that fails is done all the same"


@pytest.mark.skipif("FORGETS" in os.environ, reason="of two processes only one may measure this")
@pytest.mark.benchmark(group="space predict")
def test_memory(benchmark):
    benchmark.pedantic(log, ("memory",))
    log_cpus("memory")
    time.sleep(0.2)
"""

TIMED = """
import os

import pytest
from conftest import ME, log

ROUNDS, DIES = int(os.environ["ROUNDS"]), os.environ.get("DIES")


@pytest.mark.parametrize("number", range(2))
def test_timed(benchmark, number):
    calls = iter(range(ROUNDS))

    def call():
        log(f"{number} round {next(calls)}")
        if DIES == ME:
            os._exit(9)

    benchmark.pedantic(call, rounds=ROUNDS)
    log(f"{number} done")
"""

ALONE = ["ready", "imports", "memory"]
"""What each does before it holds the baton for the first time, in this order."""


@pytest.fixture
def together(tmp_path):
    """together(one, other) -> what two processes did, a line each, with these further variables of either; the first one begins."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_cases.py").write_text(CASES)
    baton.install(tmp_path / "plugins")
    (tmp_path / "test_timed.py").write_text(TIMED)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
    usual = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}

    def run(one, other, repeats=1, cases="test_cases.py", slice_seconds=baton.SLICE_SECONDS):
        ends = socket.socketpair()
        processes = []
        for name, more, end in zip("AB", (one, other), ends, strict=True):
            environment = baton.variables(
                baton.Part(end, name == "A", baton.cpus_for(1), repeats, slice_seconds=slice_seconds),
                {**usual, "ME": name, **more},
                tmp_path / "plugins",
            )
            processes.append(
                subprocess.Popen(
                    [*command, cases], cwd=tmp_path, env=environment, pass_fds=[end.fileno()], stdout=subprocess.DEVNULL
                )
            )
        for end in ends:
            end.close()
        for process in processes:
            process.wait(timeout=600)
        return (tmp_path / "log").read_text().splitlines()

    return run


IN_TURNS = ["A 0", "B 0", "B 1", "A 1", "A 2", "B 2", "B 3", "A 3"]


@pytest.mark.parametrize("slow", one_quick("AB"))
def test_in_turns(together, tmp_path, slow):
    """ABBA, whether a case fails or not; neither begins before both are ready, nor ends before both are done.

    Neither looks for garbage before it begins, nor at its end.
    """
    done = together({"SLOW": slow}, {"SLOW": slow})
    before = done[: 2 * len(ALONE)]
    for name in "AB":
        assert [line for line in before if line[0] == name] == [f"{name} {what}" for what in ALONE]
    assert done[2 * len(ALONE) : -2] == IN_TURNS
    assert sorted(done[-2:]) == ["A ended", "B ended"]
    looks_and_leaves_out = {"imports": "False False", "case": "True True", "end": "True True"}
    assert sorted((tmp_path / "garbage").read_text().splitlines()) == sorted(
        f"{name} {when} {found}" for name in "AB" for when, found in looks_and_leaves_out.items()
    )


def timed(together, one, other, slice_seconds):
    """What the processes did, without what came before their first case and after their last."""
    done = together(one, other, cases="test_timed.py", slice_seconds=slice_seconds)
    return [line for line in done if "round" in line or "done" in line]


def test_rounds_in_turns(together):
    """A slice that is over after every round: the rounds of the same case alternate, and who comes first alternates by case."""
    assert timed(together, {"ROUNDS": "2"}, {"ROUNDS": "2"}, 0.0) == [
        *("A 0 round 0", "B 0 round 0", "A 0 round 1", "A 0 done", "B 0 round 1", "B 0 done"),
        *("B 1 round 0", "A 1 round 0", "B 1 round 1", "B 1 done", "A 1 round 1", "A 1 done"),
    ]


def test_asked_once_a_round():
    """Also where a project's own fixture gives pytest-benchmark's: then the fixture of this name is set up twice."""

    class Benchmark:
        def _make_runner(self, function, arguments, options):
            return lambda loops: [function(*arguments, **options) for _ in loops]

    benchmark, turns = Benchmark(), []
    for _ in range(2):
        baton.in_slices(benchmark, lambda: turns.append("turn"))
    assert benchmark._make_runner(max, (2, 1), {"key": abs})(range(3)) == [2, 2, 2]
    assert turns == ["turn"]
    baton.in_slices(object(), turns.append)  # a fixture of this name that is another plug-in's


def test_long_slices(together):
    """A slice that outlasts a case: the rounds of one process, then those of the other."""
    assert timed(together, {"ROUNDS": "2"}, {"ROUNDS": "2"}, 600.0) == [
        *("A 0 round 0", "A 0 round 1", "A 0 done", "B 0 round 0", "B 0 round 1", "B 0 done"),
        *("B 1 round 0", "B 1 round 1", "B 1 done", "A 1 round 0", "A 1 round 1", "A 1 done"),
    ]


@pytest.mark.parametrize("first", one_quick("AB"))
def test_rounds_are_not_as_many(together, first):
    """Whichever process has more rounds of a case goes on with them alone, and both begin the next case together."""
    few, many = {"ROUNDS": "1"}, {"ROUNDS": "3"}
    done = timed(together, *((few, many) if first == "A" else (many, few)), 0.0)
    assert sorted(done[:6]) == sorted([*(f"{'B' if first == 'A' else 'A'} 0 {what}" for what in ("round 0", "round 1", "round 2", "done")),
                                       *(f"{first} 0 {what}" for what in ("round 0", "done"))])  # fmt: skip
    assert len(done) == 12


def test_what_is_untimed_has_no_turn(together):
    """A round of such a case waits for nothing and passes nothing on, whether the other process has the case or not."""
    done = together({}, {"FORGETS": "1"}, slice_seconds=0.0)
    assert [line for line in done if line[-1].isdigit()] == IN_TURNS


@pytest.mark.parametrize("dies", one_quick("AB"))
def test_one_dies_in_a_round(together, dies):
    """The other one times all of its rounds, alone."""
    left = "B" if dies == "A" else "A"
    done = timed(together, {"ROUNDS": "3", "DIES": dies}, {"ROUNDS": "3", "DIES": dies}, 0.0)
    expected = [f"{left} {number} {what}" for number in range(2) for what in (*(f"round {index}" for index in range(3)), "done")]
    assert [line for line in done if line[0] == left] == expected


@pytest.mark.skipif(not baton.cpus_for(1), reason="this system cannot hold a process to some of its CPUs")
def test_on_the_same_cpus(together, tmp_path):
    """What is timed has as many CPUs as threads, the same on both sides, in all threads; what is not may use any."""
    together({}, {})
    found = {
        what: {line.partition(" ")[2] for line in (tmp_path / "cpus").read_text().splitlines() if what in line}
        for what in ("timed", "memory")
    }
    every = sorted(os.sched_getaffinity(0))
    assert found == {"timed": {str(every[-1:])}, "memory": {str(every)}}
    assert baton.cpus_for(1) == every[-1:]
    assert baton.cpus_for(999) == every


def test_repeated(together):
    """All cases and then all of them again, in turns; what is not timed happens once.  A case that is alone is not repeated."""
    done = together({}, {}, repeats=2)
    again = ["A 0", "B 0", "B 1", "A 1", "A 2", "B 2", "B 3", "A 3"]
    assert done[2 * len(ALONE) : -2] == IN_TURNS + again

    alone = together({"COUNT": "1"}, {"COUNT": "1"}, repeats=2)
    assert alone[len(done) :].count("A 0") == 1


@pytest.mark.parametrize("dies", one_quick(["A 2", "A 0", "B 1"]))
def test_one_dies(together, dies):
    """The other one does all of its cases, alone."""
    left = "B" if dies[0] == "A" else "A"
    done = together({"DIES": dies}, {"DIES": dies})
    assert [line for line in done if line[0] == left] == [f"{left} {what}" for what in (*ALONE, 0, 1, 2, 3, "ended")]
    assert done[2 * len(ALONE) :].index(dies) == IN_TURNS.index(dies)
    assert f"{dies[0]} ended" not in done


@pytest.mark.parametrize("count", one_quick(["1", "2", "0"]))
def test_one_has_fewer_cases(together, count):
    """It waits for the other one, which goes on alone."""
    done = together({"COUNT": count}, {})
    assert [line for line in done if line[0] == "B"] == [f"B {what}" for what in (*ALONE, 0, 1, 2, 3, "ended")]
    assert done.index("A ended") > done.index("B 3")


def test_without_a_part(together, tmp_path):
    """The plug-in does nothing in a process that was not told its part."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", baton.PLUGIN, "test_cases.py"],
        cwd=tmp_path,
        env={**os.environ, "ME": "A", "PYTHONPATH": str(tmp_path / "plugins")},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert "1 failed, 4 passed" in done.stdout


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [((0, 0, 0, 0), (0, 0, 0, 0)), ((5, 0, 0, 0), (0, 0, 0, 0)), ((0, 0, 0, 0), (5, 0, 5, 0)), ((3, 0, 7, 1), (0, 4, 0, 9))],
)
def test_no_process_is_a_case_ahead(ours, theirs):
    """Whichever is slower in which case, both begin a case before either begins the next one, and they take turns in who begins.

    The numbers say how often each has the other one go on in the middle of each case.
    """
    begun = []

    def work(name, part, turns):
        process = baton.Baton(part)
        for case, number in enumerate(turns):
            process.take()
            begun.append(f"{name}{case}")
            for _ in range(number):
                process.turn()
            process.done()
        process.leave()

    one, other = socket.socketpair()
    with one, other:
        threads = [
            threading.Thread(target=work, args=("a", baton.Part(one, first=True, slice_seconds=0.0), ours), daemon=True),
            threading.Thread(target=work, args=("b", baton.Part(other, first=False, slice_seconds=0.0), theirs), daemon=True),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert begun == ["a0", "b0", "b1", "a1", "a2", "b2", "b3", "a3"]


def test_a_case_that_leaves_another_clock(monkeypatch):
    """Slices are timed by the clock that there was when the plug-in was imported."""

    def another():
        raise AssertionError("this clock is a case's own")

    monkeypatch.setattr(time, "perf_counter", another)
    one, other = socket.socketpair()
    other.close()
    with one:
        process = baton.Baton(baton.Part(one, first=True))
        process.take()
        process.turn()
        process.done()
