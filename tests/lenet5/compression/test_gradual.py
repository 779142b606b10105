"""Pruning while training: the schedule on paper, and the same result by hand as by the two libraries."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import lenet5
from benchmarks.isolated import program, prune
from lenet5 import datasets, training
from lenet5.architecture import NAMES
from lenet5.compression import gradual, weighing, zeros
from lenet5.compression.gradual import PolynomialDecay, schedule_for
from tests.support.networks import quick_network

RATE = 0.03


@pytest.fixture(scope="module")
def data():
    return datasets.load("digits")


@pytest.fixture(scope="module")
def dense(data):
    """A network after one epoch: enough for magnitudes to mean something."""
    net = quick_network(lenet5.initial_weights(lenet5.Architecture(data.channels, data.classes)))
    training.train_epoch(net, training.prepare(net, data.train))
    return net.weights()


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
        ({"final": 1.0}, "sparsity: 1.0 is not a share"),
        ({"initial": -0.5}, "sparsity: -0.5 is not a share"),
    ],
)
def test_a_schedule_that_cannot_be(changed, message):
    """One line says what is wrong; above all with an end that would be stepped over."""
    with pytest.raises(lenet5.InputError, match=message):
        PolynomialDecay(**{"initial": 0.5, "final": 0.9, "begin": 1, "end": 9, "frequency": 4, **changed})


def test_too_few_steps():
    """One step can begin or end, not both."""
    with pytest.raises(lenet5.InputError, match="1 steps are too few"):
        schedule_for(1)


@pytest.mark.default_mode
def test_every_framework_prunes_alike(implementation, mode, data, dense):
    """Eight steps through the contract give the masks and the weights that the reference gives."""
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


def library(child, dense, tmp_path, *options):
    """What a library's child made of the dense network in one epoch, and its times."""
    lenet5.save_weights(tmp_path / "dense.npz", dense)
    arguments = ["--dataset=digits", "--epochs=1", f"--learning-rate={RATE}", "--seconds=0", *options]
    seconds = program.call(child, tmp_path / "dense.npz", tmp_path / "pruned.npz", *arguments)
    return lenet5.load_weights(tmp_path / "pruned.npz"), seconds


@pytest.mark.parametrize(
    ("child", "regrow"),
    [("benchmarks.isolated.prune_tfmot", True), ("benchmarks.isolated.prune_torch", False)],
    ids=["tfmot", "torch"],
)
def test_by_hand_as_by_library(monkeypatch, child, regrow, data, dense, tmp_path):
    """An epoch with 21 drawings: the same weights are zero, the others within 1e-3 (they moved by far more)."""
    net = quick_network(dense, optimizer="sgd", learning_rate=RATE)
    gradual.fine_tune(net, data, schedule_for(64), epochs=1, regrow=regrow)
    ours = net.weights()

    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # what is right on one thread is right on many, and a busy machine is kind to one
    theirs, seconds = library(child, dense, tmp_path)

    weighing.check_sparsity(theirs, 0.9, tolerance=0)
    for name in NAMES:
        # Rounding can swap two weights at the edge of a mask, no more.
        swapped = (ours[name] == 0) != (theirs[name] == 0)
        assert swapped.sum() <= 0.001 * swapped.size, name
        assert_allclose(np.where(swapped, 0, theirs[name]), np.where(swapped, 0, ours[name]), rtol=0, atol=1e-3, err_msg=name)
    assert abs(ours["fc3.bias"] - dense["fc3.bias"]).max() > 0.01
    assert list(seconds) == ["dense", "stripped", "unstripped"]
    assert all(len(values) >= 5 and min(values) > 0 for values in seconds.values())


def test_the_two_rules_differ(data, dense):
    """Where steps are large a masked weight comes back by one rule and never by the other."""
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


def test_a_library_that_did_not_prune_gives_no_time(tmp_path, dense, capsys):
    """Sparsity other than asked for: exit 2, one line, no JSON and no weights."""
    lenet5.save_weights(tmp_path / "dense.npz", dense)

    def lazy(task):
        return prune.Pruned(task.weights, *([None] * 4))

    code = prune.main(lazy, [str(tmp_path / "dense.npz"), str(tmp_path / "pruned.npz"), "--dataset=digits", "--epochs=1"])

    assert code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "conv1: 0 of 150 weights are zero; a sparsity of 0.9 is 135\n"
    assert not (tmp_path / "pruned.npz").exists()


def test_a_library_that_answers_wrong_gives_no_time(tmp_path, dense, capsys):
    """Logits other than those of its own weights are an error, not a time."""
    lenet5.save_weights(tmp_path / "dense.npz", dense)

    def wrong(task):
        pruned = zeros.prune(task.weights, 0.9)
        return prune.Pruned(pruned, lambda images: images, *([lambda x: np.zeros((64, 10), np.float32)] * 3))

    with pytest.raises(AssertionError, match="dense"):
        prune.main(wrong, [str(tmp_path / "dense.npz"), str(tmp_path / "pruned.npz"), "--dataset=digits", "--epochs=1"])
    assert capsys.readouterr().out == ""
