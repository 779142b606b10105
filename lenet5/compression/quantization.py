"""Eight-bit LeNet-5 by hand: int8 weights and activations, int32 sums, and the arithmetic in between.

A real number r is held as a whole number q from -127 to 127 and a scale s that many share: r ~ s q.

    weights       one scale a filter or unit: s_w[f] = max |w[f]| / 127
    activations   one scale a layer, of its inputs: s_x = max |x| / 127 over some calibration images
    biases        int32, in units of s_x s_w[f], so that they are added to the sum as they are

A layer is then whole numbers only, up to one multiplication a result:

    sum[f]  = bias[f] + sum over d of w[f, d] x[d]        int8 times int8, summed in int32
    real[f] = s_x s_w[f] sum[f]                           float32, then the activation
    next[f] = round(real[f] / s_next)                     int8 again, cut off at +/- 127

Symmetric (no zero point), so that a zero stays one and no correction is needed.  Max-pooling takes the largest sum: scales are positive.

**NumPy has no int8 product.**  Its matrix product of integers calls no BLAS and is slow.  But |w x| <= 127 x 127, so that sums of up to
1,040 products stay below 2^24, where float32 still counts every whole number: the BLAS's float32 product of the same whole numbers *is*
the int32 sum, to the last bit.  That is what "blas" does; "int32" is the definition, and the tests hold them equal.  Int8 saves
bytes here; it saves time only where it makes copies smaller.

Letters as in `layers`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from lenet5.architecture import CONVOLUTIONS, DENSE, KERNEL_SIDE, LAYERS, checked
from lenet5.by_hand import layers
from lenet5.contract import ACTIVATIONS, Weights, check_images, check_option
from lenet5.errors import InputError
from lenet5.storage import write_whole

LARGEST = 127
"""-128 is not used: the range is symmetric."""

EXACT = 2**24
"""float32 holds every whole number up to here."""

ARITHMETIC = ("blas", "int32")

DTYPES = {"weight": np.int8, "weight_scale": np.float32, "bias": np.int32, "input_scale": np.float32}
"""The fields of a `QuantizedLayer`, in order."""


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
        raise InputError(f"weights: {factored[0]} is a factor; multiply the factors before quantizing (factorization.multiplied)")
    if len(images) == 0:
        raise InputError("images: none are given; calibration needs at least one training image")
    check_images(images, channels=arrays["conv1.weight"].shape[1])
    inputs = layer_inputs(arrays, images, activation)
    return {layer: _quantized(arrays[f"{layer}.weight"], arrays[f"{layer}.bias"], x) for layer, x in inputs}


def dequantize(quantized: Quantized) -> Weights:
    """The float32 weights that the whole numbers stand for."""
    weights = {}
    for layer, found in quantized.items():
        scale = found.weight_scale.reshape(-1, *(1,) * (found.weight.ndim - 1))
        weights[f"{layer}.weight"] = scale * found.weight
        weights[f"{layer}.bias"] = (found.input_scale * found.weight_scale * found.bias).astype(np.float32)
    return checked(weights)


def quantized_bytes(quantized: Quantized) -> int:
    """Bytes of all whole numbers and scales as they lie in memory: no header."""
    return sum(layer.nbytes for layer in quantized.values())


def save_quantized(path: str | Path, quantized: Quantized) -> None:
    """Write a quantized network as .safetensors, whole or not at all; InputError where no file can be made."""
    arrays = {f"{layer}.{field}": np.asarray(value) for layer, found in quantized.items() for field, value in vars(found).items()}
    write_whole(Path(path), lambda beside: save_file(arrays, beside))


def load_quantized(path: str | Path) -> Quantized:
    """Read what `save_quantized` wrote.  Raises InputError, one line, for a file that is missing, damaged or something else."""
    try:
        arrays = load_file(path)
    except (OSError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: cannot be read ({reason}); expected a file of save_quantized") from error
    for name in (f"{layer}.{field}" for layer in LAYERS for field in DTYPES):
        if name not in arrays or arrays[name].dtype != DTYPES[name.partition(".")[2]]:
            found = arrays[name].dtype if name in arrays else "missing"
            raise InputError(f"{path}: {name} is {found}; expected a quantized LeNet-5, a file of save_quantized")
    fields: dict[str, list[Any]] = {layer: [arrays[f"{layer}.{field}"][()] for field in DTYPES] for layer in LAYERS}
    quantized = {layer: QuantizedLayer(*values) for layer, values in fields.items()}
    try:
        dequantize(quantized)
    except (InputError, ValueError) as error:
        raise InputError(f"{path}: is no quantized LeNet-5 ({error}); expected a file of save_quantized") from error
    return quantized


class QuantizedLeNet5:
    """A quantized network's predictions.  ``arithmetic``: "int32" sums whole numbers as such, "blas" as float32, with the same result."""

    def __init__(self, quantized: Quantized, activation: str = "relu", arithmetic: str = ARITHMETIC[0]) -> None:
        check_option("activation", activation, ACTIVATIONS)
        check_option("arithmetic", arithmetic, ARITHMETIC)
        self._layers = quantized
        self._activation = getattr(layers, activation)
        self._operands = {layer: _operand(found.weight, arithmetic) for layer, found in quantized.items()}
        self._real = {layer: found.input_scale * found.weight_scale for layer, found in quantized.items()}

    def predict(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits.   images (n, c, 32, 32) -> float32 (n, classes)"""
        check_images(images, channels=self._layers[LAYERS[0]].weight.shape[1])
        real: NDArray[np.float32] = images
        for layer in CONVOLUTIONS:
            sums = self._sums(layer, _windows(to_int8(real, self._layers[layer].input_scale)))  # (n, i, j, f)
            rows = np.maximum(sums[:, 0::2], sums[:, 1::2])
            largest = np.maximum(rows[:, :, 0::2], rows[:, :, 1::2])
            real = self._activated(layer, largest).transpose(0, 3, 1, 2)
        real = real.reshape(len(real), -1)
        for layer in DENSE:
            sums = self._sums(layer, to_int8(real, self._layers[layer].input_scale))
            real = self._activated(layer, sums) if layer != DENSE[-1] else self._to_real(layer, sums)
        return real

    def _sums(self, layer: str, x: NDArray[np.int8]) -> NDArray[Any]:
        """Sums of products, without bias.   x (..., d) -> whole numbers (..., outputs)"""
        operand = self._operands[layer]
        sums: NDArray[Any] = x.reshape(-1, x.shape[-1]).astype(operand.dtype) @ operand
        return sums.reshape(*x.shape[:-1], -1)

    def _to_real(self, layer: str, sums: NDArray[Any]) -> NDArray[np.float32]:
        """(..., outputs) -> float32 (..., outputs)"""
        total: NDArray[np.int32] = sums.astype(np.int32) + self._layers[layer].bias
        return total.astype(np.float32) * self._real[layer]

    def _activated(self, layer: str, sums: NDArray[Any]) -> NDArray[np.float32]:
        real: NDArray[np.float32]
        real, _ = self._activation(self._to_real(layer, sums))
        return real


def to_int8(real: NDArray[Any], scale: Any) -> NDArray[np.int8]:
    """The nearest whole multiples of a scale, of two equally near the even one, cut off at +/- 127."""
    multiples: NDArray[Any] = np.rint(real / scale)
    return multiples.clip(-LARGEST, LARGEST).astype(np.int8)


def layer_inputs(
    weights: Mapping[str, Any], images: NDArray[np.float32], activation: str
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """What each layer of the float32 network gets to see: (layer, its inputs), one after the other."""
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
    return np.where(largest > 0, largest / LARGEST, 1).astype(np.float32)[()]


def _bias(bias: NDArray[np.float32], unit: NDArray[np.float32]) -> NDArray[np.int32]:
    """To the nearest unit; one beyond int32, which no sum could outweigh, is cut off there."""
    ends = np.iinfo(np.int32)
    return np.clip(np.rint(bias / unit.astype(np.float64)), ends.min // 2, ends.max // 2).astype(np.int32)


def _operand(weight: NDArray[np.int8], arithmetic: str) -> NDArray[Any]:
    """The kernel as a matrix (d, outputs), d in the order of `_windows`, in the type that its products are summed in."""
    matrix = weight.transpose(0, 2, 3, 1) if weight.ndim == 4 else weight
    matrix = matrix.reshape(len(weight), -1).T
    exact = arithmetic == "blas" and len(matrix) * LARGEST**2 < EXACT
    return np.ascontiguousarray(matrix, np.float32 if exact else np.int32)


def _windows(x: NDArray[np.int8]) -> NDArray[np.int8]:
    """Every window of a convolution.   x (n, c, h, w) -> (n, h-k+1, w-k+1, k*k*c)

    With channels last a window's row is k*c neighbouring bytes: one item to NumPy, which moves it at once.
    """
    pixels = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    n, h, w, c = pixels.shape
    per_image, per_row, per_pixel, _ = pixels.strides
    places = (n, h - KERNEL_SIDE + 1, w - KERNEL_SIDE + 1, KERNEL_SIDE)
    rows = np.ndarray(places, f"V{KERNEL_SIDE * c}", pixels, strides=(per_image, per_row, per_pixel, per_row))
    return rows.copy().view(np.int8).reshape(*places[:3], -1)
