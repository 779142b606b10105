"""What pairs say of a case: Wilcoxon's signed ranks against any bound, the interval of the ratio, and Holm's procedure over cases.

Signed ranks and no mean, because they ask for so little: identical code, and a random choice of the side that runs first in a pair,
make ln(head / base) as likely positive as negative, whatever the machine does meanwhile.  That is all that Wilcoxon's test and its
interval (Hodges and Lehmann) assume; a minute in which everything is 40 % slower is one large rank and no large number.  Student's
t keeps its promise as well, but every such minute widens its interval, so that it takes many more pairs to find a real change.  The
price is that n pairs cannot be surer than 2^-n.

Pairs of several machines are ranked within their machine, for a noisy machine's differences would take all large ranks; the sums of the
machines are added (the simple form of van Elteren's stratified test).  If no machine's centre is beyond the bound, every sign is still a
fair coin at worst, whatever the sizes, and the chance of the added sum is the convolution of those of the machines: counted, and exact for
any noise on any machine.  To reject means: on some machine the centre is beyond the bound.  A machine's sum of ranks is the number
of its Walsh averages beyond the bound, so the added sum is that number among the Walsh averages of two pairs of one machine each.  The
interval is that of the bounds which the test does not reject, and the ratio their middle: order statistics and the median of these
averages.  With one machine all of it is Wilcoxon's.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.quantities import units

Floats = NDArray[np.float64]
Numbers = NDArray[np.int_]


ROUNDING = units.ROUNDING
"""Of ratios, and so of their logarithms: what equals a bound but for that is neither above nor below it."""


class Interval(NamedTuple):
    """The ratio head / base of one case, and the interval of that."""

    ratio: float
    """The pseudo-median (Hodges and Lehmann) of the pairs' ratios."""
    low: float
    high: float
    confidence: float


class Evidence:
    """What some pairs say of the cases, by way of the Walsh averages: the means of any two pairs of one machine."""

    def __init__(self, values: Floats, machines: Numbers | None = None) -> None:
        """values (cases, pairs): ln(head / base); machines (cases, pairs): the number of the machine of each, None if all are of one"""
        cases, self.pairs = values.shape
        self._lacking = ~np.isfinite(values).all(axis=1)
        one, other = np.triu_indices(self.pairs)
        walsh = (values[:, one] + values[:, other]) / 2
        sizes: list[tuple[int, ...]] = [(self.pairs,)] * cases
        if machines is not None:
            walsh[machines[:, one] != machines[:, other]] = np.nan  # neither above nor below any bound
            sizes = [tuple(sorted(Counter(row.tolist()).values())) for row in machines]
        self._walsh = walsh
        self._chances = [chances(*of_case) for of_case in sizes]

    def above(self, bounds: Floats) -> Floats:
        """The p-value of each case's centre being its bound or less, against more; 1 for a case that lacks a pair.   (cases,) -> (cases,)"""
        return self._known((self._walsh > bounds[:, None] + ROUNDING).sum(axis=1))

    def below(self, bounds: Floats) -> Floats:
        """The p-value of each case's centre being its bound or more, against less; 1 for a case that lacks a pair.   (cases,) -> (cases,)"""
        return self._known((self._walsh < bounds[:, None] - ROUNDING).sum(axis=1))

    def _known(self, counts: Numbers) -> Floats:
        p = np.array([of_case[count] for of_case, count in zip(self._chances, counts, strict=True)])
        return np.where(self._lacking, 1.0, p)

    def interval(self, index: int, level: float) -> Interval:
        """The ratio of one case, and the interval either end of which may be wrong with the chance ``level``.

        Where this few pairs cannot be that sure the interval is as sure as they can.
        """
        tail = self._chances[index]
        walsh = np.sort(self._walsh[index])[: len(tail) - 1]  # without those of two machines, which are sorted behind the numbers
        surest = float(tail[-1])
        needed = int(np.argmax(tail <= max(level, surest)))
        low, middle, high = np.exp([walsh[len(walsh) - needed], np.median(walsh), walsh[needed - 1]])
        return Interval(float(middle), float(low), float(high), 1 - 2 * max(level, surest))


@cache
def chances(*pairs: int) -> Floats:
    """The chance that the sum of positive ranks is t or more if either sign is equally likely, for t from 0 on.

    ``pairs`` are those of each machine, ranked within it: of one machine Wilcoxon's sum.   -> (sum of pairs * (pairs + 1) / 2, and 1,)
    """
    ways: NDArray[Any] = np.ones(1)
    for of_machine in pairs:
        for rank in range(1, of_machine + 1):
            ways = (np.pad(ways, (0, rank)) + np.pad(ways, (rank, 0))) / 2
    tail: Floats = np.minimum(np.cumsum(ways[::-1])[::-1], 1.0)
    return tail


def holm(p: Floats, level: float) -> list[tuple[int, float]]:
    """Holm's step-down procedure.   p (hypotheses,) -> (index, level) of each that it rejects; together they err with the chance ``level``"""
    rejected: list[tuple[int, float]] = []
    for index in np.argsort(p, kind="stable"):
        share = level / (len(p) - len(rejected))
        if p[index] > share:
            break
        rejected.append((int(index), share))
    return rejected
