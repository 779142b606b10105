"""LeNet-5 forwards in NumPy, as fast as the processor multiplies: how the numbers lie in memory decides, not how they are computed.

**From the definition to a matrix product.**  An output pixel of a convolution is a sum over a 5x5 window of the image,

    y[f, h, w] = bias[f] + sum over a, b, c of x[h + a, w + b, c] kernel[f, a, b, c]                   a, b = 0..4

so all outputs together are one matrix product, kernel (f, 25c) times windows (25c, places), once every window stands in a
column of its own: "im2col".  The products are cheap: conv1 of one 3x32x32 image takes 352,800 multiplications.  Building the
columns is dear: 25 copies of nearly every pixel, 58,800 floats (230 kB), gathered in runs of a few floats, and NumPy takes its
time over each run, however short.  Three changes of layout get rid of that.

1. **Images innermost.**  With an array (h, w, c, n) the smallest thing that is ever copied, added or compared is a run of n
   floats, one pixel of n images; 32 images are two full cache lines.  Every operation below is then a few long loops.

2. **No window is ever built.**  A strip is a row of the image shifted by 0 to 5 columns: strips[h, b] (c, j, n) holds pixel 2j + b
   of row h for every j.  Row follows row, so 5 of them from row i on *are* all windows of output row i, one matrix (5*6*c, j*n)
   that starts 6c rows further down for each i.  `as_strided` hands all 28 overlapping matrices to np.matmul, which calls the BLAS
   for each, (12 x 90) times (90 x 448) in conv1 with 32 images; only the strips are copied: 32 * 6 * 3 * 14 = 8,064 floats an
   image instead of 58,800.  They are copied in runs of 14n, since even columns lie apart from odd ones: pixels 2j + b for all j
   are then neighbours.

3. **Two neighbours in one product.**  The windows are 6 wide, not 5, and the matrix holds the kernel twice, the second time
   shifted one column to the right (zeros elsewhere): one product gives the outputs at columns 2j and 2j + 1.  That costs a fifth
   more multiplications (423,360 for conv1, 288,000 for conv2), saves two fifths of the strips, and brings the rows of the matrix
   from 6 to 12, which a SIMD kernel needs.  The two results lie apart in memory, and max-pooling is what it should be: the larger
   of two long runs, first across the two columns, then across two rows.

Bias and activation come *after* pooling, on a quarter of the elements: both are monotone, so they commute with the maximum.

**One image** has no n to be innermost.  There the channels are, and what counts is the number of NumPy calls.  `FewConvolution`
copies patches of 6 x 8 pixels that overlap by 4, one row (6*8*c,) for each *two pooled* outputs, and multiplies them by a matrix
with the kernel in all eight positions: 2 x 2 to pool, times two.  It does 1.9 times the necessary multiplications in 98 rows of
48 outputs; on one image that is cheaper than smaller GEMMs and more copies.  The constant 1 at the end of every row multiplies
the bias.

**Memory.**  32 images pass through nearly 4 MB of arrays on their way, more than a second-level cache holds.  Each operation therefore
reads from one of two areas and writes to the other, over what the operation before it has read (`Arena`): what is no longer needed
is overwritten where it lies in the cache, instead of being written back to make room.

Counts for one image, c = 3 (float32 multiplications; floats copied):

    layer    definition    strips (many)       patches (few)      im2col copies    strips copied    patches copied
    conv1       352,800    423,360 (x 1.2)    677,376 (x 1.9)            58,800            8,064            14,112
    conv2       240,000    288,000 (x 1.2)    345,600 (x 1.4)            15,000            2,520             5,400

Letters: n images, c channels in, f filters, h x w pixels in, i x j pooled pixels out, d features in, u units out; r and s are the
row and the column within a pool, t counts pooled columns that are computed together, b the columns of a window.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from lenet5.architecture import CONVOLUTION_SIDE, CONVOLUTIONS, DENSE, FLAT_SIDE, IMAGE_SIDE, KERNEL_SIDE, LAYERS, POOL_SIDE

Array = NDArray[Any]

FEW = 4
"""Up to here images go channels innermost, in fewer calls; with more the longer rows of the other way pay."""

CHUNK = 36
"""At most so many images are convolved together.  More make longer products, fewer stay nearer to the processor."""

CACHE_LINE = 16
"""In floats."""

POOLED_SIDE = {layer: side // POOL_SIDE for layer, side in CONVOLUTION_SIDE.items()}


# ------------------------------------------------------------------------------------------------------------------ memory


class Block:
    """One block of memory, cut into arrays one after another, each beginning on a cache line.

    A block of no floats only counts: what it hands out is never touched, and untouched memory costs nothing.
    """

    def __init__(self, floats: int) -> None:
        block = np.empty(floats + CACHE_LINE, np.float32)
        first = -block.ctypes.data // block.itemsize % CACHE_LINE
        self.block = block[first : first + floats]
        self.used = self.most = 0

    def take(self, *shape: int, dtype: type = np.float32) -> Array:
        """The next array; it holds anything."""
        size = int(np.prod(shape))
        first, floats = self.used, -(-size * np.dtype(dtype).itemsize // 4)
        self.used += -(-floats // CACHE_LINE) * CACHE_LINE
        self.most = max(self.most, self.used)
        if not len(self.block):
            return np.empty(shape, dtype)
        return self.block[first : first + floats].view(dtype)[:size].reshape(shape)


class Arena:
    """The memory of a network: arrays that stay, and two areas for what only the next operation reads.

    An operation that reads from one area writes to the other, over what the operation before it read.
    """

    def __init__(self, floats: tuple[int, int, int] = (0, 0, 0)) -> None:
        self.lasting, *self.areas = (Block(count) for count in floats)
        self.restart()

    def restart(self) -> None:
        """Cut the memory anew, from its beginning."""
        self.lasting.used = 0
        self.constants: list[tuple[Array, float]] = []

    def take(self, *shape: int, dtype: type = np.float32) -> Array:
        """An array that stays; it holds anything."""
        return self.lasting.take(*shape, dtype=dtype)

    def scratch(self, area: int, *shape: int) -> Array:
        """An array that lasts until the next one is taken from the same area, 0 or 1."""
        self.areas[area].used = 0
        return self.areas[area].take(*shape)

    def constant(self, array: Array, value: float) -> Array:
        """Note that (part of) an array must hold a value; whoever owns the memory writes it, again after each other use."""
        self.constants.append((array, value))
        return array

    @property
    def floats(self) -> tuple[int, int, int]:
        """How much has been taken at most, in all and from each area."""
        first, second = self.areas
        return self.lasting.most, first.most, second.most

    @property
    def nbytes(self) -> int:
        """How much there is."""
        return sum(block.block.nbytes for block in (self.lasting, *self.areas))


def laid_out(images: Array) -> Array:
    """A copy that is read fastest: channels last in memory, images a cache line apart.   (n, c, h, w) -> (n, c, h, w)

    An image of 32 x 32 x 3 floats is three pages long.  One pixel of n images that follow each other without a gap would fall n times
    on the same lines of the cache, and a copy with images innermost, which reads in that order, would wait for each of them.
    """
    n, c, h, w = images.shape
    size = h * w * c
    copy = np.empty((n, size + CACHE_LINE), images.dtype)[:, :size].reshape(n, h, w, c).transpose(0, 3, 1, 2)
    copy[...] = images
    return copy


def parts(n: int, count: int) -> list[slice]:
    """n images in so many parts of nearly the same size."""
    return [slice(n * k // count, n * (k + 1) // count) for k in range(count)]


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

    matrix (t, r, s, f, 4 + rows, 4 + columns, c) -> (t, r, s, f, 5, 5, c)
    """
    t, r, s, f, _, _, c = matrix.shape
    dt, dr, ds, df, dh, dw, dc = matrix.strides
    return as_strided(matrix, (t, r, s, f, KERNEL_SIDE, KERNEL_SIDE, c), (dt + POOL_SIDE * dw, dr + dh, ds + dw, df, dh, dw, dc))


