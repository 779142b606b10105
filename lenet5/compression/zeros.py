"""Pruning: the smallest weights become zeros.

A kernel is one of the five arrays ``<layer>.weight``, 65,130 of the 65,406 numbers for 3x32x32 and 50 classes; biases are never pruned.
Of a factored layer (`low_rank`) the weight is pruned and the basis is left alone.
A mask is a bool array of a kernel's shape, True where the weight stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5.architecture import LAYERS, checked
from lenet5.contract import Weights, check_option, real_number
from lenet5.errors import InputError

Masks = dict[str, NDArray[np.bool_]]
"""Kernel name -> mask."""


def prune(weights: Mapping[str, Any], sparsity: float, layers: Iterable[str] = LAYERS) -> Weights:
    """A copy of the weights in which the smallest of each kernel are zeros (see `magnitude_mask`).  Nothing is trained.

    Raises InputError for weights that are not a LeNet-5's, for a sparsity outside [0, 1) and for an unknown layer.
    """
    arrays = checked(weights)
    return masked(arrays, magnitude_mask(arrays, sparsity, layers))


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


def masked(weights: Mapping[str, Any], masks: Masks) -> Weights:
    """A copy of the weights with zeros where a mask is False; arrays without a mask are copied as they are."""
    return {name: np.where(masks[name], array, 0) if name in masks else array.copy() for name, array in weights.items()}


def kept(count: int, sparsity: float) -> int:
    """How many of ``count`` weights stay: the nearest whole number (of two equally near the even one), at least 1; tfmot's rule.

    PyTorch rounds the number of weights that *go* instead, so that the two can be one weight apart where the share is half a weight.
    Raises InputError for a sparsity outside [0, 1).
    """
    share = real_number(sparsity)
    if not 0 <= share < 1:
        raise InputError(f"sparsity: {sparsity!r} is not a share; use a number of at least 0 and below 1")
    return max(1, round(count * (1 - share)))
