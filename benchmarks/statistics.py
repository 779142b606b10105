"""Intervals for what the report says.  The mathematics is scipy's; which interval belongs to which figure is decided here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

CONFIDENCE = 0.95


class Ratio(NamedTuple):
    """How many times larger one time is than another, and the interval of that; without an interval both ends are None."""

    ratio: float
    low: float | None
    high: float | None


def share_interval(successes: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval of a share: for an accuracy, successes are the images classified correctly.   -> (low, high) in 0..1

    It holds its confidence near 0 and 1, where the textbook +/- 1.96 standard errors leaves the unit interval.
    """
    interval = stats.binomtest(successes, trials).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


def ratio_interval(numerators: Sequence[float], denominators: Sequence[float], confidence: float = CONFIDENCE) -> Ratio:
    """The ratio of two times of which every process gave one value each: numerators[i] and denominators[i] from process i.

    The geometric mean of the ratios within the processes, and Student's t interval of their logarithms: what slows a whole
    process down cancels, and A / B is the exact inverse of B / A.  The processes are what is repeated; the thousands of rounds
    inside one are no independent evidence and do not enter.  From one process there is a ratio and no interval.
    Raises ValueError unless there is one positive, finite value of each a process, and for a confidence outside 0..1.
    """
    if len(numerators) != len(denominators):
        raise ValueError(f"ratio_interval: {len(numerators)} numerators but {len(denominators)} denominators; they come in pairs")
    times = np.array([numerators, denominators], dtype=np.float64)
    if times.size == 0 or not np.all(np.isfinite(times) & (times > 0)):
        raise ValueError("ratio_interval: every process needs two finite times above 0")
    if not 0 < confidence < 1:
        raise ValueError(f"ratio_interval: confidence {confidence} lies outside 0..1")
    logs = np.subtract(*np.log(times))
    ratio = float(np.exp(logs.mean()))
    if len(logs) < 2:
        return Ratio(ratio, None, None)
    margin = stats.t.ppf((1 + confidence) / 2, len(logs) - 1) * stats.sem(logs)
    return Ratio(ratio, float(np.exp(logs.mean() - margin)), float(np.exp(logs.mean() + margin)))


def spread(values: Sequence[float]) -> float:
    """How many times larger the largest is than the smallest.   [1.0, 1.1] -> 1.1"""
    return max(values) / min(values)
