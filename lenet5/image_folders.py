"""Images of one's own in a folder for each class, as torchvision's ImageFolder and Keras' image_dataset_from_directory read them.

    photos/cat/1.jpg      photos/cat/old/2.png      photos/dog/3.jpg

The folders are the classes, sorted by name.  Where DIR holds folders train, val and test, each of them holds the class folders, and they are
the splits; else a tenth of each class, and at least one image where it has three, is for validation, and as much for the test.  Which, is
always the same for the same names of files.  All are read in colour; `image_files` says what an image file is and how it is read.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lenet5 import image_files
from lenet5.architecture import IMAGE_SIDE
from lenet5.errors import InputError, shown
from lenet5.packages import imported

if TYPE_CHECKING:
    from lenet5.datasets import Raw

SPLITS = ("train", "val", "test")
FEW_IMAGES = 3
"""Images of a class of which one is for validation and one for the test; of fewer, all are trained on."""

RIGHT = "a folder for each class, with its images, would be right"

Files = list[tuple[Path, int]]
"""Image files and their labels."""


def read(directory: str) -> tuple[tuple[str, ...], tuple[Raw, Raw, Raw]]:
    """Names of the classes, and the images and labels of train, validation and test.   -> uint8 (n, 3, 32, 32), int64 (n,)

    Raises InputError, one line that names a file or a folder, for what is no such folder and for an image that cannot be read;
    NotInstalled without Pillow or tqdm.
    """
    check(directory)
    root = Path(directory)
    folders = _folders(root)
    if parts := _given_splits(root, folders):
        names = tuple(folder.name for folder in _folders(parts[0]))
        found = [_in_classes(part, names, every=part == parts[0]) for part in parts]
    else:
        names = tuple(folder.name for folder in folders)
        found = _split(_in_classes(root, names, every=True), len(names))
    if len(names) < 2:
        where, what = parts[0] if parts else root, f"one class only, {shown(names[0])}" if names else "no folder in it"
        raise InputError(f"{shown(where)}: {what}; {RIGHT}, and two classes or more")
    for files, part in zip(found, SPLITS, strict=True):
        if not files:
            right = f"{FEW_IMAGES} images or more in one of the classes" if not parts else f"images in {shown(root / part)}"
            raise InputError(f"{shown(root)}: no image is left for {part}; {right} would be right")
    train, validation, test = (_read_images(files, f"{directory} {part}") for files, part in zip(found, SPLITS, strict=True))
    return names, (train, validation, test)


def check(directory: str) -> None:
    """Raise InputError unless there is such a directory.  None is named where a shell's variable is not set."""
    if not directory:
        raise InputError(f"imagefolder: names no directory; imagefolder:DIR, with {RIGHT}")
    if not os.path.isdir(directory):
        raise InputError(f"imagefolder:{shown(directory)}: no such directory; one with {RIGHT}")


def _folders(place: Path) -> list[Path]:
    """The folders in a folder, sorted by name; hidden ones are passed over."""
    try:
        return sorted(one for one in place.iterdir() if one.is_dir() and not one.name.startswith("."))
    except OSError as error:
        raise InputError(f"{shown(place)}: cannot be listed ({error.strerror}); {RIGHT}") from error


def _given_splits(root: Path, folders: list[Path]) -> list[Path]:
    """The folders train, val and test, where they are the splits: all three are there, or nothing but some of them.  Else none."""
    names = {folder.name for folder in folders}
    if not names or not (names >= {*SPLITS} or names <= {*SPLITS}):
        return []
    if missing := [name for name in SPLITS if name not in names]:
        there = " and ".join(sorted(names))
        right = f"{', '.join(SPLITS)}, or the class folders in {shown(root)} itself, would be right"
        raise InputError(f"{shown(root)}: {there}, but no folder {missing[0]}; {right}")
    return [root / name for name in SPLITS]


def _in_classes(place: Path, names: tuple[str, ...], every: bool) -> Files:
    """The image files of each class folder; with ``every`` none of them may be empty or missing."""
    if foreign := [folder for folder in _folders(place) if folder.name not in names]:
        raise InputError(
            f"{shown(foreign[0])}: no such class to train on; one of {', '.join(map(shown, names[:9]))} would be right"
        )
    found: Files = []
    for label, name in enumerate(names):
        files = [*image_files.in_folder(place / name)] if (place / name).is_dir() else []
        if every and not files:
            raise InputError(f"{shown(place / name)}: no image in it ({', '.join(image_files.ENDINGS)}); {RIGHT}")
        found += [(file, label) for file in files]
    return found


def _split(files: Files, classes: int) -> list[Files]:
    """A tenth of each class for validation and as much for the test.  Other classes, or more of them, change nothing in a class."""
    parts: list[Files] = [[], [], []]
    labels = np.array([label for _, label in files])
    for label in range(classes):
        members = np.random.RandomState(0).permutation(np.flatnonzero(labels == label))
        held_out = max(1, (len(members) + 5) // 10) if len(members) >= FEW_IMAGES else 0
        ends = len(members) - 2 * held_out, len(members) - held_out
        for part, rows in zip(parts, np.split(members, ends), strict=True):
            part += [files[row] for row in rows]
    return parts


def _read_images(files: Files, what: str) -> Raw:
    """The pixels of all files, in an order that mixes the classes, behind a progress bar on a terminal.   -> (n, 3, 32, 32), (n,)"""
    tqdm = imported("imagefolder", "tqdm").tqdm
    order: NDArray[np.intp] = np.random.RandomState(0).permutation(len(files))
    images = np.empty((len(files), 3, IMAGE_SIDE, IMAGE_SIDE), np.uint8)
    for place, row in enumerate(tqdm(order, desc=what, unit=" images", disable=None, leave=False)):
        images[place] = image_files.read("imagefolder", files[row][0], "RGB", IMAGE_SIDE)
    return images, np.array([files[row][1] for row in order], np.int64)
