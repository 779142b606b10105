"""Times from elsewhere become rounds of a case, unchanged; interleaved calls are timed equally often."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from benchmarks.arrange import clock
from benchmarks.arrange.clock import interleaved, medians

CASE = """
import pytest
from benchmarks.arrange.clock import enter, recorded_time

@pytest.mark.benchmark{marker}
def test_case(benchmark):
    enter(benchmark, [0.1, 0.7, 1e-7, 40.0])
"""


@pytest.fixture
def run(tmp_path):
    """run(marker, *options) -> the exit code of a session with one case, and what it saved."""

    def session(marker, *options):
        # A name of its own: pytest would take another session's module of the same name for this one.
        (tmp_path / f"test_{tmp_path.name}.py").write_text(CASE.format(marker=marker))
        saved = tmp_path / "run.json"
        quiet = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib", "-W", "ignore", "--benchmark-quiet"]
        code = pytest.main([str(tmp_path), *quiet, f"--benchmark-json={saved}", *options])
        return code, json.loads(saved.read_text() or "{}") if saved.exists() else {}

    return session


@pytest.fixture(autouse=True)
def _apart(monkeypatch, tmp_path):
    """A session inside this one must not find the project's conftest; the package it finds through sys.path."""
    monkeypatch.chdir(tmp_path)


def test_entered_times_are_the_rounds(run):
    """Each time is a round, to the last bit and in its order; no time of this process is among them."""
    code, saved = run("(timer=recorded_time)")
    assert code == 0
    (case,) = saved["benchmarks"]
    assert case["stats"]["data"] == [0.1, 0.7, 1e-7, 40.0]
    assert case["stats"]["rounds"] == 4
    assert case["stats"]["iterations"] == 1


def test_a_case_with_a_real_clock_is_refused(run):
    """Without the marker the rounds would be the microseconds that entering takes."""
    code, _ = run("")
    assert code == 1


def test_disabled(run):
    """A smoke test enters nothing and passes."""
    code, _ = run("(timer=recorded_time)", "--benchmark-disable")
    assert code == 0


@pytest.fixture
def called(monkeypatch):
    """called(budget_seconds, least_rounds) -> the order of the calls, and the times taken, by a clock that only these calls move."""
    now = [0]
    monkeypatch.setattr(clock, "time", SimpleNamespace(perf_counter=lambda: now[0]))

    def measure(budget_seconds, least_rounds):
        order = []

        def call(name, seconds):
            def function():
                order.append(name)
                now[0] += seconds

            return function

        seconds = interleaved({"a": call("a", 2), "b": call("b", 10), "c": call("c", 1)}, budget_seconds, least_rounds)
        return "".join(order), seconds

    return measure


def test_interleaved(called):
    """Every call has as many times as every other, its own, is called in rotation, and once before the clock."""
    order, seconds = called(budget_seconds=0, least_rounds=3)
    assert order == "abc" + "abc" + "bca" + "cab"
    assert seconds == {"a": [2] * 3, "b": [10] * 3, "c": [1] * 3}


def test_in_blocks(monkeypatch):
    """Each call many times on end, with a rest before each block in which nothing runs; what is to be done before a call is in no time."""
    now, order = [0.0], []

    def does(what, seconds):
        order.append(what)
        now[0] += seconds

    monkeypatch.setattr(clock, "time", SimpleNamespace(perf_counter=lambda: now[0], sleep=lambda seconds: does("rest", seconds)))
    calls = {"a": lambda: does("a", 1), "b": lambda: does("b", 2)}
    seconds = clock.in_blocks(calls, 0.0, before={"b": lambda: does("before b", 4)})
    block = ["rest", *["a"] * 6, "rest", *["before b", "b"] * 6]  # one call that is not timed, and the five least
    assert order == block * clock.BLOCKS
    assert seconds == {"a": pytest.approx([1.0] * 5 * clock.BLOCKS), "b": pytest.approx([2.0] * 5 * clock.BLOCKS)}


def test_interleaved_until_the_time_is_up(called):
    """Rounds of 13 seconds begin at 0, 13 and 26; at 39 a budget of 39 is spent."""
    _, seconds = called(budget_seconds=39, least_rounds=1)
    assert seconds == {"a": [2] * 3, "b": [10] * 3, "c": [1] * 3}


def test_what_is_done_before_a_call(monkeypatch):
    """It is done before every call of that name, the untimed one included, and is in no time but in the budget."""
    now, order = [0], []
    monkeypatch.setattr(clock, "time", SimpleNamespace(perf_counter=lambda: now[0]))

    def call(name, seconds):
        order.append(name)
        now[0] += seconds

    calls = {"a": lambda: call("a", 2), "b": lambda: call("b", 10)}
    seconds = interleaved(calls, 39, least_rounds=1, before={"a": lambda: call("A", 1)})

    assert "".join(order) == "Aab" + "Aab" + "bAa" + "Aab"
    assert seconds == {"a": [2] * 3, "b": [10] * 3}


def test_medians():
    """Names gain their unit."""
    assert medians({"dense": [3.0, 1.0, 2.0]}) == {"dense_seconds": 2.0}
