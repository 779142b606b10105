"""What weights weigh: shares of zeros, and bytes in the forms that they can be stored in.

Kernels are all arrays that inputs are multiplied by, the bases of factored layers too: all but the biases.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5.architecture import LAYERS, ORDER, kernel_names
from lenet5.compression.zeros import kept
from lenet5.errors import InputError


def sparsity_by_layer(weights: Mapping[str, Any]) -> dict[str, float]:
    """Layer -> share of zeros in its kernel, from 0 to 1, counted."""
    kernels = kernel_names(weights)
    return {layer: _share_of_zeros(weights[name] for name in kernels if name.startswith(layer)) for layer in LAYERS}


def sparsity(weights: Mapping[str, Any], biases: bool = False) -> float:
    """Share of zeros in all kernels together, from 0 to 1; with ``biases``, in all weights."""
    return _share_of_zeros(weights[name] for name in (weights if biases else kernel_names(weights)))


def check_sparsity(weights: Mapping[str, Any], wanted: float, tolerance: int = 1) -> None:
    """Raise InputError unless the weight of each layer has the share of zeros that is wanted, up to ``tolerance`` weights."""
    for layer in LAYERS:
        kernel = np.asarray(weights[f"{layer}.weight"])
        zeros, expected = kernel.size - np.count_nonzero(kernel), kernel.size - kept(kernel.size, wanted)
        if abs(zeros - expected) > tolerance:
            raise InputError(f"{layer}: {zeros} of {kernel.size} weights are zero; a sparsity of {wanted} is {expected}")


def _share_of_zeros(arrays: Iterable[Any]) -> float:
    found = [(np.count_nonzero(array), np.size(array)) for array in arrays]
    return 1 - int(sum(nonzeros for nonzeros, _ in found)) / sum(size for _, size in found)


def weights_left(weights: Mapping[str, Any]) -> int:
    """How many numbers of all arrays, biases too, are not 0."""
    return sum(int(np.count_nonzero(array)) for array in weights.values())


def negative_zeros(weights: Mapping[str, Any]) -> int:
    """How many kernel weights are -0.0: what a mask leaves of a negative weight that it is multiplied with.  gzip sees two kinds of zero."""
    kernels = (np.asarray(weights[name]) for name in kernel_names(weights))
    return sum(int(np.count_nonzero((kernel == 0) & np.signbit(kernel))) for kernel in kernels)


def dense_bytes(weights: Mapping[str, Any]) -> int:
    """Bytes of all float32 arrays as they lie in memory, zeros and all."""
    return len(canonical_bytes(weights))


def sparse_bytes(weights: Mapping[str, Any]) -> int:
    """Bytes of all kernels as compressed sparse rows (see `csr`) and of the five biases as they are: arrays, no headers.

    A value costs 4 bytes and its column 2, so that it is smaller than the dense form only above a sparsity of one third.
    """
    kernels = sum(part.nbytes for name in kernel_names(weights) for part in csr(weights[name]))
    return kernels + sum(np.asarray(weights[f"{layer}.bias"], np.float32).nbytes for layer in LAYERS)


def gzip_bytes(weights: Mapping[str, Any]) -> int:
    """Bytes of all arrays in one gzip stream, as `gzipped` makes it."""
    return gzipped(canonical_bytes(weights))


def gzipped(data: bytes) -> int:
    """How many bytes some data take as a gzip stream: level 9, no name and no time in its head.

    The same data give the same number with the same zlib; other versions of zlib may differ by a few bytes.
    """
    return len(gzip.compress(data, compresslevel=9, mtime=0))


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
