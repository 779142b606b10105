"""Are the report's intervals honest?  How often the intervals of identical cases miss 1.

Copies of a few cases, identical but for their names, are measured for real in many processes (``benchmarks/twins.py``); disjoint sets
of processes and disjoint pairs of copies give ratios whose true value is 1.  Of 95 % intervals 5 % may miss it.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.quantities import units
from benchmarks.quantities.statistics import CONFIDENCE, Ratio, ratio_interval, share_interval
from benchmarks.saved.files import write_whole
from benchmarks.saved.results import Case, Run
from lenet5.errors import InputError

CASES = "benchmarks/twins.py"


def check_set(size: int, processes: int) -> None:
    """Raise InputError unless the processes divide into sets of at least two."""
    if size < 2 or processes % size:
        raise InputError(f"--set {size}: {processes} processes do not divide into sets of that many; use a divisor from 2 up")


def ratios(run: Run, size: int) -> Iterator[tuple[str, Ratio]]:
    """Each kind of case, and the ratio of two of its copies in one set of ``size`` processes."""
    kinds: dict[str, list[Case]] = {}
    for case in sorted(run.group("twins"), key=lambda case: int(case.extra["copy"])):
        batch = f", batch {case.extra['batch']}" if case.extra.get("batch") else ""
        kinds.setdefault(f"{case.framework} {case.mode}{batch}", []).append(case)
    for kind, copies in kinds.items():
        for one, other in zip(copies[::2], copies[1::2], strict=False):
            for start in range(0, run.processes - size + 1, size):
                of_set = slice(start, start + size)
                yield kind, ratio_interval(one.medians[of_set], other.medians[of_set])


def count(run: Run, size: int) -> dict[str, Any]:
    """How many intervals there are, and how many miss 1: of all and of each kind.  Raises InputError for a run without copies."""
    by_kind: dict[str, list[Ratio]] = {}
    for kind, ratio in ratios(run, size):
        by_kind.setdefault(kind, []).append(ratio)
    if not by_kind:
        raise InputError(f"{run.paths[0].parent}: holds no copies of a case; measure some with python -m benchmarks coverage")
    everything = [ratio for found in by_kind.values() for ratio in found]
    low, high = share_interval(sum(map(_misses, everything)), len(everything))
    return {
        "confidence": CONFIDENCE,
        "processes": run.processes,
        "processes_a_ratio": size,
        **_tally(everything),
        "missed_share": sum(map(_misses, everything)) / len(everything),
        "missed_share_interval": [low, high],
        "kinds": {kind: _tally(found) for kind, found in by_kind.items()},
    }


def _tally(found: list[Ratio]) -> dict[str, Any]:
    return {
        "ratios": len(found),
        "missed": sum(map(_misses, found)),
        "median_half_width": statistics.median((high / low) ** 0.5 - 1 for _, low, high in found if low and high),
    }


def _misses(ratio: Ratio) -> bool:
    return ratio.low is not None and ratio.high is not None and not ratio.low <= 1 <= ratio.high


def save(run: Run, size: int, command: str, path: Path) -> Mapping[str, Any]:
    """Write the count and its circumstances as JSON.   -> what was written

    ``command`` is what a reader can repeat it with.  Raises InputError if the file cannot be written.
    """
    facts = {
        "command": command,
        "measured": run.datetime,
        "cpu": run.machine.get("cpu", {}).get("brand_raw"),
        "cpus": run.machine.get("cpu", {}).get("count"),
        "system": f"{run.machine.get('system')} {run.machine.get('release')}",
        "threads": run.lenet5["threads"],
        "frameworks": {name: about.get("version") for name, about in run.lenet5["frameworks"].items()},
        "code_sha256": run.lenet5.get("code_sha256"),
        **count(run, size),
    }
    write_whole(path, json.dumps(facts, indent=2) + "\n", "--save")
    return facts


def sentence(facts: Mapping[str, Any]) -> str:
    """The count in words."""
    low, high = facts["missed_share_interval"]
    return (
        f"Of {facts['ratios']} ratios of identical cases, each from {facts['processes_a_ratio']} processes, {facts['missed']} "
        f"{facts['confidence']:.0%} intervals miss 1: {units.percent(facts['missed_share'])} [{100 * low:.1f}, {100 * high:.1f}]."
    )
