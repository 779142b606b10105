"""LeNet-5 by hand, in NumPy alone: one network, computed in three ways that show where the time goes.

loops    the definitions, in float64 (`by_hand.layers`): slow, and the reference that every network is checked against
im2col   one matrix product a layer, in float32 (`by_hand.layers`): what most people write by hand
fused    convolution and pooling on data laid out for the processor, in chunks on threads (`by_hand.fused`)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import threadpoolctl
from numpy.typing import NDArray

from lenet5.architecture import checked, shapes_of
from lenet5.by_hand.fused import FusedLeNet5
from lenet5.by_hand.layout import laid_out
from lenet5.by_hand.plain import PlainLeNet5
from lenet5.contract import Weights, check_images, check_labels, check_options, check_pair, is_labels
from lenet5.errors import NoDevice, NotSupported


class Checked(np.ndarray):
    """An array that has passed tensor().  The type is all that tells it from any other array."""


class LeNet5:
    """LeNet-5 in NumPy.  Modes: fused (the fast one), im2col (one matrix product a layer), loops (the definitions, float64)."""

    modes = ("fused", "im2col", "loops")
    colour = "blue"
    reference = "loops"
    ladder = ("loops", "im2col", "fused")

    def __init__(
        self,
        weights: Mapping[str, Any],
        mode: str = modes[0],
        activation: str = "relu",
        optimizer: str = "adam",
        learning_rate: float = 1e-3,
        device: str = "cpu",
    ) -> None:
        learning_rate = check_options(self.modes, mode, activation, optimizer, learning_rate, device)
        if device != "cpu":
            raise NoDevice(f"device: {device!r} is out of NumPy's reach; use 'cpu'")
        arrays = checked(weights)
        self._shapes = shapes_of(arrays)
        self._network: FusedLeNet5 | PlainLeNet5
        if mode == "fused":
            if "conv2.basis" in arrays:
                raise NotSupported("mode: 'fused' convolves with whole kernels only; use 'im2col' or 'loops' for a factored conv2")
            self._network = FusedLeNet5(arrays, activation, optimizer, learning_rate)
        else:
            self._network = PlainLeNet5(arrays, mode, activation, optimizer, learning_rate)
        self._channels_last = mode == "fused"

    def tensor(self, array: NDArray[Any]) -> Checked:
        """As promised; for the fused mode images are `laid_out`, the axes in the usual order."""
        if is_labels(array):
            check_labels(array, classes=self._shapes["fc3.bias"][0])
            return np.array(array, np.int64).view(Checked)
        check_images(array, channels=self._shapes["conv1.weight"][1])
        if self._channels_last:
            return laid_out(array).view(Checked)
        return np.array(array, order="C").view(Checked)

    def predict(self, x: NDArray[Any]) -> NDArray[np.float32]:
        return self._network.predict(self._own(x))

    def train_step(self, x: NDArray[Any], y: NDArray[Any]) -> float:
        check_pair(len(x), len(y))
        return self._network.train_step(self._own(x), self._own(y))

    def weights(self) -> Weights:
        return self._network.weights()

    def load(self, weights: Mapping[str, Any]) -> None:
        self._network.load(weights)

    @property
    def workspace_bytes(self) -> int:
        """Memory held between calls beside the weights and the optimizer's state, in bytes; bounded for a batch of any size."""
        return self._network.workspace_bytes

    @staticmethod
    def describe() -> dict[str, Any]:
        pools = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
        # Other libraries bring a BLAS of their own; NumPy's wheels keep theirs in a folder numpy.libs.
        pools = [pool for pool in pools if "numpy" in pool["filepath"]] or pools
        return {
            "version": np.__version__,
            "threads": max((pool["num_threads"] for pool in pools), default=None),
            "blas": ", ".join(sorted({f"{pool['internal_api']} {pool['version']}" for pool in pools})),
            # The processor that the BLAS has chosen its kernels for, and what NumPy's own loops use beyond their baseline.
            "architecture": ", ".join(sorted({str(pool["architecture"]) for pool in pools if pool.get("architecture")})),
            "simd": " ".join(np.show_config(mode="dicts").get("SIMD Extensions", {}).get("found", ())),
        }

    def _own(self, array: NDArray[Any]) -> NDArray[Any]:
        """The array itself if tensor() made it, else what tensor() makes of it: nothing is computed from unchecked input."""
        return (array if type(array) is Checked else self.tensor(array)).view(np.ndarray)
