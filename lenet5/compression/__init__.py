"""Weights become smaller weights, by plain functions.

    from lenet5.compression import factorize, prune, quantize, structured

    prune(weights, 0.9)                               # nine tenths of each kernel are zeros       zeros
    factorize(weights, {"fc1": 32})                   # a kernel is the product of two thin ones   low_rank
    quantize(weights, images)                         # int8 numbers and scales                    int8, int8_network, int8_storage
    structured.remove(weights, {"conv2": [0, 3, 7]})  # only those filters are left                structured

`gradual` prunes while training, `weighing` tells what the result weighs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lenet5.compression.int8 import quantize
    from lenet5.compression.low_rank import factorize
    from lenet5.compression.zeros import prune

__all__ = ["factorize", "prune", "quantize"]

_HOMES = {"factorize": "low_rank", "prune": "zeros", "quantize": "int8"}
"""Public function -> its module, which is imported when the function is first used."""


def __getattr__(name: str) -> Any:
    """A public function that is not here yet (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value
