"""What the pruning tools have in common, each run in a process of its own: the arguments, the check, the clock and the JSON.

    python -m benchmarks.isolated.prune_<tool> DENSE.npz PRUNED.npz --dataset NAME --epochs N ...

A tool takes the dense network's weights, prunes while training on, writes the pruned weights and prints the seconds of its own
predictions, timed alternately: {"dense": [...], "stripped": [...], "unstripped": [...]}.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.testing import assert_allclose
from numpy.typing import NDArray

import lenet5
from benchmarks.arrange.clock import interleaved
from benchmarks.arrange.problem import TRAINED_ATOL, by_hand, first_images
from benchmarks.isolated import program
from lenet5 import datasets, training
from lenet5.compression.gradual import PolynomialDecay, schedule_for
from lenet5.compression.weighing import check_sparsity


@dataclass(frozen=True)
class Task:
    """What a tool is asked to do: from these weights, on these batches, by this schedule."""

    weights: lenet5.Weights
    dataset: datasets.Dataset
    epochs: int
    schedule: PolynomialDecay
    optimizer: str
    learning_rate: float

    def epoch(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Images and labels of one epoch in the order of its batches: the same order for every tool."""
        train = self.dataset.train
        rows = np.concatenate(list(training.batches(len(train.labels), training.BATCH, seed=number)))
        return train.images[rows], train.labels[rows]


@dataclass(frozen=True)
class Pruned:
    """What a tool answers: the weights once its masks are made permanent (stripped), and three ways to predict a converted batch."""

    weights: lenet5.Weights
    """Stripped."""
    convert: Callable[[NDArray[np.float32]], Any]
    dense: Callable[[Any], NDArray[np.float32]]
    stripped: Callable[[Any], NDArray[np.float32]]
    unstripped: Callable[[Any], NDArray[np.float32]]


def main(tool: Callable[[Task], Pruned], arguments: list[str] | None = None) -> int:
    """Prune, check, measure, print; exit codes as in `program.answer`: too few zeros count as bad input."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path, help="the dense network, canonical .npz")
    parser.add_argument("output", type=Path, help="where the pruned and stripped weights go, .npz")
    parser.add_argument("--dataset", default="colour-digits")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--initial", type=float, default=0.5, help="sparsity of the first step")
    parser.add_argument("--final", type=float, default=0.9, help="sparsity in the end")
    parser.add_argument("--optimizer", choices=("sgd", "adam"), default="sgd")
    parser.add_argument("--learning-rate", type=float, default=0.03)
    parser.add_argument("--seconds", type=float, default=1.0, help="how long to time predictions")

    def measured(options: argparse.Namespace) -> dict[str, list[float]]:
        dataset = datasets.load(options.dataset)
        steps = len(dataset.train.labels) // training.BATCH * options.epochs
        schedule = schedule_for(steps, options.initial, options.final)
        weights = lenet5.load_weights(options.weights)
        task = Task(weights, dataset, options.epochs, schedule, options.optimizer, options.learning_rate)
        pruned = tool(task)
        check_sparsity(pruned.weights, options.final)
        lenet5.save_weights(options.output, pruned.weights)
        return _seconds(task, pruned, options.seconds)

    return program.answer(parser, measured, arguments)


def _seconds(task: Task, pruned: Pruned, budget_seconds: float) -> dict[str, list[float]]:
    """Check the answers of all three against those by hand from the same weights, then time them alternately."""
    images = first_images(task.dataset, training.BATCH)
    x = pruned.convert(images)
    expected = {name: _logits(weights, images) for name, weights in {"dense": task.weights, "stripped": pruned.weights}.items()}
    expected["unstripped"] = expected["stripped"]
    calls = {name: _call(getattr(pruned, name), x) for name in expected}
    for name, call in calls.items():
        assert_allclose(call(), expected[name], rtol=0, atol=TRAINED_ATOL, err_msg=name)
    return interleaved(calls, budget_seconds)


def _logits(weights: lenet5.Weights, images: NDArray[np.float32]) -> NDArray[np.float32]:
    net = by_hand(weights)
    return net.predict(net.tensor(images))


def _call(predict: Callable[[Any], NDArray[np.float32]], x: Any) -> Callable[[], NDArray[np.float32]]:
    return lambda: predict(x)
