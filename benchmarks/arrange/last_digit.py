"""How far training carries a difference in the last digit: the yardstick for the distance between two trainings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lenet5
from lenet5 import training
from lenet5.contract import Network
from lenet5.datasets import Split

DRAWS = 3
"""How often the weights are moved.  Some draws round to the same training for many steps, most do not."""

MOST_EPOCHS = 2
"""In two epochs a difference grows to its full size, if it grows at all, and all trainings together take a few seconds."""


def moved(weights: Mapping[str, NDArray[np.float32]], seed: int) -> lenet5.Weights:
    """The weights, each moved to one of the two float32 numbers beside it, at random; 0, which has no last digit, stays."""
    random = np.random.RandomState(seed)

    def beside(array: NDArray[np.float32]) -> NDArray[np.float32]:
        towards = np.where(random.uniform(size=array.shape) < 0.5, -np.inf, np.inf).astype(np.float32)
        return np.where(array == 0, array, np.nextafter(array, towards))

    return {name: beside(array) for name, array in weights.items()}


def gaps(
    build: Callable[[Mapping[str, Any]], Network], weights: lenet5.Weights, split: Split, epochs: int, seed: int
) -> dict[str, Any]:
    """How far the training loss of each epoch lies from that of one training, in nats, for the same training and for others near it.

    ``again_gaps_nats``: of the same training once more, an epoch each; ``last_digit_gaps_nats``: of a training from `moved` weights,
    for each of `DRAWS`.  Epoch e is shuffled by ``seed`` + e, as `training.train` does.
    """

    def losses(start: Mapping[str, Any]) -> NDArray[np.float64]:
        net = build(start)
        return np.array([training.train_epoch(net, training.prepare(net, split, seed=seed + epoch)) for epoch in range(epochs)])

    first = losses(weights)
    return {
        "again_gaps_nats": abs(losses(weights) - first).tolist(),
        "last_digit_gaps_nats": [abs(losses(moved(weights, draw)) - first).tolist() for draw in range(DRAWS)],
    }
