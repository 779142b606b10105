"""Are two things the same within a margin?  Two one-sided tests of paired values, which is more than "no difference was found".

Schuirmann (1987): the mean difference is shown to lie within the margin at some level if it is shown to lie above the lower end and below the
upper end, each by a one-sided test at that level.  That is so exactly if the interval of confidence 1 - 2 x level lies within the margin.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.quantities.statistics import error_squared, student

LEVEL = 0.05
"""The chance of calling two things the same within the margin whose true difference is the margin or more."""

INTERVAL = 1 - 2 * LEVEL
"""The confidence of the interval that belongs to the level."""


class Equivalence(NamedTuple):
    """How much larger the first of two things is, the interval of that at confidence `INTERVAL`, and the margin that was asked for."""

    difference: float
    low: float
    high: float
    margin: float

    @property
    def shown(self) -> bool:
        """Whether the two are shown to be the same within the margin."""
        return -self.margin < self.low and self.high < self.margin


def paired_equivalence(ones: Sequence[float], others: Sequence[float], margin: float) -> Equivalence:
    """Whether two things of which each pair has one value are the same within a margin on average: ones[i] and others[i] belong together.

    Student's t of the differences within the pairs: what a pair has in common cancels.  Raises ValueError unless there are two pairs or
    more of finite values, and for a margin that is not above 0.
    """
    if len(ones) != len(others) or len(ones) < 2:
        raise ValueError(f"paired_equivalence: {len(ones)} and {len(others)} values; they come in pairs, two or more")
    differences = np.subtract(np.asarray(ones, np.float64), np.asarray(others, np.float64))
    if not (np.isfinite(differences).all() and margin > 0):
        raise ValueError("paired_equivalence: expected finite values and a margin above 0")
    mean = float(differences.mean())
    half = student(INTERVAL, len(differences) - 1) * math.sqrt(error_squared(differences))
    return Equivalence(mean, mean - half, mean + half, margin)
