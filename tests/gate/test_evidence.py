"""The signed ranks have known answers: scipy's, tabulated ones, and what can be counted by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose
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
