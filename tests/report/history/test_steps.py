"""Changes of level: a step that was put in is found with its size, and noise has none, as often as docs/history.md says."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from benchmarks.report.history import steps as module
from benchmarks.report.history.steps import noise, steps
from lenet5 import InputError
from tests.support.history import series

SERIES = 400
NOISE = 0.03


def white(random, points):
    return random.standard_normal(points)


def heavy(random, points):
    """Student's t with three degrees of freedom: every fiftieth point is an outlier."""
    return random.standard_t(3, points)


def drifting(random, points, share=0.3):
    """A share of each point's deviation goes over to the next one."""
    values = random.standard_normal(points)
    for at in range(1, points):
        values[at] = share * values[at - 1] + np.sqrt(1 - share**2) * values[at]
    return values


def alarms(kind, points, number=SERIES):
    """Of so many series of noise, the share in which a step is found."""
    random = np.random.default_rng(7)
    return np.mean([bool(steps(np.exp(NOISE * kind(random, points)))) for _ in range(number)])


@pytest.mark.parametrize(("size", "at"), [(1.10, 30), (1 / 1.10, 12), (1.5, 57)])
def test_a_step_is_found(size, at):
    """Where it is, to a point, and with its size; its interval is not wide."""
    (found,) = steps(np.array(series(60, lambda number: size if number >= at else 1.0)))
    assert abs(found.at - at) <= 1
    assert found.ratio.ratio == pytest.approx(size, rel=0.015)
    assert found.ratio.low < found.ratio.ratio < found.ratio.high < 1.1 * found.ratio.low


def test_the_interval_holds_the_size():
    """In about 95 of 100 series; a little less often, as the search has chosen the place."""
    found = [steps(np.array(series(60, lambda number: 1.1 if number >= 30 else 1.0, seed=seed))) for seed in range(100)]
    assert sum(len(one) == 1 for one in found) >= 98
    assert sum(one[0].ratio.low < 1.1 < one[0].ratio.high for one in found if one) >= 88


def test_two_steps():
    """Each by itself: up, and down again."""
    found = steps(np.array(series(90, lambda number: 1.2 if 30 <= number < 60 else 1.0)))
    assert [one.at for one in found] == [30, 60]
    assert [one.ratio.ratio > 1 for one in found] == [True, False]
    assert (found[0].begin, found[0].end, found[1].end) == (0, 60, 90)


@pytest.mark.parametrize("kind", [white, heavy, drifting])
def test_noise_has_no_step(kind):
    """In at most 5 of 100 series of forty points, whatever the kind of noise."""
    assert alarms(kind, 40, 100) <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "points", "most"),
    [
        *((white, points, 0.025) for points in (12, 40, 100, 400)),
        *((heavy, points, 0.02) for points in (12, 40, 100, 400)),
        *((drifting, points, 0.07) for points in (12, 40, 100, 400)),
    ],
)
def test_how_often_noise_has_a_step(kind, points, most):
    """The rates of docs/history.md, counted again on a thousand series each."""
    assert alarms(kind, points, 1000) <= most


def test_the_count_would_see_it(monkeypatch):
    """With a penalty that is too small, noise has steps."""
    monkeypatch.setattr(module, "PENALTY", 4.0)
    monkeypatch.setattr(module, "PENALTY_A_LOGARITHM", 0.0)
    assert alarms(white, 40, 100) > 0.2


def test_outliers_are_no_step():
    """One process in a while that takes twice as long, also at either end."""
    times = np.array(series(60))
    times[[0, 20, 35, 59]] *= 2
    assert steps(times) == []

    times = np.array(series(60, lambda number: 1.1 if number >= 30 else 1.0))
    times[[0, 20, 35, 59]] *= 2
    (found,) = steps(times)
    assert (found.begin, found.at, found.end) == (0, 30, 60)
    assert found.ratio.ratio == pytest.approx(1.1, rel=0.015)
    assert found.ratio.high / found.ratio.low < 1.03


def test_a_steady_series():
    """Times that are the same to the last digit have no noise, and no change; half a per mille is no change to speak of."""
    assert steps(np.full(40, 1e-3)) == []
    assert steps(np.array([1e-3] * 20 + [1.0005e-3] * 20)) == []
    (found,) = steps(np.array([1e-3] * 20 + [1.1e-3] * 20))
    assert (found.at, found.ratio.ratio) == (20, pytest.approx(1.1))


def test_too_few_points():
    """Say nothing, whatever they are; and what is new needs three points."""
    assert steps(np.array([1.0] * 4 + [2.0] * 3)) == []
    long = np.array(series(30))
    assert steps(np.concatenate([long, long[:2] * 1.5])) == []
    assert [one.at for one in steps(np.concatenate([long, long[:3] * 1.5]))] == [30]


def test_the_noise_is_that_around_the_levels():
    """A step does not count as noise."""
    times = np.array(series(400, lambda number: 1.0 if number < 200 else 3.0, noise=0.02))
    assert noise(np.log(times)) == pytest.approx(0.02, rel=0.2)


def test_not_installed(monkeypatch):
    """One line with the command that installs it."""
    monkeypatch.setitem(sys.modules, "ruptures", None)
    with pytest.raises(InputError, match=r"ruptures; pip install -c constraints.txt -e '\.\[history\]'"):
        steps(np.array(series(20)))
