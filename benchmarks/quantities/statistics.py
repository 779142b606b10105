"""Intervals for what the report says.  The mathematics is scipy's; which interval belongs to which figure is decided here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy  # whose parts are imported when they are first used: they take half a second

CONFIDENCE = 0.95

SEVERAL = 3
"""Processes of a run that give an interval against another run's; two are too few to tell a spread by."""


class Ratio(NamedTuple):
    """How many times larger one time is than another, and the interval of that; without an interval both ends are None."""

    ratio: float
    low: float | None
    high: float | None


def share_interval(successes: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval of a share: for an accuracy, successes are the images classified correctly.   -> (low, high) in 0..1

    It holds its confidence near 0 and 1, where the textbook +/- 1.96 standard errors leaves the unit interval.
    """
    interval = scipy.stats.binomtest(successes, trials).proportion_ci(confidence, method="wilson")
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
    margin = scipy.stats.t.ppf((1 + confidence) / 2, len(logs) - 1) * scipy.stats.sem(logs)
    return Ratio(ratio, float(np.exp(logs.mean() - margin)), float(np.exp(logs.mean() + margin)))


def independent_ratio_interval(numerators: Sequence[float], denominators: Sequence[float], confidence: float = CONFIDENCE) -> Ratio:
    """The ratio of two times that different processes measured: numerators in those of one run, denominators in those of another.

    The ratio of the geometric means, and Welch's t interval of the difference of the logarithms.  Nothing is paired, so nothing
    cancels: it knows how much processes of one run differ, and nothing of what changed between the runs.  With fewer than
    `SEVERAL` processes on a side there is a ratio and no interval.  Raises ValueError as `ratio_interval` does.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"independent_ratio_interval: confidence {confidence} lies outside 0..1")
    sides = [np.array(side, dtype=np.float64) for side in (numerators, denominators)]
    if any(side.size == 0 or not np.all(np.isfinite(side) & (side > 0)) for side in sides):
        raise ValueError("independent_ratio_interval: every side needs finite times above 0")
    one, other = (np.log(side) for side in sides)
    ratio = float(np.exp(one.mean() - other.mean()))
    if min(len(one), len(other)) < SEVERAL:
        return Ratio(ratio, None, None)
    if not (np.ptp(one) or np.ptp(other)):
        return Ratio(ratio, ratio, ratio)  # no spread, no width; Welch's degrees of freedom would be 0 / 0
    interval = scipy.stats.ttest_ind(one, other, equal_var=False).confidence_interval(confidence)
    return Ratio(ratio, float(np.exp(interval.low)), float(np.exp(interval.high)))


def spread(values: Sequence[float]) -> float:
    """How many times larger the largest is than the smallest.   [1.0, 1.1] -> 1.1"""
    return max(values) / min(values)


class Difference(NamedTuple):
    """How much larger one share is than another, from -1 to 1, and the interval of that."""

    difference: float
    low: float
    high: float


def paired_difference(gained: int, lost: int, trials: int, confidence: float = CONFIDENCE) -> Difference:
    """How much more accurate a second network is than a first on the same images, with the interval of that difference.

    ``gained`` images only the second network classified correctly, ``lost`` images only the first, of ``trials`` images in all.  Images
    that both got right, or both got wrong, do not widen the interval: McNemar's view.  The interval is Bonett and Price's (2012), which adds
    one image to either side before the textbook formula; so it holds its confidence for few disagreements, and has a width even without any.
    Raises ValueError for counts that contradict each other.
    """
    if min(gained, lost) < 0 or gained + lost > trials or trials < 1:
        raise ValueError(f"paired_difference: {gained} gained and {lost} lost of {trials} images cannot be")
    plus, minus = (gained + 1) / (trials + 2), (lost + 1) / (trials + 2)
    error = np.sqrt((plus + minus - (plus - minus) ** 2) / (trials + 2))
    margin = scipy.stats.norm.ppf((1 + confidence) / 2) * error
    low, high = plus - minus - margin, plus - minus + margin
    return Difference((gained - lost) / trials, max(-1.0, float(low)), min(1.0, float(high)))
