"""Eight-bit networks: sums to the last bit, and as many images right as in float32."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import lenet5
from lenet5.architecture import LAYERS
from lenet5.compression import int8_network
from lenet5.compression.int8 import quantize
from lenet5.compression.int8_network import QuantizedLeNet5
from tests.support.networks import quick_network


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh"])
def test_blas_sums_are_the_int32_sums(trained, data, activation):
    """float32 holds every sum that can occur: both arithmetics give the same logits, to the last bit."""
    found = quantize(trained, data.train.images[:50], activation)
    images = data.test.images[:70]
    by_int32 = QuantizedLeNet5(found, activation, arithmetic="int32").predict(images)
    assert_array_equal(QuantizedLeNet5(found, activation).predict(images), by_int32)
    reference = quick_network(trained, activation=activation).predict(images)
    assert abs(by_int32 - reference).max() < 0.05 * abs(reference).max()


def test_sums_at_the_edge_of_what_float32_holds():
    """The largest sum of 1,040 products is exact in float32; a layer of 1,041 inputs is summed in int32."""
    assert 1_040 * 127 * 127 < 2**24 < 1_041 * 127 * 127
    for inputs, dtype in ((1_040, np.float32), (1_041, np.int32)):
        weight = np.full((1, inputs), 127, np.int8)
        weight[0, 0] = 126
        operand = int8_network._operand(weight, "blas")
        assert operand.dtype == dtype
        sums = np.full((1, inputs), 127).astype(operand.dtype) @ operand
        assert int(sums[0, 0]) == 127 * (127 * inputs - 1)


def test_one_image_on_paper():
    """A network whose every layer can be followed by hand: 1 filter or unit, kernels with one weight, logits 3 and -6."""
    shapes = {"conv1": (1, 1, 5, 5), "conv2": (1, 1, 5, 5), "fc1": (1, 25), "fc2": (1, 1), "fc3": (2, 1)}
    weights = {f"{layer}.weight": np.zeros(shape, np.float32) for layer, shape in shapes.items()}
    weights |= {f"{layer}.bias": np.zeros(shape[0], np.float32) for layer, shape in shapes.items()}
    for layer in ("conv1", "conv2", "fc1", "fc2"):
        weights[f"{layer}.weight"].flat[0] = 1
    weights["fc1.bias"][0] = 1
    weights["fc3.weight"][:, 0] = 1, -2
    image = np.zeros((1, 1, 32, 32), np.float32)
    image[0, 0, 0, 0] = 2  # a pool of conv1 keeps it, and so on to feature 0 of fc1: 2, plus 1

    found = quantize(weights, image)

    assert [found[layer].input_scale * 127 for layer in LAYERS] == pytest.approx([2, 2, 2, 3, 3])
    assert_array_equal(found["fc3"].weight, [[127], [-127]])
    assert_allclose(found["fc3"].weight_scale * 127, [1, 2], rtol=1e-6)
    assert found["fc1"].bias[0] in (8064, 8065), "1 is 8,064.5 units of 2 / 127 x 1 / 127"
    assert_allclose(QuantizedLeNet5(found).predict(image), [[3, -6]], rtol=1e-3)


def test_a_layer_of_zeros():
    """No weight and no input is larger than 0: nothing is divided by it."""
    zeros = {name: np.zeros_like(array) for name, array in lenet5.initial_weights(lenet5.Architecture(1, 10)).items()}
    images = np.zeros((1, 1, 32, 32), np.float32)
    assert_array_equal(QuantizedLeNet5(quantize(zeros, images)).predict(images), np.zeros((1, 10)))


def test_as_accurate_as_float32(trained, quantized, data):
    """At most two of the 450 test images fewer are right, half a per cent."""
    images, labels = data.test.images, data.test.labels
    right = [
        int((logits.argmax(1) == labels).sum())
        for logits in (quick_network(trained).predict(images), QuantizedLeNet5(quantized).predict(images))
    ]
    assert right[0] > 400
    assert right[1] >= right[0] - 2


def test_bad_predictions(quantized):
    """Images and options are checked at the door."""
    with pytest.raises(lenet5.InputError, match="arithmetic: 'int4' is not known; choose one of blas, int32"):
        QuantizedLeNet5(quantized, arithmetic="int4")
    with pytest.raises(lenet5.InputError, match=r"images: dtype float64 does not fit"):
        QuantizedLeNet5(quantized).predict(np.zeros((1, 1, 32, 32)))
