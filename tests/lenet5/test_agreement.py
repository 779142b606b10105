"""Many networks that are one: every framework and mode against the textbook loops in float64."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import lenet5
from lenet5.architecture import NAMES
from tests.support.networks import problem, reference_network

STEPS = 20


def trajectory(net, images, labels, steps):
    """Losses of some steps on one batch, and the weights after each."""
    x, y = net.tensor(images), net.tensor(labels)
    losses, arrays = [], []
    for _ in range(steps):
        losses.append(net.train_step(x, y))
        arrays.append(net.weights())
    return losses, arrays


@cache
def references_trajectory(optimizer, learning_rate):
    """What the reference does on the common problem; computed once a process."""
    weights, images, labels = problem()
    net = reference_network(weights, optimizer=optimizer, learning_rate=learning_rate)
    return trajectory(net, images, labels, STEPS)


@cache
def references_logits(activation, *sizes):
    """What the reference gives for a problem of these sizes; computed once a process.  Not to be written to."""
    weights, images, _ = problem(*sizes)
    return reference_network(weights, activation=activation).predict(images)


@cache
def references_after_changes():
    """The reference's logits of the common images for other weights, and after a step from those.  Not to be written to."""
    _, images, labels = problem()
    net = reference_network(problem(seed=2)[0], optimizer="sgd", learning_rate=0.05)
    loaded = net.predict(images)
    net.train_step(images, labels)
    return loaded, net.predict(images)


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh"])
@pytest.mark.parametrize("classes", [10, 50], ids="classes={}".format)
@pytest.mark.parametrize("channels", [1, 3], ids="channels={}".format)
@pytest.mark.parametrize("batch", [1, 7, 64], ids="batch={}".format)
def test_logits(build, activation, classes, channels, batch):
    """Every network of the same weights gives the same logits, whatever its sizes."""
    weights, images, _ = problem(channels, classes, batch)
    net = build(weights, activation=activation)

    logits = net.predict(net.tensor(images))

    assert logits.dtype == np.float32
    assert_allclose(logits, references_logits(activation, channels, classes, batch), rtol=0, atol=1e-5)


@pytest.mark.trains
def test_sgd(build):
    """Loss and all ten arrays stay together for twenty steps of gradient descent."""
    weights, images, labels = problem()
    losses, arrays = trajectory(build(weights, optimizer="sgd", learning_rate=0.05), images, labels, STEPS)

    expected_losses, expected_arrays = references_trajectory("sgd", 0.05)
    assert_allclose(losses, expected_losses, rtol=0, atol=1e-5)
    for name in NAMES:
        assert_allclose(arrays[0][name], expected_arrays[0][name], rtol=0, atol=1e-5, err_msg=f"{name}, one step")
        assert_allclose(arrays[-1][name], expected_arrays[-1][name], rtol=0, atol=1e-5, err_msg=f"{name}, {STEPS} steps")


@pytest.mark.trains
def test_adam(build):
    """The loss stays within 1e-5 and all ten arrays within 5e-5 for twenty steps of Adam, a twentieth of one step's 1e-3.

    The arrays not within 1e-5, as with gradient descent: Adam divides the gradient by its own size, so that a weight whose gradient is
    no larger than its rounding error moves as far as any other, in a direction that rounding decides.
    """
    weights, images, labels = problem()
    losses, arrays = trajectory(build(weights, optimizer="adam", learning_rate=1e-3), images, labels, STEPS)

    expected_losses, expected_arrays = references_trajectory("adam", 1e-3)
    assert_allclose(losses, expected_losses, rtol=0, atol=1e-5)
    for name in NAMES:
        for step in (0, STEPS - 1):
            assert_allclose(arrays[step][name], expected_arrays[step][name], rtol=0, atol=5e-5, err_msg=f"{name}, step {step + 1}")


@pytest.mark.trains
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_load_starts_again(build, optimizer, pytestconfig):
    """load() gives back the same arrays and forgets the optimizer: training repeats to the same losses, on a GPU to their last digits.

    There sums of a gradient depend on the order in which blocks of threads finish.
    """
    weights, images, labels = problem()
    net = build(weights, optimizer=optimizer, learning_rate=0.01)
    first, arrays = trajectory(net, images, labels, 3)
    assert abs(arrays[-1]["conv1.weight"] - weights["conv1.weight"]).max() > 1e-4

    net.load(weights)

    for name, array in net.weights().items():
        assert_array_equal(array, weights[name], err_msg=name)
        assert array.dtype == np.float32
    again, _ = trajectory(net, images, labels, 3)
    assert_allclose(again, first, rtol=0, atol=0 if pytestconfig.getoption("device") == "cpu" else 1e-5)


