"""Which machine a process ran on, and what to call it: several machines can have measured one comparison, each pair within its own."""

from __future__ import annotations

import re
from collections.abc import Sequence

from benchmarks.saved.facts import at
from benchmarks.saved.records import Run

NODE = "machine_info.node"
"""The machine's name: processors of one kind are in many machines."""

PLACES = (
    NODE,
    "machine_info.cpu.brand_raw",
    "machine_info.cpu.count",
    "machine_info.machine",
    "machine_info.system",
)
"""What tells one machine from another: its name and its kind."""

OF_MACHINES = (*PLACES, "machine_info.release", "machine_info.lenet5.cpu_quota")
"""Circumstances in which machines may differ and still measure one comparison."""

OF_FRAMEWORKS = ("architecture", "simd", "gpu")
"""Facts of a framework that it finds out about the machine: likewise."""

NOISE = re.compile(r"\((R|TM|tm|r)\)|\b(CPU|Processor|processor)\b|@.*")
"""What a processor's brand has beside its name."""


def key(run: Run) -> tuple[str, ...]:
    """Equal for two processes that ran on one machine."""
    return tuple(_said(run, place) for place in PLACES)


def alike(one: Run, other: Run) -> bool:
    """Whether the processes of two runs count as those of one machine: it is the same one, or of the same kind under the same system."""
    return key(one) == key(other) or _kind(one) == _kind(other)


def _kind(run: Run) -> tuple[str, ...]:
    return tuple(_said(run, place) for place in OF_MACHINES if place != NODE)


def names(runs: Sequence[Run]) -> list[str]:
    """What to call the machine of each of these runs: processor and number of CPUs, with a number behind them where that is not enough."""
    known = {key(run): _name(run) for run in runs}
    alike = {name: [one for one, its in known.items() if its == name] for name in known.values()}
    called = {one: name if len(alike[name]) == 1 else f"{name} ({alike[name].index(one) + 1})" for one, name in known.items()}
    return [called[key(run)] for run in runs]


def _said(run: Run, place: str) -> str:
    found = at({"machine_info": run.machine}, place)
    return "" if found is None else str(found)


def _name(run: Run) -> str:
    """'Intel(R) Xeon(R) Processor @ 2.1 GHz' with 16 -> 'Intel Xeon, 16 CPUs'"""
    _, brand, count, kind, _ = key(run)
    name = " ".join(NOISE.sub(" ", brand).split()) or kind or "unknown CPU"
    return f"{name}, {count} CPU{'s' * (count != '1')}" if count else name
