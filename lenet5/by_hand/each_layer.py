"""What some images are after each layer: the textbook operations of `layers` on a network's weights, every value kept, to be looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lenet5.architecture import CONVOLUTIONS, DENSE, checked
from lenet5.by_hand import layers

PROBABILITIES = "probabilities"


def after_each_layer(weights: Mapping[str, Any], images: Any, activation: str = "relu") -> dict[str, layers.Array]:
    """The values after each layer, by its name, in the order of the data's way through them; computed in float64.

    images (n, c, 32, 32) -> "input" (n, c, 32, 32), "conv1" (n, 6, 28, 28), "pool1" (n, 6, 14, 14), "conv2" (n, 16, 10, 10),
    "pool2" (n, 16, 5, 5), "fc1" (n, 120), "fc2" (n, 84), "fc3" (n, classes), which are the logits, "probabilities" (n, classes).

    Each is what the layer hands on: after its activation.  Raises InputError as `lenet5.architecture.checked` does.
    """
    arrays = {name: np.asarray(array, np.float64) for name, array in checked(weights).items()}
    activate = getattr(layers, activation)

    def weighted(operation: Any, x: layers.Array, layer: str) -> layers.Array:
        """One layer without its activation; two products if it is factored."""
        if f"{layer}.basis" in arrays:
            x, _ = operation(x, arrays[f"{layer}.basis"], bias=0.0)
        y: layers.Array
        y, _ = operation(x, arrays[f"{layer}.weight"], arrays[f"{layer}.bias"])
        return y

    x: layers.Array = np.asarray(images, np.float64)
    found: dict[str, layers.Array] = {"input": x}
    for layer in CONVOLUTIONS:
        x, _ = activate(weighted(layers.convolution, x, layer))
        found[layer] = x
        x, _ = layers.max_pool(x)
        found[layer.replace("conv", "pool")] = x
    x, _ = layers.flatten(x)
    for layer in DENSE:
        x = weighted(layers.dense, x, layer)
        if layer != DENSE[-1]:
            x, _ = activate(x)
        found[layer] = x
    return {**found, PROBABILITIES: softmax(x)}


def softmax(logits: Any) -> layers.Array:
    """The probability that a network gives each class, in float64: positive, and 1 together.   logits (n, classes) -> (n, classes)"""
    shifted = np.asarray(logits, np.float64)
    exponentials = np.exp(shifted - shifted.max(1, keepdims=True))  # softmax does not change, exp cannot overflow
    shares: layers.Array = exponentials / exponentials.sum(1, keepdims=True)
    return shares
