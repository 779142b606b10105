"""What is done to a trained network to make it smaller: every point of the compression sweep by name, made from weights alone.

    compressed = make("structured", 0.5, dense, dataset, epochs=10)

After the cut every point is trained further, on the training split and by hand; its weights run in every framework.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import lenet5
from benchmarks.arrange.problem import LEARNING_RATES, SEED, by_hand
from lenet5 import cost, training
from lenet5.compression import gradual, low_rank, structured, weighing
from lenet5.contract import Network, check_option
from lenet5.datasets import Dataset

SWEEP: Mapping[str, tuple[float, ...]] = {
    "structured": (0.7, 0.5, 0.35, 0.25, 0.15, 0.1),
    "low rank fc1": (64, 32, 16, 8),
    "low rank conv2": (12, 8, 4),
    "sparse": (0.5, 0.7, 0.8, 0.9, 0.95, 0.98),
}
"""Technique -> its settings: share of the dense network's MACs; rank; share of zeros in each kernel.

With 3 channels one filter of conv1 alone is 9 % of all MACs, so that whole filters cannot go below 9.4 %.
"""


SPARSE_RATE = 0.03
"""Learning rate of gradient descent with masks, chosen on the validation images among 0.1, 0.03 and 0.01.  At 0.1, the rate that trains a
network from its beginning, a network that Adam has trained leaves its minimum."""


@dataclass(frozen=True)
class Compressed:
    """A network that a technique has made smaller."""

    weights: lenet5.Weights
    stored_bytes: int
    """Of the weights in the form that the technique is for."""
    form: str
    """What that form is."""

    @property
    def macs_per_image(self) -> int:
        """Multiply-accumulates that are executed: every implementation multiplies by scattered zeros as by any other number."""
        return cost.forward_macs(self.weights)


def make(technique: str, setting: float, dense: lenet5.Weights, dataset: Dataset, epochs: int) -> Compressed:
    """Compress a trained network and train it further for this many epochs.  Raises InputError for an unknown technique."""
    check_option("technique", technique, tuple(SWEEP))
    weights = _TECHNIQUES[technique](dense, setting, dataset, epochs)
    if technique == "sparse":
        return Compressed(weights, weighing.sparse_bytes(weights), "sparse rows")
    return Compressed(weights, weighing.dense_bytes(weights), "float32")


def label(technique: str, setting: float) -> str:
    """A point's name in the report: ("structured", 0.5) -> 'structured, 50 % of the MACs'"""
    if technique == "structured":
        return f"{technique}, {100 * setting:g} % of the MACs"
    if technique == "sparse":
        return f"{technique}, {100 * setting:g} % zeros"
    return f"{technique}, rank {setting:g}"


def _structured(dense: lenet5.Weights, share: float, dataset: Dataset, epochs: int) -> lenet5.Weights:
    """In several cuts, each with its share of the epochs."""
    rounds = min(4, epochs)
    macs = round(share * cost.forward_macs(dense))
    return structured.slim(_learner, dense, dataset, macs, rounds, epochs // rounds, seed=SEED)


def _low_rank(layer: str, dense: lenet5.Weights, rank: float, dataset: Dataset, epochs: int) -> lenet5.Weights:
    factored = low_rank.factorize(dense, {layer: int(rank)})
    net = _learner(factored)
    for epoch in range(epochs):
        training.train_epoch(net, training.prepare(net, dataset.train, seed=SEED + epoch))
    return net.weights()


def _sparse(dense: lenet5.Weights, sparsity: float, dataset: Dataset, epochs: int) -> lenet5.Weights:
    """The masks that tfmot would draw, from half that sparsity upwards."""
    net = by_hand(dense, optimizer="sgd", learning_rate=SPARSE_RATE)
    steps = len(dataset.train.labels) // training.BATCH * epochs
    gradual.fine_tune(net, dataset, gradual.schedule_for(steps, sparsity / 2, sparsity), epochs, seed=SEED)
    return net.weights()


def _learner(weights: lenet5.Weights) -> Network:
    return by_hand(weights, optimizer="adam", learning_rate=LEARNING_RATES["adam"])


_TECHNIQUES: Mapping[str, Callable[[lenet5.Weights, float, Dataset, int], lenet5.Weights]] = {
    "structured": _structured,
    "low rank fc1": partial(_low_rank, "fc1"),
    "low rank conv2": partial(_low_rank, "conv2"),
    "sparse": _sparse,
}
