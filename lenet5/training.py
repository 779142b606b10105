"""Train and evaluate a network of any framework: batches, epochs, learning curves, accuracy.  Written against the contract only."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5.by_hand.layers import cross_entropy
from lenet5.contract import SEEDS, Network, is_whole, whole_number
from lenet5.datasets import Dataset, Split
from lenet5.errors import InputError
from lenet5.packages import imported

BATCH = 64
EPOCHS = 30
LEARNING_RATE = 1e-3

LEAST_UPDATES, LEAST_BATCH = 20, 4
"""An epoch of a small set has so many updates, as long as each has so many images: an epoch of few updates learns little."""

EVALUATION_BATCH = 450
"""Images per call of predict when a whole split is evaluated.  One size for every split, so that no mode compiles a second time."""


@dataclass
class History:
    """The learning curves of one training run; a value an epoch."""

    train_loss_nats: list[float] = field(default_factory=list)
    """Mean over the epoch's steps of the loss before each step: the network moves meanwhile."""
    validation_loss_nats: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    epoch_seconds: list[float] = field(default_factory=list, compare=False)
    """How long the updates of each epoch took: without shuffling, converting and validation.  No part of what makes two curves equal."""


def batch_for(count: int) -> int:
    """A batch that a training split of so many images learns from: the largest power of two up to 64 with at least 20 updates an epoch.

    It is never less than 4, however few updates that leaves, or than all images where there are fewer.  From 1,280 images on it is
    64, the batch of everything that is measured here.
    """
    power = 1 << max(0, (count // LEAST_UPDATES).bit_length() - 1)
    return min(max(power, LEAST_BATCH), BATCH, count)


def batches(count: int, size: int, seed: int) -> Iterator[NDArray[np.intp]]:
    """Indices of each batch of one shuffled epoch; what does not fill a batch is left out, since a new shape means a new compilation.

    ``count``: images in the split; ``size``: images in a batch.   -> arrays (size,).  The same seed gives the same batches with every version of NumPy.  Raises InputError if not even one batch can be filled, and for a seed that there is not.
    """
    if not is_whole(size) or not 1 <= size <= count:
        raise InputError(f"batch: {size!r} does not fit a split of {count} images; use 1 to {count}")
    order = np.random.RandomState(whole_number("seed", seed, 0, SEEDS - 1)).permutation(count)
    for start in range(0, count - size + 1, size):
        yield order[start : start + size]


def logits_of(net: Network, images: NDArray[np.float32], batch: int = EVALUATION_BATCH) -> NDArray[np.float32]:
    """Logits of any number of images, in calls of one fixed batch size; the last call is filled up with copies of its first image.

    images (n, c, 32, 32) -> float32 (n, classes)   Raises InputError for a batch that is no whole number of at least 1.
    """
    batch = whole_number("batch", batch, 1)
    rows = []
    for start in range(0, len(images), batch):
        part = images[start : start + batch]
        filler = np.repeat(part[:1], batch - len(part), axis=0)
        rows.append(net.predict(net.tensor(np.concatenate([part, filler])))[: len(part)])
    return np.concatenate(rows)


def predictions(net: Network, images: NDArray[np.float32], batch: int = EVALUATION_BATCH) -> NDArray[np.intp]:
    """The class of each image: that of its largest logit.   images (n, c, 32, 32) -> classes (n,)"""
    classes: NDArray[np.intp] = logits_of(net, images, batch).argmax(1)
    return classes


def correct(predictions: NDArray[np.integer[Any]], labels: NDArray[np.integer[Any]]) -> int:
    """How many predictions are their image's label.   predictions (n,), labels (n,); InputError unless there are equally many"""
    if np.shape(predictions) != np.shape(labels):
        raise InputError(f"predictions: shape {np.shape(predictions)} does not fit labels of shape {np.shape(labels)}")
    return int(np.count_nonzero(predictions == labels))


def accuracy(logits: NDArray[Any], labels: NDArray[np.integer[Any]]) -> float:
    """Share of images whose largest logit is their label's, from 0 to 1.   logits (n, classes), labels (n,)"""
    return correct(logits.argmax(1), labels) / len(labels)


def evaluate(net: Network, split: Split) -> tuple[float, float]:
    """Mean cross-entropy in nats and accuracy on a split; nothing is learned from it."""
    logits = logits_of(net, split.images)
    loss, _ = cross_entropy(logits.astype(np.float64), split.labels)
    return float(loss), accuracy(logits, split.labels)


def train_epoch(net: Network, prepared: list[tuple[Any, Any]]) -> float:
    """One update for each prepared batch; the mean of their losses in nats.   prepared: (images, labels) pairs from `prepare`"""
    return float(np.mean([net.train_step(x, y) for x, y in prepared]))


def prepare(net: Network, split: Split, batch: int = BATCH, seed: int = 0) -> list[tuple[Any, Any]]:
    """One shuffled epoch of batches, as tensor() makes them: (images, labels) pairs.  Raises InputError as `batches` does."""
    return [(net.tensor(split.images[rows]), net.tensor(split.labels[rows])) for rows in batches(len(split.labels), batch, seed)]


def train(
    net: Network,
    dataset: Dataset,
    epochs: int = EPOCHS,
    batch: int = BATCH,
    seed: int = 0,
    progress: str | None = None,
    after_epoch: Callable[[History], None] | None = None,
) -> History:
    """Train for some epochs and evaluate on the validation split after each.

    Epoch e of seed s shuffles by seed s + e, and by 0 after the largest seed that there is, so that every network sees the same batches in the same order.  ``progress`` is the
    name of a progress bar, shown where standard error is a terminal; None shows no bar.  ``after_epoch`` is called with the curves so
    far, at the end of each epoch: what wants to keep the best weights, or to be there after Ctrl-C, does it there.  Raises InputError
    for less than one epoch, for a seed that there is not and for a batch that the training split cannot fill, NotInstalled for a progress
    bar without tqdm.
    """
    epochs, seed = whole_number("epochs", epochs, 1), whole_number("seed", seed, 0, SEEDS - 1)
    history = History()
    # disable=None: only where a terminal shows it
    bar = imported("progress", "tqdm").tqdm(range(epochs), desc=progress, unit="epoch", disable=None) if progress else None
    for epoch in range(epochs) if bar is None else bar:
        prepared = prepare(net, dataset.train, batch, (seed + epoch) % SEEDS)
        start = time.perf_counter()
        history.train_loss_nats.append(train_epoch(net, prepared))
        history.epoch_seconds.append(time.perf_counter() - start)  # every update has finished when train_step returns
        loss, share = evaluate(net, dataset.validation)
        history.validation_loss_nats.append(loss)
        history.validation_accuracy.append(share)
        if bar is not None:
            bar.set_postfix_str(f"loss {history.train_loss_nats[-1]:.3f}, validation {share:.1%}")
        if after_epoch is not None:
            after_epoch(history)
    return history
