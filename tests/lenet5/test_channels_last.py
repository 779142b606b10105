"""The other layout, against a network written down in it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import lenet5
from lenet5 import channels_last
from lenet5.architecture import LAYERS


@pytest.mark.parametrize("layer", LAYERS)
def test_there_and_back(layer):
    """Converting and converting back gives the same array, contiguous."""
    weight = lenet5.initial_weights(lenet5.Architecture(channels=1, classes=7))[f"{layer}.weight"]
    back = channels_last.to_canonical(layer, channels_last.from_canonical(layer, weight))
    assert_array_equal(back, weight)
    assert back.flags.c_contiguous


def test_fc1_meets_the_features_that_it_was_trained_on():
    """A dense layer on features flattened row, column, channel gives what the canonical one gives on channel, row, column."""
    random = np.random.RandomState(0)
    features = random.standard_normal((2, 16, 5, 5)).astype(np.float32)
    weight = random.standard_normal((120, 400)).astype(np.float32)
    there = channels_last.images(features).reshape(2, -1) @ channels_last.from_canonical("fc1", weight)
    assert_allclose(there, features.reshape(2, -1) @ weight.T, rtol=0, atol=1e-4)


def test_images():
    """Channels move to the end, and memory with them."""
    images = np.arange(24.0).reshape(1, 2, 3, 4)
    moved = channels_last.images(images)
    assert moved.shape == (1, 3, 4, 2)
    assert moved.flags.c_contiguous
    assert moved[0, 2, 1, 1] == images[0, 1, 2, 1]
