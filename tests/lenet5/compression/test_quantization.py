"""Eight-bit networks: numbers worked out on paper, sums to the last bit, and as many images right as in float32."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import lenet5
from lenet5 import datasets, training
from lenet5.architecture import LAYERS
from lenet5.compression import factorization, quantization
from lenet5.compression.quantization import QuantizedLeNet5, quantize


@pytest.fixture(scope="module")
def data():
    return datasets.load("digits")


@pytest.fixture(scope="module")
def trained(data):
    """A grey network after three epochs."""
    net = lenet5.implementation("numpy")(lenet5.initial_weights(lenet5.Architecture(data.channels, data.classes)))
    training.train(net, data, epochs=3)
    return net.weights()


@pytest.fixture(scope="module")
def quantized(trained, data):
    return quantize(trained, data.train.images[:200])


@pytest.mark.parametrize(
    ("real", "whole"),
    [(0, 0), (0.24, 0), (0.25, 0), (0.26, 1), (0.75, 2), (-0.26, -1), (63.5, 127), (64, 127), (-100, -127)],
)
def test_to_int8(real, whole):
    """The nearest multiple of the scale, half to even, cut off at 127 both ways."""
    found = quantization.to_int8(np.float32([real]), np.float32(0.5))
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
    back = quantization.dequantize(quantized)
    for name, array in back.items():
        assert array.dtype == np.float32
        assert_allclose(array, trained[name], rtol=0, atol=abs(trained[name]).max() / 127)


def test_input_scales_are_the_largest_of_the_calibration(trained, quantized, data):
    """The first layer's is the image's own; the others are what the float32 network computes."""
    images = data.train.images[:200]
    assert quantized["conv1"].input_scale == pytest.approx(abs(images).max() / 127)
    seen = dict(quantization.layer_inputs(trained, images, "relu"))
    assert [x.shape[1:] for x in seen.values()] == [(1, 32, 32), (6, 14, 14), (400,), (120,), (84,)]
    logits = seen["fc3"] @ trained["fc3.weight"].T + trained["fc3.bias"]
    assert_allclose(logits, lenet5.implementation("numpy")(trained).predict(images), rtol=0, atol=1e-4)
    for layer, x in seen.items():
        assert quantized[layer].input_scale == pytest.approx(abs(x).max() / 127)


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh"])
def test_blas_sums_are_the_int32_sums(trained, data, activation):
    """float32 holds every sum that can occur: both arithmetics give the same logits, to the last bit."""
    found = quantize(trained, data.train.images[:50], activation)
    images = data.test.images[:70]
    by_int32 = QuantizedLeNet5(found, activation, arithmetic="int32").predict(images)
    assert_array_equal(QuantizedLeNet5(found, activation).predict(images), by_int32)
    reference = lenet5.implementation("numpy")(trained, activation=activation).predict(images)
    assert abs(by_int32 - reference).max() < 0.05 * abs(reference).max()


def test_sums_at_the_edge_of_what_float32_holds():
    """The largest sum of 1,040 products is exact in float32; a layer of 1,041 inputs is summed in int32."""
    assert 1_040 * 127 * 127 < 2**24 < 1_041 * 127 * 127
    for inputs, dtype in ((1_040, np.float32), (1_041, np.int32)):
        weight = np.full((1, inputs), 127, np.int8)
        weight[0, 0] = 126
        operand = quantization._operand(weight, "blas")
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
        for logits in (lenet5.implementation("numpy")(trained).predict(images), QuantizedLeNet5(quantized).predict(images))
    ]
    assert right[0] > 400
    assert right[1] >= right[0] - 2


def test_bytes(tmp_path):
    """65,130 weights of a byte, and 8 bytes an output: a quarter of float32, in memory and on disk; read back equal."""
    weights = lenet5.initial_weights(lenet5.Architecture(), seed=0)
    found = quantize(weights, np.random.RandomState(0).standard_normal((2, 3, 32, 32)).astype(np.float32))
    assert quantization.quantized_bytes(found) == 65_130 + 276 * 8 + 5 * 4 == 67_358

    quantization.save_quantized(tmp_path / "int8.safetensors", found)

    assert 67_358 < (tmp_path / "int8.safetensors").stat().st_size < 70_000
    again = quantization.load_quantized(tmp_path / "int8.safetensors")
    images = np.random.RandomState(1).standard_normal((2, 3, 32, 32)).astype(np.float32)
    assert_array_equal(QuantizedLeNet5(again).predict(images), QuantizedLeNet5(found).predict(images))


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
            (factorization.factorize(trained, {"fc1": 3}), images[:1]),
            "weights: fc1.basis is a factor; multiply the factors before quantizing (factorization.multiplied)",
        ),
    ):
        with pytest.raises(lenet5.InputError) as error:
            quantize(*arguments)
        assert str(error.value) == message


def test_bad_predictions(quantized):
    """Images and options are checked at the door."""
    with pytest.raises(lenet5.InputError, match="arithmetic: 'int4' is not known; choose one of blas, int32"):
        QuantizedLeNet5(quantized, arithmetic="int4")
    with pytest.raises(lenet5.InputError, match=r"images: dtype float64 does not fit"):
        QuantizedLeNet5(quantized).predict(np.zeros((1, 1, 32, 32)))


def test_bad_files(quantized, tmp_path):
    """A file that is missing, damaged, or holds something else is named in one line; so is a place where none can be made."""
    good = tmp_path / "int8.safetensors"
    quantization.save_quantized(good, quantized)
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(good.read_bytes()[:-100])
    floats = tmp_path / "floats.safetensors"
    lenet5.save_weights(floats, quantization.dequantize(quantized))
    other = tmp_path / "other.safetensors"
    quantization.save_quantized(other, {**quantized, "fc2": replace(quantized["fc2"], weight=np.ones((84, 7), np.int8))})
    for path, message in (
        (tmp_path / "none.safetensors", "cannot be read"),
        (cut, "cannot be read"),
        (floats, "conv1.weight is float32; expected a quantized LeNet-5"),
        (other, "is no quantized LeNet-5 .*fc2.weight has shape"),
    ):
        with pytest.raises(lenet5.InputError, match=f"^{path}: {message}.*save_quantized$") as error:
            quantization.load_quantized(path)
        assert str(error.value).isprintable()
    with pytest.raises(lenet5.InputError, match="cannot be written"):
        quantization.save_quantized(tmp_path / "no" / "folder.safetensors", quantized)
