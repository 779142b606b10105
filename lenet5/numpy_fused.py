"""LeNet-5 forwards in NumPy, as fast as the processor multiplies: how the numbers lie in memory decides, not how they are computed.

**From the definition to a matrix product.**  An output pixel of a convolution is a sum over a 5x5 window of the image,

    y[f, h, w] = bias[f] + sum over a, b, c of x[h + a, w + b, c] kernel[f, a, b, c]                   a, b = 0..4

so all outputs together are one matrix product, kernel (f, 25c) times windows (25c, places), once every window stands in a
column of its own: "im2col".  The products are cheap: conv1 of one 3x32x32 image takes 352,800 multiplications.  Building the
columns is dear: 25 copies of nearly every pixel, 58,800 floats (230 kB), gathered in runs of a few floats, and NumPy takes its
time over each run, however short.  Three changes of layout get rid of that.

1. **Images innermost.**  With an array (h, w, c, n) the smallest thing that is ever copied, added or compared is a run of n
   floats, one pixel of n images; 32 images are two full cache lines.  Every operation below is then a few long loops.

2. **No window is ever built.**  A strip is the image's rows cut to a window's width: strips[j] (h, 6, c, n) holds columns 2j to
   2j + 5 of every row.  Rows follow each other, so 5 of them from row i on *are* the window at (i, j), a matrix (5*6*c, n) that
   starts 6c rows of n further down for each i.  `as_strided` hands all 28 x 14 overlapping windows to np.matmul, which calls the
   BLAS for each; only the strips are copied: 14 * 32 * 6 * 3 = 8,064 floats an image instead of 58,800, in runs of 18n.  Each
   product, (12 x 90) times (90 x 32) in conv1, is small enough for the kernels of OpenBLAS that read their operands in place.
   It has those for processors with AVX-512 (OpenBLAS pull request 3335); on others it copies the operands of every product first.

3. **Two neighbours in one product.**  The windows are 6 wide, not 5, and the matrix holds the kernel twice, the second time
   shifted one column to the right (zeros elsewhere): one product gives the outputs at columns 2j and 2j + 1.  That costs a fifth
   more multiplications (423,360 for conv1, 288,000 for conv2), saves two fifths of the strips and half the calls, and brings the
   rows of the matrix from 6 to 12, which a SIMD kernel needs.  The two results lie apart in memory, and max-pooling is what it
   should be: the larger of two long runs, first across the two columns, then across two rows.

Bias and activation come *after* pooling, on a quarter of the elements: both are monotone, so they commute with the maximum.

**One image** has no n to be innermost.  There the channels are, and what counts is the number of NumPy calls.  `FewConvolution`
copies patches of 6 x 8 pixels that overlap by 4, one row (6*8*c,) for each *two pooled* outputs, and multiplies them by a matrix
with the kernel in all eight positions: 2 x 2 to pool, times two.  It does 1.9 times the necessary multiplications in 98 rows of
48 outputs; on one image that is cheaper than smaller GEMMs and more copies.  The constant 1 at the end of every row multiplies
the bias.

Counts for one image, c = 3 (float32 multiplications; floats copied):

    layer    definition    strips (many)       patches (few)      im2col copies    strips copied    patches copied
    conv1       352,800    423,360 (x 1.2)    677,376 (x 1.9)            58,800            8,064            14,112
    conv2       240,000    288,000 (x 1.2)    345,600 (x 1.4)            15,000            2,520             5,400

Letters: n images, c channels in, f filters, h x w pixels in, i x j pooled pixels out, d features in, u units out; r and s are the
row and the column within a pool, t counts pooled columns that are computed together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from lenet5.architecture import CONVOLUTION_SIDE, CONVOLUTIONS, DENSE, FLAT_SIDE, IMAGE_SIDE, KERNEL_SIDE, LAYERS, POOL_SIDE

Array = NDArray[Any]

FEW = 10
"""Up to here images go channels innermost: 16 images innermost fill a SIMD register, and take as long as 10 the other way."""

CACHE_LINE = 16
"""In floats."""

POOLED_SIDE = {layer: side // POOL_SIDE for layer, side in CONVOLUTION_SIDE.items()}


# ------------------------------------------------------------------------------------------------------------------ memory


class Arena:
    """One block of memory, cut into arrays one after another, each beginning on a cache line.

    An arena of no floats only counts: what it hands out is never touched, and untouched memory costs nothing.
    """

    def __init__(self, floats: int = 0) -> None:
        block = np.empty(floats + CACHE_LINE, np.float32)
        first = -block.ctypes.data // block.itemsize % CACHE_LINE
        self.block = block[first : first + floats]
        self.restart()

    def restart(self) -> None:
        """Cut the block anew, from its beginning."""
        self.used = 0
        self.constants: list[tuple[Array, float]] = []

    def take(self, *shape: int, dtype: type = np.float32) -> Array:
        """The next array; it holds anything."""
        size = int(np.prod(shape))
        first, floats = self.used, -(-size * np.dtype(dtype).itemsize // 4)
        self.used += -(-floats // CACHE_LINE) * CACHE_LINE
        if not len(self.block):
            return np.empty(shape, dtype)
        return self.block[first : first + floats].view(dtype)[:size].reshape(shape)

    def constant(self, array: Array, value: float) -> Array:
        """Note that (part of) an array must hold a value; whoever owns the block writes it, again after each other use."""
        self.constants.append((array, value))
        return array


def padded_images(arena: Arena, n: int, side: int, c: int) -> Array:
    """Room for images (n, side, side, c), a cache line apart.

    An image of 32 x 32 x 3 floats is three pages long: one pixel of n such images would fall n times on the same lines of the
    cache, and a transposed copy, which reads in that order, would wait for each of them.
    """
    return arena.take(n, side * side * c + CACHE_LINE)[:, : side * side * c].reshape(n, side, side, c)


def merged(array: Array) -> Array:
    """The last two axes, contiguous, as one."""
    return as_strided(array, (*array.shape[:-2], array.shape[-2] * array.shape[-1]), (*array.strides[:-2], array.itemsize))


def items(runs: Array) -> Array:
    """The last axis as one opaque item: NumPy moves an item by one memmove, faster than a short run of floats."""
    return runs.view(np.dtype((np.void, runs.shape[-1] * runs.itemsize)))[..., 0]


# -------------------------------------------------------------------------------------------------------------- parameters


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

    matrix (t, s, r, f, 4 + rows, 4 + columns, c) -> (t, s, r, f, 5, 5, c)
    """
    t, s, r, f, _, _, c = matrix.shape
    dt, ds, dr, df, dh, dw, dc = matrix.strides
    return as_strided(matrix, (t, s, r, f, KERNEL_SIDE, KERNEL_SIDE, c), (dt + POOL_SIDE * dw, ds + dw, dr + dh, df, dh, dw, dc))


