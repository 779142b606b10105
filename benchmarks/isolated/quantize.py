"""What the int8 tools have in common, each run in a process of its own: the arguments, the check, the clock and the JSON.

    python -m benchmarks.isolated.quantize_<tool> DENSE.npz --dataset NAME ...

A tool takes the dense network's weights, calibrates on training images, and prints the classes that its int8 network gives the
test images, the bytes of its weights, and the seconds of both predictions, timed alternately: {"predictions": [...], "dense": [...], "compressed": [...], ...}.
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
from benchmarks.arrange.clock import interleaved
from benchmarks.arrange.problem import by_hand, first_images
from benchmarks.isolated import program
from lenet5 import datasets, training
from lenet5.training import BATCH

AGREEMENT, SURE_AGREEMENT = 0.8, 0.95
"""Smallest share of test images to which int8 has to give the class that float32 gives: of all images, and of those where float32 gives
one class more than half of the probability.  A smaller share is a mistake, not rounding; a network of a few epochs is sure of few images."""


@dataclass(frozen=True)
class Task:
    """What a tool is asked to do: round these weights, with these training images as a sample of how large activations get."""

    weights: lenet5.Weights
    calibration: NDArray[np.float32]
    """(n, c, 32, 32), n a multiple of BATCH"""
    kind: str


@dataclass(frozen=True)
class Int8:
    """What a tool answers: two networks for batches of BATCH images, float32 and int8.  A tool fixes the batch size when it converts."""

    tensor: Callable[[NDArray[np.float32]], Any]
    """Host images (BATCH, c, 32, 32) -> what both networks take."""
    dense: Callable[[Any], NDArray[np.float32]]
    """The float32 network: -> logits (BATCH, classes) on the host."""
    predict: Callable[[Any], NDArray[np.float32]]
    """The int8 network, likewise."""
    weight_bytes: int
    """Of all constants of the model: int8 weights, biases, scales."""
    int8_weights: int
    """How many weights are stored in one byte."""


def main(tool: Callable[[Task], Int8], kinds: tuple[str, ...], arguments: list[str] | None = None) -> int:
    """Quantize, check, measure, print; exit codes as in `program.answer`."""
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
        return _measured(tool(task), task, dataset, options.seconds)

    return program.answer(parser, measured, arguments)


def _measured(found: Int8, task: Task, dataset: datasets.Dataset, budget_seconds: float) -> dict[str, Any]:
    """Check the classes that int8 gives against those of float32, then time both alternately."""
    net: Any = found
    predictions = training.predictions(net, dataset.test.images, BATCH)
    check_agreement(training.logits_of(by_hand(task.weights), dataset.test.images), predictions)
    x = found.tensor(first_images(dataset, BATCH))
    seconds = interleaved({"dense": lambda: found.dense(x), "compressed": lambda: found.predict(x)}, budget_seconds)
    return {
        "predictions": predictions.tolist(),
        "weight_bytes": found.weight_bytes,
        "int8_weights": found.int8_weights,
        **seconds,
    }


def check_agreement(logits: NDArray[np.float32], predictions: NDArray[np.intp]) -> None:
    """Raise AssertionError unless int8 mostly gives the classes that float32 gives.

    logits (n, classes) of float32, predictions (n,) of int8
    """
    same = logits.argmax(1) == predictions
    assert same.mean() >= AGREEMENT, f"int8 sees the class that float32 sees in {same.mean():.1%} of the test images"
    sure = softmax(logits, axis=1).max(1) > 0.5
    share = same[sure].mean() if sure.any() else 1.0
    assert share >= SURE_AGREEMENT, f"int8 sees the class that float32 is sure of in {share:.1%} of those test images"
