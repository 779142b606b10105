"""The problem that all cases share: its images, its networks, and its way to disk and back."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import lenet5
from benchmarks.arrange import problem
from lenet5 import datasets
from lenet5.compression import low_rank

WEIGHTS = lenet5.initial_weights(lenet5.Architecture(), seed=3)


@pytest.fixture
def seven_images():
    """A data set whose test split has seven images, image i all i."""
    images = np.repeat(np.arange(7, dtype=np.float32), 3 * 32 * 32).reshape(7, 3, 32, 32)
    split = datasets.Split(images, np.arange(7))
    return datasets.Dataset("seven", split, split, split, classes=50, mean=np.zeros(3))


def test_first_images(seven_images):
    """The first ones, and from the start again if there are fewer; the labels are theirs."""
    images, labels = problem.first_images(seven_images, 10), problem.first_labels(seven_images, 10)
    assert images.shape == (10, 3, 32, 32)
    assert images.dtype == np.float32
    assert_array_equal(images[:, 0, 0, 0], [0, 1, 2, 3, 4, 5, 6, 0, 1, 2])
    assert_array_equal(labels, images[:, 0, 0, 0])


def test_a_large_training_batch_repeats_few_images(seven_images, monkeypatch):
    """What the reference needs long for has few different images, so that their loss and its gradients are those of the few."""
    assert [problem.different(count) for count in (1, 1024, 4096)] == [1, 1024, 64]
    images, labels = problem.training_batch(seven_images, 10)
    assert_array_equal(images, problem.first_images(seven_images, 10))
    assert_array_equal(labels, problem.first_labels(seven_images, 10))

    monkeypatch.setattr(problem, "MOST_DIFFERENT", 4)
    monkeypatch.setattr(problem, "REPEATED", 3)
    images, labels = problem.training_batch(seven_images, 6)
    assert_array_equal(labels, [0, 1, 2, 0, 1, 2])
    assert_array_equal(images[:, 0, 0, 0], labels)
    many, few = (problem.by_hand(WEIGHTS) for _ in range(2))
    x, y = problem.training_batch(seven_images, problem.different(6))
    assert [many.train_step(images, labels) for _ in range(2)] == pytest.approx([few.train_step(x, y) for _ in range(2)], abs=1e-6)


def test_initial_weights_fit_the_data(seven_images):
    """As many channels and classes as the data set has, the same weights every time."""
    weights = problem.initial_weights(seven_images)
    assert weights["fc3.bias"].shape == (50,)
    for name, array in problem.initial_weights(seven_images).items():
        assert_array_equal(array, weights[name])


def test_reference():
    """The reference is the network that declares to be it, not the fast one."""
    images = np.ones((1, 3, 32, 32), np.float32)
    framework, mode = lenet5.reference()
    expected = lenet5.implementation(framework)(WEIGHTS, mode=mode, activation="tanh").predict(images)
    assert_array_equal(problem.reference(WEIGHTS, activation="tanh").predict(images), expected)


def test_by_hand_is_the_first_mode_that_can():
    """The default mode, or the next one where that one refuses such weights; options reach it."""
    framework, _ = lenet5.reference()
    first, second, *_ = lenet5.modes(framework)
    images = np.ones((2, 3, 32, 32), np.float32)
    factored = low_rank.factorize(WEIGHTS, {"conv2": 3})

    for weights, mode in ((WEIGHTS, first), (factored, second)):
        expected = lenet5.implementation(framework)(weights, mode=mode, activation="tanh").predict(images)
        assert_array_equal(problem.by_hand(weights, activation="tanh").predict(images), expected)
    with pytest.raises(lenet5.NotSupported):
        lenet5.implementation(framework)(factored, mode=first)


def test_by_hand_raises_where_no_mode_can():
    """The last mode's reason."""
    with pytest.raises(lenet5.NotSupported, match="device: 'cuda'"):
        problem.by_hand(WEIGHTS, device="cuda")


def test_a_problem_travels_whole(tmp_path):
    """What was saved is what is loaded, and the weights are told from the rest."""
    images, labels = np.ones((2, 3, 32, 32), np.float32), np.array([4, 2])
    path = problem.save(tmp_path / "problem.npz", WEIGHTS, images, labels, [0.5, 0.25])

    loaded = problem.load(path)

    assert_array_equal(loaded["images"], images)
    assert_array_equal(loaded["labels"], labels)
    assert_array_equal(loaded["expected"], [0.5, 0.25])
    weights = problem.weights_in(loaded)
    assert list(weights) == list(WEIGHTS)
    for name, array in weights.items():
        assert_array_equal(array, WEIGHTS[name])
