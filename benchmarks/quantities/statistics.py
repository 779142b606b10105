"""Intervals for what the report says: which interval belongs to which figure is decided here.

scipy.stats has most of them too, and the tests compare these with it.  But nothing that a report imports takes longer.  So only the
quantiles come from elsewhere: Student's from scipy.special, the normal ones from the standard library.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import scipy  # whose parts are imported when they are first used: they take long
from numpy.typing import NDArray

CONFIDENCE = 0.95

SEVERAL = 3
"""Processes of a run that give an interval against another run's; two are too few to tell a spread by."""


SAME_WITHOUT_INTERVAL = 0.005
"""Times of one process that differ by less are called equal: three digits show no difference, and there is no interval that could."""


class Ratio(NamedTuple):
    """How many times larger one time is than another, and the interval of that; without an interval both ends are None."""

    ratio: float
    low: float | None
    high: float | None

    @property
    def even(self) -> bool:
        """Whether the two cannot be told apart: the interval holds 1, or, without one, the ratio is 1 to three digits."""
        if self.low is None or self.high is None:
            return abs(math.log(self.ratio)) < SAME_WITHOUT_INTERVAL
        return self.low <= 1 <= self.high


def share_interval(successes: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval of a share: for an accuracy, successes are the images classified correctly.   -> (low, high) in 0..1

    It holds its confidence near 0 and 1, where the textbook +/- 1.96 standard errors leaves the unit interval.
    Raises ValueError for counts that contradict each other.
    """
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError(f"share_interval: {successes} successes of {trials} cannot be")
    z = _normal(confidence)
    centre = successes + z * z / 2
    margin = z * math.sqrt(successes * (trials - successes) / trials + z * z / 4)
    low = (centre - margin) / (trials + z * z) if successes else 0.0
    high = (centre + margin) / (trials + z * z) if successes < trials else 1.0
    return low, high


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
    if len(logs) < 2:
        return Ratio(float(np.exp(logs.mean())), None, None)
    return _around(logs.mean(), student(confidence, len(logs) - 1) * math.sqrt(error_squared(logs)))


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
    difference = one.mean() - other.mean()
    if min(len(one), len(other)) < SEVERAL:
        return Ratio(float(np.exp(difference)), None, None)
    if not (np.ptp(one) or np.ptp(other)):
        return _around(difference, 0.0)  # no spread, no width; Welch's degrees of freedom would be 0 / 0
    first, second = error_squared(one), error_squared(other)
    freedom = (first + second) ** 2 / (first**2 / (len(one) - 1) + second**2 / (len(other) - 1))  # Welch's, after Satterthwaite
    return _around(difference, student(confidence, freedom) * math.sqrt(first + second))


def student(confidence: float, freedom: float) -> float:
    """How many standard errors an interval of Student's t reaches to either side, at that many degrees of freedom."""
    return float(scipy.special.stdtrit(freedom, (1 + confidence) / 2))


def _normal(confidence: float) -> float:
    """How many standard errors an interval of the normal distribution reaches to either side."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def error_squared(values: NDArray[np.float64]) -> float:
    """The square of the standard error of the mean of two values or more."""
    return float(values.var(ddof=1)) / len(values)


def _around(log_ratio: float, margin: float) -> Ratio:
    """A ratio and its interval, from its logarithm and how far the interval of that reaches."""
    ratio, low, high = np.exp([log_ratio, log_ratio - margin, log_ratio + margin])
    return Ratio(float(ratio), float(low), float(high))


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
    margin = _normal(confidence) * error
    low, high = plus - minus - margin, plus - minus + margin
    return Difference((gained - lost) / trials, max(-1.0, float(low)), min(1.0, float(high)))
