"""How weights follow their gradients, by hand.  update(weights, gradients) changes weights in place."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lenet5.by_hand.layers import Array
from lenet5.contract import ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON


class GradientDescent:
    """w -= learning_rate * g"""

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = learning_rate

    def reset(self) -> None:
        """Nothing is remembered between steps."""

    def update(self, weights: Mapping[str, Array], gradients: Mapping[str, Array]) -> None:
        """One step, in place."""
        for name, gradient in gradients.items():
            weights[name][...] -= self.learning_rate * gradient


class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1): a running mean of the gradient over the root of a running mean of its square."""

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = learning_rate
        self.steps = 0
        self.mean: dict[str, Array] = {}
        self.square: dict[str, Array] = {}

    def reset(self) -> None:
        """Forget all steps, keep the memory: a step that first allocates is not the step that a training run consists of."""
        self.steps = 0
        for array in (*self.mean.values(), *self.square.values()):
            array[...] = 0

    def update(self, weights: Mapping[str, Array], gradients: Mapping[str, Array]) -> None:
        """One step, in place."""
        self.steps += 1
        for name, gradient in gradients.items():
            m = self.mean.setdefault(name, np.zeros_like(gradient))
            v = self.square.setdefault(name, np.zeros_like(gradient))
            m += (1 - ADAM_BETA1) * (gradient - m)
            v += (1 - ADAM_BETA2) * (gradient * gradient - v)
            unbiased_mean = m / (1 - ADAM_BETA1**self.steps)
            unbiased_square = v / (1 - ADAM_BETA2**self.steps)
            weights[name][...] -= self.learning_rate * unbiased_mean / (np.sqrt(unbiased_square) + ADAM_EPSILON)


OPTIMIZERS: dict[str, type[GradientDescent] | type[Adam]] = {"sgd": GradientDescent, "adam": Adam}
