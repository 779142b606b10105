"""What the operating system knows about one measurement: which CPUs it was allowed, how much of them it used, and what all others used.

`snapshot` reads the system, once before a measurement and once after it; `between` makes of two snapshots the fields that are saved
beside the times, in raw SI units.  A field is absent where a system does not tell.

It imports nothing beyond the standard library.  A snapshot is part of no time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

resource: ModuleType | None
try:
    import resource
except ImportError:  # Windows
    resource = None

PROC = Path("/proc")

IDLE, IO_WAIT, STEAL = 3, 4, 7
"""Places in a row of /proc/stat: nothing to run, nothing to run but something waits for a disk, and taken by another virtual machine."""

STATES = 8
"""Places of a row that exclude each other; what follows is counted in the first two already."""

ALL_CPUS = "cpu"
"""The name of the row of all CPUs together."""

NANOSECOND = 1e-9


@dataclass(frozen=True)
class Snapshot:
    """What the system says at one moment; None or empty where it does not say."""

    at_seconds: float
    """On a clock that never goes back."""
    cpu_seconds: float | None
    """Processor time of this process and of all that it started, by now."""
    involuntary_switches: int | None
    """How often a thread of this process was made to leave its CPU although it could have gone on, by now."""
    load_1min: float | None
    allowed: Mapping[int, Collection[int]]
    """Thread of this process -> the CPUs that it may run on."""
    waits_nanoseconds: Mapping[int, int]
    """Thread of this process -> how long it has been ready to run and had no CPU, by now."""
    ticks: Mapping[str, Sequence[int]]
    """Row of /proc/stat ("cpu" for all CPUs, "cpu0" for the first) -> ticks that it has spent in each of its states, by now."""
    ticks_a_second: int


def snapshot(proc: Path = PROC) -> Snapshot:
    """What the system says now."""
    threads = _numbers(proc / "self" / "task")
    allowed = _allowed(threads)
    waits = {thread: wait for thread in threads if (wait := _wait(proc / "self" / "task" / str(thread) / "schedstat")) is not None}
    load = _load()
    cpu_seconds, switches = _usage(proc)
    ticks = _ticks(proc / "stat")
    return Snapshot(time.perf_counter(), cpu_seconds, switches, load, allowed, waits, ticks, _ticks_a_second())


def between(before: Snapshot, after: Snapshot) -> dict[str, float | int]:
    """What happened between two snapshots of one process, as fields of ``extra_info``; a field is absent where a snapshot lacks it."""
    watched = after.at_seconds - before.at_seconds
    found: dict[str, float | int | None] = {
        "cpus_allowed": _fewest(before),
        "cpus_allowed_after": _fewest(after),
        "watched_seconds": watched,
        "process_cpu_seconds": _grown(before.cpu_seconds, after.cpu_seconds),
        "involuntary_switches": _grown(before.involuntary_switches, after.involuntary_switches),
        "runqueue_wait_seconds": _waited(before, after),
        "load_1min": after.load_1min,
        **_others(before, after, watched),
    }
    return {name: value for name, value in found.items() if value is not None}


def around_first_call(before: Snapshot, after: Snapshot) -> dict[str, float]:
    """What all others used, other virtual machines among them, between two snapshots around a first call; nothing where that is not known."""
    found = between(before, after)
    if "others_cpu_seconds" not in found:
        return {}
    others = found["others_cpu_seconds"] + found["steal_seconds"]
    return {"first_call_watched_seconds": found["watched_seconds"], "first_call_others_cpu_seconds": others}


def _others(before: Snapshot, after: Snapshot, watched: float) -> dict[str, float | None]:
    """Processor time of all other programs on the CPUs that this process may use, and what other virtual machines took of these CPUs.

    All others used what was neither idle nor stolen nor ours.  The system counts idle time exactly, and the time of programs by
    looking at each CPU some hundred times a second; so the idle time is what this is computed from.
    """
    cpus = {cpu for one in (before, after) for of_thread in one.allowed.values() for cpu in of_thread}
    spent = _spent(before.ticks, after.ticks, cpus)
    own = _grown(before.cpu_seconds, after.cpu_seconds)
    if own is None or not any(spent):  # a system that keeps no such counters has them at 0
        return {}
    idle, steal = (sum(spent[state] for state in states) / after.ticks_a_second for states in ((IDLE, IO_WAIT), (STEAL,)))
    return {"others_cpu_seconds": max(0.0, len(cpus) * watched - idle - steal - own), "steal_seconds": steal}


def _spent(before: Mapping[str, Sequence[int]], after: Mapping[str, Sequence[int]], cpus: Collection[int]) -> list[int]:
    """Ticks that these CPUs have spent in each state; empty where the system has no row for one of them.

    The row of all CPUs together is rounded once, and so less than the sum of their rows: it is taken where it is of these CPUs.
    """
    rows = [f"{ALL_CPUS}{cpu}" for cpu in cpus]
    if not rows or any(row not in one for row in rows for one in (before, after)):
        return []
    if len(rows) == len(after) - 1 and ALL_CPUS in before and ALL_CPUS in after:
        rows = [ALL_CPUS]
    return [sum(after[row][state] - before[row][state] for row in rows) for state in range(STATES)]


def _fewest(one: Snapshot) -> int | None:
    """CPUs that the thread may run on that may run on the fewest."""
    return min(map(len, one.allowed.values()), default=None)


def _waited(before: Snapshot, after: Snapshot) -> float | None:
    """How long the threads that are there at the end were ready to run and had no CPU."""
    if not after.waits_nanoseconds:
        return None
    waits = [wait - before.waits_nanoseconds.get(thread, 0) for thread, wait in after.waits_nanoseconds.items()]
    return max(0, sum(waits)) * NANOSECOND


def _grown(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else max(0, after - before)


# Reading


def _numbers(folder: Path) -> list[int]:
    """The entries of a folder whose names are numbers: processes or threads."""
    with suppress(OSError):
        return [int(name) for name in os.listdir(folder) if name.isdecimal()]
    return []


def _allowed(threads: Iterable[int]) -> dict[int, Collection[int]]:
    found: dict[int, Collection[int]] = {}
    for thread in threads if hasattr(os, "sched_getaffinity") else ():
        with suppress(OSError):  # it has ended
            found[thread] = os.sched_getaffinity(thread)
    return found


def _wait(schedstat: Path) -> int | None:
    """The second of the numbers: nanoseconds that a thread was ready and had no CPU.  A kernel that does not count has 0 everywhere."""
    with suppress(OSError, ValueError, IndexError):
        ran, waited, *_ = map(int, schedstat.read_text().split())
        return waited if ran else None
    return None


def _load() -> float | None:
    with suppress(OSError, AttributeError):
        return os.getloadavg()[0]
    return None


def _usage(proc: Path) -> tuple[float | None, int | None]:
    """Processor time of this process and all that it started, ended or not; and involuntary switches of this process."""
    if resource is None:
        return None, None
    own, ended = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    running = sum(_cpu_ticks(proc / str(child) / "stat") for child in _descendants(proc, "self")) / _ticks_a_second()
    return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime + running, own.ru_nivcsw


def _descendants(proc: Path, process: int | str) -> Iterator[int]:
    """Processes that a process has started and that have not ended, and those that these have started."""
    for thread in _numbers(proc / str(process) / "task"):
        with suppress(OSError):
            for child in map(int, (proc / str(process) / "task" / str(thread) / "children").read_text().split()):
                yield child
                yield from _descendants(proc, child)


def _cpu_ticks(stat: Path) -> int:
    """Processor time of a process and of its children that have ended."""
    with suppress(OSError, ValueError, IndexError):
        _, _, behind_the_name = stat.read_text().rpartition(")")
        return sum(map(int, behind_the_name.split()[11:15]))
    return 0


def _ticks(stat: Path) -> dict[str, Sequence[int]]:
    with suppress(OSError, ValueError):
        rows = [line.split() for line in stat.read_text().splitlines() if line.startswith(ALL_CPUS)]
        return {name: [int(value) for value in values[:STATES]] for name, *values in rows if len(values) >= STATES}
    return {}


def _ticks_a_second() -> int:
    return os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
