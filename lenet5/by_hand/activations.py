"""relu, sigmoid and tanh of the fast network, forwards and backwards: in place, without a new array."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lenet5.by_hand.layout import Array
from lenet5.by_hand.memory import Arena

# Forwards.  activate(x, zeros, out) writes the value to out; x may be overwritten, and all three have the same shape.


def relu(x: Array, zeros: Array, out: Array) -> None:
    np.maximum(x, zeros, out=out)  # zeros, not 0: against a scalar NumPy's maximum is slower


def sigmoid(x: Array, zeros: Array, out: Array) -> None:
    np.multiply(x, 0.5, out=x)  # 1 / (1 + exp(-x)) = (1 + tanh(x / 2)) / 2, which cannot overflow
    np.tanh(x, out=x)
    np.multiply(x, 0.5, out=x)
    np.add(x, 0.5, out=out)


def tanh(x: Array, zeros: Array, out: Array) -> None:
    np.tanh(x, out=out)


ACTIVATE: dict[str, Callable[[Array, Array, Array], None]] = {"relu": relu, "sigmoid": sigmoid, "tanh": tanh}

# Backwards.  slope(y, out) writes the derivative to out, read off the value y, which stays as it is.


def relu_slope(y: Array, out: Array) -> None:
    np.greater(y, 0, out=out)


def sigmoid_slope(y: Array, out: Array) -> None:
    np.subtract(1, y, out=out)
    np.multiply(y, out, out=out)


def tanh_slope(y: Array, out: Array) -> None:
    np.multiply(y, y, out=out)
    np.subtract(1, out, out=out)


SLOPE: dict[str, tuple[Callable[[Array, Array], None], type]] = {
    "relu": (relu_slope, np.bool_),
    "sigmoid": (sigmoid_slope, np.float32),
    "tanh": (tanh_slope, np.float32),
}
"""Activation -> its slope, and the dtype that the slope is written in."""


class ActivationBackward:
    """d_out -> d_in, in the same array ``d``; ``out`` is the activation's value, of the same shape."""

    def __init__(self, arena: Arena, out: Array, d: Array, activation: str) -> None:
        self.write_slope, dtype = SLOPE[activation]
        self.out, self.d, self.slope = out, d, arena.take(*out.shape, dtype=dtype)

    def backward(self) -> None:
        self.write_slope(self.out, self.slope)
        np.multiply(self.d, self.slope, out=self.d)
