"""Eight-bit weights: whole numbers and scales, made from float32 weights and some images, and back.

A real number r is held as a whole number q from -127 to 127 and a scale s that many share: r ~ s q.

    weights       one scale a filter or unit: s_w[f] = max |w[f]| / 127
    activations   one scale a layer, of its inputs: s_x = max |x| / 127 over some calibration images
    biases        int32, in units of s_x s_w[f], so that they are added to the sum as they are

Symmetric (no zero point), so that a zero stays one and no correction is needed.  `int8_network` computes with these numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5.architecture import CONVOLUTIONS, DENSE, LAYERS, checked
from lenet5.by_hand import layers
from lenet5.contract import ACTIVATIONS, Weights, check_images, check_option
from lenet5.errors import InputError

LARGEST_INT8 = 127
"""-128 is not used: the range is symmetric."""


@dataclass(frozen=True)
class QuantizedLayer:
    """One layer in whole numbers."""

    weight: NDArray[np.int8]
    """The shape of the float32 kernel."""
    weight_scale: NDArray[np.float32]
    """(outputs,)"""
    bias: NDArray[np.int32]
    """(outputs,), in units of input_scale x weight_scale"""
    input_scale: np.float32

    @property
    def nbytes(self) -> int:
        """Bytes of the four fields."""
        return self.weight.nbytes + self.weight_scale.nbytes + self.bias.nbytes + self.input_scale.nbytes


Quantized = dict[str, QuantizedLayer]
"""Layer -> its whole numbers and scales: the compressed form of a network."""


def quantize(weights: Mapping[str, Any], images: NDArray[np.float32], activation: str = "relu") -> Quantized:
    """Round a network's weights to int8; the images, of the training split, tell how large each layer's inputs get.

    images (n, c, 32, 32).  Raises InputError without images and for a factored network.
    """
    check_option("activation", activation, ACTIVATIONS)
    arrays = checked(weights)
    if factored := [name for name in arrays if name.endswith(".basis")]:
        raise InputError(f"weights: {factored[0]} is a factor; multiply the factors before quantizing (low_rank.multiplied)")
    if len(images) == 0:
        raise InputError("images: none are given; calibration needs at least one training image")
    check_images(images, channels=arrays["conv1.weight"].shape[1])
    inputs = layer_inputs(arrays, images, activation)
    return {layer: _quantized(arrays[f"{layer}.weight"], arrays[f"{layer}.bias"], x) for layer, x in inputs}


def dequantize(quantized: Quantized) -> Weights:
    """The float32 weights that the whole numbers stand for.  Raises InputError or ValueError for layers that are not a LeNet-5's."""
    weights = {}
    for layer, found in quantized.items():
        scale = found.weight_scale.reshape(-1, *(1,) * (found.weight.ndim - 1))
        weights[f"{layer}.weight"] = scale * found.weight
        weights[f"{layer}.bias"] = (found.input_scale * found.weight_scale * found.bias).astype(np.float32)
    return checked(weights)


def quantized_bytes(quantized: Quantized) -> int:
    """Bytes of all whole numbers and scales as they lie in memory: no header."""
    return sum(layer.nbytes for layer in quantized.values())


def to_int8(real: NDArray[Any], scale: Any) -> NDArray[np.int8]:
    """The nearest whole multiples of a scale, of two equally near the even one, cut off at +/- 127.   (...) -> (...)"""
    multiples: NDArray[Any] = np.rint(real / scale)
    return multiples.clip(-LARGEST_INT8, LARGEST_INT8).astype(np.int8)


def layer_inputs(
    weights: Mapping[str, Any], images: NDArray[np.float32], activation: str
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """What each layer of the float32 network gets to see: (layer, its inputs), one after the other.   images (n, c, 32, 32)"""
    activate = getattr(layers, activation)
    x: Any = images
    for layer in LAYERS:
        if layer == DENSE[0]:
            x, _ = layers.flatten(x)
        yield layer, x
        operation = layers.convolution if layer in CONVOLUTIONS else layers.dense
        x, _ = operation(x, weights[f"{layer}.weight"], weights[f"{layer}.bias"])
        x, _ = activate(x)
        if layer in CONVOLUTIONS:
            x, _ = layers.max_pool(x)


def _quantized(weight: NDArray[np.float32], bias: NDArray[np.float32], x: NDArray[np.float32]) -> QuantizedLayer:
    input_scale = _scale(abs(x).max())
    weight_scale = _scale(abs(weight).reshape(len(weight), -1).max(1))
    whole = to_int8(weight, weight_scale.reshape(-1, *(1,) * (weight.ndim - 1)))
    return QuantizedLayer(whole, weight_scale, _bias(bias, input_scale * weight_scale), input_scale)


def _scale(largest: Any) -> Any:
    """What one step stands for; 1 where there is nothing but zeros.   float32 of the same shape"""
    return np.where(largest > 0, largest / LARGEST_INT8, 1).astype(np.float32)[()]


def _bias(bias: NDArray[np.float32], unit: NDArray[np.float32]) -> NDArray[np.int32]:
    """To the nearest unit; one beyond int32, which no sum could outweigh, is cut off there."""
    ends = np.iinfo(np.int32)
    return np.clip(np.rint(bias / unit.astype(np.float64)), ends.min // 2, ends.max // 2).astype(np.int32)
