"""The convolutions of the fast network without one of their tricks: each function changes a copy of it (`copies`).

Letters as in `lenet5.by_hand.strips`: n images, c channels in, f filters, h x w pixels in, i x j pooled pixels out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from benchmarks.arrange.worklog.copies import Copy, change
from lenet5.architecture import CONVOLUTIONS, IMAGE_SIDE, POOL_SIDE

# Strips


def columns_in_order(copy: Copy) -> None:
    """Even columns do not lie apart from odd ones: a strip is copied in runs of n floats, one pixel of n images, not of 14n."""

    StripFeatures: Any = copy.strips.StripFeatures

    class InOrder(StripFeatures):  # type: ignore[misc]
        def __init__(self, arena: Any, kernels: Any, maps: Any, activation: str, keep: bool) -> None:
            n, half = maps.shape[-1], IMAGE_SIDE // POOL_SIDE
            conv1, conv2 = CONVOLUTIONS
            side, (filters, *_, channels) = kernels[conv1].pooled_side, kernels[conv1].kernel.shape
            self.pixels = arena.scratch(1, IMAGE_SIDE, channels, half, POOL_SIDE, n).transpose(0, 3, 1, 2, 4)
            shape = side, filters, side // POOL_SIDE, POOL_SIDE, n
            self.middle = (arena.take(*shape) if keep else arena.scratch(0, *shape)).transpose(0, 3, 1, 2, 4)
            by_map, convolution = self.middle.transpose(0, 2, 3, 1, 4), copy.strips.StripConvolution
            self.convolutions = (
                convolution(arena, 1, self.pixels, kernels[conv1], by_map, activation, keep),
                convolution(arena, 0, self.middle, kernels[conv2], maps.transpose(1, 0, 2, 3), activation, keep),
            )

    StripConvolution: Any = copy.strips.StripConvolution

    class ShortRuns(StripConvolution):  # type: ignore[misc]
        strips: Any

        def __init__(self, arena: Any, area: int, source: Any, *others: Any) -> None:
            super().__init__(arena, area, source, *others)
            dh, ds, dc, dj, dn = source.strides
            strips = self.strips.view(np.float32).reshape(*self.strips.shape[:4], -1, source.shape[-1])
            by_column = copy.strips.as_strided(source, strips.shape, (dh, dj, ds, dc, dj, dn))
            self.strips, self.source = copy.strips.items(strips), copy.strips.items(by_column)

    copy.replace("StripFeatures", InOrder)
    copy.replace("StripConvolution", ShortRuns)


def one_column_a_product(copy: Copy) -> None:
    """The matrix holds the kernel once and windows are 5 wide, as in MEC: one product gives one column of outputs, 6 or 16 rows."""
    _by_column(copy, windows=False)


def windows(copy: Copy) -> None:
    """Every window stands in a column of its own, as in im2col, images innermost; no strip is shared by several output rows."""
    _by_column(copy, windows=True)


def _by_column(copy: Copy, windows: bool) -> None:
    """A product for each output row; what it multiplies is copied for that row, or as strips.  It cannot go backwards."""
    if hasattr(copy.strips, "ByColumn"):
        return  # the network has lost more than this already
    columns_in_order(copy)

    StripConvolution: Any = copy.strips.StripConvolution

    class ByColumn(StripConvolution):  # type: ignore[misc]
        def __init__(self, arena: Any, area: int, source: Any, kernels: Any, out: Any, activation: str, keep: bool) -> None:
            h, _, c, half, n = source.shape
            f, side, *_ = kernels.kernel.shape
            rows, w, j = h - side + 1, 2 * half - side + 1, half - side // POOL_SIDE
            dh, ds, dc, _, dn = source.strides
            if windows:
                self.strips = arena.scratch(1 - area, rows, side, side, c, w, n)
                self.source = as_strided(source, self.strips.shape, (dh, dh, ds, dc, ds, dn))
                self.windows = self.strips.reshape(rows, side * side * c, w * n)
            else:
                self.strips = arena.scratch(1 - area, h, side, c, w, n)
                self.source = as_strided(source, self.strips.shape, (dh, ds, dc, ds, dn))
                strips = self.strips.strides
                self.windows = as_strided(self.strips, (rows, side * side * c, w * n), (strips[0], strips[2], dn))
            self.matrix = kernels.kernel.reshape(f, -1)
            self.z = arena.scratch(area, rows, f, w, n)
            self.z_by_row = self.z.reshape(rows, f, w * n)
            self.columns = self.z[:, :, 0::2], self.z[:, :, 1::2]
            self.row_max = arena.scratch(1 - area, rows, f, j, n)
            self.row_pairs = self.row_max[0::2], self.row_max[1::2]
            self.pooled = arena.scratch(area, rows // POOL_SIDE, f, j, n)
            self.bias = kernels.bias.reshape(f, 1, 1)
            self.zeros = arena.constant(arena.take(*out.shape[2:]), 0)
            self.activate, self.out = copy.activations.ACTIVATE[activation], out
            self.pooled_like_out = self.pooled.reshape(out.shape)

    copy.replace("StripConvolution", ByColumn)
    copy.replace("Backward", lambda *_: None)  # prepared with every network that can train
    copy.strips.ByColumn = ByColumn


def pooling_last(copy: Copy) -> None:
    """Bias and activation come before pooling, as the definition has it: on four times as many numbers."""

    StripConvolution: Any = copy.strips.StripConvolution

    class PoolingLast(StripConvolution):  # type: ignore[misc]
        def __init__(self, arena: Any, *others: Any) -> None:
            super().__init__(arena, *others)
            self.zeros = arena.constant(arena.take(*self.z.shape[2:]), 0)
            self.row_pairs_like_out = [half.reshape(self.out.shape) for half in self.row_pairs]

        def forward(self) -> None:
            np.copyto(self.strips, self.source)
            np.matmul(self.matrix, self.windows, out=self.z_by_row)
            np.add(self.z, self.bias, out=self.z)
            self.activate(self.z, self.zeros, self.z)
            np.maximum(self.columns[0], self.columns[1], out=self.row_max)
            np.maximum(self.row_pairs_like_out[0], self.row_pairs_like_out[1], out=self.out)

    PatchConvolution: Any = copy.patches.PatchConvolution

    class PatchPoolingLast(PatchConvolution):  # type: ignore[misc]
        def __init__(self, arena: Any, *others: Any) -> None:
            super().__init__(arena, *others)
            self.zeros = arena.constant(arena.take(*self.z.shape), 0)

        def forward(self) -> None:
            np.copyto(self.patches, self.source)
            np.dot(self.rows, self.matrix, out=self.z)
            self.activate(self.z, self.zeros, self.z)
            np.maximum(self.columns[0], self.columns[1], out=self.row_max)
            np.maximum(self.row_pairs[0], self.row_pairs[1], out=self.pooled_rows)
            np.copyto(self.out, self.pooled)

    copy.replace("StripConvolution", PoolingLast)
    copy.replace("PatchConvolution", PatchPoolingLast)


# Patches


def one_pool_a_patch(copy: Copy) -> None:
    """A patch of conv1 is what one pooled output is computed from, 6 x 6 pixels, not two, 6 x 8: fewer multiplications, more rows."""

    ShiftedKernels: Any = copy.parameters.ShiftedKernels

    class OnePool(ShiftedKernels):  # type: ignore[misc]
        def __init__(self, kernel: Any, bias: Any, pooled_side: int) -> None:
            super().__init__(kernel, bias, pooled_side | 1)
            self.pooled_side = pooled_side

    copy.replace("ShiftedKernels", OnePool)


def outputs_first(copy: Copy) -> None:
    """The matrix of the patches lies the other way round in memory: (outputs, inputs)."""

    ShiftedKernels: Any = copy.parameters.ShiftedKernels

    class OutputsFirst(ShiftedKernels):  # type: ignore[misc]
        patch_kernels: Any

        def __init__(self, kernel: Any, bias: Any, pooled_side: int) -> None:
            super().__init__(kernel, bias, pooled_side)
            t, r, s, f, kh, kw, c = self.patch_kernels.shape
            matrix = copy.parameters.np.zeros((s * r * t * f, kh * kw * c + 1), np.float32)
            self.patch = matrix.T
            self.patch_kernels = matrix[:, :-1].reshape(s, r, t, f, kh, kw, c).transpose(2, 1, 0, 3, 4, 5, 6)
            self.patch_bias = matrix[:, -1].reshape(-1, f)

    copy.replace("ShiftedKernels", OutputsFirst)


def strips_for_few(copy: Copy) -> None:
    """One to four images go through strips as many images do."""
    change(copy.forward, "FEW_IMAGES", 0)
    network = copy.fused.FusedLeNet5
    change(network, "_write_kernels_for_patches", network._write_kernels_for_strips)


def patches_for_many(copy: Copy) -> None:
    """Any number of images goes channels innermost, through patches, a chunk at a time."""
    copy.replace("FEW_IMAGES", copy.forward.CHUNK_IMAGES)
    copy.replace("MOST_IMAGES_TO_PREDICT", copy.forward.CHUNK_IMAGES)


# Backwards


def pooling_back_by_choice(copy: Copy) -> None:
    """The derivative of a maximum is chosen element by element, by np.where, not multiplied by 0 or 1."""

    def route(left: Any, right: Any, d: Any, right_wins: Any, d_left: Any, d_right: Any) -> None:
        np.less(left, right, out=right_wins)
        d_right[...] = np.where(right_wins, d, np.float32(0))
        d_left[...] = np.where(right_wins, np.float32(0), d)

    copy.replace("route", route)


def one_product_for_the_kernel(copy: Copy) -> None:
    """The kernel's derivative is one long product of copied windows, not a product for each row, added up."""

    ConvolutionBackward: Any = copy.strips_backward.ConvolutionBackward

    class OneProduct(ConvolutionBackward):  # type: ignore[misc]
        def backward(self) -> None:
            route = copy.strips_backward.route
            route(*self.row_pairs, self.d_pooled, self.lower_wins, *self.d_row_pairs)
            route(*self.columns, self.d_row_max, self.right_wins, *self.d_columns)
            windows, d_z = self.windows.transpose(1, 0, 2), self.d_z_by_row
            np.matmul(windows.reshape(len(windows), -1), d_z.reshape(-1, d_z.shape[-1]), out=self.d_matrix)
            np.add.reduce(self.d_taps, axis=(0, 1, 2), out=self.d_kernel)
            np.add.reduce(self.d_pooled, axis=self.places, out=self.d_bias)

    copy.replace("ConvolutionBackward", OneProduct)


def source_row_by_row(copy: Copy) -> None:
    """The derivative of what was convolved takes one output row in a product, not both rows of a pool: 15 sums of patches, not 9."""

    SourceBackward: Any = copy.strips_backward.SourceBackward

    class RowByRow(SourceBackward):  # type: ignore[misc]
        def __init__(self, arena: Any, d_z: Any, kernels: Any, d_source: Any) -> None:
            i, r, s, f = d_z.shape[:4]
            _, _, c, half, n = d_source.shape
            side = kernels.kernel.shape[1]
            j, pairs = half - side // POOL_SIDE, (side + 1) // POOL_SIDE
            self.matrix = kernels.pair.reshape(s * f, -1).T
            self.d_z_by_row = d_z.reshape(i * r, s * f, j * n)
            self.d_source = d_source
            patches = arena.scratch(0, i * r, side, pairs, s, c, j, n)
            self.d_patches = patches.reshape(i * r, -1, j * n)
            self.overlaps = [
                (d_source[a : a + i * r, :, :, b : b + j], patches[:, a, b]) for a in range(side) for b in range(pairs)
            ]

    copy.replace("SourceBackward", RowByRow)
