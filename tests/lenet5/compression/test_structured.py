"""Structured pruning, against loops over single outputs, another library's gradients, and every implementation."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import lenet5
from lenet5 import cost, datasets
from lenet5.architecture import shapes_of
from lenet5.compression import low_rank, structured
from tests.support.networks import quick_network, reference_network

KEEP = {"conv1": [0, 2, 5], "conv2": [1, 3, 4, 11, 15], "fc1": range(7, 40), "fc2": [83, 2, 40]}


@pytest.fixture
def weights():
    return lenet5.initial_weights(lenet5.Architecture(classes=11), seed=2)


@pytest.fixture
def images():
    return np.random.RandomState(3).standard_normal((6, 3, 32, 32)).astype(np.float32)


def silenced(weights, keep):
    """The full-size network whose outputs that are not kept are always 0 (relu of 0)."""
    quiet = {name: array.copy() for name, array in weights.items()}
    for layer, outputs in keep.items():
        gone = np.setdiff1d(np.arange(len(quiet[f"{layer}.bias"])), list(outputs))
        quiet[f"{layer}.weight"][gone] = 0
        quiet[f"{layer}.bias"][gone] = 0
    return quiet


def test_removed_is_silenced(build, weights, images):
    """Every framework and mode gives for the smaller arrays the logits of the full-size network with the same outputs silent."""
    smaller = structured.remove(weights, KEEP)

    net = build(smaller)
    reference = reference_network(silenced(weights, KEEP))

    assert shapes_of(net.weights()) == {
        "conv1.weight": (3, 3, 5, 5),
        "conv1.bias": (3,),
        "conv2.weight": (5, 3, 5, 5),
        "conv2.bias": (5,),
        "fc1.weight": (33, 125),
        "fc1.bias": (33,),
        "fc2.weight": (3, 33),
        "fc2.bias": (3,),
        "fc3.weight": (11, 3),
        "fc3.bias": (11,),
    }
    assert_allclose(net.predict(net.tensor(images)), reference.predict(images), rtol=0, atol=1e-5)


@pytest.mark.trains
def test_as_narrow_as_can_be(build, weights, images):
    """One filter or unit a layer is still a network, and it learns as the reference does."""
    narrow = structured.remove(weights, {layer: [1] for layer in structured.HIDDEN})
    labels = np.arange(6)
    net, reference = build(narrow, optimizer="sgd"), reference_network(narrow, optimizer="sgd")

    assert_allclose(net.predict(net.tensor(images)), reference.predict(images), rtol=0, atol=1e-5)
    assert net.train_step(net.tensor(images), net.tensor(labels)) == pytest.approx(reference.train_step(images, labels), abs=1e-5)
    for name, array in net.weights().items():
        assert_allclose(array, reference.weights()[name], rtol=0, atol=1e-5, err_msg=name)


def test_what_stays_is_untouched(weights):
    """Nothing changes but what is cut out; the argument stays whole; naming nothing copies."""
    before = {name: array.copy() for name, array in weights.items()}
    smaller = structured.remove(weights, KEEP)
    assert_array_equal(smaller["conv2.weight"], weights["conv2.weight"][KEEP["conv2"]][:, KEEP["conv1"]])
    assert_array_equal(smaller["fc2.bias"], weights["fc2.bias"][[2, 40, 83]], err_msg="in increasing order, however named")
    fc1 = weights["fc1.weight"].reshape(120, 16, 5, 5)[7:40][:, KEEP["conv2"]]
    assert_array_equal(smaller["fc1.weight"].reshape(33, 5, 5, 5), fc1)
    for name, array in structured.remove(weights, {}).items():
        assert_array_equal(array, before[name])
        assert_array_equal(weights[name], before[name])


def test_a_factored_reader_loses_its_inputs_in_the_basis(weights, images):
    """Where the next layer is factored, its basis is what is cut."""
    factored = low_rank.factorize(weights, {"fc1": 20, "fc3": 5})
    predict = [
        reference_network(arrays).predict(images) for arrays in (structured.remove(factored, KEEP), silenced(factored, KEEP))
    ]
    assert_allclose(*predict, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        ({"conv1": []}, "keep: conv1 would lose all 6 of its outputs; at least one has to stay"),
        ({"fc2": np.array([], int)}, "keep: fc2 would lose all 84 of its outputs; at least one has to stay"),
        ({"conv2": [0, 16]}, "keep: conv2 has no output 16; use whole numbers from 0 to 15"),
        ({"conv2": [-1, 3]}, "keep: conv2 has no output -1; use whole numbers from 0 to 15"),
        ({"fc3": [0]}, "layer: 'fc3' is not known; choose one of conv1, conv2, fc1, fc2"),
    ],
    ids=["whole convolution", "whole dense layer", "beyond", "negative", "classes"],
)
def test_what_cannot_be_kept(weights, keep, message):
    """A layer that would be empty and outputs that are not there are named in one line."""
    with pytest.raises(lenet5.InputError) as error:
        structured.remove(weights, keep)
    assert str(error.value) == message


def test_norms():
    """The norm of each output's own weights; the mean square over a layer is 1, whatever its size and scale."""
    weights = lenet5.initial_weights(lenet5.Architecture(), seed=0)
    weights["conv1.weight"] *= 100
    weights["fc2.weight"][...] = 1
    weights["fc2.weight"][3] = 2
    scores = structured.norms(weights)
    assert list(scores) == ["conv1", "conv2", "fc1", "fc2"]
    assert scores["fc2"][3] == pytest.approx(2 * scores["fc2"][0])
    for values in scores.values():
        assert (values**2).mean() == pytest.approx(1)
    kernel = weights["conv2.weight"]
    expected = [np.linalg.norm(one) / np.linalg.norm(kernel[0]) for one in kernel]
    assert_allclose(scores["conv2"] / scores["conv2"][0], expected, rtol=1e-5)