class ShiftedKernels:
    """One convolution's kernel in the shifted copies that the products want, to be written anew when the weights have changed."""

    def __init__(self, kernel: Array, bias: Array, pooled_side: int) -> None:
        f, k, _, c = kernel.shape
        t = 2 - pooled_side % 2
        self.kernel, self.bias = kernel, bias
        self.pair = np.zeros((1, 1, 2, f, k, k + 1, c), np.float32)
        self.quad = np.zeros((1, 2, 2, f, k + 1, k + 1, c), np.float32)
        # Transposed, (outputs last): for tall and narrow operands that is the faster way round.
        self.few = np.zeros(((k + 1) * (k + 2 * t - 1) * c + 1, 4 * t * f), np.float32)
        self.few_kernels = self.few[:-1].reshape(k + 1, -1, c, 2, 2, t, f).transpose(5, 4, 3, 6, 0, 1, 2)
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


class Convolution:
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


# --------------------------------------------------------------------------------------------------------------- features


class Features(Protocol):
    """Both convolutions, prepared."""

    def forward(self, x: Array) -> None: ...


class ManyFeatures:
    """Images as they come -> what the dense layers read.   x (n, c, 32, 32) -> maps (f, 5, 5, n)"""

    def __init__(
        self, arena: Arena, parameters: Parameters, kernels: Mapping[str, ShiftedKernels], maps: Array, activation: str, keep: bool
    ) -> None:
        conv1, conv2 = CONVOLUTIONS
        n, side, half = maps.shape[-1], POOLED_SIDE[conv1], IMAGE_SIDE // POOL_SIDE
        filters, *_, channels = parameters.kernels[conv1].shape

        self.pixels = arena.scratch(1, IMAGE_SIDE, POOL_SIDE, channels, half, n)

        shape = side, POOL_SIDE, filters, side // POOL_SIDE, n
        self.middle = arena.take(*shape) if keep else arena.scratch(0, *shape)
        by_map = self.middle.transpose(0, 2, 3, 1, 4)
        self.convolutions = (
            Convolution(arena, 1, self.pixels, kernels[conv1], by_map, activation, keep),
            Convolution(arena, 0, self.middle, kernels[conv2], maps.transpose(1, 0, 2, 3), activation, keep),
        )

    def forward(self, x: Array) -> None:
        rows, _, channels, half, n = self.pixels.shape
        np.copyto(self.pixels, x.reshape(n, channels, rows, half, POOL_SIDE).transpose(2, 4, 1, 3, 0))
        for convolution in self.convolutions:
            convolution.forward()


