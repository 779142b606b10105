"""What a LeNet-5 costs: sums worked out on paper, a count of every single multiplication, and PyTorch's own counter."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from numpy.testing import assert_allclose

from lenet5 import Architecture, cost, initial_weights
from lenet5.architecture import LAYERS
from tests.support.networks import reference_network

ORIGINAL = initial_weights(Architecture(channels=3, classes=50))


def network(conv1, conv2, fc1, fc2, fc3, channels):
    """Random weights of a LeNet-5 with these numbers of filters and units."""
    random = np.random.RandomState(0)
    shapes = {
        "conv1": (conv1, channels, 5, 5),
        "conv2": (conv2, conv1, 5, 5),
        "fc1": (fc1, 25 * conv2),
        "fc2": (fc2, fc1),
        "fc3": (fc3, fc2),
    }
    weights = {}
    for layer, shape in shapes.items():
        weights[f"{layer}.weight"] = random.standard_normal(shape).astype(np.float32)
        weights[f"{layer}.bias"] = random.standard_normal(shape[0]).astype(np.float32)
    return weights


def counted_forward(image, weights):
    """Logits of one image by loops over single numbers, and the multiplications that each layer took."""
    count = Counter()

    def weighted_sum(layer, pairs, bias):
        for a, b in pairs:
            count[layer] += 1
            bias += a * b
        return bias

    def feature_map(layer, x, kernel, bias):
        pixels = range(len(x[0]) - 4)
        window = list(itertools.product(range(len(x)), range(5), range(5)))
        return [
            [weighted_sum(layer, ((x[c][i + a][j + b], kernel[c][a][b]) for c, a, b in window), bias) for j in pixels]
            for i in pixels
        ]

    def pooled(y):
        corners = range(0, len(y), 2)
        return [[max(0, y[i][j], y[i][j + 1], y[i + 1][j], y[i + 1][j + 1]) for j in corners] for i in corners]

    units = {
        layer: list(zip(weights[f"{layer}.weight"].tolist(), weights[f"{layer}.bias"].tolist(), strict=True)) for layer in LAYERS
    }
    x = image.tolist()
    for layer in ("conv1", "conv2"):
        x = [pooled(feature_map(layer, x, kernel, bias)) for kernel, bias in units[layer]]
    x = [pixel for plane in x for row in plane for pixel in row]
    for layer in ("fc1", "fc2"):
        x = [max(0, weighted_sum(layer, zip(x, row, strict=True), bias)) for row, bias in units[layer]]
    return [weighted_sum("fc3", zip(x, row, strict=True), bias) for row, bias in units["fc3"]], dict(count)


def test_the_network_of_the_original_report():
    """LeNet-5 for 3x32x32 and 50 classes: the numbers that the report must show."""
    assert cost.parameters(ORIGINAL) == 65_406
    assert cost.weight_bytes(ORIGINAL) == 261_624
    assert cost.macs_by_layer(ORIGINAL) == {"conv1": 352_800, "conv2": 240_000, "fc1": 48_000, "fc2": 10_080, "fc3": 4_200}
    assert cost.forward_macs(ORIGINAL) == 655_080
    assert cost.forward_flops(ORIGINAL) == 1_310_160
    assert cost.training_flops(ORIGINAL) == 3 * 1_310_160 - 2 * 352_800 == 3_224_880


def test_results_are_whole_numbers():
    """Every result is a Python int, which JSON can hold."""
    for value in (cost.parameters, cost.weight_bytes, cost.forward_macs, cost.forward_flops, cost.training_flops):
        assert type(value(ORIGINAL)) is int
    assert {type(macs) for macs in cost.macs_by_layer(ORIGINAL).values()} == {int}


@pytest.mark.parametrize(
    "sizes",
    [(2, 3, 7, 5, 4, 1), (1, 2, 3, 11, 6, 2)],
    ids=lambda sizes: "-".join(map(str, sizes)),
)
def test_macs_are_the_multiplications_of_nested_loops(sizes):
    """A forward pass that multiplies one pair of numbers at a time gives the network's logits after just as many products."""
    weights = network(*sizes)
    image = np.random.RandomState(1).standard_normal((sizes[-1], 32, 32)).astype(np.float32)

    logits, counted = counted_forward(image, weights)

    reference = reference_network(weights)
    assert_allclose(reference.predict(image[None])[0], logits, rtol=1e-5)
    assert cost.macs_by_layer(weights) == counted
    assert cost.forward_macs(weights) == sum(counted.values())


@pytest.mark.parametrize(
    "weights",
    [ORIGINAL, initial_weights(Architecture(1, 10)), network(5, 7, 31, 13, 11, channels=3)],
    ids=["colour", "grey", "smaller"],
)
def test_flops_are_those_of_torchs_counter(weights):
    """PyTorch's counter finds as many FLOPs in a forward pass, and in forward and backward together."""
    torch = pytest.importorskip("torch", reason="torch: the package 'torch' is not installed; pip install torch")
    from torch.nn import functional
    from torch.utils.flop_counter import FlopCounterMode

    w = {name: torch.tensor(array, requires_grad=True) for name, array in weights.items()}
    n = 3
    x = torch.ones(n, weights["conv1.weight"].shape[1], 32, 32)
    with FlopCounterMode(display=False) as counter:
        for layer in ("conv1", "conv2"):
            x = functional.max_pool2d(torch.relu(functional.conv2d(x, w[f"{layer}.weight"], w[f"{layer}.bias"])), 2)
        x = x.flatten(1)
        for layer in ("fc1", "fc2", "fc3"):
            x = functional.linear(x, w[f"{layer}.weight"], w[f"{layer}.bias"])
        forward = counter.get_total_flops()
        x.sum().backward()

    assert n * cost.forward_flops(weights) == forward
    assert n * cost.training_flops(weights) == counter.get_total_flops()


def test_smaller_layers_cost_less():
    """With filters and units removed everything is counted from the arrays that are left."""
    weights = network(conv1=4, conv2=10, fc1=60, fc2=42, fc3=50, channels=3)
    assert cost.macs_by_layer(weights) == {
        "conv1": 28 * 28 * 4 * 75,
        "conv2": 10 * 10 * 10 * 100,
        "fc1": 250 * 60,
        "fc2": 60 * 42,
        "fc3": 42 * 50,
    }
    assert cost.forward_flops(weights) == 2 * (235_200 + 100_000 + 15_000 + 2_520 + 2_100)
    assert cost.training_flops(weights) == 3 * cost.forward_flops(weights) - 2 * 235_200
    assert cost.parameters(weights) == 304 + 1_010 + 15_060 + 2_562 + 2_150
    assert cost.weight_bytes(weights) == 4 * cost.parameters(weights)


def test_zeros_count():
    """Weights that are zero cost as much as any other: these are dense counts."""
    empty = {name: np.zeros_like(array) for name, array in ORIGINAL.items()}
    for value in (cost.parameters, cost.weight_bytes, cost.forward_flops, cost.training_flops):
        assert value(empty) == value(ORIGINAL)


def test_bytes_are_of_the_arrays_own_dtype():
    """Half the precision is half the bytes, and as many parameters and FLOPs."""
    half = {name: array.astype(np.float16) for name, array in ORIGINAL.items()}
    assert cost.weight_bytes(half) == 130_812
    assert cost.parameters(half) == 65_406
    assert cost.forward_flops(half) == 1_310_160
