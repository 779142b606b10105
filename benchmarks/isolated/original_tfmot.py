"""The original report's pruning as it was done, and as it is meant, in a process of its own: tfmot works with Keras 2 (tf_keras) only.

    python -m benchmarks.isolated.original_tfmot DENSE.npz [--dataset NAME] [--epochs N]

As the original: prune_low_magnitude is called, its result is thrown away, and the model that went in trains on.  Prints how many weights
are zero after either, and the seconds of predicting a batch of 64.
"""

from __future__ import annotations

import sys

from benchmarks.isolated import prune_tfmot  # isort: skip  # before TensorFlow, whose Keras tfmot replaces in this process

import argparse
from pathlib import Path
from statistics import median
from typing import Any

import tensorflow_model_optimization as tfmot
import tf_keras

import lenet5
from benchmarks.arrange.clock import interleaved
from benchmarks.arrange.keras_models import model_of, weights_of
from benchmarks.arrange.problem import first_images
from benchmarks.isolated import program
from benchmarks.isolated.prune import Task
from lenet5 import datasets
from lenet5.architecture import LAYERS
from lenet5.compression import weighing
from lenet5.compression.gradual import schedule_for
from lenet5.training import BATCH, LEARNING_RATE

TITLE = "tfmot as in the original report"
FRAMEWORK = "tensorflow"
PACKAGES = ("tensorflow", "tf_keras", "tensorflow_model_optimization")


def measure(task: Task, budget_seconds: float) -> dict[str, Any]:
    """Zero weights and seconds a batch: wrapper thrown away, wrapper used."""
    model = model_of(tf_keras, task.weights)
    tfmot.sparsity.keras.prune_low_magnitude(model)  # the original's mistake: the result is not used
    prune_tfmot.fit(model, task, [])
    as_original = weights_of(model)
    honest = prune_tfmot.prune(task)

    weighing.check_sparsity(as_original, wanted=0, tolerance=0)
    weighing.check_sparsity(honest.weights, task.schedule.final)

    x = honest.convert(first_images(task.dataset, BATCH))
    predict = prune_tfmot.graph(model)
    seconds = interleaved({"as_original": lambda: predict(x), "honest": lambda: honest.stripped(x)}, budget_seconds)
    return {
        "as_original_seconds": median(seconds["as_original"]),
        "honest_seconds": median(seconds["honest"]),
        "as_original_zeros": zeros(as_original),
        "honest_zeros": zeros(honest.weights),
        "kernel_weights": sum(as_original[f"{layer}.weight"].size for layer in LAYERS),
        "epochs": task.epochs,
    }


def zeros(weights: lenet5.Weights) -> int:
    """How many weights of all kernels are exactly zero."""
    return sum(int((weights[f"{layer}.weight"] == 0).sum()) for layer in LAYERS)


def main(arguments: list[str] | None = None) -> int:
    """Measure once and print the JSON; exit codes as in `program.answer`: zeros where there should be none count as bad input."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.isolated.original_tfmot", description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path, help="the dense network, canonical .npz")
    parser.add_argument("--dataset", default="colour-digits")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=1.0, help="how long to time predictions")

    def measured(options: argparse.Namespace) -> dict[str, Any]:
        dataset = datasets.load(options.dataset)
        schedule = schedule_for(len(dataset.train.labels) // BATCH * options.epochs)
        task = Task(lenet5.load_weights(options.weights), dataset, options.epochs, schedule, "adam", LEARNING_RATE)
        return measure(task, options.seconds)

    return program.answer(parser, measured, arguments)


if __name__ == "__main__":
    sys.exit(main())