class ShiftedKernels:
    """One convolution's kernel in the shifted copies that the products want, to be written anew when the weights have changed."""

    def __init__(self, kernel: Array, bias: Array, pooled_side: int) -> None:
        f, k, _, c = kernel.shape
        t = 2 - pooled_side % 2
        self.kernel, self.bias = kernel, bias
        self.pair = np.zeros((1, 2, 1, f, k, k + 1, c), np.float32)
        self.quad = np.zeros((1, 2, 2, f, k + 1, k + 1, c), np.float32)
        # Transposed, (outputs last): for tall and narrow operands that is the faster way round.
        self.few = np.zeros(((k + 1) * (k + 2 * t - 1) * c + 1, 4 * t * f), np.float32)
        self.few_kernels = self.few[:-1].reshape(k + 1, -1, c, 2, 2, t, f).transpose(5, 3, 4, 6, 0, 1, 2)
        self.few_bias = self.few[-1].reshape(-1, f)

        self.rows_of_kernel = items(kernel.reshape(f, k, k * c))
        self.rows_of_taps = [items(merged(taps(matrix))) for matrix in (self.pair, self.quad)]

    def write_many(self) -> None:
        for rows in self.rows_of_taps:
            np.copyto(rows, self.rows_of_kernel)

    def write_few(self) -> None:
        np.copyto(taps(self.few_kernels), self.kernel)
        np.copyto(self.few_bias, self.bias)


# ------------------------------------------------------------------------------------------------------------- activations
# activate(x, zeros, out): x may be overwritten.


