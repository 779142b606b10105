"""Every counter against the closed form, and every difference to the last FLOP."""

from __future__ import annotations

import numpy as np
import pytest

import lenet5
from benchmarks.arrange import counters
from benchmarks.arrange.counters import count_numpy

COUNTERS = counters.found()
PROFILER = "TensorFlow's v1 profiler"
TORCH = "PyTorch's FlopCounterMode"
TORCHINFO = "torchinfo's mult-adds"
NUMPY = "products in the NumPy layers"


def weights_of(channels=3, classes=50):
    return lenet5.initial_weights(lenet5.Architecture(channels, classes), seed=0)


def counter_of(name):
    """The counter, or a skip where one of its packages is not installed."""
    tool = COUNTERS[name]
    if reason := tool.missing():
        pytest.skip(reason)
    lenet5.implementation(tool.framework)
    return counters.counter_of(tool)


@pytest.mark.parametrize(
    ("name", "forward", "training"),
    [
        (NUMPY, 655_080, 1_612_440 + 6_304),  # MACs
        (TORCH, 1_310_160, 3_224_880),
        (TORCHINFO, 661_638, None),  # MACs
        (PROFILER, 1_323_022, 4_389_555),
    ],
)
def test_what_the_tools_read(name, forward, training):
    """3x32x32, 50 classes: the figures known for each tool, in its own unit."""
    counter = counter_of(name)
    assert counter.forward(weights_of()) == forward
    assert (counter.training and counter.training(weights_of())) == training


@pytest.mark.parametrize("name", COUNTERS)
@pytest.mark.parametrize(("channels", "classes"), [(3, 50), (1, 10)])
def test_every_difference_is_explained(name, channels, classes):
    """Nothing is left of a count after the closed form and the named parts, for one network as for another."""
    assert set(counters.unexplained(counter_of(name), weights_of(channels, classes)).values()) == {0}


@pytest.mark.parametrize("name", COUNTERS)
def test_an_unknown_difference_shows(name):
    """One FLOP that no part explains is left over, by its sign: the test above is not blind."""
    counter = counter_of(name)
    known = counter.forward_extra
    other = counters.Counter(counter.unit, counter.forward, lambda w: {**known(w), "one": 1})
    assert counters.unexplained(other, weights_of()) == {"forward": -1}


def test_the_profilers_training_parts():
    """By hand: 32 x 32 and 14 x 14 pixels go in, 28 x 28 and 10 x 10 come out; 450 and 2,400 weights a kernel's worth."""
    parts = counter_of(PROFILER).training_extra(weights_of())
    assert list(parts.values()) == [
        4_704 + 1_600 + 120 + 84 + 50,
        4 * (6 * 14 * 14 + 16 * 5 * 5),
        2 * 450 * (32**2 - 28**2) + 2 * 2 * 2_400 * (14**2 - 10**2),
        5 * (1_176 + 400),
        4_704 - 6 + 1_600 - 16,
        51,
    ]


def test_smaller_layers_count_less():
    """A structurally smaller network is counted by what it is, not by what LeNet-5 usually is."""
    sizes = {"conv1": (5, 3, 5, 5), "conv2": (7, 5, 5, 5), "fc1": (31, 7 * 25), "fc2": (13, 31), "fc3": (11, 13)}
    weights = {}
    for layer, shape in sizes.items():
        weights[f"{layer}.weight"], weights[f"{layer}.bias"] = np.ones(shape, np.float32), np.ones(shape[0], np.float32)
    for name in COUNTERS:
        assert set(counters.unexplained(counter_of(name), weights).values()) == {0}, name


def test_counting_arrays():
    """A product counts n x m x k, whichever side counts and whatever was done to it since; nothing else does."""
    tally = []
    a, b = np.ones((2, 3), np.float32), np.ones((3, 5), np.float32)
    watched = count_numpy.watched(a, tally)

    product = watched @ b
    assert type(product) is count_numpy.Counting
    assert tally == [2 * 3 * 5]
    b.T @ np.maximum(watched.T.reshape(3, 2), 0)[:, :1]
    assert tally == [30, 5 * 3 * 1]
    np.ones(2) @ watched
    assert tally[2:] == [2 * 3]
    np.matmul(watched, b, out=product)
    assert tally[3:] == [30]
    watched + 1, watched * watched, watched.sum()
    assert len(tally) == 4
    np.testing.assert_array_equal(product, a @ b)


@pytest.mark.parametrize("product", [np.dot, np.inner, lambda a, b: np.einsum("ij,kj->ik", a, b), np.tensordot])
def test_uncounted_products_are_refused(product):
    """A product that would not be counted is an error, not a smaller count."""
    a = count_numpy.watched(np.ones((3, 3)), [])
    with pytest.raises(NotImplementedError, match="its multiplications are not counted"):
        product(a, np.ones((3, 3)))
