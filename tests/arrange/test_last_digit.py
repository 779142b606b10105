"""Weights one last digit away are that, and the distances are those of the trainings that they say."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_array_equal

from benchmarks.arrange import last_digit
from lenet5 import training
from lenet5.datasets import Split
from tests.support.networks import problem, quick_network


def test_one_last_digit():
    """Each number is one of its two neighbours, about as often the upper one; 0 stays, and no array is written to."""
    weights, *_ = problem()
    weights["conv1.bias"][:2] = 0
    before = {name: array.copy() for name, array in weights.items()}
    moved = last_digit.moved(weights, 0)

    for name, array in weights.items():
        assert_array_equal(array, before[name])
        assert moved[name].dtype == np.float32
        steps = moved[name].view(np.int32).astype(np.int64) - array.view(np.int32)
        assert set(np.unique(steps[array != 0])) <= {-1, 1}
        assert not moved[name][array == 0].any()
    up = np.concatenate([(moved[name] > array).ravel() for name, array in weights.items()])
    assert 0.49 < up.mean() < 0.51
    assert any((last_digit.moved(weights, 1)[name] != moved[name]).any() for name in weights)


def test_distances():
    """The same training again is no distance away; one from moved weights is as far as it is when trained by itself."""
    weights, images, labels = problem(batch=130)
    split = Split(images, labels)
    found = last_digit.gaps(quick_network, weights, split, epochs=2, seed=5)

    assert found["again_gaps_nats"] == [0.0, 0.0]
    assert len(found["last_digit_gaps_nats"]) == last_digit.DRAWS

    def losses(start):
        net = quick_network(start)
        return [training.train_epoch(net, training.prepare(net, split, seed=5 + epoch)) for epoch in range(2)]

    expected = np.abs(np.subtract(losses(last_digit.moved(weights, 1)), losses(weights)))
    assert_array_equal(found["last_digit_gaps_nats"][1], expected)
    assert expected.max() > 0


def test_a_network_that_is_not_the_same_twice():
    """A distance of the same training from itself is told, not hidden."""
    weights, images, labels = problem(batch=64)
    rates = iter([1e-3, 2e-3, 1e-3, 1e-3, 1e-3])
    found = last_digit.gaps(
        lambda start: quick_network(start, learning_rate=next(rates)),
        weights,
        Split(np.repeat(images, 2, 0), np.repeat(labels, 2)),
        1,
        0,
    )
    assert found["again_gaps_nats"][0] > 1e-3
