"""How many threads a framework gets: what OMP_NUM_THREADS says, read as OpenMP reads it; and how many CPUs there are for them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MOST_THREADS = 2**31 - 1
"""What the libraries take as a number at all."""

CGROUPS = Path("/proc/self/cgroup")
"""Names the control groups that this process belongs to: by these Linux, and a container, limits what processes get."""

CONTROL = Path("/sys/fs/cgroup")
"""Where the limits of all control groups stand."""


def asked() -> int | None:
    """The first number of OMP_NUM_THREADS: the others are for threads that start threads, as in "2,1".

    None where it is not set, or says something else than whole numbers from 1: OpenMP ignores that, and the libraries choose.
    """
    said = os.environ.get("OMP_NUM_THREADS", "").strip()
    if not re.fullmatch(r"\+?[0-9]{1,10}(\s*,\s*\+?[0-9]{1,10})*", said, re.ASCII):
        return None
    number = int(said.partition(",")[0])
    return number if 1 <= number <= MOST_THREADS else None


def usable_cpus() -> int:
    """CPUs that the threads of this process can keep busy: those that it may run on, or fewer if it may use only some of their time.

    A container can have two CPUs and the time of one; its second thread would wait for the first.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cpu_quota()
    return allowed if quota is None else max(1, min(allowed, int(quota)))


def cpu_quota(cgroups: Path = CGROUPS, control: Path = CONTROL) -> float | None:
    """Processor time that this process may use a second, in seconds; None where the system sets no limit, or does not tell."""
    return min(_quotas(cgroups, control), default=None)


def _quotas(cgroups: Path, control: Path) -> Iterator[float]:
    """The limit of each control group that the process belongs to, and of those that these are in."""
    with suppress(OSError, ValueError):
        for line in cgroups.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            # The second version has one tree; the first one has a tree for each controller, of which one deals out time.
            trees = [control, control / "unified"] if not controllers else [control / controllers, control / "cpu"]
            if controllers and "cpu" not in controllers.split(","):
                continue
            for tree in dict.fromkeys(trees):
                group = tree / path.lstrip("/")
                for place in (group, *(parent for parent in group.parents if parent.is_relative_to(tree))):
                    yield from _quota(place)


def _quota(group: Path) -> Iterator[float]:
    """The limit of one control group, if it has one."""
    with suppress(OSError, ValueError, ZeroDivisionError):
        if (group / "cpu.max").exists():
            time, period = (group / "cpu.max").read_text().split()
        else:
            time, period = ((group / f"cpu.cfs_{what}_us").read_text().strip() for what in ("quota", "period"))
        if time not in ("max", "-1"):
            yield int(time) / int(period)
