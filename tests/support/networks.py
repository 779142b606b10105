"""What tests of networks share: a random problem of any size, the reference that networks are checked against, and a quick network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import lenet5


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


def answers(framework: str, **options: Any) -> tuple[Any, list[float]]:
    """Logits of a framework's network for two images, and the losses of two steps on them."""
    weights, images, labels = problem(batch=2)
    net = lenet5.implementation(framework)(weights, **options)
    x, y = net.tensor(images), net.tensor(labels)
    return net.predict(x), [net.train_step(x, y) for _ in range(2)]
