"""What the int8 tools have in common, each run in a process of its own: the arguments, the check, the clock and the JSON.

    python -m benchmarks.quantize_<tool> DENSE.npz --dataset NAME ...

A tool takes the dense network's weights, calibrates on training images, and prints what its int8 network sees in the test images, what
its weights weigh, and the seconds of both predictions, taken in turns: {"predictions": [...], "dense": [...], "compressed": [...], ...}.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

import lenet5
from benchmarks import BY_HAND
from benchmarks.arrange.measuring import first_images
from benchmarks.arrange.samples import in_turns
from benchmarks.isolated import fresh
from lenet5 import datasets, training

BATCH = 64
"""Images per prediction; every tool fixes it when it converts."""

AGREEMENT, SURE_AGREEMENT = 0.8, 0.95
"""The least share of test images in which an int8 network has to see the class that float32 sees: of all, and of those that float32
gives more than half of its probability to one class.  Less is a mistake, not rounding; a network of a few epochs is sure of few."""


@dataclass(frozen=True)
class Task:
    """What a tool is asked to do: round these weights, with these training images to see how large activations get."""

    weights: lenet5.Weights
    calibration: NDArray[np.float32]
    """(n, c, 32, 32), n a multiple of BATCH"""
    kind: str


@dataclass(frozen=True)
class Int8:
    """What a tool answers.  Both networks take what ``tensor`` makes of BATCH host images and give logits on the host."""

    tensor: Callable[[NDArray[np.float32]], Any]
    dense: Callable[[Any], NDArray[np.float32]]
    predict: Callable[[Any], NDArray[np.float32]]
    weight_bytes: int
    """Of all constants of the model: int8 weights, biases, scales."""
    int8_weights: int
    """How many weights are stored in one byte."""


def main(tool: Callable[[Task], Int8], kinds: tuple[str, ...], arguments: list[str] | None = None) -> int:
    """Quantize, check, measure, print; exit codes as in `fresh.answer`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path, help="the dense network, canonical .npz")
    parser.add_argument("--dataset", default="colour-digits")
    parser.add_argument("--kind", choices=kinds, default=kinds[0])
    parser.add_argument("--images", type=int, default=1024, help="training images to calibrate with")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long to time predictions")

    def measured(options: argparse.Namespace) -> dict[str, Any]:
        dataset = datasets.load(options.dataset)
        calibration = dataset.train.images[: options.images // BATCH * BATCH]
        if not len(calibration):
            raise lenet5.InputError(f"images: {options.images} are too few to calibrate with; use at least one batch of {BATCH}")
        task = Task(lenet5.load_weights(options.weights), calibration, options.kind)
        return _figures(tool(task), task, dataset, options.seconds)

    return fresh.answer(parser, measured, arguments)


def _figures(found: Int8, task: Task, dataset: datasets.Dataset, budget_seconds: float) -> dict[str, Any]:
    """Check what the int8 network sees against float32, then time both in turns."""
    net: Any = found
    predictions = training.logits_of(net, dataset.test.images, BATCH).argmax(1)
    check_agreement(training.logits_of(lenet5.implementation(BY_HAND)(task.weights), dataset.test.images), predictions)
    x = found.tensor(first_images(dataset, BATCH))
    seconds = in_turns({"dense": lambda: found.dense(x), "compressed": lambda: found.predict(x)}, budget_seconds)
    return {
        "predictions": predictions.tolist(),
        "weight_bytes": found.weight_bytes,
        "int8_weights": found.int8_weights,
        **seconds,
    }


def check_agreement(logits: NDArray[np.float32], predictions: NDArray[np.intp]) -> None:
    """Raise AssertionError unless int8 sees what float32 sees.   logits (n, classes) of float32, predictions (n,) of int8"""
    same = logits.argmax(1) == predictions
    assert same.mean() >= AGREEMENT, f"int8 sees the class that float32 sees in {same.mean():.1%} of the test images"
    sure = softmax(logits, axis=1).max(1) > 0.5
    share = same[sure].mean() if sure.any() else 1.0
    assert share >= SURE_AGREEMENT, f"int8 sees the class that float32 is sure of in {share:.1%} of those test images"
