"""The statistics that pytest-benchmark keeps of a case's rounds: checked, and those of several processes as one."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.saved.kinds import AT_LEAST_ONE, PLAUSIBLE, SECONDS, Kind, ListOf, Number, fault_in

KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("min", "max", "mean", "median", "q1", "q3"), SECONDS),
    "stddev": Number(0, PLAUSIBLE[1]),
    "rounds": AT_LEAST_ONE,
}
"""The statistics that every case has: seconds, and the number of rounds."""

DATA, ROUNDS = "data", ListOf(SECONDS)
"""The name and the kind of the list of all rounds' seconds, which a session saves if it is told to."""


def faults(stats: Mapping[str, Any]) -> Iterator[str]:
    """The sentence about the first statistic of a case that is wrong or missing."""
    kinds = {**KINDS, **({DATA: ROUNDS} if DATA in stats else {})}
    for name, kind in kinds.items():
        if fault := fault_in(stats, name, kind):
            yield fault
            return


def pooled(stats: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Statistics of several processes as one: extremes of all, moments of all rounds; median and quartiles are the medians of theirs."""
    rounds = sum(one["rounds"] for one in stats)
    mean = sum(one["mean"] * one["rounds"] for one in stats) / rounds
    squares = sum(one["rounds"] * (one["stddev"] ** 2 + (one["mean"] - mean) ** 2) for one in stats)
    return {
        "min": min(one["min"] for one in stats),
        "max": max(one["max"] for one in stats),
        "mean": mean,
        "stddev": math.sqrt(squares / rounds),
        "rounds": rounds,
        **{field: statistics.median(one[field] for one in stats) for field in ("median", "q1", "q3")},
    }
