"""The gradient check passes right derivatives and names the number of a wrong one: array, index, expected, got."""

from __future__ import annotations

import numpy as np
import pytest

from lenet5 import InputError
from lenet5.by_hand import check_pullback, layers


def normal(*shape, seed=0):
    return np.random.RandomState(seed).standard_normal(shape)


X, WEIGHT, BIAS = normal(2, 5), normal(3, 5, seed=1), normal(3, seed=2)


def broken(change):
    """The dense layer, its pullback's answer (dweight, dbias, dx) changed."""

    def dense(x, weight, bias):
        y, pullback = layers.dense(x, weight, bias)
        return y, lambda dy: change(*(array.copy() for array in pullback(dy)))

    return dense


def said(operation, *inputs):
    with pytest.raises(AssertionError) as caught:
        check_pullback(operation, *inputs)
    return str(caught.value)


def plus(array, index, value):
    array[index] += value
    return array


@pytest.mark.parametrize(
    ("change", "array", "index"),
    [
        (lambda dweight, dbias, dx: (plus(dweight, (2, 4), 0.25), dbias, dx), "dweight", (2, 4)),
        (lambda dweight, dbias, dx: (dweight, plus(dbias, 1, 0.25), dx), "dbias", (1,)),
        (lambda dweight, dbias, dx: (dweight, dbias, plus(dx, (1, 0), 0.25)), "dx", (1, 0)),
        (lambda dweight, dbias, dx: (dweight, dbias, plus(dx, (0, 3), np.nan)), "dx", (0, 3)),
    ],
    ids=["weight", "bias", "x", "nan"],
)
def test_one_wrong_number_is_named(change, array, index):
    """One number that is off by a quarter, or is none, is found in whichever array it stands, with what it should be."""
    _, pullback = layers.dense(X, WEIGHT, BIAS)
    dy = np.random.RandomState(3).standard_normal((2, 3))
    right = dict(zip(("dweight", "dbias", "dx"), pullback(dy), strict=True))[array]
    got = change(*pullback(dy))[("dweight", "dbias", "dx").index(array)]

    line = said(broken(change), X, WEIGHT, BIAS)

    place = f"{array}[{', '.join(map(str, index))}]"
    values = f"expected {right[index]:.6g}, got {got[index]:.6g}"
    assert line == f"{place} is wrong: {values}; 1 of the {right.size} numbers of {array} are wrong"


def test_a_sign_is_wrong_everywhere():
    """Where all are wrong all are counted."""
    assert said(broken(lambda dweight, dbias, dx: (dweight, dbias, -dx)), X, WEIGHT, BIAS).endswith(
        "; 10 of the 10 numbers of dx are wrong"
    )


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda dweight, dbias, dx: (dweight.T, dbias, dx), "dweight has shape (5, 3); expected (3, 5), that of weight"),
        (lambda dweight, dbias, dx: (dweight, dbias, None), "dx has shape (); expected (2, 5), that of x"),
        (lambda dweight, dbias, dx: (dweight, dx), "the pullback gives 2; expected a tuple of 3: (dweight, dbias, dx,)"),
        (lambda dweight, dbias, dx: dx, "the pullback gives a ndarray; expected a tuple of 3: (dweight, dbias, dx,)"),
    ],
    ids=["transposed", "none", "too-few", "no-tuple"],
)
def test_another_shape(change, line):
    """Derivatives of another shape or number are told apart from wrong numbers."""
    assert said(broken(change), X, WEIGHT, BIAS) == line


def test_no_seed():
    """A seed that there is not is no wrong derivative."""
    with pytest.raises(InputError, match=r"^seed: -1 does not fit; use a whole number from 0 to 4294967295$"):
        check_pullback(layers.dense, X, WEIGHT, BIAS, seed=-1)


def test_the_inputs_stay():
    """Labels have no derivative; float32 is computed with as float64, and no input is written to."""
    logits, labels = normal(4, 3).astype(np.float32), np.array([0, 2, 1, 2])
    kept = logits.copy()
    check_pullback(layers.cross_entropy, logits, labels)
    np.testing.assert_array_equal(logits, kept)


def test_names_of_inputs():
    """An operation that does not name its inputs has numbered ones."""
    assert said(lambda *inputs: (inputs[0] * 2, lambda dy: (dy,)), X).startswith("dinput0[")


def leaky_relu(x):
    slope = np.where(x > 0, 1, 0.1)
    return x * slope, lambda dy: (dy * slope,)


def average_pool(x, s=2):
    n, f, h, w = x.shape
    tiles = x.reshape(n, f, h // s, s, w // s, s)
    return tiles.mean((3, 5)), lambda dy: (np.repeat(np.repeat(dy, s, 2), s, 3) / s**2,)


def summing_pool(x, s=2):
    y, _ = average_pool(x, s)
    return y, lambda dy: (np.repeat(np.repeat(dy, s, 2), s, 3),)


@pytest.mark.parametrize("operation", [leaky_relu, average_pool])
def test_exercises_can_be_solved(operation):
    """Those of docs/lenet5.md."""
    check_pullback(operation, normal(2, 3, 6, 10))


def test_a_wrong_solution_is_seen():
    """Mean forwards and sum backwards."""
    assert said(summing_pool, normal(2, 3, 6, 10)).endswith("; 360 of the 360 numbers of dx are wrong")
