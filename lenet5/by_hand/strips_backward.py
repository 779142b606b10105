"""The derivatives of `strips`: those of the kernel, the bias and what was convolved, from that of what was pooled.

The matrix of a convolution holds the kernel twice, so its derivative does too, and the kernel's is the sum of its copies'
(`parameters.taps` shows them).  It comes from the windows of the way forwards, which are still there: windows (30c, j*n) times
d_z (j*n, 2f), row by row, added up.  The derivative of what was convolved takes both rows of a pool together: (36c, 4f) times
d_z (4f, j*n) are the patches of 6 x 6 that a row of pools was computed from, and patches overlap.

Letters as in `strips`.  d_something is the derivative of the loss with respect to something, and has its shape.
"""

from __future__ import annotations

import numpy as np

from lenet5.architecture import KERNEL_SIDE, POOL_SIDE
from lenet5.by_hand.layout import Array
from lenet5.by_hand.memory import Arena
from lenet5.by_hand.parameters import ShiftedKernels, taps
from lenet5.by_hand.strips import StripConvolution


def route(left: Array, right: Array, d: Array, right_wins: Array, d_left: Array, d_right: Array) -> None:
    """Backwards through np.maximum(left, right), arrays of one shape: all of d goes to the larger, to the left one of equals."""
    np.less(left, right, out=right_wins)
    np.multiply(d, right_wins, out=d_right)
    np.subtract(d, d_right, out=d_left)


def halves(array: Array, axis: int) -> tuple[Array, Array]:
    """Both elements of an axis that has two: what a maximum was taken of."""
    first, second = np.moveaxis(array, axis, 0)
    return first, second


class ConvolutionBackward:
    """d_pooled (i, f, j, n) -> d_z (i, r, s, f, j, n), d_kernel (f, 5, 5, c), d_bias (f,).   j may be two axes, as in the layer."""

    def __init__(self, arena: Arena, layer: StripConvolution, d_pooled: Array, d_kernel: Array, d_bias: Array) -> None:
        i, f, *columns = d_pooled.shape
        self.d_pooled, self.d_kernel, self.d_bias = d_pooled, d_kernel, d_bias
        self.places = tuple(axis for axis in range(d_pooled.ndim) if axis != 1)

        row_max = layer.row_max.reshape(i, POOL_SIDE, f, *columns)
        self.lower_wins = arena.take(i, f, *columns, dtype=np.bool_)
        self.d_row_max = arena.scratch(0, *row_max.shape)
        self.row_pairs, self.d_row_pairs = halves(row_max, 1), halves(self.d_row_max, 1)
        z = layer.z.reshape(i, POOL_SIDE, POOL_SIDE, f, *columns)
        self.right_wins = arena.take(*row_max.shape, dtype=np.bool_)
        self.d_z = arena.scratch(1, *z.shape)
        self.columns, self.d_columns = halves(z, 2), halves(self.d_z, 2)

        self.windows = layer.windows
        self.d_z_by_row = self.d_z.reshape(layer.z_by_row.shape).transpose(0, 2, 1)
        rows, length, _ = self.windows.shape
        self.products = arena.scratch(0, rows, length, POOL_SIDE * f)
        self.d_matrix = arena.take(length, POOL_SIDE * f)
        d_pair = self.d_matrix.reshape(KERNEL_SIDE, KERNEL_SIDE + 1, -1, 1, 1, POOL_SIDE, f).transpose(3, 4, 5, 6, 0, 1, 2)
        self.d_taps = taps(d_pair)

    def backward(self) -> None:
        route(*self.row_pairs, self.d_pooled, self.lower_wins, *self.d_row_pairs)
        route(*self.columns, self.d_row_max, self.right_wins, *self.d_columns)
        np.matmul(self.windows, self.d_z_by_row, out=self.products)
        np.add.reduce(self.products, axis=0, out=self.d_matrix)
        np.add.reduce(self.d_taps, axis=(0, 1, 2), out=self.d_kernel)
        np.add.reduce(self.d_pooled, axis=self.places, out=self.d_bias)


class SourceBackward:
    """d_z (i, r, s, f, j, n) -> d_source (h, 2, c, w / 2, n): every patch's own derivative, added up where patches overlap."""

    def __init__(self, arena: Arena, d_z: Array, kernels: ShiftedKernels, d_source: Array) -> None:
        i, r, s, f = d_z.shape[:4]
        h, _, c, half, n = d_source.shape
        j = half - KERNEL_SIDE // POOL_SIDE
        self.matrix = kernels.quad.reshape(r * s * f, -1).T
        self.d_z_by_row = d_z.reshape(i, r * s * f, j * n)
        self.d_source = d_source
        d_patches = arena.scratch(0, i, 3, r, 3, s, c, j, n)  # patch row 2a + r, patch column 2b + s
        self.d_patches = d_patches.reshape(i, -1, j * n)
        # Patches start at every second pixel: row 2a + r of patch i is row r of the pixel pair a + i.
        pairs = d_source.reshape(h // POOL_SIDE, r, s, c, half, n)
        self.overlaps = [(pairs[a : a + i, ..., b : b + j, :], d_patches[:, a, :, b]) for a in range(3) for b in range(3)]

    def backward(self) -> None:
        np.matmul(self.matrix, self.d_z_by_row, out=self.d_patches)
        self.d_source.fill(0)
        for place, d_patch in self.overlaps:
            np.add(place, d_patch, out=place)