def relu(x: Array, zeros: Array, out: Array) -> None:
    np.maximum(x, zeros, out=out)  # zeros, not 0: against a scalar NumPy's maximum is slower


def sigmoid(x: Array, zeros: Array, out: Array) -> None:
    np.multiply(x, 0.5, out=x)  # 1 / (1 + exp(-x)) = (1 + tanh(x / 2)) / 2, which cannot overflow
    np.tanh(x, out=x)
    np.multiply(x, 0.5, out=x)
    np.add(x, 0.5, out=out)


def tanh(x: Array, zeros: Array, out: Array) -> None:
    np.tanh(x, out=out)


ACTIVATE: dict[str, Callable[[Array, Array, Array], None]] = {"relu": relu, "sigmoid": sigmoid, "tanh": tanh}


# ------------------------------------------------------------------------------------------------------------------ layers


class Layer(Protocol):
    """A few NumPy calls on arrays and views that are made once: making a view takes longer than many a call."""

    def forward(self) -> None: ...


class Innermost:
    """Images outermost -> innermost.   images (n, h, w, c) -> pixels (h, w, c, n)"""

    def __init__(self, images: Array, pixels: Array) -> None:
        self.images, self.pixels = images.transpose(1, 2, 3, 0), pixels

    def forward(self) -> None:
        np.copyto(self.pixels, self.images)


