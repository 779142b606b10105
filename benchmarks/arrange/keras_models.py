"""The network as a Keras model from canonical weights, for tools that work on Keras models.

It is told which Keras: version 3, or version 2 under the name of tf_keras.  This module imports neither.
"""

from __future__ import annotations

from typing import Any

from lenet5 import Weights, channels_last
from lenet5.architecture import CONVOLUTIONS, DENSE, IMAGE_SIDE, KERNEL_SIDE, LAYERS, POOL_SIDE


def model_of(keras: Any, weights: Weights, last_activation: str | None = None) -> Any:
    """A model with ReLU: images (n, 32, 32, c) -> logits (n, classes), or what ``last_activation`` makes of the logits."""
    stack = [keras.Input((IMAGE_SIDE, IMAGE_SIDE, weights["conv1.weight"].shape[1]))]
    for layer in CONVOLUTIONS:
        stack.append(keras.layers.Conv2D(len(weights[f"{layer}.bias"]), KERNEL_SIDE, activation="relu", name=layer))
        stack.append(keras.layers.MaxPooling2D(POOL_SIDE))
    stack.append(keras.layers.Flatten())
    for layer in DENSE:
        activation = last_activation if layer == DENSE[-1] else "relu"
        stack.append(keras.layers.Dense(len(weights[f"{layer}.bias"]), activation=activation, name=layer))
    model = keras.Sequential(stack)
    for layer in LAYERS:
        kernel = channels_last.from_canonical(layer, weights[f"{layer}.weight"])
        model.get_layer(layer).set_weights([kernel, weights[f"{layer}.bias"]])
    return model


def weights_of(model: Any) -> Weights:
    """The model's weights in canonical layout."""
    arrays = {}
    for layer in LAYERS:
        kernel, bias = model.get_layer(layer).get_weights()
        arrays[f"{layer}.weight"], arrays[f"{layer}.bias"] = channels_last.to_canonical(layer, kernel), bias
    return arrays
