"""How others decide that something became slower, each a function of the rounds of a few processes, to be tried on the gate's own data.

Nothing here is used by the gate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

Rounds = NDArray[np.float64]
"""The seconds of every round of one case in one process."""


@dataclass(frozen=True)
class Rule:
    """When a case is called slower, and from how many processes of either side."""

    name: str
    meaning: str
    processes: int
    slower: Callable[[Sequence[Rounds], Sequence[Rounds]], bool]
    """base, head -> is head slower?"""
    saved: bool = False
    """Whether base was saved at another time; otherwise the sides are interleaved, which is kinder to the rule."""


def mean_above(base: Sequence[Rounds], head: Sequence[Rounds], share: float = 0.05) -> bool:
    """The mean of the rounds is larger by more than a share."""
    return bool(head[0].mean() > (1 + share) * base[0].mean())


def least_above(base: Sequence[Rounds], head: Sequence[Rounds], share: float = 0.05) -> bool:
    """The least of the processes' medians is larger by more than a share."""
    return min(map(_median, head)) > (1 + share) * min(map(_median, base))


def largest_above(base: Sequence[Rounds], head: Sequence[Rounds], share: float = 0.05) -> bool:
    """The largest of the processes' medians is larger by more than a share."""
    return max(map(_median, head)) > (1 + share) * max(map(_median, base))


def mann_whitney(base: Sequence[Rounds], head: Sequence[Rounds], factor: float = 1.1, level: float = 0.002) -> bool:
    """The rounds of all processes have a median larger by more than a factor, and Mann and Whitney's test tells them apart."""
    one, other = np.concatenate(base), np.concatenate(head)
    if _median(other) <= factor * _median(one):
        return False
    return bool(scipy.stats.mannwhitneyu(one, other, alternative="two-sided").pvalue < level)


def _median(rounds: Rounds) -> float:
    return float(np.median(rounds))


USUAL = (
    Rule("mean:5%", "one process against one saved at another time: the mean is over 5 % larger", 1, mean_above, saved=True),
    Rule("min of three", "three interleaved processes a side: the least of their medians is over 5 % larger", 3, least_above),
    Rule("max of three", "three interleaved processes a side: the largest of their medians is over 5 % larger", 3, largest_above),
    Rule(
        "Mann-Whitney, 1.1",
        "the rounds of two interleaved processes a side: p < 0.002 and the median over 1.1 times as large",
        2,
        mann_whitney,
    ),
)
