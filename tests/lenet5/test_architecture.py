"""The shapes of LeNet-5, its first weights, and which weights are a LeNet-5's."""

from __future__ import annotations

import dataclasses
import zlib

import numpy as np
import pytest
from numpy.testing import assert_array_equal, assert_equal

from lenet5 import Architecture, InputError, initial_weights
from lenet5.architecture import LAYERS, NAMES, checked, shapes_of

HAS = "conv1.weight, conv1.bias, conv2.weight, conv2.bias, fc1.weight, fc1.bias, fc2.weight, fc2.bias, fc3.weight, fc3.bias"


def good():
    return initial_weights(Architecture(), seed=0)


def message(weights, like=None):
    """The one line that checking must fail with."""
    with pytest.raises(InputError) as caught:
        checked(weights, like)
    assert str(caught.value).isprintable()
    return str(caught.value)


# ---------------------------------------------------------------------------------------------------------- architecture


@pytest.mark.parametrize(("channels", "classes", "parameters"), [(3, 50, 65_406), (1, 10, 61_706), (2, 7, 61_601)])
def test_shapes(channels, classes, parameters):
    """The ten arrays of LeNet-5 in the order of the data's way; 65,406 numbers for colour images of 50 classes."""
    shapes = Architecture(channels, classes).shapes
    assert list(shapes.items()) == [
        ("conv1.weight", (6, channels, 5, 5)),
        ("conv1.bias", (6,)),
        ("conv2.weight", (16, 6, 5, 5)),
        ("conv2.bias", (16,)),
        ("fc1.weight", (120, 400)),
        ("fc1.bias", (120,)),
        ("fc2.weight", (84, 120)),
        ("fc2.bias", (84,)),
        ("fc3.weight", (classes, 84)),
        ("fc3.bias", (classes,)),
    ]
    assert tuple(shapes) == NAMES
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == parameters


def test_default_architecture():
    """Without arguments it is the network of the original report, and it cannot be changed afterwards."""
    architecture = Architecture()
    assert architecture == Architecture(channels=3, classes=50, activation="relu")
    with pytest.raises(dataclasses.FrozenInstanceError):
        architecture.classes = 10


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"channels": 0}, "channels: 0 does not fit; use a whole number of at least 1"),
        ({"channels": -3}, "channels: -3 does not fit; use a whole number of at least 1"),
        ({"channels": 3.0}, "channels: 3.0 does not fit; use a whole number of at least 1"),
        ({"channels": "3"}, "channels: '3' does not fit; use a whole number of at least 1"),
        ({"channels": True}, "channels: True does not fit; use a whole number of at least 1"),
        ({"channels": np.float32(3)}, f"channels: {np.float32(3)!r} does not fit; use a whole number of at least 1"),
        ({"classes": 1}, "classes: 1 does not fit; use a whole number of at least 2"),
        ({"classes": None}, "classes: None does not fit; use a whole number of at least 2"),
        ({"activation": "gelu"}, "activation: 'gelu' is not known; choose one of relu, sigmoid, tanh"),
        ({"activation": ["relu"]}, "activation: ['relu'] is not known; choose one of relu, sigmoid, tanh"),
    ],
    ids=lambda value: "-".join(map(str, *value.items())) if isinstance(value, dict) else "",
)
def test_bad_architecture(options, error):
    """A network that cannot be is refused where it is described."""
    with pytest.raises(InputError) as caught:
        Architecture(**options)
    assert str(caught.value) == error


def test_numpys_numbers():
    """NumPy's whole numbers are as good as Python's, which is what is kept."""
    architecture = Architecture(np.int64(3), np.uint8(10))
    assert architecture == Architecture(3, 10)
    assert (type(architecture.channels), type(architecture.classes)) == (int, int)


# ------------------------------------------------------------------------------------------------------- initial weights


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, True, None, "0"])
def test_no_seed(seed):
    """There are 2**32 seeds; what is none of them is refused in one line, and the largest, of NumPy's type, is not."""
    with pytest.raises(InputError) as caught:
        initial_weights(Architecture(), seed)
    assert str(caught.value) == f"seed: {seed!r} does not fit; use a whole number from 0 to 4294967295"
    assert_equal(initial_weights(Architecture(), np.uint32(2**32 - 1)), initial_weights(Architecture(), 2**32 - 1))


@pytest.mark.parametrize(
    ("architecture", "seed", "checksum"),
    [(Architecture(), 0, 2366884061), (Architecture(1, 10, "tanh"), 7, 3391552573)],
    ids=["3-50-seed=0", "1-10-seed=7"],
)
def test_initial_weights_never_change(architecture, seed, checksum):
    """The same seed gives the same bits on every machine and with every NumPy: else no two published curves compare."""
    weights = initial_weights(architecture, seed)
    assert shapes_of(weights) == architecture.shapes
    assert tuple(weights) == NAMES
    assert all(array.dtype == np.float32 and array.flags.c_contiguous for array in weights.values())
    assert zlib.crc32(b"".join(array.astype("<f4").tobytes() for array in weights.values())) == checksum


