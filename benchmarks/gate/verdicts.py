"""From the pairs of a gate to its verdicts: which cases became slower or faster, which did not change, and which are undecided.

Every pair gives each case one number, ln(head / base).  The gate looks at fixed numbers of pairs, and a case is decided at the first
look that can:

- *slower*: the whole interval of its ratio lies above the noise threshold; then a batch of new pairs says so by itself; then
  all pairs together still do.  *Faster* is the mirror image.
- *same*: the whole interval lies within the thresholds.
- *undecided*: none of these.

Why signed ranks and no mean: identical code, and a coin that says which side of a pair runs first, make the log ratio as likely
positive as negative, whatever the machine does meanwhile.  That is all that Wilcoxon's test and its interval (Hodges and Lehmann)
ask for; a minute in which everything is 40 % slower is one large rank and no large number.  Student's t keeps its promise as
well, but every such minute widens its interval, so that it takes many more pairs to find a real change.  The price is that n pairs
cannot be surer than 2^-n.

Why the error rate holds: each look may spend an equal part of ``alpha``.  The p-value of a case at a look is that of the suspicion
times ``agree`` if the new pairs agree, and 1 if they do not, because those are another sample; Holm's procedure runs over the
cases with these, at each look without those cases that were found slower before.  The parts add up to ``alpha``.  *Same* needs no
second batch and errs more easily: with a chance of at most ``alpha / agree`` a run calls any case same that is at the threshold or
beyond.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5.errors import InputError

SLOWER, FASTER, SAME, UNDECIDED = "slower", "faster", "same", "undecided"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rules:
    """When a gate looks, and how sure it has to be.  Raises InputError, one line, for rules that cannot be kept."""

    threshold: float = 0.02
    """A ratio from 1 / (1 + threshold) to 1 + threshold is no change."""
    alpha: float = 0.01
    """The most likely it may be that a run calls any case slower that is not, over all cases and looks; the same for faster."""
    looks: tuple[int, ...] = (12, 20, 28, 36)
    """Numbers of pairs after which it is looked.  Even, so that both orders of a pair are there equally often; the first so large
    that 2^-pairs is less than what a look may spend on one of a hundred cases."""
    confirm: int = 8
    """New pairs that have to agree with a suspicion; no more than lie between two looks."""
    agree: float = 0.1
    """How sure these have to be by themselves; times the level of a suspicion it makes what a look may spend."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.threshold) and self.threshold > 0):
            raise InputError(f"threshold {self.threshold}: use a share above 0, such as 0.02 for 2 %")
        if not 0 < self.alpha < self.agree < 1:
            raise InputError(f"alpha {self.alpha}, agree {self.agree}: use 0 < alpha < agree < 1")
        if not self.looks or self.looks[0] < 1 or any(later <= earlier for earlier, later in pairwise(self.looks)):
            raise InputError(f"looks {self.looks}: use increasing whole numbers of pairs, such as (12, 20, 28, 36)")
        if 2.0**-self.confirm > self.agree:
            raise InputError(
                f"confirm {self.confirm}: so few pairs are never surer than 2^-{self.confirm}; agree asks for {self.agree}"
            )
        if any(later - earlier < self.confirm for earlier, later in pairwise(self.looks)):
            raise InputError(f"confirm {self.confirm}: more pairs than lie between two of the looks {self.looks}")

    @property
    def spent(self) -> tuple[float, ...]:
        """What each look may spend of ``alpha``: equal parts."""
        return tuple(self.alpha / len(self.looks) for _ in self.looks)

    @property
    def most_pairs(self) -> int:
        """After so many pairs nothing is left to be measured."""
        return self.looks[-1] + self.confirm


@dataclass(frozen=True)
class Verdict:
    """What is known of one case."""

    verdict: str
    """SLOWER, FASTER, SAME or UNDECIDED."""
    ratio: float
    """Head / base, the pseudo-median (Hodges and Lehmann) of the pairs' ratios."""
    low: float
    high: float
    pairs: int
    """Of a decided case those that it was decided on, of an undecided one all."""
    confidence: float
    """Of the interval from low to high: adjusted for all cases and looks.  An undecided case of too few pairs for that has the
    surest interval that they give, from the least to the largest."""


