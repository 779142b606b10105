"""``python -m lenet5 train``: a network from a folder of images, its progress on the way, and its best weights in a file."""

from __future__ import annotations

import argparse
import math
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import lenet5
from lenet5 import about, curves, datasets, storage, training
from lenet5.architecture import Architecture, initial_weights
from lenet5.contract import ACTIVATIONS, Network, Weights
from lenet5.datasets import Dataset
from lenet5.errors import InputError, complain, say, shown
from lenet5.packages import need
from lenet5.training import History

INTERRUPTED = 130
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
    parser.add_argument("--epochs", type=whole_number, default=training.EPOCHS, metavar="N", help=f"Default: {training.EPOCHS}.")
    parser.add_argument(
        "--batch", type=whole_number, metavar="N", help="Images an update; by default chosen for the number of images."
    )
    rate = training.LEARNING_RATE
    parser.add_argument("--learning-rate", type=_rate, default=rate, metavar="X", help=f"Adam's; default: {rate}.")
    parser.add_argument("--activation", choices=ACTIVATIONS, default="relu", help="After each hidden layer; default: relu.")
    parser.add_argument("--seed", type=_seed, default=0, metavar="N", help="Of the first weights and of the order; default: 0.")
    parser.add_argument("--save", type=Path, metavar="FILE", help="Where the best weights go: .safetensors or .npz.")
    parser.add_argument("--plot", type=Path, metavar="FILE", help=f"Draw the learning curves: {', '.join(curves.ENDINGS)}.")
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
        self.history = deepcopy(history)  # Ctrl-C may come in the middle of the next epoch, when its curves are of unequal length
        merits = [(share, -loss) for share, loss in zip(history.validation_accuracy, history.validation_loss_nats, strict=True)]
        if math.isfinite(merits[-1][1]) and (not self.epoch or merits[-1] > merits[self.epoch - 1]):
            self.epoch, self.weights = len(merits), self.net.weights()


def run(options: argparse.Namespace) -> int:
    """Train, save, draw and test; 130 if Ctrl-C ended the training."""
    own = options.dataset.startswith((datasets.IMAGEFOLDER, datasets.IMAGELIST))
    saves = options.save and options.save.suffix == ".safetensors"
    need("train", "tqdm", *["PIL"] * own, *["safetensors"] * bool(saves), *["matplotlib"] * bool(options.plot))
    if options.save:
        storage.check_place(options.save)
    if options.plot:
        curves.check_place(options.plot)
    data = datasets.load(options.dataset)
    batch = _announce(data, options)
    first = initial_weights(Architecture(data.channels, data.classes, options.activation), options.seed)
    LeNet5 = lenet5.implementation(options.framework)
    net = LeNet5(first, activation=options.activation, learning_rate=options.learning_rate)
    best, interrupted = Best(net), False
    try:
        training.train(net, data, options.epochs, batch, options.seed, progress=options.framework, after_epoch=best.look)
    except KeyboardInterrupt:
        interrupted = True
    epochs = len(best.history.validation_accuracy)
    if not epochs:
        complain("interrupted before the first epoch ended: there is nothing to keep")
        return INTERRUPTED
    if not best.epoch:
        right = f"one below {options.learning_rate:g} would be right"
        raise InputError(f"--learning-rate {options.learning_rate:g}: the loss is no number after epoch {epochs}; {right}")
    if options.save:
        storage.save_weights(options.save, best.weights, about.of(data, options.activation))
    if options.plot:
        curves.draw(options.plot, best.history, f"{shown(data.name)[-LONGEST_NAME:]}, {options.framework}", best.epoch)
    if interrupted:
        complain(f"interrupted after epoch {epochs} of {options.epochs}")
    net.load(best.weights)
    _conclude(net, data, best, options)
    return INTERRUPTED if interrupted else 0


def _announce(data: Dataset, options: argparse.Namespace) -> int:
    """Say what is learned from, and in which steps.   -> the batch"""
    train, validation, test = (len(split.labels) for split in (data.train, data.validation, data.test))
    names = [shown(name) for name in data.names[:MOST_NAMES]] + ["..."] * (data.classes > MOST_NAMES)
    say(f"{shown(data.name)}: {train} images to train on, {validation} for validation, {test} for the test")
    say(f"{data.classes} classes: {', '.join(names)}")
    batch: int = options.batch or training.batch_for(train)
    if batch > train:
        raise InputError(f"--batch {batch}: there are {train} images to train on; 1 to {train} would be right")
    chosen = "" if options.batch else f" (chosen for {train} images; --batch N chooses another)"
    updates = train // batch
    say(f"batches of {batch} image{'s' * (batch > 1)}, so {updates} update{'s' * (updates > 1)} an epoch{chosen}")
    return batch


def _conclude(net: Network, data: Dataset, best: Best, options: argparse.Namespace) -> None:
    """Say what was learned, how good it is on images that were not looked at before, and where it is."""
    share = best.history.validation_accuracy[best.epoch - 1]
    say(f"epoch {best.epoch} was the best: {share:.1%} of the validation images right")
    _, share = training.evaluate(net, data.test)
    images = len(data.test.labels)
    say(f"of the test images {round(share * images)} of {images} right ({share:.1%})")
    say(f"saved: {shown(options.save)}" if options.save else "not saved: --save FILE would have kept the network")
    if options.plot:
        say(f"drawn: {shown(options.plot)}")


def whole_number(text: str) -> int:
    """The value of an option that counts."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r:.80} is no whole number of at least 1")
    return int(text)


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"{text!r:.80} is no whole number from 0 to {2**32 - 1}")
    return int(text)


def _rate(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r:.80} is no number above 0")
    return value
