"""What a training leaves to look at is what it saw and what it became, pixel by pixel as another library reads it."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

import lenet5
from benchmarks.arrange import pictures
from benchmarks.saved import fields
from lenet5.by_hand.each_layer import after_each_layer, softmax
from lenet5.datasets import Aspect
from tests.support.networks import grey_digits, trained

STEP = 255 / 15 / 2
"""Half a step of the 16 that red, green and blue have."""


def pixels(text):
    """The picture as Pillow reads it: (height, width, 4)."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGBA")).astype(float)


@pytest.fixture(scope="module")
def learned():
    """The grey digits, the weights before and after two epochs, and the logits of the test images."""
    data = grey_digits()
    before, after = lenet5.initial_weights(lenet5.Architecture(1, 10)), trained(2)
    return data, before, after, after_each_layer(after, data.test.images)["fc3"].astype(np.float32)


@pytest.fixture(scope="module")
def seen(learned):
    data, before, after, logits = learned
    return pictures.seen(data, logits, before, after)


def test_fields(learned, seen):
    """The labels, and how sure the network is of what it says, image by image."""
    data, _, _, logits = learned
    assert seen["test_labels"] == data.test.labels.tolist()
    assert_allclose(seen["test_probabilities"], softmax(logits).max(1), atol=1e-6)
    assert seen["aspects"] == [["digit", list("0123456789")]]
    assert fields.checked("train", seen, whole=False) == seen
    assert sum(len(text) for _, text in seen["pictures"]) < 40_000


def test_images(learned, seen):
    """A test image is in the picture under its number, as it was before it was centred."""
    data, _, _, _ = learned
    for name, text in seen["pictures"]:
        if name.startswith("image "):
            stored = 255 * (data.test.images[int(name.split()[1]), 0] + data.mean)
            found = pixels(text)
            assert_allclose(found[..., 0], stored, atol=STEP + 0.01)
            assert_array_equal(found[..., 0], found[..., 2])
            assert_array_equal(found[..., 3], 255)


def test_which_images(learned, seen):
    """Of the wrong images those that are surest and those that are narrowest, and no other but the one that is looked at layer by layer."""
    data, before, _, logits = learned
    untrained = after_each_layer(before, data.test.images)["fc3"].astype(np.float32)
    wrong = np.flatnonzero(untrained.argmax(1) != data.test.labels)
    assert len(wrong) > 4 * pictures.MOST_IMAGES
    rows = np.sort(untrained[wrong], axis=1)
    surest, narrowest = (
        set(wrong[np.argsort(value)][: pictures.MOST_IMAGES].tolist())
        for value in (-softmax(untrained[wrong]).max(1), rows[:, -1] - rows[:, -2])
    )
    assert set(pictures.wrong_images(untrained, data.test.labels)) == surest | narrowest

    kept = {int(name.split()[1]) for name, _ in seen["pictures"] if name.startswith("image ")}
    assert kept == {pictures.LOOKED_AT, *pictures.wrong_images(logits, data.test.labels)}


def test_nothing_is_wrong(learned):
    """A network that makes no mistake leaves the picture of the one image."""
    data, before, after, _ = learned
    perfect = np.eye(10, dtype=np.float32)[data.test.labels]
    assert pictures.wrong_images(perfect, data.test.labels) == []
    names = [name for name, _ in pictures.seen(data, perfect, before, after)["pictures"]]
    assert [name for name in names if name.startswith("image")] == ["image 0"]


def test_filters(learned, seen):
    """Each kernel as a square, grey at 0, by its largest weight, with transparent gaps."""
    _, before, after, _ = learned
    for name, weights in (("filters before", before), ("filters after", after)):
        found, kernels = pixels(dict(seen["pictures"])[name]), weights["conv1.weight"]
        assert found.shape == (5, 35, 4)
        for number, (kernel,) in enumerate(kernels):
            tile = found[:, 6 * number : 6 * number + 5]
            assert_allclose(tile[..., 0], 127.5 + 127.5 * kernel / abs(kernel).max(), atol=STEP + 0.6)
            assert_array_equal(tile[..., 3], 255)
        assert_array_equal(found[:, 5::6, 3], 0)


def test_filters_in_colour():
    """Of three channels the kernel's red, green and blue are its weights for these."""
    kernels = np.zeros((2, 3, 5, 5), np.float32)
    kernels[0, 1], kernels[1, 2] = 1.0, -1.0
    found = pixels(pictures.filters({"conv1.weight": kernels}))
    assert_array_equal(found[2, 2], [136, 255, 136, 255])
    assert_array_equal(found[2, 8], [136, 136, 0, 255])


def test_each_layer(learned, seen):
    """The maps of each layer beside each other and its units in rows, from black, the least value, to white."""
    data, _, after, _ = learned
    known, values = dict(seen["pictures"]), after_each_layer(after, data.test.images[:1])
    shapes = {"conv1": (57, 86), "pool1": (29, 44), "conv2": (21, 87), "pool2": (11, 47), "fc1": (6, 20), "fc2": (5, 20)}
    shapes |= {"fc3": (1, 10), "probabilities": (1, 10)}
    assert {name: pixels(known[f"after {name}"]).shape[:2] for name in shapes} == shapes
    for name, columns, side in (("conv1", 3, 28), ("pool2", 8, 5), ("fc1", 20, 1), ("probabilities", 20, 1)):
        found, (whole,) = pixels(known[f"after {name}"]), values[name]
        scaled = 255 * (whole - whole.min()) / (whole.max() - whole.min())
        gap = side > 1
        for number, one in enumerate(scaled):
            top, left = (side + gap) * (number // columns), (side + gap) * (number % columns)
            assert_allclose(found[top : top + side, left : left + side, 0], np.reshape(one, (side, side)), atol=STEP + 0.6)


def test_classes_of_two_aspects(learned):
    """Of a digit and a colour the digits stand across and the colours down."""
    data, _, after, _ = learned
    halves = replace(data, aspects=(Aspect("half", ("low", "high")), Aspect("place", tuple("01234"))))
    found = pixels(dict(pictures.each_layer(halves, after))["probabilities"])[..., 0]
    (shares,) = after_each_layer(after, data.test.images[:1])["probabilities"]
    assert found.shape == (5, 2)
    for number, share in enumerate((shares - shares.min()) / np.ptp(shares)):
        assert_allclose(found[number % 5, number // 5], 255 * share, atol=STEP + 0.6)


def test_photographs():
    """More colours than the palette has room for become fewer, and none is far from what it was."""
    photograph = np.random.RandomState(0).randint(0, 256, (32, 32, 4)).astype(np.uint8)
    photograph[..., 3] = 255
    assert_allclose(pixels(pictures.encoded(photograph)), photograph, atol=255 / 5 / 2 + 1)