@dataclass(frozen=True)
class Judgement:
    """The verdict of every case, and whether measuring can go on."""

    verdicts: Mapping[str, Verdict]
    next_pairs: int | None
    """Pairs needed altogether before it is worth looking again; None if everything is decided or no look is left."""


def judge(log_ratios: Mapping[str, Sequence[float]], rules: Rules, thresholds: Mapping[str, float] | None = None) -> Judgement:
    """The verdict of every case from ln(head / base) of all pairs so far, in the order they were measured.

    The looks are replayed from the first pair on, so what was decided stays decided however many pairs follow, and a case needs no
    pairs after those that decided it.  ``thresholds`` replaces the rules' threshold for some of the cases.  Raises ValueError for no
    case, no pair, a case whose pairs end before it is decided, a value that is not finite, and a threshold that is not above 0 or
    of no case.
    """
    names, values, margins = _checked(log_ratios, rules, thresholds or {})
    replay = _Replay(values, margins, rules)
    next_pairs = replay.run()
    for index, name in enumerate(names):
        if len(log_ratios[name]) < (replay.decided[index].pairs if index in replay.decided else values.shape[1]):
            raise ValueError(
                f"judge: {name} has {len(log_ratios[name])} pairs, too few to be decided; others have {values.shape[1]}"
            )
    return Judgement({name: replay.verdict(index) for index, name in enumerate(names)}, next_pairs)


def _checked(
    log_ratios: Mapping[str, Sequence[float]], rules: Rules, thresholds: Mapping[str, float]
) -> tuple[list[str], Floats, Floats]:
    """The cases, their values (cases, pairs; NaN after the last of a case), and the logarithms of 1 + their thresholds."""
    names = list(log_ratios)
    lengths = [len(log_ratios[name]) for name in names]
    if not names or min(lengths) == 0:
        raise ValueError("judge: needs at least one case, and of each at least one pair")
    if unknown := sorted(set(thresholds) - set(names)):
        raise ValueError(f"judge: a threshold for {unknown[0]}, which is no case")
    shares = np.array([thresholds.get(name, rules.threshold) for name in names])
    values = np.full((len(names), max(lengths)), np.nan)
    for row, name in zip(values, names, strict=True):
        row[: len(log_ratios[name])] = log_ratios[name]
    finite = sum(lengths) == np.count_nonzero(np.isfinite(values))
    if not (np.all(np.isfinite(shares)) and np.all(shares > 0) and finite):
        raise ValueError("judge: log ratios have to be finite, thresholds finite and above 0")
    return names, values, np.log1p(shares)


