"""Factored layers: the best approximation there is, run as two products by every implementation."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import lenet5
from lenet5 import cost
from lenet5.architecture import checked, shapes_of
from lenet5.compression import low_rank, weighing
from tests.support.networks import reference_network

DENSE_RANKS = {"fc1": 50, "fc2": 7, "fc3": 4}
"""50: a rank that channel-last flattening could mistake for two maps of 5 x 5."""


LABELS = np.arange(40) % 11
STEPS = 5


@pytest.fixture(name="weights")
def weights_of_a_test():
    return initial()


@pytest.fixture(name="images")
def images_of_a_test():
    return forty()


def initial():
    return lenet5.initial_weights(lenet5.Architecture(classes=11), seed=2)


def forty():
    return np.random.RandomState(3).standard_normal((40, 3, 32, 32)).astype(np.float32)


@cache
def references_steps(*ranks):
    """What the reference loses in each step of gradient descent from these factors, and its weights after the last; computed once a process."""
    net = reference_network(low_rank.factorize(initial(), dict(ranks)), optimizer="sgd", learning_rate=0.1)
    images = forty()
    return [net.train_step(images, LABELS) for _ in range(STEPS)], net.weights()


@cache
def references_logits(batch, *ranks):
    """What the reference gives for the product of these factors; computed once a process."""
    multiplied = low_rank.multiplied(low_rank.factorize(initial(), dict(ranks)))
    return reference_network(multiplied, activation="tanh").predict(forty()[:batch])


@pytest.fixture
def ranks(implementation, mode, weights):
    """Every layer that the mode can run factored: conv2 too, unless the mode says that it cannot.

    build() is not asked, because it skips what a mode cannot do: the dense layers are tested in every mode.
    """
    everything = {"conv2": 9, **DENSE_RANKS}
    try:
        implementation(low_rank.factorize(weights, everything), mode=mode)
    except lenet5.NotSupported:
        return DENSE_RANKS
    except lenet5.NotInstalled as error:
        pytest.skip(str(error))
    return everything


@pytest.mark.parametrize("batch", [1, 40], ids="batch={}".format)
def test_factored_is_multiplied(build, weights, images, ranks, batch):
    """Every framework and mode gives for the factors what the reference gives for their product."""
    factored = low_rank.factorize(weights, ranks)

    net = build(factored, activation="tanh")

    assert shapes_of(net.weights()) == shapes_of(factored)
    expected = references_logits(batch, *ranks.items())
    assert_allclose(net.predict(net.tensor(images[:batch])), expected, rtol=0, atol=1e-5)


@pytest.mark.trains
def test_factors_learn(build, weights, images, ranks):
    """Five steps of gradient descent move both factors as the reference moves them; load() puts them back."""
    factored = low_rank.factorize(weights, ranks)
    net = build(factored, optimizer="sgd", learning_rate=0.1)
    x, y = net.tensor(images), net.tensor(LABELS)

    losses, expected = references_steps(*ranks.items())
    assert [net.train_step(x, y) for _ in range(STEPS)] == pytest.approx(losses, abs=1e-5)
    for name, array in net.weights().items():
        assert_allclose(array, expected[name], rtol=0, atol=1e-5, err_msg=name)
        assert abs(array - factored[name]).max() > 1e-4, name
    net.load(factored)
    for name, array in net.weights().items():
        assert_array_equal(array, factored[name], err_msg=name)


@pytest.mark.parametrize("layer", ["conv2", "fc1", "fc2", "fc3"])
def test_the_error_is_the_singular_values_left_out(weights, layer):
    """Eckart and Young: no matrix of that rank is nearer, and the distance is the root of the squares of the values left out."""
    kernel = weights[f"{layer}.weight"]
    matrix = kernel.reshape(len(kernel), -1).astype(float)
    values = np.linalg.svd(matrix, compute_uv=False)
    for rank in (1, 5, len(values)):
        factored = low_rank.factorize(weights, {layer: rank})
        product = low_rank.multiplied(factored)[f"{layer}.weight"]
        assert product.shape == kernel.shape
        assert np.linalg.norm(product.reshape(matrix.shape) - matrix) == pytest.approx(np.linalg.norm(values[rank:]), abs=1e-5)
        assert low_rank.rank(factored, layer) == low_rank.rank(low_rank.multiplied(factored), layer) == rank


def test_nothing_else_changes(weights):
    """Only the layer named has a basis, before its weight; the argument stays as it was."""
    before = {name: array.copy() for name, array in weights.items()}
    factored = low_rank.factorize(weights, {"fc1": 10})
    assert list(factored) == [*list(weights)[:4], "fc1.basis", *list(weights)[4:]]
    assert factored["fc1.basis"].shape == (10, 400)
    assert factored["fc1.weight"].shape == (120, 10)
    for name, array in before.items():
        assert_array_equal(weights[name], array)
        if name != "fc1.weight":
            assert_array_equal(factored[name], array)
    balance = np.linalg.norm(factored["fc1.basis"], axis=1) / np.linalg.norm(factored["fc1.weight"], axis=0)
    assert_allclose(balance, 1, rtol=1e-5)


def test_costs(weights):
    """r (u + d) multiplications and weights a dense layer, 100 times as many multiplications in conv2."""
    factored = low_rank.factorize(weights, {"conv2": 9, "fc1": 25})
    macs = cost.macs_by_layer(factored)
    assert macs["conv2"] == 100 * (9 * 150 + 16 * 9)
    assert macs["fc1"] == 25 * (400 + 120)
    assert macs["conv1"] == 352_800
    assert cost.parameters(factored) == cost.parameters(weights) - 2_400 - 48_000 + 9 * 166 + 25 * 520
    assert weighing.dense_bytes(factored) == cost.weight_bytes(factored) == 4 * cost.parameters(factored)
    rows = 6 + 9 + 16 + 25 + 120 + 84 + 11
    kernels = cost.parameters(factored) - (6 + 16 + 120 + 84 + 11)
    assert weighing.sparse_bytes(factored) == 6 * kernels + 4 * (rows + 7) + 4 * 237
    assert weighing.sparsity(factored) == 0


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_on_disk(weights, suffix, tmp_path):
    """A factored network is saved and read like any other."""
    factored = low_rank.factorize(weights, {"conv2": 9, "fc1": 25})
    lenet5.save_weights(tmp_path / f"weights{suffix}", factored)
    found = lenet5.load_weights(tmp_path / f"weights{suffix}")
    assert list(found) == list(factored)
    for name, array in found.items():
        assert_array_equal(array, factored[name])


@pytest.mark.parametrize("rank", [0, 121, -1, 2.0, True, None, "3"])
def test_no_rank(weights, rank):
    """A rank that the matrix cannot have is refused with those that it can."""
    with pytest.raises(lenet5.InputError) as error:
        low_rank.factorize(weights, {"fc1": rank})
    assert str(error.value) == f"rank: {rank!r} does not fit the matrix of fc1; use a whole number from 1 to 120"


def test_no_layer(weights):
    """conv1 reads the image and stays whole; what is factored is not factored again."""
    with pytest.raises(lenet5.InputError, match="layer: 'conv1' is not known; choose one of conv2, fc1, fc2, fc3"):
        low_rank.factorize(weights, {"conv1": 1})
    factored = low_rank.factorize(weights, {"fc1": 9})
    with pytest.raises(lenet5.InputError, match="layer: fc1 is factored already"):
        low_rank.factorize(factored, {"fc1": 5})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fc1.basis": np.ones((9, 399))}, "weights: fc1.basis has shape (9, 399); (9, 400) would fit"),
        ({"fc1.basis": np.ones((8, 400))}, "weights: fc1.weight has shape (120, 9); (120, 8) would fit"),
        ({"fc1.basis": np.ones(400)}, "weights: fc1.basis has shape (400,); it must have 2 dimensions, none of them 0"),
        ({"conv2.weight": np.ones((16, 3, 5, 5))}, "weights: conv2.weight has shape (16, 3, 5, 5); (16, 3, 1, 1) would fit"),
    ],
    ids=["inputs", "rank", "dimensions", "kernel"],
)
def test_factors_that_do_not_fit(weights, changes, message):
    """Factors are held to each other and to the layers around them."""
    factored = low_rank.factorize(weights, {"conv2": 3, "fc1": 9})
    wrong = {**factored, **{name: array.astype(np.float32) for name, array in changes.items()}}
    with pytest.raises(lenet5.InputError) as error:
        checked(wrong)
    assert str(error.value) == message


@pytest.mark.default_mode
def test_load_takes_the_same_factors_only(build, weights):
    """A network refuses weights that are factored otherwise, in both directions, and stays as it was."""
    factored = low_rank.factorize(weights, {"fc1": 9})
    with pytest.raises(lenet5.InputError, match=r"weights: 'fc1\.basis' is not an array of LeNet-5"):
        build(weights).load(factored)
    net = build(factored)
    with pytest.raises(lenet5.InputError, match=r"weights: 'fc1\.basis' is missing"):
        net.load(weights)
    assert_array_equal(net.weights()["fc1.basis"], factored["fc1.basis"])