def test_predict_uses_the_weights_as_they_are_now(build, framework):
    """The same tensor gets other logits after load() and after a step: no graph has old weights as constants, and no answer is kept."""
    weights, images, labels = problem()
    net = build(weights, optimizer="sgd", learning_rate=0.05)
    x = net.tensor(images)
    first = net.predict(x)
    loaded, stepped = references_after_changes()
    for one, other in ((first, loaded), (loaded, stepped)):
        assert abs(one - other).max() > 1e-3  # else an old answer would pass for the new one

    net.load(problem(seed=2)[0])
    assert_allclose(net.predict(x), loaded, rtol=0, atol=1e-5)

    if lenet5.trains(framework):
        net.train_step(x, net.tensor(labels))
        assert_allclose(net.predict(x), stepped, rtol=0, atol=5e-5)

    net.load(weights)
    assert_allclose(net.predict(x), first, rtol=0, atol=1e-5)


@pytest.mark.trains
def test_loss_is_before_the_step_and_in_nats(build):
    """With all weights zero every class is equally likely: the first loss is the logarithm of their number."""
    weights, images, labels = problem()
    net = build({name: np.zeros_like(array) for name, array in weights.items()})

    loss = net.train_step(net.tensor(images), net.tensor(labels))

    assert isinstance(loss, float)
    assert loss == pytest.approx(np.log(50), abs=1e-6)


@pytest.mark.trains
def test_smaller_layers(build):
    """Layer sizes are the weights' own: a network with filters and units removed is nothing special."""
    weights, images = smaller()
    labels = np.array([10, 0, 4])
    net, reference = build(weights, optimizer="sgd"), reference_network(weights, optimizer="sgd")

    assert net.train_step(net.tensor(images), net.tensor(labels)) == pytest.approx(reference.train_step(images, labels), abs=1e-5)
    for name, array in net.weights().items():
        assert_allclose(array, reference.weights()[name], rtol=0, atol=1e-5, err_msg=name)


def test_smaller_layers_predict(build):
    """The same without a step, for what only predicts as well."""
    weights, images = smaller()
    net = build(weights)
    assert_allclose(net.predict(net.tensor(images)), reference_network(weights).predict(images), rtol=1e-5, atol=1e-5)


def smaller():
    """Weights of a network with filters and units removed, and images for it."""
    random = np.random.RandomState(3)
    sizes = {"conv1": (5, 3, 5, 5), "conv2": (7, 5, 5, 5), "fc1": (31, 7 * 25), "fc2": (13, 31), "fc3": (11, 13)}
    weights = {}
    for layer, shape in sizes.items():
        weights[f"{layer}.weight"] = 0.2 * random.standard_normal(shape).astype(np.float32)
        weights[f"{layer}.bias"] = 0.2 * random.standard_normal(shape[0]).astype(np.float32)
    return weights, random.standard_normal((3, 3, 32, 32)).astype(np.float32)


@pytest.mark.trains
def test_weights_travel(build):
    """Weights that one network trained run in any other."""
    weights, images, labels = problem()
    net = build(weights)
    trajectory(net, images, labels, 2)

    for framework in lenet5.frameworks():
        try:
            other = lenet5.implementation(framework)(net.weights())
        except lenet5.NotInstalled:
            continue
        assert_allclose(other.predict(images), net.predict(images), rtol=0, atol=1e-5, err_msg=framework)


def test_nothing_is_shared(build, framework):
    """A network keeps no reference to arrays that it was given and hands out none of its own; inputs are not written to."""
    weights, images, labels = problem()
    net = build(weights)
    x, kept = net.tensor(images), images.copy()
    before = net.predict(x).copy()

    given_out = net.weights()
    for array in (*weights.values(), *given_out.values(), images):
        array += 1
    assert_array_equal(net.predict(x), before)

    if lenet5.trains(framework):
        net.train_step(x, net.tensor(labels))
    assert_array_equal(images, kept + 1)


def test_logits_are_the_callers_own(build):
    """Logits once returned do not change under the next call, and what is written to them changes no later ones."""
    weights, images, _ = problem()
    net = build(weights)
    first = net.predict(net.tensor(images))
    copy = first.copy()
    net.predict(net.tensor(images[::-1]))
    assert_array_equal(first, copy)

    first += 1
    assert_array_equal(net.predict(net.tensor(images)), copy)


