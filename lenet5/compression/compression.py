"""Pruning as arithmetic: weights in, weights out, and what the result weighs.

A kernel is one of the five arrays ``<layer>.weight``, 65,130 of the 65,406 numbers for 3x32x32 and 50 classes; biases are never pruned.
Of a factored layer it is what is pruned, its basis is left alone; bytes and shares of zeros count both.
A mask is a bool array of a kernel's shape, True where the weight stays.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5.architecture import LAYERS, ORDER, checked, kernel_names
from lenet5.contract import Weights, check_option
from lenet5.errors import InputError

Masks = dict[str, NDArray[np.bool_]]
"""Kernel name -> mask."""


def magnitude_mask(weights: Mapping[str, Any], sparsity: float, layers: Iterable[str] = LAYERS) -> Masks:
    """Masks that take the smallest weights of each layer for itself: of n weights, exactly `kept` (n, sparsity) stay.

    What tfmot's prune_low_magnitude and torch.nn.utils.prune.l1_unstructured do.  Among equal magnitudes the first, in memory order,
    go first.  Raises InputError for a sparsity outside [0, 1) and for a layer that LeNet-5 does not have.
    """
    masks = {}
    for layer in layers:
        check_option("layer", layer, LAYERS)
        kernel = np.asarray(weights[f"{layer}.weight"])
        gone = np.argsort(np.abs(kernel), axis=None, kind="stable")[: kernel.size - kept(kernel.size, sparsity)]
        mask = np.ones(kernel.size, bool)
        mask[gone] = False
        masks[f"{layer}.weight"] = mask.reshape(kernel.shape)
    return masks


def kept(count: int, sparsity: float) -> int:
    """How many of so many weights stay: the nearest whole number (of two equally near the even one), at least 1; tfmot's rule.

    PyTorch rounds the number of weights that *go* instead, so that the two can be one weight apart where the share is half a weight.
    """
    if isinstance(sparsity, bool) or not isinstance(sparsity, (int, float)) or not 0 <= sparsity < 1:
        raise InputError(f"sparsity: {sparsity!r} is no share; use a number of at least 0 and below 1")
    return max(1, round(count * (1 - sparsity)))


def masked(weights: Mapping[str, Any], masks: Masks) -> Weights:
    """A copy of the weights with zeros where a mask is False; arrays without a mask are copied as they are."""
    return {name: np.where(masks[name], array, 0) if name in masks else array.copy() for name, array in weights.items()}


def prune(weights: Mapping[str, Any], sparsity: float, layers: Iterable[str] = LAYERS) -> Weights:
    """A copy of the weights without the smallest of each kernel (see `magnitude_mask`).  Nothing is trained."""
    arrays = checked(weights)
    return masked(arrays, magnitude_mask(arrays, sparsity, layers))


def sparsity_by_layer(weights: Mapping[str, Any]) -> dict[str, float]:
    """Share of zeros in each layer's kernel, measured, whoever pruned it."""
    kernels = kernel_names(weights)
    return {layer: _share_of_zeros(weights[name] for name in kernels if name.startswith(layer)) for layer in LAYERS}


def sparsity(weights: Mapping[str, Any], biases: bool = False) -> float:
    """Share of zeros in all kernels together; with biases, in all weights."""
    return _share_of_zeros(weights[name] for name in (weights if biases else kernel_names(weights)))


def check_sparsity(weights: Mapping[str, Any], wanted: float, tolerance: int = 1) -> None:
    """Raise InputError unless each kernel has as many zeros as were asked for, give or take so many weights."""
    for layer in LAYERS:
        kernel = np.asarray(weights[f"{layer}.weight"])
        zeros, expected = kernel.size - np.count_nonzero(kernel), kernel.size - kept(kernel.size, wanted)
        if abs(zeros - expected) > tolerance:
            raise InputError(f"{layer}: {zeros} of {kernel.size} weights are zero; a sparsity of {wanted} is {expected}")


def _share_of_zeros(arrays: Iterable[Any]) -> float:
    found = [(np.count_nonzero(array), np.size(array)) for array in arrays]
    return 1 - int(sum(nonzeros for nonzeros, _ in found)) / sum(size for _, size in found)


# What they weigh


def dense_bytes(weights: Mapping[str, Any]) -> int:
    """Bytes of all float32 arrays as they lie in memory, zeros and all."""
    return len(canonical_bytes(weights))


def negative_zeros(weights: Mapping[str, Any]) -> int:
    """How many kernel weights are -0.0: what a mask leaves of a negative weight that it is multiplied with.  gzip sees two kinds of zero."""
    kernels = (np.asarray(weights[name]) for name in kernel_names(weights))
    return sum(int(np.count_nonzero((kernel == 0) & np.signbit(kernel))) for kernel in kernels)


def weights_left(weights: Mapping[str, Any]) -> int:
    """How many numbers of all arrays, biases too, are not 0."""
    return sum(int(np.count_nonzero(array)) for array in weights.values())


def gzip_bytes(weights: Mapping[str, Any]) -> int:
    """Bytes of all arrays in one gzip stream, as `gzipped` makes it."""
    return gzipped(canonical_bytes(weights))


def gzipped(data: bytes) -> int:
    """Bytes of the gzip stream of these, level 9, no name and no time in its head.

    The same data give the same number with the same zlib; other versions of zlib may differ by a few bytes.
    """
    return len(gzip.compress(data, compresslevel=9, mtime=0))


def sparse_bytes(weights: Mapping[str, Any]) -> int:
    """Bytes of all kernels as compressed sparse rows (see `csr`) and of the five biases as they are: arrays, no headers.

    A value costs 4 bytes and its column 2, so that it is smaller than the dense form only above a sparsity of one third.
    """
    kernels = sum(part.nbytes for name in kernel_names(weights) for part in csr(weights[name]))
    return kernels + sum(np.asarray(weights[f"{layer}.bias"], np.float32).nbytes for layer in LAYERS)


def canonical_bytes(weights: Mapping[str, Any]) -> bytes:
    """All arrays one after the other in canonical order, as little-endian float32 in C order: no header."""
    return b"".join(np.ascontiguousarray(weights[name], "<f4").tobytes() for name in ORDER if name in weights)


def csr(kernel: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[Any], NDArray[np.uint32]]:
    """A kernel as compressed sparse rows, one row an output.   (outputs, ...) -> values (z,), columns (z,), row pointers (outputs + 1,)

    Row r owns values[pointers[r] : pointers[r + 1]].  Values are float32, columns uint16 (uint32 for a kernel of more than 65,536
    inputs), pointers uint32.
    """
    rows = np.asarray(kernel, np.float32).reshape(len(kernel), -1)
    row, column = np.nonzero(rows)
    pointers = np.concatenate([[0], np.cumsum(np.count_nonzero(rows, axis=1))]).astype(np.uint32)
    return rows[row, column], column.astype(np.uint16 if rows.shape[1] <= 2**16 else np.uint32), pointers
