"""What tests of networks share: a random problem of any size, the reference that networks are checked against,
a quick network, and one that has learned."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

import lenet5
from lenet5 import datasets, training


def problem(channels: int = 3, classes: int = 50, batch: int = 16, seed: int = 1) -> tuple[Any, Any, Any]:
    """Random weights, images (batch, channels, 32, 32) and labels (batch,) of one size."""
    random = np.random.RandomState(seed)
    images = random.standard_normal((batch, channels, 32, 32)).astype(np.float32)
    labels = random.randint(0, classes, batch)
    return lenet5.initial_weights(lenet5.Architecture(channels, classes), seed=seed), images, labels


def reference_network(weights: Mapping[str, Any], **options: Any) -> Any:
    """A network of these weights in the textbook loops, float64."""
    framework, mode = lenet5.reference()
    return lenet5.implementation(framework)(weights, mode=mode, **options)


def quick_network(weights: Mapping[str, Any], **options: Any) -> Any:
    """A network that is there on every machine, for tests that train one and for which any framework would do."""
    framework, _ = lenet5.reference()
    return lenet5.implementation(framework)(weights, **options)


@cache
def grey_digits() -> datasets.Dataset:
    """The digits without colours, loaded once a process.  Not to be written to."""
    return datasets.load("digits")


def trained(epochs: int) -> dict[str, Any]:
    """Weights of a network after some epochs of the grey digits, the caller's own; trained once a process."""
    return {name: array.copy() for name, array in _trained(epochs).items()}


@cache
def _trained(epochs: int) -> Any:
    data = grey_digits()
    net = quick_network(lenet5.initial_weights(lenet5.Architecture(data.channels, data.classes)))
    training.train(net, data, epochs=epochs)
    return net.weights()


def answers(framework: str, **options: Any) -> tuple[Any, list[float]]:
    """Logits of a framework's network for two images, and the losses of two steps on them."""
    weights, images, labels = problem(batch=2)
    net = lenet5.implementation(framework)(weights, **options)
    x, y = net.tensor(images), net.tensor(labels)
    return net.predict(x), [net.train_step(x, y) for _ in range(2)]
