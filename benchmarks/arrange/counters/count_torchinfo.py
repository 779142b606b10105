"""torchinfo's mult-adds, read off the structure of the PyTorch module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torchinfo

import lenet5
from benchmarks.arrange.counters import Counter, Parts, one_image, output_numbers
from benchmarks.arrange.torch_modules import module_of

TITLE = "torchinfo's mult-adds"
FRAMEWORK = "torch"
PACKAGES = ("torch", "torchinfo")


def _forward(weights: lenet5.Weights) -> int:
    images, _ = one_image(weights)
    return int(torchinfo.summary(module_of(weights), images.shape, verbose=0).total_mult_adds)


def _forward_extra(weights: Mapping[str, Any]) -> Parts:
    return {"one for each bias and output": output_numbers(weights)}


COUNTER = Counter("MACs", _forward, _forward_extra)
