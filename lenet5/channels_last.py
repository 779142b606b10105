"""From the canonical layout of weights to that of libraries that keep channels last, and back.  Imports none of these libraries.

Such a library flattens row, column, channel, the canonical order is channel, row, column: the inputs of fc1 are *permuted*, on top of the
transposition that every dense kernel needs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lenet5.architecture import CONVOLUTIONS, DENSE, FLAT_SIDE


def from_canonical(layer: str, weight: NDArray[np.float32], factored: bool = False) -> NDArray[np.float32]:
    """A layer's weight as such a library wants it, a view.   (f, c, k, k) -> (k, k, c, f);  (u, d) -> (d, u)

    ``factored`` says that this is the second of two factors: its inputs are the outputs of its basis, not flattened maps.
    """
    if layer in CONVOLUTIONS:
        return weight.transpose(2, 3, 1, 0)
    if layer == DENSE[0] and not factored:
        units = len(weight)
        weight = weight.reshape(units, -1, FLAT_SIDE, FLAT_SIDE).transpose(0, 2, 3, 1).reshape(units, -1)
    return weight.T


def to_canonical(layer: str, kernel: NDArray[np.float32], factored: bool = False) -> NDArray[np.float32]:
    """The way back, a copy.   (k, k, c, f) -> (f, c, k, k);  (d, u) -> (u, d);  ``factored`` as above"""
    if layer in CONVOLUTIONS:
        return kernel.transpose(3, 2, 0, 1).copy()
    weight = kernel.T
    if layer == DENSE[0] and not factored:
        units = len(weight)
        weight = weight.reshape(units, FLAT_SIDE, FLAT_SIDE, -1).transpose(0, 3, 1, 2).reshape(units, -1)
    return weight.copy()


def images(canonical: NDArray[np.float32]) -> NDArray[np.float32]:
    """Images with channels last, contiguous.   (n, c, h, w) -> (n, h, w, c)"""
    return np.ascontiguousarray(np.transpose(canonical, (0, 2, 3, 1)))
