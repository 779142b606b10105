"""Two one-sided tests: the verdict is that of scipy's tests on both sides, and errs no oftener than it says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import ttest_rel

from benchmarks.quantities.equivalence import LEVEL, paired_equivalence

values = st.floats(-10, 10)


def test_known():
    """Differences of 1, 2 and 3: the mean is 2, the margin of it 2.920 (Student's t, 2 degrees, one side 5 %) times 1 / sqrt 3."""
    found = paired_equivalence([2, 4, 6], [1, 2, 3], margin=4)
    half = 2.919985580356 / math.sqrt(3)
    assert_allclose(found, [2, 2 - half, 2 + half, 4], rtol=1e-9)
    assert found.shown
    assert not paired_equivalence([2, 4, 6], [1, 2, 3], margin=2 + half - 1e-9).shown
    assert paired_equivalence([2, 4, 6], [1, 2, 3], margin=2 + half + 1e-9).shown


@settings(deadline=None)
@given(st.lists(st.tuples(values, values), min_size=3, max_size=12), st.floats(0.1, 5))
def test_both_sides_by_scipy(pairs, margin):
    """Shown exactly where scipy's paired t-tests reject both "at least the margin above" and "at least the margin below"."""
    ones, others = np.array(pairs).T
    if np.ptp(ones - others) < 1e-3:
        return  # without a spread scipy divides zero by zero
    above = ttest_rel(ones + margin, others, alternative="greater").pvalue
    below = ttest_rel(ones - margin, others, alternative="less").pvalue
    if abs(max(above, below) - LEVEL) > 1e-9:
        assert paired_equivalence(ones, others, margin).shown == (max(above, below) < LEVEL)


def test_the_other_way_round():
    """Exchanging the two turns the interval round and changes no verdict."""
    one, other = paired_equivalence([1, 2, 4], [1, 1, 2], 3), paired_equivalence([1, 1, 2], [1, 2, 4], 3)
    assert_allclose([other.difference, other.low, other.high], [-one.difference, -one.high, -one.low], rtol=1e-12)
    assert one.shown == other.shown


def test_no_spread():
    """Pairs that all differ by the same: the same within more than that, and not within that."""
    assert paired_equivalence([1, 2], [0, 1], 1.5).shown
    assert not paired_equivalence([1, 2], [0, 1], 1).shown
    assert paired_equivalence([1, 2], [1, 2], 1e-9)[:3] == (0, 0, 0)


def test_few_pairs_show_nothing():
    """No difference on average is not enough: with a wide spread, and few pairs, nothing is shown."""
    assert not paired_equivalence([0, 2], [1, 1], 1).shown


@pytest.mark.parametrize("truth", [1, -1])
def test_it_errs_no_oftener_than_it_says(truth):
    """Of 2,000 samples whose true difference is the margin itself, 5 % are called the same; between two that are equal, nearly all."""
    random, trials, pairs = np.random.RandomState(5), 2000, 20
    called = sum(paired_equivalence(random.normal(truth, 0.5, pairs), np.zeros(pairs), 1).shown for _ in range(trials))
    error = math.sqrt(LEVEL * (1 - LEVEL) / trials)
    assert abs(called / trials - LEVEL) < 4 * error
    assert sum(paired_equivalence(random.normal(0, 1, pairs), np.zeros(pairs), 1).shown for _ in range(200)) > 190


@pytest.mark.parametrize(
    ("ones", "others", "margin"),
    [([1], [1], 1), ([1, 2], [1], 1), ([1, math.nan], [1, 2], 1), ([1, 2], [1, 2], 0), ([1, 2], [1, 2], math.nan)],
)
def test_refused(ones, others, margin):
    """One pair, values that do not pair, what is not finite, no margin."""
    with pytest.raises(ValueError, match=r"^paired_equivalence: "):
        paired_equivalence(ones, others, margin)
