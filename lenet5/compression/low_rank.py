"""Low rank: a layer's kernel, as a matrix of outputs x inputs, becomes the product of two thin ones and runs as two layers.

    W (u, d)  ~  weight (u, r)  times  basis (r, d)         r (u + d) multiplications instead of u d

A factored layer has one array more, ``<layer>.basis``: r filters or units without bias or activation, whose outputs ``<layer>.weight``
combines.  For conv2 the basis are r filters (r, c, 5, 5) and the weight is (f, r, 1, 1).  It saves multiplications if r < u d / (u + d):
r < 92 in fc1, r < 15 in conv2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5.architecture import FACTORABLE, checked
from lenet5.contract import Weights, check_option, is_whole
from lenet5.errors import InputError


def factorize(weights: Mapping[str, Any], ranks: Mapping[str, int]) -> Weights:
    """A copy of the weights in which each layer named has two factors: its best approximation of that rank (truncated SVD).

    ``ranks``: layer -> rank.  Both factors take the root of each singular value, so that training moves them alike.  Nothing is
    trained.  Raises InputError for a layer that cannot be factored, one that is already, and a rank that its matrix cannot have.
    """
    arrays = checked(weights)
    for layer, rank in ranks.items():
        check_option("layer", layer, FACTORABLE)
        if f"{layer}.basis" in arrays:
            raise InputError(f"layer: {layer} is factored already; multiply its factors first (multiplied)")
        kernel = arrays[f"{layer}.weight"]
        matrix = kernel.reshape(len(kernel), -1).astype(np.float64)
        _check_rank(layer, rank, min(matrix.shape))
        left, values, right = np.linalg.svd(matrix, full_matrices=False)
        roots = np.sqrt(values[:rank])
        ones = (1,) * (kernel.ndim - 2)
        arrays[f"{layer}.weight"] = (left[:, :rank] * roots).reshape(-1, rank, *ones).astype(np.float32)
        arrays[f"{layer}.basis"] = (roots[:, None] * right[:rank]).reshape(rank, *kernel.shape[1:]).astype(np.float32)
    return checked(arrays)


def multiplied(weights: Mapping[str, Any]) -> Weights:
    """The same network in ten arrays: every factored layer's factors multiplied back.  InputError for weights that are not a LeNet-5's."""
    arrays = checked(weights)
    for layer in FACTORABLE:
        if f"{layer}.basis" in arrays:
            basis = arrays.pop(f"{layer}.basis")
            weight = arrays[f"{layer}.weight"]
            arrays[f"{layer}.weight"] = _product(weight, basis).astype(np.float32)
    return checked(arrays)


def rank(weights: Mapping[str, Any], layer: str) -> int:
    """The rank of a layer's kernel as a matrix, measured on the product of its factors if it is factored.

    Raises InputError for a layer that cannot be factored.
    """
    check_option("layer", layer, FACTORABLE)
    arrays = checked(weights)
    kernel: NDArray[Any] = arrays[f"{layer}.weight"].astype(np.float64)
    if f"{layer}.basis" in arrays:
        kernel = _product(kernel, arrays[f"{layer}.basis"].astype(np.float64))
    # Factors are float32: what their rounding adds to the smallest singular values does not count.
    matrix = kernel.reshape(len(kernel), -1)
    return int(np.linalg.matrix_rank(matrix, tol=max(matrix.shape) * np.finfo(np.float32).eps * np.linalg.norm(matrix, 2)))


def _product(weight: NDArray[Any], basis: NDArray[Any]) -> NDArray[Any]:
    """(u, r, ...) and (r, ...) -> (u, ...)"""
    product: NDArray[Any] = weight.reshape(len(weight), -1) @ basis.reshape(len(basis), -1)
    return product.reshape(len(weight), *basis.shape[1:])


def _check_rank(layer: str, value: Any, largest: int) -> None:
    if not is_whole(value) or not 1 <= value <= largest:
        raise InputError(f"rank: {value!r} does not fit the matrix of {layer}; use a whole number from 1 to {largest}")
