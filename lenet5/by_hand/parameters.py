"""The weights of the fast network: one flat buffer, views of it in every layout that is wanted, and shifted copies of the kernels.

Letters: n images, c channels in, f filters, k kernel side; d features in, u units out; r and s are the row and the column within a
pool, t counts pooled columns that are computed together.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.lib.stride_tricks import as_strided

from lenet5.architecture import CONVOLUTIONS, KERNEL_SIDE, LAYERS, POOL_SIDE
from lenet5.by_hand.layout import Array, items, merged


class Parameters:
    """The arrays (or their gradients) in one flat buffer, in the layout that the products want and as canonical views.

    A convolution's kernel lies channels last.  A dense layer's bias is one more column of its weight, that of an input which is
    always 1: neither the bias nor its gradient then takes a call of its own.
    """

    def __init__(self, flat: Array, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self.flat = flat
        self.canonical: dict[str, Array] = {}
        self.kernels: dict[str, Array] = {}  # (f, 5, 5, c)
        self.biases: dict[str, Array] = {}  # (f,)
        self.dense: dict[str, Array] = {}  # (u, d + 1)
        self.bases: dict[str, Array] = {}  # (rank, d), of the factored dense layers
        first = 0
        for layer in LAYERS:
            if basis := shapes.get(f"{layer}.basis"):
                last = first + int(np.prod(basis))
                self.bases[layer] = self.canonical[f"{layer}.basis"] = flat[first:last].reshape(basis)
                first = last
            outputs, *inputs = shapes[f"{layer}.weight"]
            last = first + outputs * (int(np.prod(inputs)) + 1)
            block, first = flat[first:last], last
            if layer in CONVOLUTIONS:
                self.kernels[layer] = block[:-outputs].reshape(outputs, KERNEL_SIDE, KERNEL_SIDE, -1)
                self.biases[layer] = block[-outputs:]
                weight, bias = np.moveaxis(self.kernels[layer], -1, 1), self.biases[layer]
            else:
                self.dense[layer] = block.reshape(outputs, -1)
                weight, bias = self.dense[layer][:, :-1], self.dense[layer][:, -1]
            self.canonical[f"{layer}.weight"], self.canonical[f"{layer}.bias"] = weight, bias


def taps(matrix: Array) -> Array:
    """Where the 5x5 kernel stands in each of its shifted copies: one view, to write the copies and to read their gradients.

    matrix (t, r, s, f, 4 + rows, 4 + columns, c) -> (t, r, s, f, 5, 5, c)
    """
    t, r, s, f, _, _, c = matrix.shape
    dt, dr, ds, df, dh, dw, dc = matrix.strides
    return as_strided(matrix, (t, r, s, f, KERNEL_SIDE, KERNEL_SIDE, c), (dt + POOL_SIDE * dw, dr + dh, ds + dw, df, dh, dw, dc))


class ShiftedKernels:
    """One convolution's kernel in the shifted copies that the products want, to be written anew when the weights have changed.

    kernel (f, 5, 5, c), bias (f,); ``pooled_side`` is that of the layer's output, 14 or 5.

    ``pair`` and ``quad`` are for strips, forwards and backwards: the kernel at the two columns, and at all four places, of a pool.
    ``patch`` is for patches: the kernel at every place of t pools, and the bias.
    """

    def __init__(self, kernel: Array, bias: Array, pooled_side: int) -> None:
        f, k, _, c = kernel.shape
        t = 2 - pooled_side % 2
        self.kernel, self.bias, self.pooled_side = kernel, bias, pooled_side
        self.pair = np.zeros((1, 1, 2, f, k, k + 1, c), np.float32)
        self.quad = np.zeros((1, 2, 2, f, k + 1, k + 1, c), np.float32)
        # Transposed, (outputs last): for tall and narrow operands that is the faster way round.
        self.patch = np.zeros(((k + 1) * (k + 2 * t - 1) * c + 1, 4 * t * f), np.float32)
        self.patch_kernels = self.patch[:-1].reshape(k + 1, -1, c, 2, 2, t, f).transpose(5, 4, 3, 6, 0, 1, 2)
        self.patch_bias = self.patch[-1].reshape(-1, f)

        self.rows_of_kernel = items(kernel.reshape(f, k, k * c))
        self.rows_of_taps = [items(merged(taps(matrix))) for matrix in (self.pair, self.quad)]

    def write_for_strips(self) -> None:
        """Bring ``pair`` and ``quad`` up to date."""
        for rows in self.rows_of_taps:
            np.copyto(rows, self.rows_of_kernel)

    def write_for_patches(self) -> None:
        """Bring ``patch`` up to date."""
        np.copyto(taps(self.patch_kernels), self.kernel)
        np.copyto(self.patch_bias, self.bias)
