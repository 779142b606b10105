"""How many pairs are foretold, and which change, has known answers, and is on the safe side of what a gate then does."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from benchmarks.gate.forecast import MOST_PAIRS, POWER, pairs_needed, smallest_change
from benchmarks.gate.rules import Rules
from benchmarks.gate.verdicts import FASTER, SAME, SLOWER, UNDECIDED, judge

RULES = Rules()
RUNS = 200


def by_hand(values, rows, pairs, level=None):
    """The distance that ``pairs`` can tell: what is normal and four times in five, times the largest plausible spread, over the root."""
    level = level or 0.01 / 5 / 0.1 / rows
    freedom = len(values) - 1
    spread = np.std(values, ddof=1) * math.sqrt(freedom / stats.chi2.ppf(0.2, freedom))
    return math.sqrt(math.pi / 3) * (stats.norm.isf(level) + stats.norm.ppf(0.8)) * spread / math.sqrt(pairs)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.5], 12),  # of one pair nothing is known
        ([0.0, 0.0, 0.0], 12),
        ([0.0] * 12, 20),  # the first look is over
        ([0.1] * 6, 20),  # a change needs eight pairs more
        ([0.1] * 20, 28),
        ([-0.1] * 6, 20),
        ([math.log1p(0.02)] * 6, None),  # at the threshold no number of pairs will do
        ([1.0, -1.0, 0.9, -0.9, 0.8, -0.8], None),  # hopeless
        ([1.0, -1.0, 0.9, -0.9, 0.8], 12),  # nor is it known yet that this is
    ],
    ids=[
        "one",
        "same",
        "same, after a look",
        "slower",
        "slower, after a look",
        "faster",
        "at the threshold",
        "noise",
        "early noise",
    ],
)
def test_without_spread(values, expected):
    """Where there is no spread, or nothing else, the answer is a look, or none."""
    assert pairs_needed(values, 0.02, RULES, rows=5) == expected


@pytest.mark.parametrize(("shift", "scale", "within"), [(0.0, 1, True), (0.0, 2, False), (0.06, 1, True)])
def test_by_hand(shift, scale, within):
    """The pairs come from the distance to the threshold; up to a look they are rounded up to it, beyond the last they stand for themselves."""
    values = shift + scale * np.array([-0.03, -0.02, -0.01, -0.01, 0.0, 0.0, 0.01, 0.01, 0.02, 0.03])
    away = abs(shift - math.log(1.02))
    pairs = (by_hand(values, 7, 1) / away) ** 2
    confirm = 8 if shift else 0
    expected = next((look + confirm for look in RULES.looks if look >= pairs), math.ceil(pairs + confirm))
    assert pairs_needed(list(values), 0.02, RULES, rows=7) == expected
    assert (expected <= RULES.most_pairs) == within


@pytest.mark.parametrize(("centre", "spread"), [(0.0, 0.01), (0.0, 0.014), (0.05, 0.01), (0.06, 0.025), (-0.05, 0.015)])
def test_on_the_safe_side(centre, spread):
    """Of cases that stop after six pairs, at least four of five are decided by the number of pairs that was foretold."""
    random = np.random.default_rng(7)
    decided, expected = [], FASTER if centre < 0 else SLOWER if centre else SAME
    for _ in range(RUNS):
        values = list(random.normal(centre, spread, RULES.most_pairs))
        needed = pairs_needed(values[:6], 0.02, RULES, rows=3)
        if needed is not None and needed <= RULES.most_pairs:
            others = {name: list(random.normal(0, 1, needed)) for name in "ab"}
            decided.append(judge({"it": values[:needed], **others}, RULES).verdicts["it"].verdict)
    assert len(decided) > RUNS / 4
    assert decided.count(expected) >= POWER * len(decided)
    assert set(decided) <= {expected, UNDECIDED}


def test_not_too_safe():
    """A spread that decides at the first look is foretold at the first look, most of the time, even from six pairs."""
    random = np.random.default_rng(3)
    foretold = [pairs_needed(list(random.normal(0, 0.005, 6)), 0.02, RULES, rows=3) for _ in range(RUNS)]
    assert foretold.count(12) > 0.8 * RUNS


@pytest.mark.parametrize(("pairs", "look"), [(20, 12), (27, 12), (28, 20), (52, 44), (99, 44)])
def test_smallest_change(pairs, look):
    """The last look that leaves time to confirm it counts, and the eight pairs that confirm it."""
    values = [-0.03, -0.02, -0.01, 0.0, 0.01, 0.02, 0.03, 0.0]
    reach = max(by_hand(values, 4, look), by_hand(values, 4, 8, level=0.1))
    assert smallest_change(values, 0.02, RULES, 4, pairs) == pytest.approx(1.02 * math.exp(reach) - 1, rel=1e-9)


@pytest.mark.parametrize(("values", "pairs"), [([0.0, 0.1], 19), ([0.1], 52)])
def test_no_change_can_be_found(values, pairs):
    """In fewer pairs than the first look and its confirmation take, none; of one pair none is known."""
    assert smallest_change(values, 0.02, RULES, 4, pairs) is None


@pytest.mark.parametrize("pairs", [20, 52])
def test_such_a_change_is_found(pairs):
    """In four of five runs, and half of what lies above the threshold is not."""
    random = np.random.default_rng(5)
    found = {}
    for share in (1.0, 0.5):
        verdicts = []
        for _ in range(RUNS):
            change = smallest_change(list(random.normal(0, 0.02, 4)), 0.02, RULES, 3, pairs)
            shift = math.log1p(0.02 + share * (change - 0.02))
            cases = {"it": list(random.normal(shift, 0.02, pairs)), **{name: list(random.normal(0, 1, pairs)) for name in "ab"}}
            verdicts.append(judge(cases, RULES).verdicts["it"].verdict)
        found[share] = verdicts.count(SLOWER) / RUNS
    assert found[1.0] >= POWER
    assert found[0.5] < POWER


def test_most_pairs():
    """What is foretold is a number that somebody could measure."""
    values = [0.0, 0.01, -0.01, 0.02, -0.02, 0.03, -0.03]
    numbers = [pairs_needed([scale * value for value in values], 0.02, RULES, 5) for scale in np.linspace(0.01, 3, 60)]
    known = [number for number in numbers if number is not None]
    assert numbers == known + [None] * (60 - len(known))
    assert known == sorted(known)
    assert RULES.most_pairs < max(known) <= MOST_PAIRS
