"""How the weights of the fast network follow their gradients: all of them at once, in one flat buffer, without a new array.

`optimizers` has the same rules as they are published.
"""

from __future__ import annotations

import math

import numpy as np

from lenet5.by_hand.layout import Array
from lenet5.contract import ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON


class FlatGradientDescent:
    """w -= learning_rate * g"""

    def __init__(self, size: int, learning_rate: float) -> None:
        self.learning_rate = np.float32(learning_rate)

    def reset(self) -> None:
        """Nothing is remembered between steps."""

    def update(self, w: Array, g: Array) -> None:
        """One step of the weights, in place; the gradient is overwritten.   w (size,), g (size,)"""
        np.multiply(g, self.learning_rate, out=g)
        np.subtract(w, g, out=w)


class FlatAdam:
    """Adam (Kingma & Ba 2015, algorithm 1) in ten passes: fresh memory and passes cost more than arithmetic.

    The running means are kept divided by what each new value is multiplied by, 1 - beta: a decay and a sum then update them.  The
    factors that are left, with those that take out the bias, are numbers that are multiplied together before any array is touched.
    """

    def __init__(self, size: int, learning_rate: float) -> None:
        self.learning_rate = learning_rate
        self.mean, self.square = np.zeros((2, size), np.float32)
        self.steps = 0

    def reset(self) -> None:
        """Forget all steps."""
        self.steps = 0
        self.mean.fill(0)
        self.square.fill(0)

    def update(self, w: Array, g: Array) -> None:
        """One step of the weights, in place; the gradient is overwritten.   w (size,), g (size,)"""
        self.steps += 1
        m, v = self.mean, self.square
        of_mean = (1 - ADAM_BETA1) / (1 - ADAM_BETA1**self.steps)
        of_root = math.sqrt((1 - ADAM_BETA2) / (1 - ADAM_BETA2**self.steps))
        np.multiply(m, np.float32(ADAM_BETA1), out=m)
        np.add(m, g, out=m)
        np.multiply(v, np.float32(ADAM_BETA2), out=v)
        np.multiply(g, g, out=g)
        np.add(v, g, out=v)
        np.sqrt(v, out=g)
        np.add(g, np.float32(ADAM_EPSILON / of_root), out=g)
        np.divide(m, g, out=g)
        np.multiply(g, np.float32(self.learning_rate * of_mean / of_root), out=g)
        np.subtract(w, g, out=w)


FLAT_OPTIMIZERS: dict[str, type[FlatGradientDescent] | type[FlatAdam]] = {"sgd": FlatGradientDescent, "adam": FlatAdam}
