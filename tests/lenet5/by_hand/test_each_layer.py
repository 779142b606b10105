"""What an image is after each layer is what the network itself computes on its way."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import lenet5
from lenet5.by_hand.each_layer import after_each_layer, softmax
from lenet5.by_hand.layers import convolution_by_loops, cross_entropy, max_pool_by_loops, relu
from lenet5.compression.low_rank import factorize
from tests.support.networks import problem, reference_network


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh"])
def test_last_layer_is_the_network(activation):
    """The last layer's values are the logits of the network, and of every layer there is what its doc-string says."""
    weights, images, _ = problem(channels=2, classes=7, batch=3)
    found = after_each_layer(weights, images, activation)

    assert_allclose(found["fc3"], reference_network(weights, activation=activation).predict(images), atol=1e-6)
    assert {name: values.shape for name, values in found.items()} == {
        **{"input": (3, 2, 32, 32), "conv1": (3, 6, 28, 28), "pool1": (3, 6, 14, 14), "conv2": (3, 16, 10, 10)},
        **{"pool2": (3, 16, 5, 5), "fc1": (3, 120), "fc2": (3, 84), "fc3": (3, 7), "probabilities": (3, 7)},
    }


def test_factored():
    """A layer that is two products is both of them."""
    weights, images, _ = problem(batch=2)
    factored = factorize(weights, {"conv2": 5, "fc1": 9})
    assert_allclose(after_each_layer(factored, images)["fc3"], reference_network(factored).predict(images), atol=1e-6)


def test_a_layer_is_after_its_activation():
    """The first layer by the definition: convolved, and no value below 0; then the largest of each tile."""
    weights, images, _ = problem(batch=2)
    y, _ = convolution_by_loops(images.astype(np.float64), weights["conv1.weight"], weights["conv1.bias"])
    conv1, _ = relu(y)
    found = after_each_layer(weights, images)

    assert_allclose(found["conv1"], conv1)
    assert_allclose(found["pool1"], max_pool_by_loops(conv1)[0])
    assert_array_equal(found["input"], images)


def test_weights_of_no_network():
    """What is missing gets the one line that every network gives."""
    weights, images, _ = problem(batch=1)
    del weights["fc2.bias"]
    with pytest.raises(lenet5.InputError, match=r"fc2\.bias"):
        after_each_layer(weights, images)


def test_softmax():
    """Shares that are 1 together, of which the label's is exp(-cross-entropy); large logits do not overflow."""
    logits = np.random.RandomState(0).standard_normal((5, 4)).astype(np.float32)
    found = softmax(logits)
    assert_allclose(found.sum(1), 1)
    for row, (one, shares) in enumerate(zip(logits, found, strict=True)):
        loss, _ = cross_entropy(one[np.newaxis].astype(np.float64), np.array([row % 4]))
        assert_allclose(shares[row % 4], np.exp(-loss))
    assert_array_equal(softmax(np.array([[1e4, 0.0]])), [[1, 0]])
