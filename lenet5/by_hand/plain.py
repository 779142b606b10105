"""The plain NumPy network: the operations of `layers`, composed, in two ways to compute them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5.architecture import CONVOLUTIONS, DENSE, checked, shapes_of
from lenet5.by_hand import layers
from lenet5.by_hand.optimizers import OPTIMIZERS
from lenet5.contract import Weights

Tape = list[tuple[tuple[str, ...], layers.Pullback]]
"""What the way back needs: the names of each operation's arrays and its pullback, in the order of the way forth."""


@dataclass(frozen=True)
class Rung:
    """One way to compute convolution and pooling, and the precision of everything: a rung of the ladder from definition to speed."""

    convolution: Callable[..., tuple[layers.Array, layers.Pullback]]
    max_pool: Callable[..., tuple[layers.Array, layers.Pullback]]
    dtype: type


RUNGS = {
    "im2col": Rung(layers.convolution, layers.max_pool, np.float32),
    "loops": Rung(layers.convolution_by_loops, layers.max_pool_by_loops, np.float64),
}


class PlainLeNet5:
    """LeNet-5 as one operation after the other on whole batches.   images (n, c, 32, 32), labels (n,)"""

    def __init__(self, weights: Mapping[str, Any], rung: str, activation: str, optimizer: str, learning_rate: float) -> None:
        self._rung = RUNGS[rung]
        self._activation = getattr(layers, activation)
        self._optimizer = OPTIMIZERS[optimizer](learning_rate)
        self._weights: dict[str, layers.Array] = {name: array.astype(self._rung.dtype) for name, array in checked(weights).items()}

    def predict(self, x: layers.Array) -> NDArray[np.float32]:
        """Logits.   x (n, c, 32, 32) -> float32 (n, classes)"""
        return self._forward(x).astype(np.float32, copy=False)

    def train_step(self, x: layers.Array, y: NDArray[np.integer[Any]]) -> float:
        """One update; the mean cross-entropy before it, in nats.   x (n, c, 32, 32), y (n,)"""
        tape: Tape = []
        loss, pullback = layers.cross_entropy(self._forward(x, tape), y)
        (dy,) = pullback(np.ones(()))
        gradients: dict[str, layers.Array] = {}
        for names, pullback in reversed(tape):
            *dparameters, dy = pullback(dy)
            gradients.update(zip(names, dparameters, strict=False))  # of a basis the derivative of its bias, 0, is left over
        self._optimizer.update(self._weights, gradients)
        return float(loss)

    def weights(self) -> Weights:
        """A copy, in canonical layout."""
        return {name: array.astype(np.float32) for name, array in self._weights.items()}

    def load(self, weights: Mapping[str, Any]) -> None:
        """Overwrite the weights in place; the optimizer starts afresh.  Raises InputError if a name or a shape differs."""
        for name, array in checked(weights, like=shapes_of(self._weights)).items():
            self._weights[name][...] = array
        self._optimizer.reset()

    @property
    def workspace_bytes(self) -> int:
        """Memory held between calls beside the weights and the optimizer's state: 0, since every call makes its arrays anew."""
        return 0

    def _forward(self, x: layers.Array, tape: Tape | None = None) -> layers.Array:
        """Images (n, c, 32, 32) -> logits (n, classes).  Without a tape each pullback is dropped at once, and its memory with it."""

        def apply(operation: Callable[..., Any], x: layers.Array, *names: str, **options: Any) -> layers.Array:
            y: layers.Array
            y, pullback = operation(x, *(self._weights[name] for name in names), **options)
            if tape is not None:
                tape.append((names, pullback))
            return y

        def weighted(operation: Callable[..., Any], x: layers.Array, layer: str, **options: Any) -> layers.Array:
            """One layer; two products if it is factored."""
            if f"{layer}.basis" in self._weights:
                x = apply(operation, x, f"{layer}.basis", bias=0.0)
            return apply(operation, x, f"{layer}.weight", f"{layer}.bias", **options)

        x = x.astype(self._rung.dtype, copy=False)
        for layer in CONVOLUTIONS:
            x = weighted(self._rung.convolution, x, layer, wants_dx=layer != CONVOLUTIONS[0])
            x = apply(self._activation, x)
            x = apply(self._rung.max_pool, x)
        x = apply(layers.flatten, x)
        for layer in DENSE:
            x = weighted(layers.dense, x, layer)
            if layer != DENSE[-1]:
                x = apply(self._activation, x)
        return x
