"""Images of one's own: three text files that list them, in the format of the original report.

DIR/train.txt, val.txt and test.txt have lines ``path label``, one space between, paths relative to DIR.  They are UTF-8; a path may contain
spaces.  What editors leave has no meaning: a byte order mark, CRLF, blank lines, spaces and tabs at the end of a line.  The labels of train.txt are 0 to K-1 without a gap, K >= 2, and the other two have no further ones.
All images are grey (L) or all are colour (RGB, or a palette); nothing else is converted.  They are resized to 32 x 32 by Pillow's
bilinear filter, in the order red, green, blue (the original report read blue, green, red); a photograph is turned upright first, as its
EXIF data say.
"""

from __future__ import annotations

import codecs
import itertools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet5 import image_files
from lenet5.architecture import IMAGE_SIDE
from lenet5.errors import InputError, NotInstalled, reason, shown
from lenet5.packages import imported

if TYPE_CHECKING:
    from lenet5.datasets import Raw


class _Entry(NamedTuple):
    """A line of an image list, and where it stands: ``FILE:LINE``."""

    where: str
    path: str
    label: int


def read(directory: str) -> tuple[int, tuple[Raw, Raw, Raw]]:
    """Number of classes, and the images and labels of train, validation and test.   -> uint8 (n, c, 32, 32), int64 (n,)

    Raises InputError, one line ``FILE:LINE: what is wrong; what would be right``, at the first thing that breaks the format, and
    NotInstalled without Pillow or tqdm.
    """
    check(directory)
    train, validation, test = (_read_list(Path(directory, part)) for part in ("train.txt", "val.txt", "test.txt"))
    classes = _count_classes(train)
    for entry in validation + test:
        if entry.label >= classes:
            raise InputError(f"{entry.where}: label {entry.label} does not occur in train.txt; 0 to {classes - 1} would be right")
    channels = len(_read_image(directory, train[0]))
    return classes, (
        _read_images(directory, train, channels),
        _read_images(directory, validation, channels),
        _read_images(directory, test, channels),
    )


def check(directory: str) -> None:
    """Raise InputError unless there is such a directory.  None is named where a shell's variable is not set."""
    if not directory:
        raise InputError("imagelist: names no directory; imagelist:DIR, one with train.txt, val.txt, test.txt, would be right")
    if not os.path.isdir(directory):
        raise InputError(f"imagelist:{shown(directory)}: no such directory; one with train.txt, val.txt, test.txt would be right")


def _read_list(file: Path) -> list[_Entry]:
    """The lines of an image list, at least one, each checked by itself."""
    try:
        lines = file.read_bytes().removeprefix(codecs.BOM_UTF8).split(b"\n")
    except (OSError, ValueError) as error:
        raise InputError(f"{shown(file)}: {reason(error)}; a text file of lines `path label` would be right") from error
    entries = [_read_line(f"{shown(file)}:{number}", line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not entries:
        raise InputError(f"{shown(file)}: empty; at least one line `path label` would be right")
    return entries


def _read_line(where: str, line: bytes) -> _Entry:
    try:
        text = line.decode("utf-8").rstrip(" \t\r")
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: byte {error.start + 1} of the line is not UTF-8; text in UTF-8 would be right") from error
    path, _, label = text.rpartition(" ")
    if not path:
        raise InputError(f"{where}: {text!r:.200} is not a path and a label; `path label`, one space between, would be right")
    if not re.fullmatch("[0-9]{1,9}", label):
        raise InputError(f"{where}: label {label!r:.200} is not a class; a whole number from 0 to 999999999 would be right")
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
    tqdm = imported("imagelist", "tqdm").tqdm
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
    file = Path(directory, entry.path)
    if not os.path.isfile(file):
        raise InputError(f"{entry.where}: {entry.path!r:.200} is not a file; an image in {shown(directory)} would be right")
    try:
        return image_files.pixels("imagelist", file, _plain, IMAGE_SIDE)
    except NotInstalled:
        raise
    except Exception as error:  # on a damaged file Pillow's decoders raise errors of any kind
        right = "an image that Pillow reads, of mode L, RGB or P, not transparent, would be right"
        raise InputError(f"{entry.where}: {entry.path!r:.200}: {reason(error)}; {right}") from error


def _plain(image: Any) -> Any:
    """An image as it is, or the colours of its palette.  Raises ValueError for one that cannot be had without dropping something."""
    if image.mode not in ("L", "RGB", "P") or "transparency" in image.info:
        raise ValueError(f"mode {image.mode}" + (", transparent" if "transparency" in image.info else ""))
    return image.convert("RGB") if image.mode == "P" else image
