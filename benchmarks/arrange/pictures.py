"""What a training leaves to look at, beside its figures: pictures of test images, of the first layer, and of one image after each layer.

Made when a case has measured, from the network that it trained.  A picture is a PNG with a palette, as text in base64.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5.by_hand.each_layer import PROBABILITIES, after_each_layer, softmax
from lenet5.datasets import Dataset

MOST_IMAGES = 24
"""The test images of each kind that a case keeps: those that it gets wrong most surely, and those that it gets wrong most narrowly.

Where implementations differ in an image at least one of them is wrong, and mostly by little.
"""

LEVELS = (16, 12, 9, 6)
"""Steps of red, green and blue, the most of which the palette has room for: a photograph may need the last."""

LOOKED_AT = 0
"""The test image of which the values after each layer are kept."""

UNITS_IN_A_ROW = 20


def seen(dataset: Dataset, logits: NDArray[np.float32], before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a case that the report draws from: logits (n, classes) of the test images, weights before and after the training."""
    labels, said = dataset.test.labels, logits.argmax(1)
    sure = softmax(logits)[np.arange(len(said)), said]
    images = sorted({LOOKED_AT, *wrong_images(logits, labels)})
    return {
        "test_labels": labels.tolist(),
        "test_probabilities": np.round(sure, 6).tolist(),
        "aspects": [[aspect.name, list(aspect.values)] for aspect in dataset.aspects],
        "pictures": [
            *([f"image {number}", image(dataset, dataset.test.images[number])] for number in images),
            ["filters before", filters(before)],
            ["filters after", filters(after)],
            *([f"after {name}", picture] for name, picture in each_layer(dataset, after)),
        ],
    }


def wrong_images(logits: NDArray[np.float32], labels: NDArray[np.integer[Any]]) -> list[int]:
    """The numbers of the images that are most surely wrong, and of those that are most narrowly wrong.   logits (n, classes), labels (n,)"""
    said = logits.argmax(1)
    wrong = np.flatnonzero(said != labels)
    sure = softmax(logits[wrong]).max(1)
    second, first = np.sort(logits[wrong], axis=1)[:, -2:].T
    surest = wrong[np.argsort(-sure, kind="stable")[:MOST_IMAGES]]
    narrowest = wrong[np.argsort(first - second, kind="stable")[:MOST_IMAGES]]
    return sorted({*surest.tolist(), *narrowest.tolist()})


# What is shown


def image(dataset: Dataset, pixels: NDArray[np.float32]) -> str:
    """A test image as it was before it was centred.   pixels (c, 32, 32) -> PNG"""
    return encoded(_coloured((pixels + dataset.mean[:, np.newaxis, np.newaxis]).clip(0, 1)))


def filters(weights: Mapping[str, Any]) -> str:
    """The first layer's kernels beside each other: grey is 0, lighter above, darker below, each by its own largest weight.   -> PNG"""
    kernels = np.asarray(weights["conv1.weight"], np.float64)
    scaled = [0.5 + 0.5 * kernel / (np.abs(kernel).max() or 1) for kernel in kernels]
    return encoded(_beside([_coloured(kernel) for kernel in scaled], len(kernels)))


def each_layer(dataset: Dataset, weights: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(name, PNG) of what one test image is after each layer: black is the layer's least value, white its largest.

    A map is a square, a unit a pixel.  The classes stand as the data set's aspects do: of two, the first across and the second down.
    """
    after = after_each_layer(weights, dataset.test.images[LOOKED_AT : LOOKED_AT + 1])
    sides = [len(aspect.values) for aspect in dataset.aspects]
    for name, (values,) in after.items():
        if name == "input":
            continue
        scaled = (values - values.min()) / (np.ptp(values) or 1)
        if scaled.ndim == 3:
            yield name, encoded(_beside([_coloured(one[np.newaxis]) for one in scaled], 8 if len(scaled) > 8 else 3))
        elif name in ("fc3", PROBABILITIES) and len(sides) == 2 and prod(sides) == len(scaled):
            yield name, encoded(_coloured(scaled.reshape(1, *sides).transpose(0, 2, 1)))
        else:
            yield name, encoded(_beside([_coloured(one.reshape(1, 1, 1)) for one in scaled], UNITS_IN_A_ROW, gap=0))


# As pixels: uint8 (height, width, 4), which are red, green, blue, and 0 where it is transparent


def _coloured(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Values from 0 to 1, of one channel or of three.   (c, h, w) -> (h, w, 4)"""
    colours = np.broadcast_to(values, (3, *values.shape[1:])) if len(values) != 3 else values
    opaque = np.ones((1, *values.shape[1:]))
    pixels: NDArray[np.uint8] = np.rint(255 * np.concatenate([colours, opaque])).astype(np.uint8).transpose(1, 2, 0)
    return pixels


def _beside(tiles: list[NDArray[np.uint8]], columns: int, gap: int = 1) -> NDArray[np.uint8]:
    """Tiles of one size in rows, with transparent gaps.   each (h, w, 4) -> (height, width, 4)"""
    h, w, _ = tiles[0].shape
    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    whole = np.zeros((rows * (h + gap) - gap, columns * (w + gap) - gap, 4), np.uint8)
    for number, tile in enumerate(tiles):
        top, left = number // columns * (h + gap), number % columns * (w + gap)
        whole[top : top + h, left : left + w] = tile
    return whole


# As PNG


def encoded(pixels: NDArray[np.uint8]) -> str:
    """A PNG with a palette of at most 256 colours, in base64.   pixels (height, width, 4) -> text"""
    for levels in LEVELS:
        coarse = np.rint(np.rint(pixels / 255 * (levels - 1)) * (255 / (levels - 1))).astype(np.uint8)
        palette, number = np.unique(coarse.reshape(-1, 4), axis=0, return_inverse=True)
        if len(palette) <= 256:
            break
    transparent = np.count_nonzero(palette[:, 3] == 0)  # one colour at most, which comes first: a gap is all zeros
    height, width, _ = pixels.shape
    lines = np.insert(number.reshape(height, width).astype(np.uint8), 0, 0, axis=1)  # each line begins with its filter, 0 for none
    chunks = [
        _chunk(b"IHDR", width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes((8, 3, 0, 0, 0))),
        _chunk(b"PLTE", palette[:, :3].tobytes()),
        *([_chunk(b"tRNS", bytes(transparent))] if transparent else []),
        _chunk(b"IDAT", zlib.compress(lines.tobytes(), 9)),
        _chunk(b"IEND", b""),
    ]
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(chunks)).decode()


def _chunk(name: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + name + content + zlib.crc32(name + content).to_bytes(4, "big")
