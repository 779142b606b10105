"""The problem that every case solves: which weights it starts from, which images it sees, and how close its answer has to come.

Answers are compared with those of the reference, the textbook's loops in float64.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lenet5
from lenet5.contract import Network
from lenet5.datasets import Dataset

SEED = 0
"""Of the initial weights and of the order of the batches."""

LEARNING_RATE = 1e-3
"""Adam's."""

LEARNING_RATES = {"adam": LEARNING_RATE, "sgd": 0.1}
"""At Adam's rate a step of plain gradient descent moves the next loss too little for a check of that to see a wrong gradient."""

ATOL = 1e-5
"""Largest difference of a logit, or of a loss in nats, from the reference's."""

TRAINED_ATOL = 1e-4
"""The same for the logits of a trained network, which are larger."""

MOST_DIFFERENT, REPEATED = 1024, 64
"""A training batch of more than so many images repeats its first few: the reference takes 0.2 s for a step on 64 images, on two cores, and
a mean over repeats is the mean itself."""

ANSWER = ("images", "labels", "expected")
"""What a problem on disk holds beside the weights."""


def initial_weights(dataset: Dataset) -> lenet5.Weights:
    """The weights that every network starts from, the same in each process."""
    return lenet5.initial_weights(lenet5.Architecture(dataset.channels, dataset.classes), SEED)


def reference(weights: Mapping[str, Any], **options: Any) -> Network:
    """The network that every other one is checked against, from these weights."""
    framework, mode = lenet5.reference()
    net: Network = lenet5.implementation(framework)(weights, mode=mode, **options)
    return net


def by_hand(weights: Mapping[str, Any], **options: Any) -> Network:
    """The network that is written by hand, as fast as it can: in the first of its modes that can run these weights.

    Raises NotSupported, the last mode's, if none can.
    """
    return lenet5.fitting(lenet5.reference()[0], weights, **options)


def another() -> tuple[dict[str, NDArray[np.float32]], NDArray[np.float32]]:
    """A network no layer of which has a size of LeNet-5's, and two images for it.   -> its weights, float32 (2, 1, 32, 32)

    What is compiled for it is of no use to a network that is measured.
    """
    sizes: dict[str, tuple[int, ...]] = {"conv1": (2, 1, 5, 5), "conv2": (3, 2, 5, 5), "fc1": (4, 75), "fc2": (3, 4), "fc3": (2, 3)}
    weights = {}
    for layer, size in sizes.items():
        weights[f"{layer}.weight"] = np.zeros(size, np.float32)
        weights[f"{layer}.bias"] = np.zeros(size[0], np.float32)
    return weights, np.zeros((2, 1, 32, 32), np.float32)


def first_images(dataset: Dataset, count: int) -> NDArray[np.float32]:
    """The first images of the test split, from the start again if it has fewer.   -> float32 (count, c, 32, 32)"""
    return np.take(dataset.test.images, range(count), axis=0, mode="wrap")


def first_labels(dataset: Dataset, count: int) -> NDArray[np.integer[Any]]:
    """The labels of `first_images`.   -> integer (count,)"""
    return np.take(dataset.test.labels, range(count), mode="wrap")


def different(count: int) -> int:
    """How many different images a training batch of this size has; it is a multiple of that number."""
    return REPEATED if count > MOST_DIFFERENT else count


def training_batch(dataset: Dataset, count: int) -> tuple[NDArray[np.float32], NDArray[np.integer[Any]]]:
    """The first images and labels of the test split as one training batch, repeated where it is large (`different`).

    -> float32 (count, c, 32, 32), integer (count,)
    """
    copies, images, labels = (
        count // different(count),
        first_images(dataset, different(count)),
        first_labels(dataset, different(count)),
    )
    return np.tile(images, (copies, 1, 1, 1)), np.tile(labels, copies)


# On disk, for a program in a process of its own


def save(path: Path, weights: lenet5.Weights, images: NDArray[np.float32], labels: NDArray[Any], expected: Any) -> Path:
    """Write weights, images (n, c, 32, 32), labels (n,), and what a network must answer.   -> the path

    ``expected`` is the logits (n, classes) of a prediction, or the losses in nats of the first training steps.
    """
    np.savez(path, images=images, labels=labels, expected=np.asarray(expected), **weights)  # type: ignore[arg-type]
    return path


def load(path: Path) -> dict[str, NDArray[Any]]:
    """What `save` wrote: an array for each of ANSWER and for each array of the weights."""
    with np.load(path, allow_pickle=False) as problem:
        return dict(problem)


def weights_in(problem: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The weights among the arrays of a problem."""
    return {name: array for name, array in problem.items() if name not in ANSWER}
