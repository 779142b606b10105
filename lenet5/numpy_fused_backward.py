"""LeNet-5 backwards in the layout of `numpy_fused`: the gradients of all ten arrays from one chunk's labels.

Letters as there.  d_something is the derivative of the loss with respect to something, and has its shape.

The matrix of a fused convolution holds the kernel several times over, so its gradient does too, and the kernel's is the sum of
its copies' (`taps` shows them).  Backwards all four places of a pool belong together, s, r = 0, 1: patches are 6 x 6 with a
step of 2, and the product that sums over images and places, (4f, places) times (places, 36c), finds its rows in the images as
they came, channels innermost.  The sum over places is cut into pieces that OpenBLAS multiplies without repacking its operands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
from numpy.lib.stride_tricks import as_strided

from lenet5.architecture import CONVOLUTIONS, DENSE, POOL_SIDE
from lenet5.numpy_fused import (
    POOLED_SIDE,
    Arena,
    Array,
    Convolution,
    Forward,
    Parameters,
    ShiftedKernels,
    items,
    padded_images,
    taps,
)


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


class Step(Protocol):
    """One operation's way back, on arrays and views that are made once."""

    def backward(self) -> None: ...


class Outermost:
    """Images innermost -> outermost.   maps (h, w, c, n) -> images (n, h, w, c)"""

    def __init__(self, maps: Array, images: Array) -> None:
        self.maps, self.images = maps.transpose(3, 0, 1, 2), images

    def backward(self) -> None:
        np.copyto(self.images, self.maps)


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
    """d_pooled (f, i, j, n) -> d_z, d_kernel (f, 5, 5, c), d_bias (f,); images (n, h, w, c) are what the layer convolved."""

    def __init__(
        self,
        arena: Arena,
        layer: Convolution,
        images: Array,
        kernels: ShiftedKernels,
        d_pooled: Array,
        d_kernel: Array,
        d_bias: Array,
    ) -> None:
        f, i, j, n = d_pooled.shape
        self.layer, self.d_pooled, self.d_kernel, self.d_bias = layer, d_pooled, d_kernel, d_bias

        self.lower_wins = arena.take(f, i, j, n, dtype=np.bool_)
        self.d_row_max = arena.take(f, i, POOL_SIDE, j, n)
        self.z = layer.z.reshape(POOL_SIDE, *self.d_row_max.shape)
        self.right_wins = arena.take(*self.d_row_max.shape, dtype=np.bool_)
        self.d_z = arena.take(POOL_SIDE, POOL_SIDE, f, i, j, n)  # (s, r, f, places): the rows of the product
        self.d_z_by_row = self.d_z.transpose(0, 2, 3, 1, 4, 5)

        side, _, c = kernels.quad.shape[-3:]
        length = side * side * c
        rows = arena.take(i * j * n, length + 1)
        arena.constant(rows[:, -1], 1)  # what the bias is multiplied by
        patches = rows[:, :length].reshape(i, j, n, side, side * c)
        dn, dh, dw, dc = images.strides
        self.images = items(as_strided(images, patches.shape, (POOL_SIDE * dh, POOL_SIDE * dw, dn, dh, dc)))
        self.patches = items(patches)

        pieces = i * (POOL_SIDE - j % POOL_SIDE)  # whole rows of places, or half rows
        self.d_z_pieces = self.d_z.reshape(4 * f, pieces, -1).transpose(1, 0, 2)
        self.row_pieces = rows.reshape(pieces, -1, length + 1)
        self.products = arena.take(pieces, 4 * f, length + 1)
        self.d_quad = arena.take(4 * f, length + 1)
        self.d_taps = taps(self.d_quad[:, :length].reshape(kernels.quad.shape))
        self.d_biases = self.d_quad[:, -1].reshape(-1, f)

    def backward(self) -> None:
        route(*self.layer.row_pairs, self.d_pooled, self.lower_wins, self.d_row_max[:, :, 0], self.d_row_max[:, :, 1])
        route(self.z[0], self.z[1], self.d_row_max, self.right_wins, self.d_z_by_row[0], self.d_z_by_row[1])
        np.copyto(self.patches, self.images)
        np.matmul(self.d_z_pieces, self.row_pieces, out=self.products)
        np.add.reduce(self.products, axis=0, out=self.d_quad)
        np.add.reduce(self.d_taps, axis=(0, 1, 2), out=self.d_kernel)
        np.add.reduce(self.d_biases, axis=0, out=self.d_bias)


class SourceBackward:
    """d_z (s, r, f, i, j, n) -> d_source (h, w, c, n): every patch's own gradient, added up where patches overlap."""

    def __init__(self, arena: Arena, d_z: Array, kernels: ShiftedKernels, d_source: Array) -> None:
        *_, f, i, j, n = d_z.shape
        h, w, c, _ = d_source.shape
        self.matrix = kernels.quad.reshape(4 * f, -1).T
        self.d_z_by_place = d_z.reshape(4 * f, i, j, n).transpose(1, 2, 0, 3)
        self.d_source = d_source
        d_patches = arena.take(i, j, 3, POOL_SIDE, 3, POOL_SIDE, c, n)  # patch row 2a + r, patch column 2b + s
        self.d_patches = d_patches.reshape(i, j, -1, n)
        # Patches start at every second pixel: row 2a + r of patch i is row r of the pixel pair a + i.
        pairs = d_source.reshape(h // POOL_SIDE, POOL_SIDE, w // POOL_SIDE, POOL_SIDE, c, n)
        self.overlaps = [
            (pairs[a : a + i, :, b : b + j], d_patches[:, :, a, :, b].transpose(0, 2, 1, 3, 4, 5))
            for a in range(3)
            for b in range(3)
        ]

    def backward(self) -> None:
        np.matmul(self.matrix, self.d_z_by_place, out=self.d_patches)
        self.d_source.fill(0)
        for place, d_patch in self.overlaps:
            np.add(place, d_patch, out=place)


class Backward:
    """A prepared `Forward`'s way back."""

    def __init__(
        self, arena: Arena, forward: Forward, kernels: Mapping[str, ShiftedKernels], activation: str, gradients: Parameters
    ) -> None:
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
        layer1, layer2 = forward.convolutions
        middle = padded_images(arena, n, POOLED_SIDE[conv1], len(gradients.kernels[conv1]))
        d_middle = arena.take(*forward.middle.shape)
        back2 = ConvolutionBackward(
            arena, layer2, middle, kernels[conv2], d.reshape(layer2.pooled.shape), gradients.kernels[conv2], gradients.biases[conv2]
        )
        back1 = ConvolutionBackward(
            arena,
            layer1,
            forward.images,
            kernels[conv1],
            d_middle.transpose(2, 0, 1, 3),
            gradients.kernels[conv1],
            gradients.biases[conv1],
        )
        self.steps += [
            Outermost(forward.middle, middle),
            back2,
            SourceBackward(arena, back2.d_z, kernels[conv2], d_middle),
            Activation(arena, forward.middle, d_middle, activation),
            back1,
        ]

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
