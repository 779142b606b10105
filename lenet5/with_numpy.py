"""LeNet-5 by hand, in NumPy alone: the operations of `numpy_layers`, composed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import threadpoolctl
from numpy.typing import NDArray

from lenet5 import numpy_layers as layers
from lenet5.architecture import CONVOLUTIONS, DENSE, checked, shapes_of
from lenet5.contract import InputError, Weights, check_images, check_labels, check_options, check_pair, is_labels
from lenet5.numpy_optimizers import OPTIMIZERS

Tape = list[tuple[str | None, layers.Pullback]]
"""What the way back needs: each operation's layer (None without parameters) and pullback, in the order of the way forth."""


@dataclass(frozen=True)
class Rung:
    """One way to compute the operations that a framework would be used for."""

    convolution: Callable[..., tuple[layers.Array, layers.Pullback]]
    max_pool: Callable[..., tuple[layers.Array, layers.Pullback]]
    dtype: type


RUNGS = {
    "im2col": Rung(layers.convolution, layers.max_pool, np.float32),
    "loops": Rung(layers.convolution_by_loops, layers.max_pool_by_loops, np.float64),
}


class Checked(np.ndarray):
    """An array that has passed tensor().  The type is all that tells it from any other array."""


class LeNet5:
    """LeNet-5 in NumPy.  Modes: im2col (one matrix product a layer, float32) and loops (the definitions, float64: the oracle)."""

    modes = ("im2col", "loops")

    def __init__(
        self,
        weights: Mapping[str, Any],
        mode: str = modes[0],
        activation: str = "relu",
        optimizer: str = "adam",
        learning_rate: float = 1e-3,
        device: str = "cpu",
    ) -> None:
        check_options(self.modes, mode, activation, optimizer, learning_rate, device)
        if device != "cpu":
            raise InputError(f"device: {device!r} is out of NumPy's reach; use 'cpu'")
        self._rung = RUNGS[mode]
        self._activation = getattr(layers, activation)
        self._optimizer = OPTIMIZERS[optimizer](learning_rate)
        self._weights: dict[str, layers.Array] = {name: array.astype(self._rung.dtype) for name, array in checked(weights).items()}

    def tensor(self, array: NDArray[Any]) -> Checked:
        if is_labels(array):
            check_labels(array, classes=len(self._weights["fc3.bias"]))
            return np.array(array, np.int64).view(Checked)
        check_images(array, channels=self._weights["conv1.weight"].shape[1])
        return np.array(array, np.float32, order="C").view(Checked)

    def predict(self, x: NDArray[Any]) -> NDArray[np.float32]:
        return self._forward(self._own(x)).astype(np.float32, copy=False)

    def train_step(self, x: NDArray[Any], y: NDArray[Any]) -> float:
        check_pair(len(x), len(y))
        tape: Tape = []
        loss, pullback = layers.cross_entropy(self._forward(self._own(x), tape), self._own(y))
        (dy,) = pullback(np.ones(()))
        gradients = {}
        for layer, pullback in reversed(tape):
            *dparameters, dy = pullback(dy)
            if layer:
                gradients[f"{layer}.weight"], gradients[f"{layer}.bias"] = dparameters
        self._optimizer.update(self._weights, gradients)
        return float(loss)

    def weights(self) -> Weights:
        return {name: array.astype(np.float32) for name, array in self._weights.items()}

    def load(self, weights: Mapping[str, Any]) -> None:
        for name, array in checked(weights, like=shapes_of(self._weights)).items():
            self._weights[name][...] = array
        self._optimizer.reset()

    @staticmethod
    def describe() -> dict[str, Any]:
        pools = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
        # Other libraries bring a BLAS of their own; NumPy's wheels keep theirs in a folder numpy.libs.
        pools = [pool for pool in pools if "numpy" in pool["filepath"]] or pools
        return {
            "version": np.__version__,
            "threads": max((pool["num_threads"] for pool in pools), default=None),
            "blas": ", ".join(sorted({f"{pool['internal_api']} {pool['version']}" for pool in pools})),
        }

    def _own(self, array: NDArray[Any]) -> NDArray[Any]:
        """The array itself if tensor() made it, else what tensor() makes of it: nothing is computed from unchecked input."""
        return (array if type(array) is Checked else self.tensor(array)).view(np.ndarray)

    def _forward(self, x: layers.Array, tape: Tape | None = None) -> layers.Array:
        """Images (n, c, 32, 32) -> logits (n, classes).  Without a tape each pullback is dropped at once, and its memory with it."""

        def apply(operation: Callable[..., Any], x: layers.Array, layer: str | None = None, **options: Any) -> layers.Array:
            parameters = (self._weights[f"{layer}.weight"], self._weights[f"{layer}.bias"]) if layer else ()
            y: layers.Array
            y, pullback = operation(x, *parameters, **options)
            if tape is not None:
                tape.append((layer, pullback))
            return y

        x = x.astype(self._rung.dtype, copy=False)
        for layer in CONVOLUTIONS:
            x = apply(self._rung.convolution, x, layer, wants_dx=layer != CONVOLUTIONS[0])
            x = apply(self._activation, x)
            x = apply(self._rung.max_pool, x)
        x = apply(layers.flatten, x)
        for layer in DENSE:
            x = apply(layers.dense, x, layer)
            if layer != DENSE[-1]:
                x = apply(self._activation, x)
        return x
