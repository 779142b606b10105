"""LeNet-5 backwards in the layout of `numpy_fused`: the gradients of all ten arrays from one chunk's labels.

Letters as there.  d_something is the derivative of the loss with respect to something, and has its shape.

The matrix of a fused convolution holds the kernel twice, so its gradient does too, and the kernel's is the sum of its copies'
(`taps` shows them).  It comes from the windows of the way forwards, which are still there: windows (30c, j*n) times d_z (j*n, 2f),
row by row, added up.  The gradient of what was convolved takes both rows of a pool together: (36c, 4f) times d_z (4f, j*n) are the
patches of 6 x 6 that a row of pools was computed from, and patches overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from lenet5.architecture import CONVOLUTIONS, DENSE, KERNEL_SIDE, POOL_SIDE
from lenet5.by_hand.numpy_fused import Arena, Array, Convolution, Forward, ManyFeatures, Parameters, ShiftedKernels, taps


def relu_slope(y: Array, out: Array) -> None:
    np.greater(y, 0, out=out)


def sigmoid_slope(y: Array, out: Array) -> None:
    np.subtract(1, y, out=out)
    np.multiply(y, out, out=out)


def tanh_slope(y: Array, out: Array) -> None:
    np.multiply(y, y, out=out)
    np.subtract(1, out, out=out)


SLOPE: dict[str, tuple[Callable[[Array, Array], None], type]] = {
    "relu": (relu_slope, np.bool_),
    "sigmoid": (sigmoid_slope, np.float32),
    "tanh": (tanh_slope, np.float32),
}
"""The slope of each activation, read off its value y, and the type of it."""


def route(left: Array, right: Array, d: Array, right_wins: Array, d_left: Array, d_right: Array) -> None:
    """Backwards through np.maximum(left, right): all of d goes to the larger, to the left one of equals."""
    np.less(left, right, out=right_wins)
    np.multiply(d, right_wins, out=d_right)
    np.subtract(d, d_right, out=d_left)


def halves(array: Array, axis: int) -> tuple[Array, Array]:
    """Both elements of an axis that has two: what a maximum was taken of."""
    first, second = np.moveaxis(array, axis, 0)
    return first, second


class Step(Protocol):
    """One operation's way back, on arrays and views that are made once."""

    def backward(self) -> None: ...


class Activation:
    """d_out -> d_in, in the same array."""

    def __init__(self, arena: Arena, out: Array, d: Array, activation: str) -> None:
        self.write_slope, dtype = SLOPE[activation]
        self.out, self.d, self.slope = out, d, arena.take(*out.shape, dtype=dtype)

    def backward(self) -> None:
        self.write_slope(self.out, self.slope)
        np.multiply(self.d, self.slope, out=self.d)


class DenseBackward:
    """d_out (u, n) -> d_source (d, n), d_weight (u, d + 1); the weight (u, d) without its bias.  A basis has none: d_weight (u, d)"""

    def __init__(self, arena: Arena, source: Array, weight: Array, d_out: Array, d_weight: Array) -> None:
        self.d_out, self.d_weight = d_out, d_weight
        self.source, self.weight = source.T, weight.T
        self.d_source = arena.take(len(self.weight), d_out.shape[1])

    def backward(self) -> None:
        np.matmul(self.d_out, self.source, out=self.d_weight)
        np.matmul(self.weight, self.d_out, out=self.d_source)


class ConvolutionBackward:
    """d_pooled (i, f, j, n) -> d_z (i, r, s, f, j, n), d_kernel (f, 5, 5, c), d_bias (f,).   j may be two axes, as in the layer."""

    def __init__(self, arena: Arena, layer: Convolution, d_pooled: Array, d_kernel: Array, d_bias: Array) -> None:
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
    """d_z (i, r, s, f, j, n) -> d_source (h, 2, c, w / 2, n): every patch's own gradient, added up where patches overlap."""

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


class Backward:
    """The way back of a prepared `Forward` that keeps its one chunk."""

    def __init__(
        self, arena: Arena, forward: Forward, kernels: Mapping[str, ShiftedKernels], activation: str, gradients: Parameters
    ) -> None:
        ((_, convolved),) = forward.features
        assert isinstance(convolved, ManyFeatures)
        self.logits, self.gradient = forward.logits, gradients.flat
        n = self.logits.shape[1]
        self.columns, self.row = np.arange(n), arena.take(n)
        self.steps: list[Step] = []

        d = self.logits
        for name in reversed(DENSE):
            layer = forward.dense[name]
            step = DenseBackward(arena, layer.source, layer.weight[:, :-1], d, gradients.dense[name])
            self.steps.append(step)
            d, features = step.d_source, layer.source[:-1]
            if basis := forward.bases.get(name):
                through = DenseBackward(arena, basis.source, basis.weight, d, gradients.bases[name])
                self.steps.append(through)
                d, features = through.d_source, basis.source
            self.steps.append(Activation(arena, features, d, activation))

        conv1, conv2 = CONVOLUTIONS
        layer1, layer2 = convolved.convolutions
        d_middle = arena.take(*convolved.middle.shape)
        d_maps = d.reshape(layer2.out.transpose(1, 0, 2, 3).shape)
        back2 = ConvolutionBackward(arena, layer2, d_maps.transpose(1, 0, 2, 3), gradients.kernels[conv2], gradients.biases[conv2])
        source = SourceBackward(arena, back2.d_z, kernels[conv2], d_middle)
        d_pooled = d_middle.transpose(0, 2, 3, 1, 4)
        back1 = ConvolutionBackward(arena, layer1, d_pooled, gradients.kernels[conv1], gradients.biases[conv1])
        self.steps += [back2, source, Activation(arena, convolved.middle, d_middle, activation), back1]

    def backward(self, y: Array, share: float) -> float:
        """The chunk's loss; its gradients are in ``gradient`` until the next call.   y (n,); share: one image's part of the mean"""
        loss = self._cross_entropy(y, share)
        for step in self.steps:
            step.backward()
        return loss

    def _cross_entropy(self, y: Array, share: float) -> float:
        """-log softmax(z)[y] = log sum exp(z - max z) - (z[y] - max z); its gradient, softmax(z) - 1[y], replaces the logits z."""
        z, row = self.logits, self.row
        np.maximum.reduce(z, axis=0, out=row)
        np.subtract(z, row, out=z)
        of_label = z[y, self.columns]
        np.exp(z, out=z)
        np.add.reduce(z, axis=0, out=row)
        loss = (np.log(row) - of_label).sum(dtype=np.float64)
        np.multiply(z, np.float32(share) / row, out=z)
        z[y, self.columns] -= np.float32(share)
        return share * float(loss)
