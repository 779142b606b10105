"""Eight-bit LeNet-5 by hand: predictions from int8 weights and activations and int32 sums.

A layer is whole numbers only, up to one multiplication a result (letters of scales as in `int8`):

    sum[f]  = bias[f] + sum over d of w[f, d] x[d]        int8 times int8, summed in int32
    real[f] = s_x s_w[f] sum[f]                           float32, then the activation
    next[f] = round(real[f] / s_next)                     int8 again, cut off at +/- 127

Max-pooling takes the largest sum: scales are positive.

**NumPy has no int8 product.**  Its matrix product of integers calls no BLAS and is slow.  But |w x| <= 127 x 127, so that sums of up to
1,040 products stay below 2^24, where float32 still counts every whole number: the BLAS's float32 product of the same whole numbers *is*
the int32 sum, to the last bit.  That is what "blas" does; "int32" is the definition, and the tests hold them equal.  Int8 saves
bytes here; it saves time only where it makes copies smaller.

Letters: n images, c channels, f filters, h x w pixels in, i x j pixels out, k kernel side, d inputs of one output.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5.architecture import CONVOLUTIONS, DENSE, KERNEL_SIDE, LAYERS
from lenet5.by_hand import layers
from lenet5.compression.int8 import LARGEST_INT8, Quantized, to_int8
from lenet5.contract import ACTIVATIONS, check_images, check_option

LARGEST_EXACT = 2**24
"""float32 holds every whole number up to here."""

ARITHMETIC = ("blas", "int32")


class QuantizedLeNet5:
    """A quantized network's predictions.  ``arithmetic``: "int32" sums whole numbers as such, "blas" as float32, with the same result.

    Raises InputError for an unknown activation or arithmetic.
    """

    def __init__(self, quantized: Quantized, activation: str = "relu", arithmetic: str = ARITHMETIC[0]) -> None:
        check_option("activation", activation, ACTIVATIONS)
        check_option("arithmetic", arithmetic, ARITHMETIC)
        self._layers = quantized
        self._activation = getattr(layers, activation)
        self._operands = {layer: _operand(found.weight, arithmetic) for layer, found in quantized.items()}
        self._real = {layer: found.input_scale * found.weight_scale for layer, found in quantized.items()}

    def predict(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits.   images (n, c, 32, 32) -> float32 (n, classes).  Raises InputError for images that do not fit."""
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


def _operand(weight: NDArray[np.int8], arithmetic: str) -> NDArray[Any]:
    """The kernel as a matrix (d, outputs), d in the order of `_windows`, in the type that its products are summed in."""
    matrix = weight.transpose(0, 2, 3, 1) if weight.ndim == 4 else weight
    matrix = matrix.reshape(len(weight), -1).T
    exact = arithmetic == "blas" and len(matrix) * LARGEST_INT8**2 < LARGEST_EXACT
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
