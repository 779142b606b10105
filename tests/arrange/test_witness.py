"""What the operating system knows about a measurement: worked out by hand from two snapshots, and seen for real whatever else is running."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from numpy.testing import assert_allclose

from benchmarks.arrange import witness
from benchmarks.arrange.witness import Snapshot, around_first_call, between, snapshot

PROJECT = Path(__file__).parents[2]

# user, nice, system, idle, iowait, irq, softirq, steal
BEFORE = Snapshot(
    at_seconds=100.0,
    cpu_seconds=7.0,
    involuntary_switches=11,
    load_1min=0.5,
    allowed={1: {0, 1}, 2: {0, 1}},
    waits_nanoseconds={1: 1_000_000, 2: 5_000_000},
    ticks={"cpu": [50, 0, 50, 900, 10, 0, 0, 5], "cpu0": [25, 0, 25, 400, 5, 0, 0, 2], "cpu1": [25, 0, 25, 500, 5, 0, 0, 3]},
    ticks_a_second=100,
)
AFTER = Snapshot(
    at_seconds=102.0,
    cpu_seconds=8.5,
    involuntary_switches=14,
    load_1min=1.25,
    allowed={1: {0, 1}, 2: {1}},
    waits_nanoseconds={1: 2_000_000, 3: 4_000_000},
    ticks={"cpu": [250, 0, 80, 1030, 20, 0, 0, 15], "cpu0": [125, 0, 40, 459, 10, 0, 0, 7], "cpu1": [125, 0, 40, 570, 10, 0, 0, 8]},
    ticks_a_second=100,
)


def test_worked_out():
    """2 s on two CPUs are 4 s of processor time: 1.3 idle, 0.1 waiting for a disk, 0.1 stolen, 1.5 ours, so 1.0 for all others."""
    found = between(BEFORE, AFTER)

    assert found.keys() == {
        *("cpus_allowed", "cpus_allowed_after", "watched_seconds", "process_cpu_seconds", "involuntary_switches"),
        *("runqueue_wait_seconds", "load_1min", "others_cpu_seconds", "steal_seconds"),
    }
    assert (found["cpus_allowed"], found["cpus_allowed_after"], found["involuntary_switches"]) == (2, 1, 3)
    assert_allclose([found["watched_seconds"], found["process_cpu_seconds"], found["load_1min"]], [2, 1.5, 1.25])
    assert_allclose([found["others_cpu_seconds"], found["steal_seconds"]], [1.0, 0.1])
    assert_allclose(found["runqueue_wait_seconds"], 1e-3 + 4e-3)  # of the thread that has gone nothing is known


def test_around_a_first_call():
    """Others and other virtual machines are one number beside the seconds that were watched; where the system does not tell there is none."""
    found = around_first_call(BEFORE, AFTER)
    assert found.keys() == {"first_call_watched_seconds", "first_call_others_cpu_seconds"}
    assert_allclose([*found.values()], [2, 1.1])
    assert around_first_call(BEFORE, replace(AFTER, ticks={})) == {}


def test_only_the_cpus_that_it_may_use():
    """What runs on a CPU that the process may not use does not count.   cpu1: 2 s, 0.7 idle, 0.05 for a disk, 0.05 stolen, 0.5 ours"""
    alone = {1: {1}}
    found = between(replace(BEFORE, allowed=alone), replace(AFTER, allowed=alone, cpu_seconds=7.5))

    assert found["cpus_allowed"] == 1
    assert_allclose([found["others_cpu_seconds"], found["steal_seconds"]], [0.7, 0.05])


def test_rounding_is_no_negative_time():
    """The counters of the system are coarser than ours: what would be less than nothing is nothing."""
    found = between(BEFORE, replace(AFTER, cpu_seconds=9.6))

    assert found["others_cpu_seconds"] == 0


@pytest.mark.parametrize(
    ("change", "absent"),
    [
        ({"ticks": {}}, {"others_cpu_seconds", "steal_seconds"}),
        ({"ticks": BEFORE.ticks}, {"others_cpu_seconds", "steal_seconds"}),  # counters that stand still
        ({"ticks": {"cpu": AFTER.ticks["cpu"]}}, {"others_cpu_seconds", "steal_seconds"}),
        ({"cpu_seconds": None}, {"others_cpu_seconds", "steal_seconds", "process_cpu_seconds"}),
        ({"involuntary_switches": None}, {"involuntary_switches"}),
        ({"load_1min": None}, {"load_1min"}),
        ({"waits_nanoseconds": {}}, {"runqueue_wait_seconds"}),
        ({"allowed": {}}, {"cpus_allowed_after"}),
    ],
)
def test_absent_where_the_system_does_not_tell(change, absent):
    """Each field that a snapshot has nothing for is left out, and only that."""
    assert between(BEFORE, AFTER).keys() - between(BEFORE, replace(AFTER, **change)).keys() == absent


def test_without_proc(tmp_path):
    """A system without /proc tells less, and that is no error."""
    found = between(snapshot(tmp_path), snapshot(tmp_path))

    assert {"watched_seconds", "process_cpu_seconds"} <= found.keys()
    assert not found.keys() & {"others_cpu_seconds", "steal_seconds", "runqueue_wait_seconds", "cpus_allowed"}


linux = pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="needs the /proc of Linux")

WATCHER = """
import json, sys
from benchmarks.arrange.witness import between, snapshot
before = snapshot()
print("watching", flush=True)
sys.stdin.readline()
print(json.dumps(between(before, snapshot())))
"""

ROUNDING_SECONDS = 0.05
"""A hundredth of a second for each of the counters that are subtracted."""


def busy(seconds: float) -> float:
    """Use so much processor time.   -> what the process itself was charged for meanwhile"""
    own = resource.getrusage(resource.RUSAGE_SELF)
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass
    now = resource.getrusage(resource.RUSAGE_SELF)
    return now.ru_utime + now.ru_stime - own.ru_utime - own.ru_stime


@linux
def test_another_program_is_seen():
    """What this process uses while another one watches is what others used, for that one; however busy the machine is beside."""
    with subprocess.Popen(
        [sys.executable, "-c", WATCHER], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as watcher:
        assert watcher.stdout.readline() == "watching\n"
        used = busy(0.4)
        answer, _ = watcher.communicate("now\n", timeout=60)
    found = json.loads(answer)

    assert found["others_cpu_seconds"] >= used - ROUNDING_SECONDS
    assert found["watched_seconds"] >= found["process_cpu_seconds"]


BURN = "import sys, time\nwhile time.process_time() < 0.3: pass\nprint('done', flush=True)\nsys.stdin.readline()"


@linux
@pytest.mark.parametrize("ended", [True, False], ids=["that has ended", "that goes on"])
def test_own_programs_are_no_others(ended):
    """A program that this process has started is its own, whether it has ended or not."""
    before = snapshot()
    with subprocess.Popen([sys.executable, "-c", BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout.readline() == "done\n"
        if ended:
            program.communicate("go\n", timeout=60)
        found = between(before, snapshot())

    assert found["process_cpu_seconds"] >= 0.3 - ROUNDING_SECONDS


BOUND = """
import json, os, threading
from benchmarks.arrange.witness import between, snapshot
before, go, bound = snapshot(), threading.Event(), threading.Event()
def work():
    os.sched_setaffinity(threading.get_native_id(), {min(os.sched_getaffinity(0))})
    bound.set()
    go.wait()
