"""Every case records what the operating system knew of its measurement, in whichever way it measures, and no time has any of that in it."""

from __future__ import annotations

import json
import socket
import threading
import time

import pytest

from benchmarks.sessions.baton import COUNT_BYTES, Baton, Part
from tests.support.copies import copy_of_project, run_pytest

CASES = """
import time

import pytest
from benchmarks.arrange import witness
from benchmarks.arrange.clock import enter, recorded_time

GROUP = "a group of my own"


@pytest.fixture(autouse=True)
def looks(monkeypatch, record):
    '''How often the system was looked at so far.'''
    seen, look = [], witness.snapshot
    monkeypatch.setattr(witness, "snapshot", lambda: seen.append(1) or look())
    record(framework="mine", mode="plain")
    return seen


@pytest.mark.benchmark(group=GROUP)
def test_called(benchmark, looks):
    assert benchmark(lambda: len(looks)) == 1
    assert len(looks) == 2


@pytest.mark.benchmark(group=GROUP)
def test_pedantic(benchmark, looks):
    asked, undone = [], []
    given = benchmark.pedantic(
        lambda number: (number, len(looks)),
        setup=lambda: ((asked.append(1) or len(asked),), {}),
        teardown=lambda number: undone.append(number),
        rounds=7,
    )
    assert given == (7, 1)
    assert undone == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.benchmark(group=GROUP, timer=recorded_time)
def test_entered(benchmark):
    time.sleep(0.2)
    enter(benchmark, [0.1, 0.7])


@pytest.mark.benchmark(group=GROUP)
def test_wrong(benchmark):
    benchmark(lambda: 1 / 0)
"""

PROGRAM = """
'Stands in for the original report in TensorFlow: every time is 0.1 s, and it takes longer than that.'

import json
import time

TITLE = "original"
FRAMEWORK = "tensorflow"
PACKAGES = ()

if __name__ == "__main__":
    time.sleep(0.3)
    times = ("inference_as_original", "inference_honest", "training_as_original", "training_honest")
    print(json.dumps({f"{name}_seconds": 0.1 for name in times}))
"""

TOLD = {"watched_seconds", "process_cpu_seconds"}
"""Fields that every system tells with a module `resource`."""

NOTICED = {*TOLD, "others_cpu_seconds", "steal_seconds", "involuntary_switches", "cpus_allowed", "load_1min"}
"""Fields that differ from one measurement to the next."""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project with cases of its own."""
    copy = copy_of_project(tmp_path_factory.mktemp("watched") / "project")
    (copy / "benchmarks" / "test_of_my_own.py").write_text(CASES)
    return copy


def session(project, *options):
    """How pytest ended, and what it saved, case by case."""
    saved = project / "run.json"
    saved.unlink(missing_ok=True)
    quick = ("--no-report", "--benchmark-max-time=0.01", f"--benchmark-json={saved}")
    verdict = run_pytest(project, "benchmarks/test_of_my_own.py", *quick, *options)
    cases = json.loads(saved.read_text(encoding="utf-8") or '{"benchmarks": []}')["benchmarks"] if saved.exists() else []
    return verdict, {case["name"]: case for case in cases}


@pytest.mark.parametrize("options", [(), ("--benchmark-only",), ("--benchmark-enable", "--benchmark-warmup=on")], ids=str)
def test_every_way_to_measure(project, options):
    """Called, pedantic with set-up and tear-down, entered: each is watched once before and once after; a case that fails has no number."""
    verdict, cases = session(project, *options)

    assert set(verdict.passed) == set(cases) == {"test_called", "test_pedantic", "test_entered"}, verdict.output
    (message,) = verdict.failed.values()
    assert message.startswith("ZeroDivisionError")
    for case in cases.values():
        assert case["extra_info"].keys() >= TOLD
    for name in ("test_called", "test_pedantic"):
        assert cases[name]["extra_info"]["watched_seconds"] > sum(cases[name]["stats"]["data"])
    assert cases["test_pedantic"]["stats"]["rounds"] == 7


def test_entered_times_are_watched_from_the_call_on(project):
    """What a case times itself happens before it enters the times."""
    _, cases = session(project, "-k", "entered")

    assert cases["test_entered"]["stats"]["data"] == [0.1, 0.7]
    assert cases["test_entered"]["extra_info"]["watched_seconds"] >= 0.2


def test_times_that_cases_share_are_watched_once_for_all_of_them(project):
    """What a program's answer gives to several cases was disturbed for all of them, not only for the one in which it ran."""
    (project / "benchmarks" / "isolated" / "original_tensorflow.py").write_text(PROGRAM)
    saved = project / "run.json"
    options = ("-k", "test_tensorflow and dynamic", "--no-report", f"--benchmark-json={saved}")
    verdict = run_pytest(project, "benchmarks/test_original_protocol.py", *options)
    cases = json.loads(saved.read_text(encoding="utf-8"))["benchmarks"]

    assert verdict.passed == ["test_tensorflow[dynamic-inference]", "test_tensorflow[dynamic-training]"], verdict.output
    first, second = ({name: case["extra_info"].get(name) for name in NOTICED} for case in cases)
    assert first == second
    assert first["watched_seconds"] >= 0.3


def test_the_other_side_of_a_pair_sleeps():
    """While it waits for the baton a process uses no CPU, and so it is not what disturbs the case of the other one."""
    ours, others = socket.socketpair()
    waiting, used = Baton(Part(ours, first=False)), []

    def wait():
        before = time.thread_time()
        waiting.take()
        used.append(time.thread_time() - before)

    thread = threading.Thread(target=wait)
    with ours, others:
        thread.start()
        others.sendall(bytes(COUNT_BYTES))  # both are ready; the other one takes the first case
        time.sleep(1)
        assert not used
        others.sendall((1).to_bytes(COUNT_BYTES, "big"))
        thread.join(60)
        assert not thread.is_alive()
    assert used[0] < 0.1


def test_disabled(project):
    """A smoke test looks at nothing."""
    verdict, _ = session(project, "--benchmark-disable", "-k", "entered")
    assert verdict.passed == ["test_entered"]
