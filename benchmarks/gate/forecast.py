"""How many pairs a case needs until it is decided, and how small a change some pairs can find: foretold from the pairs so far.

The logarithms of a case's ratios are taken for draws from one normal distribution.  Both answers are on the safe side: the spread is
the largest that is plausible after so few pairs, the level is the strictest of Holm's, and a case has to be decided in four of five
runs (`POWER`).  What a gate decides it decides by its rules alone; nothing here has a part in that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import scipy

from benchmarks.gate.rules import Rules

POWER = 0.8
"""The chance with which a case is decided by then, or a change is found."""

MOST_PAIRS = 100
"""More are not foretold."""

FEWEST_PAIRS = 6
"""From fewer too little is known of the spread: the largest that is plausible after two pairs is four times what they show."""

SIGNED_RANKS = math.sqrt(math.pi / 3)
"""How many times as wide an interval of signed ranks is as Student's, of normal values."""


def pairs_needed(log_ratios: Sequence[float], threshold: float, rules: Rules, rows: int) -> int | None:
    """The number of pairs, all together, after which a case is likely to be decided; None if those are more than `MOST_PAIRS`.

    ``log_ratios`` are its ln(head / base) so far, ``threshold`` its smallest change that counts, ``rows`` how many rows share the level.
    It is a number after which the gate looks, or, beyond the last of these, what it would take if it looked on.  Where it is `too_early`
    to foretell more, it is the first look.
    """
    so_far = len(log_ratios)
    if too_early(so_far, rules):
        return rules.looks[0]
    away = abs(float(np.median(log_ratios))) - math.log1p(threshold)
    enough = _pairs(abs(away), _spread(log_ratios), _level(rules, rows))
    more = rules.confirm if away > 0 else 0
    for look in rules.looks:
        if look >= enough and look + more > so_far:
            return look + more
    found = max(enough + more, so_far + 1)
    return math.ceil(found) if found <= MOST_PAIRS else None


def too_early(pairs: int, rules: Rules) -> bool:
    """Whether so few pairs say too little of the spread."""
    return pairs < 2 or pairs < min(FEWEST_PAIRS, rules.looks[0])


def smallest_change(log_ratios: Sequence[float], threshold: float, rules: Rules, rows: int, pairs: int) -> float | None:
    """The smallest slow-down of a case that this many ``pairs`` are likely to find, such as 0.04.

    None if they are too few for any: a slow-down needs a look and the pairs that confirm it.
    """
    looks = [look for look in rules.looks if look + rules.confirm <= pairs]
    if not looks or len(log_ratios) < 2:
        return None
    spread = _spread(log_ratios)
    suspected = _reach(looks[-1], spread, _level(rules, rows))
    confirmed = _reach(rules.confirm, spread, rules.agree)
    return math.expm1(math.log1p(threshold) + max(suspected, confirmed))


def _level(rules: Rules, rows: int) -> float:
    return rules.spent[-1] / rules.agree / rows


def _spread(log_ratios: Sequence[float]) -> float:
    """The standard deviation that is exceeded with the chance 1 - `POWER`, given these values."""
    freedom = len(log_ratios) - 1
    return float(np.std(log_ratios, ddof=1) * math.sqrt(freedom / scipy.special.chdtri(freedom, POWER)))


def _reach(pairs: float, spread: float, level: float) -> float:
    """How far the centre has to be from a bound for this many pairs to tell them apart."""
    certain, likely = (NormalDist().inv_cdf(chance) for chance in (1 - level, POWER))
    return SIGNED_RANKS * (certain + likely) * spread / math.sqrt(pairs)


def _pairs(away: float, spread: float, level: float) -> float:
    """How many pairs tell the centre from a bound that is this far from it; never fewer than signed ranks need to be that sure."""
    if away == 0:
        return math.inf
    return max((_reach(1, spread, level) / away) ** 2, -math.log2(level))
