"""Convolution and pooling of one to four images, channels innermost, on patches: there the number of NumPy calls counts.

One image has no n to be innermost, as strips want it.  A patch of 6 x 8 pixels is what *two pooled* outputs of conv1 are computed from
(6 x 6 for one output of conv2): 2 x 2 places to pool, times two.  Patches overlap by 4.  Each is one row (6*8*c,) of a matrix, which is
multiplied by another with the kernel in all eight positions.  That does 1.9 times the necessary multiplications in 98 rows of 48
outputs; on one image it is cheaper than smaller products and more copies.  The constant 1 at the end of every row multiplies the bias.

Letters: n images, c channels in, f filters, h x w pixels in, i x j pooled pixels out, t pooled columns that are computed together.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.lib.stride_tricks import as_strided

from lenet5.architecture import CONVOLUTIONS, IMAGE_SIDE, POOL_SIDE
from lenet5.by_hand.activations import ACTIVATE
from lenet5.by_hand.layout import Array, items
from lenet5.by_hand.memory import Arena
from lenet5.by_hand.parameters import ShiftedKernels


class PatchConvolution:
    """Convolution, bias, max-pool, activation; channels innermost.   source (n, h, w, c) -> out (n, i, j, f)"""

    def __init__(self, arena: Arena, source: Array, kernels: ShiftedKernels, out: Array, activation: str) -> None:
        n, _, _, c = source.shape
        t, _, _, f, kh, kw, _ = kernels.patch_kernels.shape
        _, i, j, _ = out.shape
        places, length = (n, i, j // t), kh * kw * c

        self.rows = arena.take(int(np.prod(places)), length + 1)
        arena.constant(self.rows[:, -1], 1)
        patches = self.rows.reshape(*places, -1)[..., :length].reshape(*places, kh, kw * c)
        dn, dh, dw, dc = source.strides
        by_patch = as_strided(source, patches.shape, (dn, POOL_SIDE * dh, POOL_SIDE * t * dw, dh, dc))
        self.patches, self.source = items(patches), items(by_patch)

        self.matrix = kernels.patch
        self.z = arena.take(len(self.rows), 4 * t * f)
        self.columns = self.z[:, : 2 * t * f], self.z[:, 2 * t * f :]
        self.row_max = arena.take(len(self.rows), 2 * t * f)
        self.row_pairs = self.row_max[:, : t * f], self.row_max[:, t * f :]
        self.pooled = arena.take(*out.shape)
        self.pooled_rows = self.pooled.reshape(len(self.rows), -1)
        self.zeros = arena.constant(arena.take(*out.shape), 0)
        self.activate, self.out = ACTIVATE[activation], out

    def forward(self) -> None:
        np.copyto(self.patches, self.source)
        np.dot(self.rows, self.matrix, out=self.z)
        np.maximum(*self.columns, out=self.row_max)
        np.maximum(*self.row_pairs, out=self.pooled_rows)
        self.activate(self.pooled, self.zeros, self.out)


class PatchFeatures:
    """Both convolutions: images as they come -> what the dense layers read.   x (n, c, 32, 32) -> maps (f, 5, 5, n)"""

    def __init__(self, arena: Arena, kernels: Mapping[str, ShiftedKernels], maps: Array, activation: str) -> None:
        conv1, conv2 = CONVOLUTIONS
        n, side = maps.shape[-1], kernels[conv1].pooled_side
        filters, *_, channels = kernels[conv1].kernel.shape
        self.images, middle = arena.take(n, IMAGE_SIDE, IMAGE_SIDE, channels), arena.take(n, side, side, filters)
        self.convolutions = (
            PatchConvolution(arena, self.images, kernels[conv1], middle, activation),
            PatchConvolution(arena, middle, kernels[conv2], maps.transpose(3, 1, 2, 0), activation),
        )

    def forward(self, x: Array) -> None:
        np.copyto(self.images, x.transpose(0, 2, 3, 1))
        for convolution in self.convolutions:
            convolution.forward()
