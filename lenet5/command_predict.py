"""``python -m lenet5 predict``: what a saved network sees in image files, one line for each."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import lenet5
from lenet5 import image_files, options, storage, training
from lenet5.about import About
from lenet5.architecture import IMAGE_SIDE
from lenet5.by_hand.each_layer import softmax
from lenet5.contract import Network
from lenet5.errors import InputError, complain, say, shown
from lenet5.packages import need

MODES = {1: "L", 3: "RGB"}
"""Channels of a network -> Pillow's name for images that have them."""

IMAGES_A_CALL = 64

DESCRIPTION = "Say what a saved network sees in images: one line for each on standard output."

EXAMPLES = """\
examples:
  python -m lenet5 predict net.safetensors photo.jpg
  python -m lenet5 predict net.safetensors photos/cat --top 3

A line is the path, a tab, the class, a tab and its probability. A file that is
no image gets a line on standard error; the others are predicted all the same,
and the exit code is 2."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("predict", help="say what is in an image", epilog=EXAMPLES, description=DESCRIPTION)
    parser.add_argument("network", type=options.path, metavar="FILE", help="The network: .safetensors, .npz, .pt or .pth.")
    parser.add_argument("images", type=options.path, nargs="+", metavar="IMAGE", help="Image files, and folders of them.")
    parser.add_argument(
        "--top", type=options.whole_number, default=1, metavar="K", help="The K likeliest classes in the line; default: 1."
    )
    parser.set_defaults(function=run, parser=parser)


def run(asked: argparse.Namespace) -> int:
    """Predict; 0 if every image could be read, else 2."""
    need("predict", "PIL", *(["safetensors"] if asked.network.suffix == ".safetensors" else []))
    weights, about = storage.load_network(asked.network)
    channels = weights["conv1.weight"].shape[1]
    if channels not in MODES:
        raise InputError(f"{shown(asked.network)}: takes images of {channels} channels; 1 (grey) or 3 (colour) would be right")
    if assumed := _assumed(about):
        complain(f"{shown(asked.network)}: does not say {', '.join(assumed)}")
    net = lenet5.fitting(lenet5.reference()[0], weights, activation=about.activation or "relu")
    names = about.names or tuple(map(str, range(weights["fc3.weight"].shape[0])))
    unread = 0
    waiting: list[tuple[Path, NDArray[np.float32]]] = []
    for image in _images(asked.images, about, channels):
        if isinstance(image, InputError):
            complain(image)
            unread += 1
            continue
        waiting.append(image)
        if len(waiting) == IMAGES_A_CALL:
            if not _predict(net, asked.network, waiting, names, asked.top):
                waiting = []
                break  # the reader has read enough
            waiting = []
    if waiting:
        _predict(net, asked.network, waiting, names, asked.top)
    return 2 if unread else 0


def _assumed(about: About) -> list[str]:
    """What the file does not say, and what is taken for it."""
    said = {
        "what was taken off the images (taken: nothing, pixels / 255)": about.mean,
        f"the size of the images (taken: {IMAGE_SIDE} x {IMAGE_SIDE})": about.side,
        "the activation (taken: relu)": about.activation,
        "the names of the classes (they are numbers)": about.names,
    }
    return [what for what, value in said.items() if value is None]


def _images(arguments: list[Path], about: About, channels: int) -> Iterator[tuple[Path, NDArray[np.float32]] | InputError]:
    """Each image that the arguments name, those of a folder sorted; in the place of one that cannot be read the reason."""
    for argument in arguments:
        try:
            files = [*image_files.in_folder(argument)] if argument.is_dir() else [argument]
        except InputError as error:
            yield error
            continue
        if not files:
            yield InputError(f"{shown(argument)}: no image in it; one of {', '.join(image_files.ENDINGS)} would be right")
        for file in files:
            try:
                yield file, prepared(file, about, channels)
            except InputError as error:
                yield error


def prepared(file: Path, about: About, channels: int) -> NDArray[np.float32]:
    """An image file as the network was trained on images: resized, padded with zeros, scaled, centred.   -> (c, 32, 32)

    Raises InputError, one line that names the file, for what is no image.
    """
    side = about.side or IMAGE_SIDE
    pixels = image_files.read("predict", file, MODES[channels], side)
    edge = (IMAGE_SIDE - side) // 2
    image = np.pad(pixels, ((0, 0), (edge, edge), (edge, edge))).astype(np.float32)
    image /= 255
    image -= np.array(about.mean or (0,) * channels, np.float32)[:, np.newaxis, np.newaxis]
    return image


def _predict(net: Network, network: Path, images: list[tuple[Path, NDArray[np.float32]]], names: tuple[str, ...], top: int) -> bool:
    """Print a line for each image; False if there is no reader any more.

    Raises InputError, which names the file of the network, where that has no answer.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's, of numbers too large: said below, in one line
        likelihood = softmax(training.logits_of(net, np.stack([image for _, image in images]), IMAGES_A_CALL))
    for (file, _), row in zip(images, likelihood, strict=True):
        if not np.isfinite(row).all():
            right = "weights of a network that was trained to its end"
            raise InputError(
                f"{shown(network)}: computes no finite number for {shown(file)}, its weights are too large; {right} would be right"
            )
        likeliest = np.argsort(-row, kind="stable")[:top]
        if not say("\t".join([shown(file), *(f"{shown(names[label])}\t{row[label]:.4f}" for label in likeliest)])):
            return False
    return True
