"""The intervals have known answers, are the same read either way round, and cover what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from benchmarks.statistics import ratio_interval, share_interval, spread

times = st.floats(1e-7, 1e3)


def test_known_ratio():
    """Three ratios of 1, 2 and 4: the mean is 2, the margin of its logarithm 4.303 (Student's t, 2 degrees) times log 2 / sqrt 3."""
    ratio, low, high = ratio_interval([1, 2, 4], [1, 1, 1])

    margin = math.exp(4.302652729749 * math.log(2) / math.sqrt(3))
    assert_allclose([ratio, low, high], [2, 2 / margin, 2 * margin], rtol=1e-9)


def test_slow_process_cancels():
    """A process in which everything takes three times longer leaves ratio and interval as they are."""
    assert_allclose(ratio_interval([2, 6.3, 2.2], [1, 3, 1]), ratio_interval([2, 2.1, 2.2], [1, 1, 1]), rtol=1e-12)


def test_equal_values():
    """Processes that agree to the last digit give an interval of no width."""
    assert_allclose(ratio_interval([3, 3], [2, 2]), [1.5, 1.5, 1.5], rtol=1e-12)


@settings(deadline=None)
@given(st.lists(st.tuples(times, times), min_size=2, max_size=20))
def test_inversion(pairs):
    """B / A is the inverse of A / B, with the ends of the interval exchanged."""
    numerators, denominators = zip(*pairs, strict=True)
    ratio, low, high = ratio_interval(numerators, denominators)

    assert_allclose(np.log(ratio_interval(denominators, numerators)), -np.log([ratio, high, low]), atol=1e-9)


@settings(deadline=None)
@given(st.lists(st.tuples(times, times), min_size=2, max_size=20), times)
def test_scale(pairs, unit):
    """The unit of the times is of no consequence."""
    numerators, denominators = np.array(pairs).T

    scaled = ratio_interval(numerators * unit, denominators * unit)
    assert_allclose(np.log(scaled), np.log(ratio_interval(numerators, denominators)), atol=1e-9)


@pytest.mark.parametrize("processes", [2, 10], ids="processes={}".format)
@pytest.mark.parametrize("noise", ["normal", "laplace"])
def test_coverage(processes, noise):
    """Of 1,500 intervals of noisy ratios about 5 % miss the truth: no more than five standard errors above it."""
    random, trials, truth = np.random.RandomState(3), 1500, 1.7
    missed = 0
    for _ in range(trials):
        common = random.normal(0, 0.2, processes)
        numerators = truth * np.exp(common + getattr(random, noise)(0, 0.02, processes))
        denominators = np.exp(common + getattr(random, noise)(0, 0.02, processes))
        _, low, high = ratio_interval(numerators, denominators)
        missed += not low <= truth <= high

    error = math.sqrt(0.05 * 0.95 / trials)
    assert 0.03 < missed / trials < 0.05 + 5 * error


def test_one_process():
    """One process gives a ratio and no interval."""
    assert ratio_interval([3.0], [2.0]) == (pytest.approx(1.5), None, None)


@pytest.mark.parametrize(
    ("numerators", "denominators"),
    [([], []), ([1.0], [1.0, 2.0]), ([0.0], [1.0]), ([1.0, -1.0], [1.0, 1.0]), ([math.nan], [1.0]), ([1.0], [math.inf])],
    ids=["empty", "unpaired", "zero", "negative", "nan", "infinite"],
)
def test_no_times(numerators, denominators):
    """What are no pairs of times gives no ratio."""
    with pytest.raises(ValueError, match="ratio_interval: "):
        ratio_interval(numerators, denominators)


def test_higher_confidence_is_wider():
    """A 99 % interval holds the 95 % one; a confidence that is none is refused."""
    _, low, high = ratio_interval([1, 2, 4], [1, 1, 1])
    _, lower, higher = ratio_interval([1, 2, 4], [1, 1, 1], confidence=0.99)

    assert lower < low < high < higher
    with pytest.raises(ValueError, match="outside"):
        ratio_interval([1, 2], [1, 1], confidence=95)


def test_share():
    """Wilson's interval of 9 in 10 (Newcombe's tables), and of none and all, stays within 0 and 1."""
    assert_allclose(share_interval(9, 10), [0.5958, 0.9821], atol=1e-4)
    assert share_interval(0, 10)[0] == 0
    assert share_interval(10, 10)[1] == 1


def test_spread():
    """How many times longer the slowest took than the fastest."""
    assert_allclose(spread([2.0, 2.2, 2.1]), 1.1)
    assert spread([5.0]) == 1