@dataclass
class _Replay:
    """The looks in their order, and what each decided."""

    values: Floats
    margins: Floats
    rules: Rules
    decided: dict[int, Verdict] = field(default_factory=dict)

    def run(self) -> int | None:
        """Look as often as there are pairs for.   -> the number of pairs that is needed to go on, None if there is nothing to go on for"""
        pairs = self.values.shape[1]
        for look, spent in zip(self.rules.looks, self.rules.spent, strict=True):
            if len(self.decided) == len(self.values):
                return None
            if look > pairs:
                return look
            if self._look(look, spent / self.rules.agree):
                if look + self.rules.confirm > pairs:
                    return look + self.rules.confirm
                self._confirm(look, spent)
        return None

    def _look(self, look: int, level: float) -> bool:
        """Decide which cases are the same.   -> whether any is suspected to be slower or faster"""
        evidence = Evidence(self.values[:, :look])
        within = np.maximum(evidence.below(self.margins), evidence.above(-self.margins))
        for index, share in self._holm(SAME, within, level):
            self.decided[index] = evidence.verdict(index, SAME, share)
        return any(self._holm(name, self._beyond(name, evidence), level) for name in (SLOWER, FASTER))

    def _confirm(self, look: int, spent: float) -> None:
        """Decide the suspected cases that the new pairs agree on.  No others can be: their p-value at the look is too large."""
        end, agree = look + self.rules.confirm, self.rules.agree
        before, new, together = (Evidence(self.values[:, part]) for part in (slice(look), slice(look, end), slice(end)))
        for name in (SLOWER, FASTER):
            all_agree = np.maximum(self._beyond(name, before), self._beyond(name, together)) * agree
            p = np.where(self._beyond(name, new) <= agree, all_agree, 1.0)
            for index, share in self._holm(name, p, spent):
                self.decided[index] = together.verdict(index, name, share / agree)

    def _beyond(self, name: str, evidence: Evidence) -> Floats:
        """The p-value of each case's not being slower, or not faster, than the threshold."""
        return evidence.above(self.margins) if name == SLOWER else evidence.below(-self.margins)

    def _holm(self, name: str, p: Floats, level: float) -> list[tuple[int, float]]:
        """Which open cases Holm's procedure gives this verdict, and the level of each.

        Those that have it already count as done with, those that have another keep their place in the family.
        """
        p = p.copy()
        for index, verdict in self.decided.items():
            p[index] = 0.0 if verdict.verdict == name else 1.0
        return [(index, share) for index, share in holm(p, level) if index not in self.decided]

    def verdict(self, index: int) -> Verdict:
        """Of a decided case as it was decided, of another one from all pairs."""
        if index in self.decided:
            return self.decided[index]
        level = self.rules.spent[-1] / self.rules.agree / len(self.values)
        return Evidence(self.values).verdict(index, UNDECIDED, level)


class Evidence:
    """What some pairs say of the cases: Wilcoxon's signed ranks by way of the Walsh averages, the means of any two pairs."""

    def __init__(self, values: Floats) -> None:
        """values (cases, pairs): ln(head / base)"""
        self.pairs = values.shape[1]
        one, other = np.triu_indices(self.pairs)
        self._walsh = (values[:, one] + values[:, other]) / 2
        self._chances = chances(self.pairs)

    def above(self, bounds: Floats) -> Floats:
        """The p-value of each case's centre being its bound or less, against more.   (cases,) -> (cases,)"""
        p: Floats = self._chances[(self._walsh > bounds[:, None]).sum(axis=1)]
        return p

    def below(self, bounds: Floats) -> Floats:
        """The p-value of each case's centre being its bound or more, against less.   (cases,) -> (cases,)"""
        p: Floats = self._chances[(self._walsh < bounds[:, None]).sum(axis=1)]
        return p

    def verdict(self, index: int, name: str, level: float) -> Verdict:
        """The verdict on one case with its ratio and the interval either end of which may be wrong with the chance ``level``.

        Where so few pairs cannot be that sure the interval is as sure as they can.
        """
        walsh = np.sort(self._walsh[index])
        surest = float(self._chances[-1])
        needed = int(np.argmax(self._chances <= max(level, surest)))
        low, middle, high = np.exp([walsh[len(walsh) - needed], np.median(walsh), walsh[needed - 1]])
        return Verdict(name, float(middle), float(low), float(high), self.pairs, 1 - 2 * max(level, surest))


@cache
def chances(pairs: int) -> Floats:
    """How likely Wilcoxon's sum of positive ranks is to be t or more if either sign is equally likely, for t from 0 on."""
    ways: NDArray[Any] = np.ones(1)
    for rank in range(1, pairs + 1):
        ways = (np.pad(ways, (0, rank)) + np.pad(ways, (rank, 0))) / 2
    tail: Floats = np.minimum(np.cumsum(ways[::-1])[::-1], 1.0)
    return tail


def holm(p: Floats, level: float) -> list[tuple[int, float]]:
    """Holm's step-down procedure: which hypotheses it rejects, and at which level each; together they err with the chance ``level``."""
    rejected: list[tuple[int, float]] = []
    for index in np.argsort(p, kind="stable"):
        share = level / (len(p) - len(rejected))
        if p[index] > share:
            break
        rejected.append((int(index), share))
    return rejected