def test_initial_weights_of_another_seed():
    """Another seed gives other numbers in every array; another activation gives the same."""
    for name, array in good().items():
        assert (array != initial_weights(Architecture(), seed=1)[name]).all()
        assert_array_equal(array, initial_weights(Architecture(activation="tanh"), seed=0)[name])


def test_initial_weights_draw_nothing_from_the_callers_random_numbers():
    """NumPy's global random numbers stay where they were."""
    before = np.random.get_state(legacy=False)  # noqa: NPY002
    initial_weights(Architecture(), seed=20261)  # a seed of no other test: that one's traces could be in ``before``
    assert_equal(np.random.get_state(legacy=False), before)  # noqa: NPY002


@pytest.mark.parametrize("layer", LAYERS)
def test_initial_weights_fill_their_bounds(layer):
    """Weights and biases lie in +/- 1/sqrt(inputs of one unit), evenly: no array is all zero, one-sided, or of another layer's size."""
    inputs = {"conv1": 75, "conv2": 150, "fc1": 400, "fc2": 120, "fc3": 84}[layer]
    weights = initial_weights(Architecture(), seed=3)
    weight, bias = (weights[f"{layer}.{kind}"] * inputs**0.5 for kind in ("weight", "bias"))

    for array in (weight, bias):
        assert abs(array).max() <= 1 + 1e-6
        assert array.min() < -0.5 < 0.5 < array.max()
    assert abs(weight).max() > 0.99
    assert weight.mean() == pytest.approx(0, abs=0.1)
    assert weight.std() == pytest.approx(1 / 3**0.5, rel=0.05)


# --------------------------------------------------------------------------------------------------------------- checked


def test_checked_gives_copies_in_order():
    """Good weights come back equal, in canonical order, and share no memory with what was given."""
    given = dict(reversed(good().items()))
    weights = checked(given)

    assert tuple(weights) == NAMES
    for name, array in weights.items():
        assert_array_equal(array, given[name])
        assert array.dtype == np.float32
        assert not np.shares_memory(array, given[name])


def test_checked_takes_what_is_not_laid_out_in_order():
    """Arrays whose axes lie in memory the other way round are weights like any other, and come back laid out in order."""
    given = {name: np.asfortranarray(array) for name, array in good().items()}
    for name, array in checked(given).items():
        assert_array_equal(array, good()[name])
        assert array.flags.c_contiguous


def test_checked_takes_a_state_dict():
    """A PyTorch state_dict is weights as it is, and the module may train on without changing the copy."""
    torch = pytest.importorskip("torch", reason="torch: the package 'torch' is not installed; pip install torch")
    state = {name: torch.tensor(array) for name, array in good().items()}

    weights = checked(state)
    for tensor in state.values():
        tensor.add_(1)

    for name, array in weights.items():
        assert type(array) is np.ndarray
        assert_array_equal(array, good()[name])


def test_checked_takes_any_layer_sizes():
    """Layers may have any number of filters and units as long as each fits the one before."""
    sizes = {"conv1": (2, 4, 5, 5), "conv2": (3, 2, 5, 5), "fc1": (1, 75), "fc2": (9, 1), "fc3": (2, 9)}
    weights = {f"{layer}.weight": np.ones(shape, np.float32) for layer, shape in sizes.items()}
    weights |= {f"{layer}.bias": np.ones(shape[0], np.float32) for layer, shape in sizes.items()}
    assert shapes_of(checked(weights)) == shapes_of({name: weights[name] for name in NAMES})


def zeros(*shape, dtype=np.float32):
    return np.zeros(shape, dtype)


