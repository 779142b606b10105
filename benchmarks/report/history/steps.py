"""Where does a series of times change its level, and by how much?

The search is `ruptures`' (KernelCPD with a linear kernel, which is the exact optimum of sums of squares) on the logarithms of the times: it
takes a step only if that lowers the sum of squares, in units of the noise, by more than a penalty.  How often it is wrong on noise was counted
(docs/history.md); tests/report/history/test_steps.py counts again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.quantities.statistics import SEVERAL, Ratio, independent_ratio_interval
from lenet5.errors import InputError

Numbers = NDArray[np.float64]

FEWEST_POINTS = 8
"""Of a series: fewer say too little of its noise."""

PENALTY, PENALTY_A_LOGARITHM = 20.0, 2.0
"""Of a step, in squares of the noise: the first, and the second times the logarithm of the number of points."""

LEAST_NOISE = 1e-3
"""As a share of a time.  What differs by less is no change to speak of, however steady a series is."""

AROUND, OUTLYING = 2, 3.0
"""A point is an outlier if it lies so many times the noise from the median of itself and of so many neighbours on either side."""

INSTALL = "history needs ruptures; pip install -c constraints.txt -e '.[history]'"


@dataclass(frozen=True)
class Step:
    """A change of level within a series."""

    at: int
    """The first point of the new level."""
    begin: int
    """The first point of the level before."""
    end: int
    """One behind the last point of the new level."""
    ratio: Ratio
    """The new level by the old one, with its interval."""


def steps(times: Numbers) -> list[Step]:
    """The changes of level of a series of times, oldest first; none in a series of fewer than `FEWEST_POINTS`.

    A level has at least `SEVERAL` points, so a change is seen when that many points follow it.  Raises InputError if `ruptures` is missing.
    """
    if len(times) < FEWEST_POINTS:
        return []
    logs = np.log(times)
    scale = noise(logs)
    steady = _without_outliers(logs, OUTLYING * scale)
    ends = [0, *_breaks(steady / scale), len(times)]
    found = []
    for begin, at, end in zip(ends, ends[1:], ends[2:], strict=False):
        ratio = size(np.exp(steady), begin, at, end)
        if ratio.low is not None and ratio.high is not None and not ratio.low <= 1 <= ratio.high:
            found.append(Step(at, begin, end, ratio))
    return found


def size(times: Numbers, begin: int, at: int, end: int) -> Ratio:
    """How many times as long the points from ``at`` on take as those before, with its interval if either side has `SEVERAL`."""
    return independent_ratio_interval([*times[at:end]], [*times[begin:at]])


def noise(logs: Numbers) -> float:
    """The standard deviation of a series around its levels, from the differences of neighbours: a step is one of these, whatever its size."""
    differences = np.diff(logs)
    spread = np.median(np.abs(differences - np.median(differences)))
    return max(float(1.4826 * spread / math.sqrt(2)), LEAST_NOISE)


def _breaks(series: Numbers) -> list[int]:
    """The first points of all levels but the first, of a series in units of its noise."""
    try:
        from ruptures import KernelCPD
    except ModuleNotFoundError:
        raise InputError(INSTALL) from None
    penalty = PENALTY + PENALTY_A_LOGARITHM * math.log(len(series))
    found = KernelCPD(kernel="linear", min_size=SEVERAL).fit(series.reshape(-1, 1)).predict(pen=penalty)
    return [int(end) for end in found[:-1]]


def _without_outliers(logs: Numbers, most: float) -> Numbers:
    """The series with the median of its neighbourhood in place of each point that lies far from it: one bad process is no change."""
    padded = np.pad(logs, AROUND, mode="reflect")
    medians = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * AROUND + 1), axis=1)
    return np.where(np.abs(logs - medians) > most, medians, logs)
