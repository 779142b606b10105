"""The signed ranks have known answers: scipy's, tabulated ones, and what can be counted by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from benchmarks.gate.evidence import Evidence, chances, holm

SD = 0.026
"""Of the log ratio of identical code, of the noisiest case that runs on one thread."""


@pytest.mark.parametrize("pairs", [1, 4, 9], ids="pairs={}".format)
def test_chances_are_counted(pairs):
    """The distribution of the signed ranks is that of all signs counted one by one."""
    sums = [sum(chosen) for size in range(pairs + 1) for chosen in itertools.combinations(range(1, pairs + 1), size)]
    expected = [sum(total >= t for total in sums) / 2**pairs for t in range(pairs * (pairs + 1) // 2 + 1)]
    assert_allclose(chances(pairs), expected, rtol=1e-12)


def test_chances_of_several_machines_are_counted():
    """The distribution of the added sums is that of all signs on both machines, counted one by one."""
    ranks = [*range(1, 4), *range(1, 6)]  # three pairs on one machine, five on the other
    sums = [np.dot(signs, ranks) for signs in itertools.product((0, 1), repeat=8)]
    expected = [sum(total >= t for total in sums) / 2**8 for t in range(sum(ranks) + 1)]
    assert_allclose(chances(3, 5), expected, rtol=1e-12)
    assert_array_equal(chances(5, 3), chances(3, 5))


def test_ranks_are_those_within_a_machine():
    """The p-value is the share of all changes of sign that give at least as large a sum of ranks within machines; another order is the same."""
    values, machines = np.array([0.3, -0.1, 0.2, -9.0, 8.0, 7.0, 6.5]), np.array([0, 0, 0, 1, 1, 1, 1])
    ranks = [3, 1, 2, 4, 3, 2, 1]
    found = np.dot(ranks, values > 0)
    expected = np.mean([np.dot(ranks, signs) >= found for signs in itertools.product((0, 1), repeat=7)])

    for order in (range(7), [3, 0, 6, 1, 2, 5, 4]):
        order = np.array(order)
        p = Evidence(values[order][None], machines[order][None]).above(np.zeros(1))
        assert_allclose(p, expected, rtol=1e-12)
    assert Evidence(values[None]).above(np.zeros(1))[0] != p[0]


def test_interval_of_several_machines():
    """Its ends are the bounds at which the test begins to reject, the ratio is the middle of the averages within machines."""
    random = np.random.RandomState(0)
    machines = np.array([[0, 1, 1] * 6])
    values = random.normal(0.02, np.where(machines == 0, 0.001, 0.05))
    level = 0.01
    evidence = Evidence(values, machines)
    found = evidence.interval(0, level)

    for end, test, inside in ((found.low, evidence.above, 1), (found.high, evidence.below, -1)):
        beside = [test(np.array([np.log(end) + inside * step]))[0] for step in (-1e-8, 1e-8)]
        assert beside[0] <= level < beside[1]
    own = [values[machines == number] for number in (0, 1)]
    averages = [(a + b) / 2 for one in own for a, b in itertools.combinations_with_replacement(one, 2)]
    assert_allclose(np.log(found.ratio), np.median(averages), rtol=1e-12)


def test_as_many_machines_as_pairs():
    """A pair alone on its machine is ranked with none: what is left is the test of signs."""
    values = np.random.RandomState(0).normal(0.01, 0.02, 15)
    p = Evidence(values[None], np.arange(15)[None]).above(np.zeros(1))
    assert_allclose(p, stats.binomtest(int((values > 0).sum()), 15, alternative="greater").pvalue, rtol=1e-9)


def test_p_values_are_scipys():
    """P-values against any bound are those of scipy's exact Wilcoxon test."""
    values = np.random.RandomState(0).normal(0.02, SD, (3, 14))
    bounds = np.array([0.0, 0.02, 0.04])
    evidence = Evidence(values)

    for side, found in (("greater", evidence.above(bounds)), ("less", evidence.below(bounds))):
        expected = [
            stats.wilcoxon(row - bound, alternative=side, method="exact").pvalue for row, bound in zip(values, bounds, strict=True)
        ]
        assert_allclose(found, expected, rtol=1e-9)


def test_a_value_on_the_bound_is_no_evidence():
    """What is exactly at the threshold is neither above nor below."""
    evidence, bound = Evidence(np.full((1, 5), 0.5)), np.array([0.5])
    assert evidence.above(bound) == evidence.below(bound) == 1


def test_a_pair_that_is_lacking():
    """It counts against every verdict of its case, however clear the others are, and against that of no other case."""
    evidence, bounds = Evidence(np.array([[0.5] * 30 + [np.nan], [0.5] * 31])), np.zeros(2)
    assert evidence.above(bounds)[0] == evidence.below(bounds)[0] == 1
    assert evidence.above(bounds)[1] < 1e-8


def test_known_interval():
    """Ten pairs, tabulated: at 0.025 a side the ninth Walsh average from either end; the ratio is their median."""
    values = [0.01, 0.02, 0.04, 0.07, 0.11, 0.16, 0.22, 0.29, 0.37, 0.46]
    walsh = sorted((a + b) / 2 for a, b in itertools.combinations_with_replacement(values, 2))
    found = Evidence(np.array([values])).interval(0, 0.025)

    assert_allclose(np.log([found.low, found.ratio, found.high]), [walsh[8], np.median(walsh), walsh[-9]], rtol=1e-9)
    assert found.confidence == 0.95


def test_holm_by_hand():
    """0.05 over four: 0.01 <= 0.05 / 4, 0.015 <= 0.05 / 3, 0.04 > 0.05 / 2; then 0.03 would be too late."""
    assert holm(np.array([0.04, 0.01, 0.5, 0.015]), 0.05) == [(1, 0.0125), (3, pytest.approx(0.05 / 3))]
    assert holm(np.array([0.02, 0.9]), 0.05) == [(0, 0.025)]
    assert holm(np.array([0.026, 0.026]), 0.05) == []
    assert holm(np.array([0.025, 0.05]), 0.05) == [(0, 0.025), (1, 0.05)]
