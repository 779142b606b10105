"""The intervals have known answers, are the same read either way round, and cover what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from benchmarks.quantities.statistics import independent_ratio_interval, paired_difference, ratio_interval, share_interval, spread
from tests.support.rows import one_quick

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


@settings(deadline=None)
@given(st.lists(st.tuples(times, times), min_size=2, max_size=20), st.sampled_from([0.5, 0.9, 0.95]))
def test_ratio_is_scipys(pairs, confidence):
    """The interval is what scipy makes of the logarithms of the ratios: Student's t times their standard error.

    Up to 95 %: at 99.9 % Student's t of two processes is 637, and an interval of such times may end beyond what float64 can hold.
    """
    numerators, denominators = np.array(pairs).T
    logs = np.log(numerators) - np.log(denominators)
    margin = stats.t.ppf((1 + confidence) / 2, len(logs) - 1) * stats.sem(logs)

    _, low, high = ratio_interval(numerators, denominators, confidence)
    assert_allclose(np.log([low, high]), [logs.mean() - margin, logs.mean() + margin], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("processes", one_quick([2, 10]), ids="processes={}".format)
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


@pytest.mark.parametrize("counts", [(-1, 10), (11, 10), (0, 0)], ids=str)
def test_no_share(counts):
    """What cannot have been counted has no interval."""
    with pytest.raises(ValueError, match="share_interval: "):
        share_interval(*counts)


@given(
    st.integers(1, 10_000).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))),
    st.sampled_from([0.5, 0.95, 0.999]),
)
def test_share_is_scipys(counts, confidence):
    """The interval is scipy's Wilson interval, of no image and of all images too."""
    expected = stats.binomtest(*counts).proportion_ci(confidence, method="wilson")
    assert_allclose(share_interval(*counts, confidence), expected, rtol=1e-9, atol=1e-12)


def test_spread():
    """How many times longer the slowest took than the fastest."""
    assert_allclose(spread([2.0, 2.2, 2.1]), 1.1)
    assert spread([5.0]) == 1


def test_paired_difference_of_published_data():
    """21 children before and after a transplantation (Bentur et al. 2009, in Fagerland et al. 2014): 1 changed one way, 7 the other.

    On paper: (2 - 8) / 23 = -0.2609, its variance (10 / 23 - 0.2609^2) / 23 = 0.015944, 1.96 roots of which are 0.2475.
    """
    assert_allclose(paired_difference(1, 7, 21), [-6 / 21, -0.5084, -0.0134], atol=1e-4)


def test_paired_difference_turns_round():
    """The other way round the sign changes and nothing else."""
    difference, low, high = paired_difference(12, 5, 450)
    assert_allclose(paired_difference(5, 12, 450), [-difference, -high, -low], rtol=1e-12)
    assert difference == 7 / 450
    assert low < difference < high


def test_paired_difference_of_none():
    """Networks that never disagree differ by 0, and 450 images cannot say by less than half a per cent; extremes stay within 1."""
    difference, low, high = paired_difference(0, 0, 450)
    assert difference == 0
    assert 0.005 < high == -low < 0.0065
    assert paired_difference(1, 0, 1)[2] <= 1
    assert paired_difference(0, 3, 3)[1] >= -1


@pytest.mark.parametrize(("gain", "loss", "images"), [(0.01, 0.03, 450), (0.005, 0.005, 450), (0.1, 0.05, 60)])
def test_paired_difference_covers(gain, loss, images):
    """Of 4,000 intervals at most 6.5 % miss the truth, where 5 % are due."""
    random, trials = np.random.RandomState(5), 4000
    missed = 0
    for gained, lost, _ in random.multinomial(images, [gain, loss, 1 - gain - loss], trials):
        _, low, high = paired_difference(int(gained), int(lost), images)
        missed += not low <= gain - loss <= high
    assert missed / trials < 0.065


@pytest.mark.parametrize("counts", [(-1, 0, 10), (0, -1, 10), (6, 5, 10), (0, 0, 0)], ids=str)
def test_no_paired_counts(counts):
    """What cannot have been counted gives no difference."""
    with pytest.raises(ValueError, match="paired_difference: "):
        paired_difference(*counts)