class FewFeatures:
    """The same for few images."""

    def __init__(
        self, arena: Arena, parameters: Parameters, kernels: Mapping[str, ShiftedKernels], maps: Array, activation: str
    ) -> None:
        conv1, conv2 = CONVOLUTIONS
        n, side = maps.shape[-1], POOLED_SIDE[conv1]
        filters, *_, channels = parameters.kernels[conv1].shape
        self.images, middle = arena.take(n, IMAGE_SIDE, IMAGE_SIDE, channels), arena.take(n, side, side, filters)
        self.convolutions = (
            FewConvolution(arena, self.images, kernels[conv1], middle, activation),
            FewConvolution(arena, middle, kernels[conv2], maps.transpose(3, 1, 2, 0), activation),
        )

    def forward(self, x: Array) -> None:
        np.copyto(self.images, x.transpose(0, 2, 3, 1))
        for convolution in self.convolutions:
            convolution.forward()


# ----------------------------------------------------------------------------------------------------------------- network


class Forward:
    """The network on n images, prepared: every array cut from the arena, every view made.

    The convolutions take the images chunk by chunk, through the same memory; the dense layers take all of them at once.
    """

    def __init__(
        self, arena: Arena, n: int, parameters: Parameters, kernels: Mapping[str, ShiftedKernels], activation: str, keep: bool
    ) -> None:
        features = with_one(arena, len(parameters.kernels[CONVOLUTIONS[-1]]) * FLAT_SIDE**2, n)
        maps = features[:-1].reshape(-1, FLAT_SIDE, FLAT_SIDE, n)  # channel first: the canonical order of fc1's columns

        self.features: list[tuple[slice, Features]]
        if n <= FEW and not keep:
            self.features = [(slice(n), FewFeatures(arena, parameters, kernels, maps, activation))]
        else:
            self.features = [
                (chunk, ManyFeatures(arena, parameters, kernels, maps[..., chunk], activation, keep))
                for chunk in parts(n, -(-n // CHUNK))
            ]

        self.dense: dict[str, Dense] = {}
        self.bases: dict[str, Basis] = {}
        self.layers: list[Layer] = []
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
        """Logits, until the next call.   x (n, c, 32, 32), fastest if `laid_out` -> (classes, n)"""
        for chunk, features in self.features:
            features.forward(x[chunk])
        for layer in self.layers:
            layer.forward()
        return self.logits


def with_one(arena: Arena, d: int, n: int) -> Array:
    """Room for n columns of d features, and the 1 below them that multiplies the bias.   -> (d + 1, n)"""
    features = arena.take(d + 1, n)
    arena.constant(features[-1], 1)
    return features