thread = threading.Thread(target=work)
thread.start()
bound.wait()
found = between(before, snapshot())
go.set()
print(json.dumps({**found, "main": len(os.sched_getaffinity(0))}))
"""


@linux
def test_one_bound_thread_is_seen():
    """As importing PyTorch does under OMP_PROC_BIND=true: one thread of the process may run on one CPU only, the others on all."""
    done = subprocess.run([sys.executable, "-c", BOUND], cwd=PROJECT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)

    assert found["cpus_allowed_after"] == 1
    assert found["cpus_allowed"] == found["main"] == len(os.sched_getaffinity(0))


@linux
def test_waiting_for_a_cpu_is_counted():
    """This kernel counts how long a thread was ready without a CPU, unless it says 0 for how long it ran."""
    ran = int(Path("/proc/self/schedstat").read_text().split()[0])
    assert (snapshot().waits_nanoseconds != {}) == (ran > 0)


def test_reads_the_rows_of_the_system(tmp_path):
    """Rows of /proc/stat by their names; of a process with a strange name the four times that count."""
    (tmp_path / "stat").write_text("cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 2 3 4 5 6 7 8 0 0\nintr 5 6\nctxt 7\n")
    assert snapshot(tmp_path).ticks == {"cpu": [1, 2, 3, 4, 5, 6, 7, 8], "cpu0": [1, 2, 3, 4, 5, 6, 7, 8]}

    process = tmp_path / "process"
    process.write_text("17 (a ) b) S 1 17 17 0 -1 4194304 0 0 0 0 100 20 3 4 20 0 1 0 5 6 7")
    assert witness._cpu_ticks(process) == 127