NAN = np.full((2, 3, 32, 32), np.nan, np.float32)
GOOD = np.zeros((2, 3, 32, 32), np.float32)
LABELS = np.array([0, 49])


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (NAN, "images: nan at image 0, channel 0, row 0, column 0; every value must be finite"),
        (GOOD.astype(np.float64), "images: dtype float64 does not fit; this network takes float32 (n, 3, 32, 32) with n >= 1"),
        (GOOD[:, :1], "images: shape (2, 1, 32, 32) does not fit; this network takes float32 (n, 3, 32, 32) with n >= 1"),
        (GOOD[:, :, :28, :28], "images: shape (2, 3, 28, 28) does not fit; this network takes float32 (n, 3, 32, 32) with n >= 1"),
        (GOOD[:0], "images: shape (0, 3, 32, 32) does not fit; this network takes float32 (n, 3, 32, 32) with n >= 1"),
        (GOOD[0], "images: shape (3, 32, 32) does not fit; this network takes float32 (n, 3, 32, 32) with n >= 1"),
    ],
    ids=["nan", "float64", "one channel", "28x28", "no image", "no batch"],
)
@pytest.mark.default_mode
def test_bad_images(build, framework, images, message):
    """Images that the network cannot have meant are named, at the door and in a call that goes past it."""
    net = build(problem()[0])
    steps = [lambda x: net.train_step(x, LABELS[: len(x)])] if lenet5.trains(framework) else []
    for door in (net.tensor, net.predict, *steps):
        with pytest.raises(lenet5.InputError) as error:
            door(images)
        if "train_step" not in str(error.value):
            assert str(error.value) == message


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([0, 50]), "labels: 50 at position 1 is not a class; this network takes integers (n,) from 0 to 49 with n >= 1"),
        (np.array([-1, 0]), "labels: -1 at position 0 is not a class; this network takes integers (n,) from 0 to 49 with n >= 1"),
        (np.array([0.0, 1.0]), "labels: dtype float64 does not fit; this network takes integers (n,) from 0 to 49 with n >= 1"),
        (np.array([0, 1, 2]), "train_step: 2 images but 3 labels; it takes one label an image"),
    ],
    ids=["too large", "negative", "float", "one too many"],
)
@pytest.mark.trains
@pytest.mark.default_mode
def test_bad_labels(build, labels, message):
    """Labels that are no classes of the network, or not one an image, are named."""
    net = build(problem()[0])
    with pytest.raises(lenet5.InputError) as error:
        net.train_step(net.tensor(GOOD), labels)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"activation": "gelu"}, "activation: 'gelu' is not known; choose one of relu, sigmoid, tanh"),
        ({"optimizer": "lion"}, "optimizer: 'lion' is not known; choose one of sgd, adam"),
        ({"device": "tpu"}, "device: 'tpu' is not known; choose one of cpu, cuda"),
        ({"learning_rate": -1}, "learning_rate: -1 does not fit; use a finite number above 0"),
        ({"learning_rate": True}, "learning_rate: True does not fit; use a finite number above 0"),
        ({"learning_rate": 10**400}, f"learning_rate: {10**400} does not fit; use a finite number above 0"),
        ({"learning_rate": float("nan")}, "learning_rate: nan does not fit; use a finite number above 0"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
@pytest.mark.default_mode
def test_bad_options(build, options, message):
    """An option that no network has is refused by all of them in the same words."""
    with pytest.raises(lenet5.InputError) as error:
        build(problem()[0], **options)
    assert str(error.value) == message


@pytest.mark.default_mode
@pytest.mark.trains
def test_a_learning_rate_of_numpys(build):
    """A number of NumPy's type is a learning rate, and the steps are those of Python's number."""
    weights, images, labels = problem()
    stepped = []
    for rate in (np.float32(0.25), 0.25):
        net = build(weights, optimizer="sgd", learning_rate=rate)
        net.train_step(images, labels)
        stepped.append(net.weights()["fc3.bias"])
    assert_allclose(*stepped, rtol=0, atol=1e-6)


def test_bad_mode(implementation):
    """A mode that the framework has not is refused with those that it has."""
    with pytest.raises(lenet5.InputError, match=r"^mode: 'turbo' is not known; choose one of \w+"):
        implementation(problem()[0], mode="turbo")


@pytest.mark.default_mode
def test_bad_load_changes_nothing(build):
    """Weights of another network are refused, and the old ones stay."""
    weights, images, _ = problem()
    net = build(weights)
    before = net.predict(net.tensor(images))
    for other in (problem(classes=10)[0], problem(channels=1)[0], {}, {**weights, "fc3.bias": np.full(50, np.inf, np.float32)}):
        with pytest.raises(lenet5.InputError):
            net.load(other)
    assert_array_equal(net.predict(net.tensor(images)), before)