def test_known_independent_ratio():
    """Two runs with the same spread: Welch's degrees are 4, Student's t 2.776, the standard error log 2 times the root of 2/3."""
    ratio, low, high = independent_ratio_interval([3, 6, 12], [4, 1, 2])

    margin = math.exp(2.776445105198 * math.log(2) * math.sqrt(2 / 3))
    assert_allclose([ratio, low, high], [3, 3 / margin, 3 * margin], rtol=1e-9)


def test_independent_ratio_of_unequal_runs():
    """A run without spread adds no width and no degrees: 3 processes against 3 that agree leave Student's t with 2 degrees, 4.303."""
    ratio, low, high = independent_ratio_interval([1, 2, 4], [1, 1, 1])

    margin = math.exp(4.302652729749 * math.log(2) / math.sqrt(3))
    assert_allclose([ratio, low, high], [2, 2 / margin, 2 * margin], rtol=1e-9)


@settings(deadline=None)
@given(*[st.lists(st.integers(1, 10**6), min_size=3, max_size=20, unique=True)] * 2, st.sampled_from([0.5, 0.95, 0.999]))
def test_independent_ratio_is_scipys(one, other, confidence):
    """The interval is that of scipy's t-test of two samples whose variances differ."""
    test = stats.ttest_ind(np.log(one), np.log(other), equal_var=False)

    _, low, high = independent_ratio_interval(one, other, confidence)
    expected = np.array(test.confidence_interval(confidence))
    # SciPy 1.11 finds Student's quantile for such degrees of freedom by a search that ends early, differently for each of the two.
    searched = 5e-8 * np.ptp(expected) if scipy.__version__.startswith("1.11.") else 0
    assert_allclose(np.log([low, high]), expected, rtol=1e-9, atol=1e-9 + searched)


def test_independent_ratio_has_no_pairs():
    """In which order a run's processes stand is of no consequence, unlike for ratios within processes."""
    assert_allclose(independent_ratio_interval([1, 2, 4], [1, 2, 4.5]), independent_ratio_interval([4, 1, 2], [1, 2, 4.5]))


def test_independent_ratio_of_equal_values():
    """Runs whose processes agree to the last digit give an interval of no width."""
    assert_allclose(independent_ratio_interval([3, 3, 3], [2, 2, 2, 2]), [1.5, 1.5, 1.5], rtol=1e-12)


@pytest.mark.parametrize(("one", "other"), [([3], [2]), ([3, 3.1], [2, 2.1, 2.2]), ([3, 3.1, 3.2], [2])], ids=str)
def test_independent_ratio_of_few_processes(one, other):
    """One or two processes on either side are a ratio without an interval."""
    assert independent_ratio_interval(one, other)[1:] == (None, None)


@pytest.mark.parametrize(("one", "other"), [([], [1]), ([1], []), ([0, 1], [1, 1]), ([1, 1], [1, float("nan")])], ids=str)
def test_no_independent_times(one, other):
    """Times that cannot be, or none at all, have no ratio."""
    with pytest.raises(ValueError, match="finite times above 0"):
        independent_ratio_interval(one, other)
    with pytest.raises(ValueError, match="lies outside"):
        independent_ratio_interval([1, 2], [1, 2], confidence=1.0)


@pytest.mark.parametrize("sizes", one_quick([(3, 10), (3, 3), (10, 5)]), ids=str)
def test_independent_ratio_covers(sizes):
    """Of 1,500 intervals about 5 % miss the truth, with unequal sizes and unequal noise too: at most five standard errors more."""
    random, trials, truth = np.random.RandomState(5), 1500, 1.7
    missed = 0
    for _ in range(trials):
        one, other = (np.exp(noise * random.standard_normal(size)) for noise, size in zip((0.05, 0.02), sizes, strict=True))
        _, low, high = independent_ratio_interval(truth * one, other)
        missed += not low <= truth <= high
    assert missed / trials < 0.05 + 5 * math.sqrt(0.05 * 0.95 / trials)
