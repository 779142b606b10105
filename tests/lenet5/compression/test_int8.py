"""Eight-bit weights: each is the nearest multiple of its scale, and scales are those of the largest values."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import lenet5
from lenet5.architecture import LAYERS
from lenet5.compression import int8, low_rank
from lenet5.compression.int8 import quantize
from tests.support.networks import quick_network


@pytest.mark.parametrize(
    ("real", "whole"),
    [(0, 0), (0.24, 0), (0.25, 0), (0.26, 1), (0.75, 2), (-0.26, -1), (63.5, 127), (64, 127), (-100, -127)],
)
def test_to_int8(real, whole):
    """The nearest multiple of the scale, half to even, cut off at 127 both ways."""
    found = int8.to_int8(np.float32([real]), np.float32(0.5))
    assert found.dtype == np.int8
    assert found == [whole]


def test_weights_are_whole_numbers_of_their_scale(trained, quantized):
    """int8, one scale an output whose largest weight is 127 steps, and no weight is further than half a step away."""
    for layer in LAYERS:
        found, weight, bias = quantized[layer], trained[f"{layer}.weight"], trained[f"{layer}.bias"]
        outputs = len(weight)
        assert (found.weight.dtype, found.weight.shape) == (np.int8, weight.shape)
        assert (found.weight_scale.dtype, found.weight_scale.shape) == (np.float32, (outputs,))
        assert (found.bias.dtype, found.bias.shape) == (np.int32, (outputs,))
        assert found.input_scale.dtype == np.float32
        rows, steps = weight.reshape(outputs, -1), found.weight.reshape(outputs, -1)
        assert_array_equal(abs(steps).max(1), 127)
        half = found.weight_scale[:, None] / 2
        assert (abs(found.weight_scale[:, None] * steps - rows) <= half * (1 + 1e-5)).all()
        unit = found.input_scale * found.weight_scale
        assert_allclose(found.bias * unit, bias, rtol=0, atol=unit.max() * 0.51)
    back = int8.dequantize(quantized)
    for name, array in back.items():
        assert array.dtype == np.float32
        assert_allclose(array, trained[name], rtol=0, atol=abs(trained[name]).max() / 127)


def test_input_scales_are_the_largest_of_the_calibration(trained, quantized, data):
    """The first layer's is the image's own; the others are what the float32 network computes."""
    images = data.train.images[:200]
    assert quantized["conv1"].input_scale == pytest.approx(abs(images).max() / 127)
    seen = dict(int8.layer_inputs(trained, images, "relu"))
    assert [x.shape[1:] for x in seen.values()] == [(1, 32, 32), (6, 14, 14), (400,), (120,), (84,)]
    logits = seen["fc3"] @ trained["fc3.weight"].T + trained["fc3.bias"]
    assert_allclose(logits, quick_network(trained).predict(images), rtol=0, atol=1e-4)
    for layer, x in seen.items():
        assert quantized[layer].input_scale == pytest.approx(abs(x).max() / 127)


def test_calibration_without_images(trained, data):
    """Nothing to calibrate with, the wrong images, factors, an activation or an arithmetic that there is not: one line each."""
    images = data.train.images
    for arguments, message in (
        ((trained, images[:0]), "images: none are given; calibration needs at least one training image"),
        (
            (trained, images[:1, :, :28]),
            "images: shape (1, 1, 28, 32) does not fit; this network takes float32 (n, 1, 32, 32) with n >= 1",
        ),
        ((trained, images[:1], "gelu"), "activation: 'gelu' is not known; choose one of relu, sigmoid, tanh"),
        (
            (low_rank.factorize(trained, {"fc1": 3}), images[:1]),
            "weights: fc1.basis is a factor; multiply the factors before quantizing (low_rank.multiplied)",
        ),
    ):
        with pytest.raises(lenet5.InputError) as error:
            quantize(*arguments)
        assert str(error.value) == message
