"""``python -m lenet5 train``: a network from a folder of images, its progress on the way, and its best weights in a file."""

from __future__ import annotations

import argparse
import math
import warnings
from copy import deepcopy
from dataclasses import dataclass, field

import lenet5
from lenet5 import about, curves, datasets, options, storage, training
from lenet5.architecture import Architecture, initial_weights
from lenet5.contract import ACTIVATIONS, Network, Weights
from lenet5.datasets import Dataset
from lenet5.errors import INTERRUPTED, InputError, complain, say, shown
from lenet5.packages import need
from lenet5.training import History

MOST_NAMES = 12
"""So many classes are named before the training."""

LONGEST_NAME = 80
"""So many letters of a data set's name, its last ones, have room above the curves."""

DESCRIPTION = """\
Train a network on images. After each epoch it is tried on the validation
images; the best epoch is saved, and tried on the test images."""

EXAMPLES = """\
examples:
  python -m lenet5 train imagefolder:photos --epochs 12 --save net.safetensors
  python -m lenet5 train digits --epochs 5 --plot curves.svg

Ctrl-C ends the training; the best epoch until then is saved and drawn."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("train", help="train a network on images, and save it", epilog=EXAMPLES, description=DESCRIPTION)
    names = f"{', '.join(datasets.NAMES)}, {datasets.IMAGEFOLDER}DIR, {datasets.IMAGELIST}DIR"
    parser.add_argument("dataset", metavar="DATASET", help=f"The images: {names}.")
    trains = [name for name in lenet5.frameworks() if lenet5.trains(name)]
    default = lenet5.reference()[0]
    parser.add_argument(
        "--framework", choices=trains, default=default, help=f"What trains: {', '.join(trains)} (default: {default})."
    )
    parser.add_argument(
        "--epochs",
        type=options.whole_number,
        default=training.EPOCHS,
        metavar="N",
        help=f"How often the training images are looked at, but for those that fill no batch; default: {training.EPOCHS}.",
    )
    parser.add_argument(
        "--batch", type=options.whole_number, metavar="N", help="Images an update; by default chosen for the number of images."
    )
    rate = training.LEARNING_RATE
    parser.add_argument("--learning-rate", type=options.rate, default=rate, metavar="X", help=f"Adam's; default: {rate}.")
    parser.add_argument("--activation", choices=ACTIVATIONS, default="relu", help="After each hidden layer; default: relu.")
    parser.add_argument(
        "--seed", type=options.seed, default=0, metavar="N", help="Of the first weights and of the order; default: 0."
    )
    parser.add_argument("--save", type=options.path, metavar="FILE", help="Where the best weights go: .safetensors or .npz.")
    parser.add_argument("--plot", type=options.path, metavar="FILE", help=f"Draw the learning curves: {', '.join(curves.ENDINGS)}.")
    parser.set_defaults(function=run, parser=parser)


@dataclass
class Best:
    """The epoch with the most validation images right, and of equals the one with the lower loss, as far as the training has come."""

    net: Network
    history: History = field(default_factory=History)
    epoch: int = 0
    weights: Weights = field(default_factory=dict)

    def look(self, history: History) -> None:
        """Remember the epoch that has just ended, if it is the best.  One whose loss is no number has learned nothing."""
        merits = [(share, -loss) for share, loss in zip(history.validation_accuracy, history.validation_loss_nats, strict=True)]
        better = math.isfinite(merits[-1][1]) and (not self.epoch or merits[-1] > merits[self.epoch - 1])
        epoch, weights = (len(merits), self.net.weights()) if better else (self.epoch, self.weights)
        # A copy, and all at once: Ctrl-C may come here, or in the middle of the next epoch, when its curves are of unequal length.
        self.history, self.epoch, self.weights = deepcopy(history), epoch, weights


def run(asked: argparse.Namespace) -> int:
    """Train, save, draw and test; 130 if Ctrl-C ended the training."""
    own = asked.dataset.startswith((datasets.IMAGEFOLDER, datasets.IMAGELIST))
    saves = asked.save and asked.save.suffix == ".safetensors"
    need("train", "tqdm", *["PIL"] * own, *["safetensors"] * bool(saves), *["matplotlib"] * bool(asked.plot))
    if asked.save:
        storage.check_place(asked.save)
    if asked.plot:
        curves.check_place(asked.plot)
    data = datasets.load(asked.dataset)
    batch = _announce(data, asked)
    first = initial_weights(Architecture(data.channels, data.classes, asked.activation), asked.seed)
    LeNet5 = lenet5.implementation(asked.framework)
    net = LeNet5(first, activation=asked.activation, learning_rate=asked.learning_rate)
    best, interrupted = Best(net), False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's, of numbers too large: the loss says it, in one line
            training.train(net, data, asked.epochs, batch, asked.seed, progress=asked.framework, after_epoch=best.look)
    except KeyboardInterrupt:
        interrupted = True
    epochs = len(best.history.validation_accuracy)
    if not epochs:
        complain("interrupted before the first epoch ended: there is nothing to keep")
        return INTERRUPTED
    if not best.epoch:
        what = f"the loss is no number after epoch {epochs}"
        raise InputError(f"--learning-rate {asked.learning_rate:g}: {what}; a smaller one would be right")
    if asked.save:
        storage.save_weights(asked.save, best.weights, about.of(data, asked.activation))
    if asked.plot:
        curves.draw(asked.plot, best.history, f"{shown(data.name)[-LONGEST_NAME:]}, {asked.framework}", best.epoch)
    if interrupted:
        complain(f"interrupted after epoch {epochs} of {asked.epochs}")
    net.load(best.weights)
    _conclude(net, data, best, asked)
    return INTERRUPTED if interrupted else 0


def _announce(data: Dataset, asked: argparse.Namespace) -> int:
    """Say what is learned from, and in which steps.   -> the batch"""
    train, validation, test = (len(split.labels) for split in (data.train, data.validation, data.test))
    names = [shown(name) for name in data.names[:MOST_NAMES]] + ["..."] * (data.classes > MOST_NAMES)
    say(f"{shown(data.name)}: {train} images to train on, {validation} for validation, {test} for the test")
    say(f"{data.classes} classes: {', '.join(names)}")
    batch: int = asked.batch or training.batch_for(train)
    if batch > train:
        raise InputError(f"--batch {batch}: there are {train} images to train on; 1 to {train} would be right")
    chosen = "" if asked.batch else f" (chosen for {train} images; --batch N chooses another)"
    updates = train // batch
    say(f"batches of {batch} image{'s' * (batch > 1)}, so {updates} update{'s' * (updates > 1)} an epoch{chosen}")
    return batch


def _conclude(net: Network, data: Dataset, best: Best, asked: argparse.Namespace) -> None:
    """Say what was learned, how good it is on images that were not looked at before, and where it is."""
    share = best.history.validation_accuracy[best.epoch - 1]
    say(f"epoch {best.epoch} was the best: {share:.1%} of the validation images right")
    _, share = training.evaluate(net, data.test)
    images = len(data.test.labels)
    say(f"of the test images {round(share * images)} of {images} right ({share:.1%})")
    say(f"saved: {shown(asked.save)}" if asked.save else "not saved: --save FILE would have kept the network")
    if asked.plot:
        say(f"drawn: {shown(asked.plot)}")
