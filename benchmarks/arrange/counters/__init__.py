"""Counters of FLOPs beside the closed form of `lenet5.cost`, one a file, and what each counts differently, to the last one.

Two of them count while the network runs, two read its structure.  All count one image.  A counter's file is a `tools` file: it is
imported when its counter is asked, and the framework with it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lenet5
from benchmarks.arrange import tools
from benchmarks.arrange.tools import Tool
from lenet5 import cost
from lenet5.architecture import CONVOLUTION_SIDE, CONVOLUTIONS, IMAGE_SIDE, LAYERS, POOL_SIDE

Parts = dict[str, int]
"""What a counter has more than the closed form: words -> how many."""


def no_extra(weights: Mapping[str, Any]) -> Parts:
    """A counter that counts what the closed form counts."""
    return {}


@dataclass(frozen=True)
class Counter:
    """One way to count.  A training step is counted without the optimizer's own arithmetic, as in the closed form."""

    unit: str
    """What the counter itself speaks of: FLOPs, or MACs (FLOPs = 2 x MACs)."""
    forward: Callable[[lenet5.Weights], int]
    """Count of one image's forward pass."""
    forward_extra: Callable[[Mapping[str, Any]], Parts]
    """Why that is not the closed form's."""
    training: Callable[[lenet5.Weights], int] | None = None
    """Count of one image's training step; None where the counter cannot see one."""
    training_extra: Callable[[Mapping[str, Any]], Parts] = field(default=no_extra)

    def closed_form(self, flops: int) -> int:
        """The closed form's FLOPs in this counter's unit."""
        return flops // 2 if self.unit == "MACs" else flops


def found() -> dict[str, Tool]:
    """Title -> the tool, for every counter that has a file here.  Imports none of them."""
    return {tool.title: tool for tool in tools.found(__name__, "count_")}


def counter_of(tool: Tool) -> Counter:
    """The counter in a tool's file; imports the file, and with it what the counter needs."""
    counter: Counter = importlib.import_module(tool.module).COUNTER
    return counter


def unexplained(counter: Counter, weights: lenet5.Weights) -> dict[str, int]:
    """For "forward" and "training" what is left of a count after the closed form and all that is known beside it.  It should be 0."""
    closed = counter.closed_form(cost.forward_flops(weights))
    left = {"forward": counter.forward(weights) - closed - sum(counter.forward_extra(weights).values())}
    if counter.training:
        closed = counter.closed_form(cost.training_flops(weights))
        left["training"] = counter.training(weights) - closed - sum(counter.training_extra(weights).values())
    return left


# What the closed form leaves out, for one image


def output_numbers(weights: Mapping[str, Any], layers: tuple[str, ...] = LAYERS) -> int:
    """Numbers that these layers put out: one addition each if biases are counted."""
    return sum(len(weights[f"{layer}.bias"]) * CONVOLUTION_SIDE.get(layer, 1) ** 2 for layer in layers)


def pooled_numbers(weights: Mapping[str, Any]) -> int:
    """Numbers that both poolings put out."""
    return output_numbers(weights, CONVOLUTIONS) // POOL_SIDE**2


def one_image(weights: lenet5.Weights) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """One image and its label, (1, c, 32, 32) and (1,).  What they hold does not matter for a count."""
    return np.zeros((1, weights["conv1.weight"].shape[1], IMAGE_SIDE, IMAGE_SIDE), np.float32), np.zeros(1, np.int64)
