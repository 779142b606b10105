"""Structured pruning: whole filters and units leave, the arrays get smaller, and what is left is a LeNet-5 like any other.

    scores = taylor(weights, images, labels)              # what each filter and unit is worth, by training images
    keep = choose(weights, scores, macs=300_000)          # which of them stay
    smaller = remove(weights, keep)                       # every implementation runs these as they are

Networks take them as they are, because all layer sizes are read off the weights.  The classes stay, so fc3 keeps its outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5 import cost, training
from lenet5.architecture import LAYERS, checked
from lenet5.by_hand.fused import FusedLeNet5
from lenet5.contract import SEEDS, Network, Weights, check_option, whole_number
from lenet5.datasets import Dataset
from lenet5.errors import InputError

HIDDEN = LAYERS[:-1]
"""The layers that may lose outputs."""

Keep = dict[str, NDArray[np.intp]]
"""Layer -> the filters or units that stay, in increasing order."""

Scores = dict[str, NDArray[np.float64]]
"""Layer -> what each of its filters or units is worth; comparable across layers."""


def remove(weights: Mapping[str, Any], keep: Mapping[str, Any]) -> Weights:
    """A copy of the weights without the outputs that are not kept, and without what later took them as inputs.

    ``keep``: layer -> numbers of the outputs that stay, in any order; a layer that is not named keeps all.  Each filter of conv2 is 25 neighbouring inputs of fc1, channel first.  Nothing is trained, and
    what a removed output added by its bias alone is gone too.  Raises InputError for a layer that has no outputs to spare, for an
    output that it does not have, and where a whole layer would go.
    """
    arrays = checked(weights)
    for layer, outputs in keep.items():
        check_option("layer", layer, HIDDEN)
        count = len(arrays[f"{layer}.bias"])
        chosen = _chosen(layer, outputs, count)
        for name in (f"{layer}.weight", f"{layer}.bias"):
            arrays[name] = arrays[name][chosen]
        reader = _reader(arrays, LAYERS[LAYERS.index(layer) + 1])
        inputs = arrays[reader]
        by_output = inputs.reshape(len(inputs), count, -1)
        arrays[reader] = by_output[:, chosen].reshape(len(inputs), -1, *inputs.shape[2:])
    return checked(arrays)


def norms(weights: Mapping[str, Any]) -> Scores:
    """The Euclidean norm of each filter's and unit's own weights, as a multiple of its layer's root mean square norm.

    Needs no image (Li et al. 2017, arXiv:1608.08710); the multiple is what makes layers of unlike sizes comparable.
    """
    scores = {}
    for layer in HIDDEN:
        kernel = np.asarray(weights[f"{layer}.weight"], np.float64)
        squares = (kernel.reshape(len(kernel), -1) ** 2).sum(1)
        scores[layer] = np.sqrt(squares / (squares.mean() or 1))
    return scores


def taylor(
    weights: Mapping[str, Any],
    images: NDArray[np.float32],
    labels: NDArray[np.integer[Any]],
    activation: str = "relu",
    batch: int = training.BATCH,
) -> Scores:
    """What the loss would change by, squared, if an output were gone: the mean over batches of (sum of weight x gradient)^2.

    The sum runs over a filter's or unit's own weights and its bias (Molchanov et al. 2019, arXiv:1906.10771, eq. 8, group form).
    images (n, c, 32, 32), labels (n,).  Raises InputError without images, and for a batch of less than one.
    """
    arrays = checked(weights)
    net = FusedLeNet5(arrays, activation)
    batch = whole_number("batch", batch, 1)
    starts = range(0, len(labels), batch)
    if not starts:
        raise InputError("images: none are given; the Taylor criterion needs at least one training image")
    scores = {layer: np.zeros(len(arrays[f"{layer}.bias"])) for layer in HIDDEN}
    for start in starts:
        rows = slice(start, start + batch)
        _, gradients = net.gradients(images[rows], labels[rows])
        for layer, total in scores.items():
            products = [arrays[name] * gradients[name] for name in (f"{layer}.weight", f"{layer}.bias")]
            change = sum(product.reshape(len(total), -1).sum(1, dtype=np.float64) for product in products)
            total += change**2 / len(starts)
    return scores


def choose(weights: Mapping[str, Any], scores: Scores, macs: int) -> Keep:
    """Which filters and units stay if an image may cost that many multiply-accumulates: those that lose the least of all scores.

    For every number of filters that the first layer may keep, one output of the others after the other goes, always the one that is
    worth least for each MAC that it would save at that moment, never the last of a layer; the best of these stays.  (A filter of conv1
    is so dear that taking it like any other would overshoot.)  Raises InputError where one output a layer costs more than that.
    """
    arrays = checked(weights)
    first = HIDDEN[0]
    order = {layer: np.argsort(-scores[layer], kind="stable") for layer in HIDDEN}  # the most valuable first
    found = [
        keep
        for count in range(1, len(order[first]) + 1)
        if (keep := _within(arrays, scores, {**order, first: order[first][:count]}, macs))
    ]
    if not found:
        narrowest = cost.forward_macs(remove(arrays, {layer: outputs[:1] for layer, outputs in order.items()}))
        raise InputError(
            f"macs: {macs:,} an image are fewer than the {narrowest:,} of one filter or unit a layer; ask for at least those"
        )
    best = max(found, key=lambda keep: sum(scores[layer][outputs].sum() for layer, outputs in keep.items()))
    return {layer: np.sort(outputs) for layer, outputs in best.items()}


def _within(arrays: Weights, scores: Scores, left: Keep, macs: int) -> Keep | None:
    """What is left once outputs behind the first layer have gone, one by one, until an image costs at most ``macs``; None if it never does."""
    now = cost.forward_macs(remove(arrays, left))
    while now > macs:
        shorter = {layer: {**left, layer: left[layer][:-1]} for layer in HIDDEN[1:] if len(left[layer]) > 1}
        if not shorter:
            return None
        after = {layer: cost.forward_macs(remove(arrays, keep)) for layer, keep in shorter.items()}
        least = min(after, key=lambda layer: scores[layer][left[layer][-1]] / (now - after[layer]))
        left, now = shorter[least], after[least]
    return left


def slim(
    build: Callable[[Weights], Network],
    weights: Mapping[str, Any],
    dataset: Dataset,
    macs: int,
    stages: int = 4,
    epochs: int = 3,
    activation: str = "relu",
    seed: int = 0,
) -> Weights:
    """Prune to that many MACs an image in several stages, each by the same factor, and train for ``epochs`` after each.

    ``build`` makes a network of some weights, in any framework: ``lambda weights: LeNet5(weights, optimizer="adam")``.  Outputs get
    their scores from `taylor` on the training images.  Raises InputError where one output a layer costs more MACs than that, for less
    than one stage or 0 epochs, and for a seed that there is not.
    """
    arrays = checked(weights)
    stages, epochs = whole_number("stages", stages, 1), whole_number("epochs", epochs, 0)
    seed = whole_number("seed", seed, 0, SEEDS - 1)
    start = cost.forward_macs(arrays)
    for stage in range(1, stages + 1):
        target = macs if stage == stages else round(start * (macs / start) ** (stage / stages))
        scores = taylor(arrays, dataset.train.images, dataset.train.labels, activation)
        net = build(remove(arrays, choose(arrays, scores, target)))
        for epoch in range(epochs):
            training.train_epoch(net, training.prepare(net, dataset.train, seed=(seed + stage * epochs + epoch) % SEEDS))
        arrays = net.weights()
    return arrays


def _chosen(layer: str, outputs: Any, count: int) -> NDArray[np.intp]:
    """The outputs that stay, in increasing order, if the layer has them."""
    chosen = np.unique(np.asarray(outputs, np.intp)) if np.size(outputs) else np.empty(0, np.intp)
    if not len(chosen):
        raise InputError(f"keep: {layer} would lose all {count} of its outputs; at least one has to stay")
    if chosen[0] < 0 or chosen[-1] >= count:
        wrong = chosen[0] if chosen[0] < 0 else chosen[-1]
        raise InputError(f"keep: {layer} has no output {wrong}; use whole numbers from 0 to {count - 1}")
    return chosen


def _reader(arrays: Mapping[str, Any], layer: str) -> str:
    """The array of a layer that is multiplied by its inputs: its weight, or the basis before it."""
    return f"{layer}.basis" if f"{layer}.basis" in arrays else f"{layer}.weight"
