"""The rules of a gate: after how many pairs it looks, which change counts, and how sure a verdict has to be."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.gate.thresholds import Thresholds, selects
from lenet5.errors import InputError


@dataclass(frozen=True)
class Rules:
    """When a gate looks, and how sure it has to be.  Raises InputError, one line, for rules that cannot be kept."""

    threshold: float = 0.02
    """The smallest relative change that counts: a ratio from 1 / (1 + threshold) to 1 + threshold is no change."""
    thresholds: Thresholds = ()
    """Other thresholds of some cases."""
    alpha: float = 0.01
    """The largest chance that a run calls any case slower that is not, over all cases and looks; the same for faster."""
    looks: tuple[int, ...] = (12, 20, 28, 36, 44)
    """Numbers of pairs after which the gate looks.  Even, so that both orders of a pair are there equally often; the first so large
    that 2^-pairs is less than what a look may spend on one of eighty cases."""
    confirm: int = 8
    """New pairs that have to agree with a suspicion; no more than lie between two looks."""
    agree: float = 0.1
    """The p-value at which these new pairs agree; times the level of a suspicion it makes what a look may spend."""
    steady_pairs: int = 2
    """After so many pairs, one of each order, what hardly varies is the same if every pair lies within half its threshold."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.threshold) and self.threshold > 0):
            raise InputError(f"threshold {self.threshold}: use a share above 0, such as 0.02 for 2 %")
        if not 0 < self.alpha < self.agree < 1:
            raise InputError(f"alpha {self.alpha}, agree {self.agree}: use 0 < alpha < agree < 1")
        if self.steady_pairs < 1:
            raise InputError(f"steady_pairs {self.steady_pairs}: use a whole number of at least 1")
        if not self.looks or self.looks[0] < 1 or any(later <= earlier for earlier, later in pairwise(self.looks)):
            raise InputError(f"looks {self.looks}: use increasing whole numbers of pairs, such as (12, 20, 28, 36, 44)")
        if 2.0**-self.confirm > self.agree:
            raise InputError(
                f"confirm {self.confirm}: this few pairs are never surer than 2^-{self.confirm}; agree asks for {self.agree}"
            )
        if any(later - earlier < self.confirm for earlier, later in pairwise(self.looks)):
            raise InputError(f"confirm {self.confirm}: more pairs than lie between two of the looks {self.looks}")

    def threshold_of(self, case: str) -> float:
        """The smallest relative change of a case's time that counts."""
        return next((share for expression, share in reversed(self.thresholds) if selects(expression, case)), self.threshold)

    @property
    def spent(self) -> tuple[float, ...]:
        """What each look may spend of ``alpha``: equal parts."""
        return tuple(self.alpha / len(self.looks) for _ in self.looks)

    @property
    def most_pairs(self) -> int:
        """The number of pairs after which no look is left."""
        return self.looks[-1] + self.confirm