def test_norms_of_nothing():
    """A layer of zeros is worth nothing, without a warning."""
    zeros = {name: np.zeros_like(array) for name, array in lenet5.initial_weights(lenet5.Architecture()).items()}
    assert_array_equal(structured.norms(zeros)["fc1"], np.zeros(120))


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_taylor_is_torchs_gradient_times_weight(weights, images, activation):
    """PyTorch's gradients of two batches, multiplied by the weights, summed an output, squared and averaged."""
    torch = pytest.importorskip("torch", reason="torch: the package 'torch' is not installed; pip install torch")
    from lenet5.with_torch import Module

    labels = np.array([0, 10, 3, 3, 7, 1])
    expected = dict.fromkeys(structured.HIDDEN, 0)
    for rows in (slice(0, 4), slice(4, 6)):
        module = Module(shapes_of(weights), activation)
        module.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in weights.items()})
        torch.nn.functional.cross_entropy(module(torch.from_numpy(images[rows])), torch.from_numpy(labels[rows])).backward()
        for layer in structured.HIDDEN:
            own = getattr(module, layer)
            change = (own.weight * own.weight.grad).flatten(1).sum(1) + own.bias * own.bias.grad
            expected[layer] = expected[layer] + change.detach().numpy().astype(float) ** 2 / 2

    scores = structured.taylor(weights, images, labels, activation, batch=4)

    for layer, values in expected.items():
        assert_allclose(scores[layer], values, rtol=1e-3, atol=1e-12, err_msg=layer)


def test_taylor_without_images(weights, images):
    """A criterion on training images needs one."""
    with pytest.raises(
        lenet5.InputError, match=r"^images: none are given; the Taylor criterion needs at least one training image$"
    ):
        structured.taylor(weights, images[:0], np.array([], int))


@pytest.mark.parametrize("macs", [655_080, 655_079, 400_000, 100_000, 61_456])
def test_choose_stays_below_and_takes_the_least_first(macs):
    """No more MACs than asked for and not one output too few; in each layer the best are what stays."""
    weights = lenet5.initial_weights(lenet5.Architecture(), seed=0)
    random = np.random.RandomState(4)
    scores = {layer: random.uniform(0.5, 1, len(weights[f"{layer}.bias"])) for layer in structured.HIDDEN}

    keep = structured.choose(weights, scores, macs)

    found = cost.forward_macs(structured.remove(weights, keep))
    assert found <= macs
    assert found > macs - 58_800 - 16 * 2_500 - 1, "the dearest step saves a filter of conv1 and what conv2 did with it"
    for layer, outputs in keep.items():
        gone = np.setdiff1d(np.arange(len(scores[layer])), outputs)
        assert len(outputs) >= 1
        assert scores[layer][outputs].min() > scores[layer][gone].max(initial=0)


def test_choose_weighs_worth_against_cost():
    """Of equal outputs the dearest goes; one that is worth far more for its MACs stays."""
    weights = lenet5.initial_weights(lenet5.Architecture(), seed=0)
    equal = {layer: np.ones(len(weights[f"{layer}.bias"])) for layer in structured.HIDDEN}
    assert [len(structured.choose(weights, equal, 560_000)[layer]) for layer in structured.HIDDEN] == [5, 16, 120, 84]
    cheaper = {**equal, "conv1": np.full(6, 10.0), "conv2": np.full(16, 2.0)}
    assert [len(structured.choose(weights, cheaper, 640_000)[layer]) for layer in structured.HIDDEN] == [6, 15, 120, 84]
    dear = {**equal, "conv1": np.full(6, 1e6), "conv2": np.full(16, 1e6)}
    assert [len(structured.choose(weights, dear, 655_000)[layer]) for layer in structured.HIDDEN] == [6, 16, 119, 84]


def test_fewer_macs_than_a_network_has(weights):
    """What no whole filters can reach is refused with what they can."""
    with pytest.raises(lenet5.InputError) as error:
        structured.choose(weights, structured.norms(weights), 30_000)
    assert (
        str(error.value) == "macs: 30,000 an image are fewer than the 61,337 of one filter or unit a layer; ask for at least those"
    )


@pytest.mark.parametrize("number", [{"stages": 0}, {"epochs": -1}, {"seed": -1}, {"seed": True}], ids=str)
def test_slim_without(weights, number):
    """No stage, less than no epoch and no seed are refused before anything is pruned."""
    ((name, value),) = number.items()
    with pytest.raises(lenet5.InputError, match=rf"^{name}: {value} does not fit; use a whole number "):
        structured.slim(None, weights, None, 400_000, **number)


def test_slim(weights):
    """Stages of pruning and training end at the MACs asked for, and training has gone on after the last."""
    data = datasets.load("digits")
    few = datasets.Dataset(
        data.name,
        datasets.Split(data.train.images[:256], data.train.labels[:256]),
        data.validation,
        data.test,
        data.classes,
        data.mean,
    )
    dense = lenet5.initial_weights(lenet5.Architecture(1, 10), seed=1)
    built = []

    def build(arrays):
        built.append(arrays)
        return quick_network(arrays, optimizer="sgd", learning_rate=0.05)

    smaller = structured.slim(build, dense, few, macs=100_000, stages=2, epochs=1)

    sizes = [cost.forward_macs(arrays) for arrays in built]
    assert sizes[0] > 150_000 > 100_000 >= sizes[1] == cost.forward_macs(smaller)
    assert abs(smaller["fc3.bias"] - built[1]["fc3.bias"]).max() > 1e-3
