"""PyTorch's FlopCounterMode, which counts while the network runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.utils.flop_counter import FlopCounterMode

import lenet5
from benchmarks.arrange.counters import Counter, no_extra, one_image

TITLE = "PyTorch's FlopCounterMode"
FRAMEWORK = "torch"
PACKAGES = ("torch",)


def counted(call: Callable[..., Any], *arguments: Any) -> int:
    """FLOPs of one call."""
    with FlopCounterMode(display=False) as counter:
        call(*arguments)
    return int(counter.get_total_flops())


def _forward(weights: lenet5.Weights) -> int:
    images, _ = one_image(weights)
    return counted(_network(weights).predict, images)


def _training(weights: lenet5.Weights) -> int:
    return counted(_network(weights).train_step, *one_image(weights))


def _network(weights: lenet5.Weights) -> Any:
    """The network in eager mode: a network that is compiled inside the counter stays slow afterwards."""
    return lenet5.implementation(FRAMEWORK)(weights, mode="eager")


COUNTER = Counter("FLOPs", _forward, no_extra, _training)
