"""Networks that were trained to the end, kept as files for those who want to use them: ``--save-weights DIR``."""

from __future__ import annotations

from pathlib import Path

import lenet5
from lenet5 import about, storage
from lenet5.contract import Network
from lenet5.datasets import Dataset
from lenet5.errors import InputError, reason, shown


def check(folder: Path) -> None:
    """Make the folder, if it is not there, and raise InputError, one line, unless files can be made in it.

    Raises NotInstalled without the package safetensors.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise InputError(f"{shown(folder)}: cannot be made ({reason(error)}); name a folder that can") from error
    storage.check_place(_file(folder, "any"))


def save(folder: Path, framework: str, net: Network, dataset: Dataset) -> Path:
    """Write a network's weights, whole or not at all, with what a prediction needs beside them.   -> DIR/FRAMEWORK.safetensors"""
    file = _file(folder, framework)
    lenet5.save_weights(file, net.weights(), about.of(dataset, activation="relu"))
    return file


def _file(folder: Path, framework: str) -> Path:
    return folder / f"{framework}.safetensors"