class Convolution:
    """Convolution, max-pool, bias, activation; images innermost.   source (h, w, c, n) -> out (f, i, j, n)"""

    def __init__(self, arena: Arena, source: Array, kernels: ShiftedKernels, out: Array, activation: str) -> None:
        h, w, c, n = source.shape
        _, _, _, f, kh, kw, _ = kernels.pair.shape
        rows, j = h - kh + 1, (w - kh + 1) // POOL_SIDE

        strips = arena.take(j, h, kw, c, n)
        dh, dw, dc, dn = source.strides
        self.strips, self.source = items(strips), items(as_strided(source, strips.shape, (POOL_SIDE * dw, dh, dw, dc, dn)))

        dj, dh, _, dc, dn = strips.strides
        self.windows = as_strided(strips, (rows, j, kh * kw * c, n), (dh, dj, dc, dn))
        self.matrix = kernels.pair.reshape(POOL_SIDE * f, -1)
        self.z = arena.take(POOL_SIDE, f, rows, j, n)
        self.z_by_window = self.z.reshape(-1, rows, j, n).transpose(1, 2, 0, 3)

        self.row_max = arena.take(f, rows, j, n)
        self.row_pairs = self.row_max[:, 0::2], self.row_max[:, 1::2]
        self.pooled = arena.take(f, rows // POOL_SIDE, j, n)
        self.bias = kernels.bias.reshape(f, 1, 1, 1)
        self.zeros = arena.constant(arena.take(n), 0)
        self.activate, self.out = ACTIVATE[activation], out

    def forward(self) -> None:
        np.copyto(self.strips, self.source)
        np.matmul(self.matrix, self.windows, out=self.z_by_window)
        np.maximum(self.z[0], self.z[1], out=self.row_max)
        np.maximum(*self.row_pairs, out=self.pooled)
        np.add(self.pooled, self.bias, out=self.pooled)
        self.activate(self.pooled, self.zeros, self.out)


class FewConvolution:
    """The same for few images, channels innermost.   source (n, h, w, c) -> out (n, i, j, f)"""

    def __init__(self, arena: Arena, source: Array, kernels: ShiftedKernels, out: Array, activation: str) -> None:
        n, _, _, c = source.shape
        t, _, _, f, kh, kw, _ = kernels.few_kernels.shape
        _, i, j, _ = out.shape
        places, length = (n, i, j // t), kh * kw * c

        self.rows = arena.take(int(np.prod(places)), length + 1)
        arena.constant(self.rows[:, -1], 1)
        patches = self.rows.reshape(*places, -1)[..., :length].reshape(*places, kh, kw * c)
        dn, dh, dw, dc = source.strides
        by_patch = as_strided(source, patches.shape, (dn, POOL_SIDE * dh, POOL_SIDE * t * dw, dh, dc))
        self.patches, self.source = items(patches), items(by_patch)

        self.matrix = kernels.few
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
        np.matmul(self.rows, self.matrix, out=self.z)
        np.maximum(*self.columns, out=self.row_max)
        np.maximum(*self.row_pairs, out=self.pooled_rows)
        self.activate(self.pooled, self.zeros, self.out)


class Dense:
    """Dense layer, activation.   source (d + 1, n), its last row 1 -> out (u, n)"""

    def __init__(self, arena: Arena, source: Array, weight: Array, out: Array, activation: str | None) -> None:
        self.source, self.weight, self.out = source, weight, out
        self.zeros = arena.constant(arena.take(*out.shape), 0)
        self.activate = ACTIVATE[activation] if activation else None

    def forward(self) -> None:
        np.matmul(self.weight, self.source, out=self.out)
        if self.activate:
            self.activate(self.out, self.zeros, self.out)


class Basis:
    """The first factor of a dense layer: no bias, no activation.   source (d, n) -> out (rank, n)"""

    def __init__(self, source: Array, weight: Array, out: Array) -> None:
        self.source, self.weight, self.out = source, weight, out

    def forward(self) -> None:
        np.matmul(self.weight, self.source, out=self.out)


# ----------------------------------------------------------------------------------------------------------------- network


class Forward:
    """The network on n images, prepared: every array cut from the arena, every view made."""

    def __init__(
        self, arena: Arena, n: int, parameters: Parameters, kernels: Mapping[str, ShiftedKernels], activation: str, few: bool
    ) -> None:
        conv1, conv2 = CONVOLUTIONS
        side, channels, filters = POOLED_SIDE[conv1], parameters.kernels[conv1].shape[-1], len(parameters.kernels[conv1])
        features = with_one(arena, len(parameters.kernels[conv2]) * FLAT_SIDE**2, n)
        maps = features[:-1].reshape(-1, FLAT_SIDE, FLAT_SIDE, n)  # channel first: the canonical order of fc1's columns

        self.layers: list[Layer]
        if few:
            self.images, self.middle = arena.take(n, IMAGE_SIDE, IMAGE_SIDE, channels), arena.take(n, side, side, filters)
            self.layers = [
                FewConvolution(arena, self.images, kernels[conv1], self.middle, activation),
                FewConvolution(arena, self.middle, kernels[conv2], maps.transpose(3, 1, 2, 0), activation),
            ]
        else:
            self.images, pixels = padded_images(arena, n, IMAGE_SIDE, channels), arena.take(IMAGE_SIDE, IMAGE_SIDE, channels, n)
            self.middle = arena.take(side, side, filters, n)
            self.convolutions = (
                Convolution(arena, pixels, kernels[conv1], self.middle.transpose(2, 0, 1, 3), activation),
                Convolution(arena, self.middle, kernels[conv2], maps, activation),
            )
            self.layers = [Innermost(self.images, pixels), *self.convolutions]

        self.dense: dict[str, Dense] = {}
        self.bases: dict[str, Basis] = {}
        for name in DENSE:
            if name in parameters.bases:
                basis = parameters.bases[name]
                combined = with_one(arena, len(basis), n)
                self.bases[name] = Basis(features[:-1], basis, combined[:-1])
                self.layers.append(self.bases[name])
                features = combined
            weight, last = parameters.dense[name], name == DENSE[-1]
            units = arena.take(len(weight), n) if last else with_one(arena, len(weight), n)
            out = units if last else units[:-1]
            self.dense[name] = Dense(arena, features, weight, out, None if last else activation)
            self.layers.append(self.dense[name])
            features = units
        self.logits = features

    def forward(self, x: Array) -> Array:
        """Logits, until the next call.   x (n, c, 32, 32), fastest if channels last in memory -> (classes, n)"""
        np.copyto(self.images, x.transpose(0, 2, 3, 1))
        for layer in self.layers:
            layer.forward()
        return self.logits


def with_one(arena: Arena, d: int, n: int) -> Array:
    """Room for n columns of d features, and the 1 below them that multiplies the bias.   -> (d + 1, n)"""
    features = arena.take(d + 1, n)
    arena.constant(features[-1], 1)
    return features