NAN, INF = zeros(50), zeros(84, 120)
NAN[7], INF[3, 4] = np.nan, -np.inf


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"conv2.bias": None}, f"weights: 'conv2.bias' is missing; LeNet-5 has {HAS}"),
        ({"fc4.bias": zeros(7)}, f"weights: 'fc4.bias' is not an array of LeNet-5; it has {HAS}"),
        ({"two\nlines": zeros(7)}, f"weights: 'two\\nlines' is not an array of LeNet-5; it has {HAS}"),
        ({7: zeros(7)}, f"weights: 7 is not an array of LeNet-5; it has {HAS}"),
        ({"fc2.bias": zeros(84, dtype=np.float64)}, "weights: fc2.bias has dtype float64; it must be float32"),
        ({"conv1.weight": zeros(6, 3, 5, 5, dtype=np.float16)}, "weights: conv1.weight has dtype float16; it must be float32"),
        ({"fc2.bias": [0.0] * 84}, "weights: fc2.bias has dtype float64; it must be float32"),
        ({"fc2.bias": "abc"}, "weights: fc2.bias has dtype <U3; it must be float32"),
        ({"fc2.bias": np.array([None] * 84)}, "weights: fc2.bias has dtype object; it must be float32"),
        ({"conv1.weight": zeros(6, 75)}, "weights: conv1.weight has shape (6, 75); it must have 4 dimensions, none of them 0"),
        (
            {"conv2.weight": zeros(0, 6, 5, 5)},
            "weights: conv2.weight has shape (0, 6, 5, 5); it must have 4 dimensions, none of them 0",
        ),
        ({"fc1.weight": zeros(400)}, "weights: fc1.weight has shape (400,); it must have 2 dimensions, none of them 0"),
        ({"fc3.weight": np.float32(3)}, "weights: fc3.weight has shape (); it must have 2 dimensions, none of them 0"),
        ({"conv1.weight": zeros(6, 3, 3, 3)}, "weights: conv1.weight has shape (6, 3, 3, 3); (6, 3, 5, 5) would fit"),
        ({"conv1.bias": zeros(3)}, "weights: conv1.bias has shape (3,); (6,) would fit"),
        ({"conv2.weight": zeros(16, 7, 5, 5)}, "weights: conv2.weight has shape (16, 7, 5, 5); (16, 6, 5, 5) would fit"),
        ({"conv2.bias": zeros(16, 1)}, "weights: conv2.bias has shape (16, 1); (16,) would fit"),
        ({"fc1.weight": zeros(120, 256)}, "weights: fc1.weight has shape (120, 256); (120, 400) would fit"),
        ({"fc1.weight": zeros(400, 120)}, "weights: fc1.weight has shape (400, 120); (400, 400) would fit"),
        ({"fc2.weight": zeros(84, 119)}, "weights: fc2.weight has shape (84, 119); (84, 120) would fit"),
        ({"fc3.weight": zeros(50, 120)}, "weights: fc3.weight has shape (50, 120); (50, 84) would fit"),
        ({"fc3.bias": zeros(10)}, "weights: fc3.bias has shape (10,); (50,) would fit"),
        ({"fc3.bias": NAN}, "weights: fc3.bias holds nan; every value must be finite"),
        ({"fc2.weight": INF}, "weights: fc2.weight holds -inf; every value must be finite"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_weights(changes, error):
    """Weights that are not a LeNet-5's are refused by the first array that is wrong and what would be right."""
    assert message({name: array for name, array in {**good(), **changes}.items() if array is not None}) == error


def test_nothing_is_no_weights():
    """Empty weights miss the first array."""
    assert message({}) == f"weights: 'conv1.weight' is missing; LeNet-5 has {HAS}"


def test_ragged_lists_are_no_array():
    """What NumPy cannot read at all is refused in one line too."""
    error = message({**good(), "fc1.bias": [[1.0], [2.0, 3.0]]})
    assert error.startswith("weights: fc1.bias is not an array (setting an array element with a sequence.")
    assert error.endswith("); it must be float32")


def test_tensors_that_numpy_cannot_read_are_no_arrays():
    """Tensors in bfloat16, sparse ones and those that a gradient depends on are refused, never converted in silence."""
    torch = pytest.importorskip("torch", reason="torch: the package 'torch' is not installed; pip install torch")
    bias = torch.zeros(120)
    for tensor, reason in (
        (bias.bfloat16(), "Got unsupported ScalarType BFloat16"),
        (bias.to_sparse(), "can't convert Sparse layout tensor to numpy"),
        (bias.clone().requires_grad_(), "Can't call numpy() on Tensor that requires grad"),
    ):
        error = message({**good(), "fc1.bias": tensor})
        assert error.startswith(f"weights: fc1.bias is not an array ({reason}")
        assert error.endswith("); it must be float32")


@pytest.mark.parametrize(
    ("other", "error"),
    [
        (Architecture(channels=1), "weights: conv1.weight has shape (6, 1, 5, 5); (6, 3, 5, 5) would fit"),
        (Architecture(classes=10), "weights: fc3.weight has shape (10, 84); (50, 84) would fit"),
    ],
    ids=["channels", "classes"],
)
def test_checked_like_another(other, error):
    """Where the shapes are given, weights of another network are refused although they fit each other."""
    assert message(initial_weights(other), like=Architecture().shapes) == error
    assert shapes_of(checked(initial_weights(other), like=other.shapes)) == other.shapes
