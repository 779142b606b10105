"""One training to the end, from the initial weights and with the shuffles of one seed, in a process of its own.

    python -m benchmarks.isolated.train FRAMEWORK MODE SEED [--dataset NAME] [--epochs N]

Every framework has the same initial weights and the same batches for a seed.  Seed 0 is the training that the group `train` measures.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from numpy.testing import assert_allclose

import lenet5
from benchmarks.arrange import honest, problem
from benchmarks.arrange.clock import timed
from benchmarks.arrange.problem import ATOL, LEARNING_RATE
from benchmarks.isolated import program
from lenet5 import datasets, training

STEPS_CHECKED = 2
"""The second loss depends on every gradient of the first step."""


def first_shuffle(seed: int, epochs: int) -> int:
    """The seed of the first epoch's shuffle: those of the later epochs follow it, and no two seeds have one in common."""
    return seed * epochs


def train(framework: str, mode: str, seed: int, dataset: datasets.Dataset, epochs: int) -> dict[str, Any]:
    """What the network has learned, and the seconds that it took.  Raises AssertionError if its first losses are not the reference's."""
    weights = lenet5.initial_weights(lenet5.Architecture(dataset.channels, dataset.classes), seed)
    implementation = lenet5.implementation(framework)
    options: dict[str, Any] = {"optimizer": "adam", "learning_rate": LEARNING_RATE}
    net = honest.watched(implementation(weights, mode=mode, **options), f"{framework} {mode}")
    reference = problem.reference(weights, **options)
    shuffle = first_shuffle(seed, epochs)
    found, expected = (
        [one.train_step(*training.prepare(one, dataset.train, seed=shuffle)[0]) for _ in range(STEPS_CHECKED)]
        for one in (net, reference)
    )
    assert_allclose(found, expected, rtol=0, atol=ATOL)

    net.load(weights)
    history, seconds = timed(lambda: training.train(net, dataset, epochs, seed=shuffle))
    predictions = training.predictions(net, dataset.test.images)
    return {
        "correct": training.correct(predictions, dataset.test.labels),
        "test_images": len(predictions),
        "last_loss_nats": history.train_loss_nats[-1],
        "threads": implementation.describe()["threads"],
        "seconds": seconds,
    }


def main(arguments: list[str] | None = None) -> int:
    """Train once and print the JSON; exit codes as in `program.answer`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("framework")
    parser.add_argument("mode")
    parser.add_argument("seed", type=int)
    parser.add_argument("--dataset", default="colour-digits")
    parser.add_argument("--epochs", type=int, default=training.EPOCHS)
    return program.answer(
        parser,
        lambda asked: train(asked.framework, asked.mode, asked.seed, datasets.load(asked.dataset), asked.epochs),
        arguments,
    )


if __name__ == "__main__":
    sys.exit(main())
