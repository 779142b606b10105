"""Convolution and pooling of many images at a time, images innermost, on strips (see `fused`, 1 to 3).

Letters: n images, c channels in, f filters, h x w pixels in, i x j pooled pixels out; r and s are the row and the column within a pool.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.lib.stride_tricks import as_strided

from lenet5.architecture import CONVOLUTIONS, IMAGE_SIDE, POOL_SIDE
from lenet5.by_hand.activations import ACTIVATE
from lenet5.by_hand.layout import Array, items, merged
from lenet5.by_hand.memory import Arena
from lenet5.by_hand.parameters import ShiftedKernels


class StripConvolution:
    """Convolution, max-pool, bias, activation; images innermost.   source (h, 2, c, w / 2, n) -> out (i, f, j, n)

    The columns j of out may be two axes, since the next layer wants even ones apart from odd ones.  source lies in a scratch area,
    which then holds z and pooled too; out may lie in the other one.  A layer that keeps its strips, z and row_max can go backwards.
    """

    def __init__(
        self, arena: Arena, area: int, source: Array, kernels: ShiftedKernels, out: Array, activation: str, keep: bool
    ) -> None:
        def take(area: int, *shape: int) -> Array:
            return arena.take(*shape) if keep else arena.scratch(area, *shape)

        h, s, c, half, n = source.shape
        *_, f, kh, kw, _ = kernels.pair.shape
        rows, j = h - kh + 1, half - kh // POOL_SIDE

        strips = take(1 - area, h, kw // s, s, c, j * n)
        dh, ds, dc, dj, dn = source.strides
        by_column = as_strided(source, (*strips.shape[:-1], j, n), (dh, dj, ds, dc, dj, dn))
        self.strips, self.source = items(strips), items(merged(by_column))

        dh, _, _, dc, dn = strips.strides
        self.windows = as_strided(strips, (rows, kh * kw * c, j * n), (dh, dc, dn))
        self.matrix = kernels.pair.reshape(s * f, -1)
        self.z = take(area, rows, s, f, j, n)
        self.z_by_row = self.z.reshape(rows, s * f, j * n)
        self.columns = self.z[:, 0], self.z[:, 1]

        self.row_max = take(1 - area, rows, f, j, n)
        self.row_pairs = self.row_max[0::2], self.row_max[1::2]
        self.pooled = arena.scratch(area, rows // POOL_SIDE, f, j, n)
        self.bias = kernels.bias.reshape(f, 1, 1)
        self.zeros = arena.constant(arena.take(*out.shape[2:]), 0)
        self.activate, self.pooled_like_out, self.out = ACTIVATE[activation], self.pooled.reshape(out.shape), out

    def forward(self) -> None:
        np.copyto(self.strips, self.source)
        np.matmul(self.matrix, self.windows, out=self.z_by_row)
        np.maximum(*self.columns, out=self.row_max)
        np.maximum(*self.row_pairs, out=self.pooled)
        np.add(self.pooled, self.bias, out=self.pooled)
        self.activate(self.pooled_like_out, self.zeros, self.out)


class StripFeatures:
    """Both convolutions: images as they come -> what the dense layers read.   x (n, c, 32, 32) -> maps (f, 5, 5, n)

    With ``keep`` every array on the way stays, so that the network can go backwards.
    """

    def __init__(self, arena: Arena, kernels: Mapping[str, ShiftedKernels], maps: Array, activation: str, keep: bool) -> None:
        conv1, conv2 = CONVOLUTIONS
        n, side, half = maps.shape[-1], kernels[conv1].pooled_side, IMAGE_SIDE // POOL_SIDE
        filters, *_, channels = kernels[conv1].kernel.shape

        self.pixels = arena.scratch(1, IMAGE_SIDE, POOL_SIDE, channels, half, n)

        shape = side, POOL_SIDE, filters, side // POOL_SIDE, n
        self.middle = arena.take(*shape) if keep else arena.scratch(0, *shape)
        by_map = self.middle.transpose(0, 2, 3, 1, 4)
        self.convolutions = (
            StripConvolution(arena, 1, self.pixels, kernels[conv1], by_map, activation, keep),
            StripConvolution(arena, 0, self.middle, kernels[conv2], maps.transpose(1, 0, 2, 3), activation, keep),
        )

    def forward(self, x: Array) -> None:
        rows, _, channels, half, n = self.pixels.shape
        np.copyto(self.pixels, x.reshape(n, channels, rows, half, POOL_SIDE).transpose(2, 4, 1, 3, 0))
        for convolution in self.convolutions:
            convolution.forward()
