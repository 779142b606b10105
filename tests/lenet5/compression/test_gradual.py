"""Pruning while training: the schedule on paper, and the same result in every framework."""

from __future__ import annotations

import dataclasses

import pytest
from numpy.testing import assert_allclose, assert_array_equal

import lenet5
from lenet5 import datasets
from lenet5.architecture import NAMES
from lenet5.compression import gradual, weighing, zeros
from lenet5.compression.gradual import PolynomialDecay, schedule_for
from tests.support.networks import quick_network, trained

RATE = 0.03


def test_the_schedule_is_tfmots():
    """Final + (initial - final) (1 - share)^3, drawn at begin, every frequency steps, and at end."""
    schedule = PolynomialDecay(0.5, 0.9, begin=1, end=9, frequency=4)
    assert [step for step in range(12) if schedule.moves(step)] == [1, 5, 9]
    assert [schedule.sparsity(step) for step in (1, 5, 9, 10)] == pytest.approx([0.5, 0.9 - 0.4 / 8, 0.9, 0.9])


@pytest.mark.parametrize("steps", [2, 3, 20, 21, 64, 100, 640, 1280, 1999])
def test_the_end_is_always_reached(steps):
    """Whatever the number of steps, the schedule begins at the first and its last drawing is at its end, within them."""
    schedule = schedule_for(steps)
    drawn = [step for step in range(1, steps + 1) if schedule.moves(step)]
    assert drawn[0] == 1
    assert schedule.sparsity(drawn[0]) == 0.5
    assert drawn[-1] == schedule.end
    assert schedule.sparsity(drawn[-1]) == 0.9
    assert steps < 64 or schedule.end < 0.65 * steps


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"frequency": 5}, "schedule: from step 1 every 5 steps never meets step 9: 0.9 is not reached"),
        ({"begin": 0}, "1 <= begin < end"),
        ({"end": 1}, "1 <= begin < end"),
        ({"frequency": 0}, "every >= 1"),
        ({"frequency": 0.5}, "every >= 1"),
        ({"begin": True}, "1 <= begin < end"),
        ({"final": 1.0}, "sparsity: 1.0 is not a share"),
        ({"initial": -0.5}, "sparsity: -0.5 is not a share"),
    ],
)
def test_a_schedule_that_cannot_be(changed, message):
    """One line says what is wrong; above all with an end that would be stepped over."""
    with pytest.raises(lenet5.InputError, match=message):
        PolynomialDecay(**{"initial": 0.5, "final": 0.9, "begin": 1, "end": 9, "frequency": 4, **changed})


@pytest.mark.parametrize(("name", "value"), [("epochs", 0), ("epochs", 1.5), ("seed", -1)])
def test_numbers_that_no_training_has(name, value):
    """They are refused before the network and the images are looked at."""
    with pytest.raises(lenet5.InputError, match=rf"^{name}: {value} does not fit"):
        gradual.fine_tune(None, None, schedule_for(4), **{"epochs": 1, name: value})


def test_too_few_steps():
    """One step can begin or end, not both."""
    with pytest.raises(lenet5.InputError, match="1 steps are too few"):
        schedule_for(1)


@pytest.mark.trains
@pytest.mark.default_mode
def test_every_framework_prunes_alike(implementation, mode, data):
    """Eight steps through the contract give the masks and the weights that the reference gives."""
    dense = trained(epochs=1)  # enough for magnitudes to mean something
    part = dataclasses.replace(data, train=datasets.Split(data.train.images[:64], data.train.labels[:64]))
    schedule = PolynomialDecay(0.5, 0.9, begin=1, end=5, frequency=2)

    def pruned(build, mode):
        net = build(dense, mode=mode, optimizer="sgd", learning_rate=RATE)
        masks = gradual.fine_tune(net, part, schedule, epochs=2, batch=16)
        return masks, net.weights()

    masks, weights = pruned(implementation, mode)

    framework, reference = lenet5.reference()
    expected_masks, expected = pruned(lenet5.implementation(framework), reference)
    weighing.check_sparsity(weights, 0.9, tolerance=0)
    for name in NAMES:
        assert_allclose(weights[name], expected[name], rtol=0, atol=1e-5, err_msg=name)
    for name, mask in masks.items():
        assert_array_equal(mask, expected_masks[name], err_msg=name)
        assert_array_equal(weights[name] != 0, mask, err_msg=name)


def test_the_two_rules_differ(data):
    """Where steps are large a masked weight comes back by one rule and never by the other."""
    dense = trained(epochs=1)
    part = dataclasses.replace(data, train=datasets.Split(data.train.images[:128], data.train.labels[:128]))
    schedule = PolynomialDecay(0.5, 0.9, begin=1, end=7, frequency=2)

    def masks(regrow, epochs):
        net = quick_network(dense, optimizer="sgd", learning_rate=0.3)
        return gradual.fine_tune(net, part, schedule, epochs, regrow=regrow, batch=16)

    def came_back(regrow):
        """Weights that the first drawing took and the last left."""
        first = zeros.magnitude_mask(dense, 0.5)
        return sum(int((~first[name] & mask).sum()) for name, mask in masks(regrow, 1).items())

    assert came_back(regrow=False) == 0
    assert came_back(regrow=True) > 0
