"""Dense layers of the fast network, forwards and backwards: one matrix product for each array that is wanted.

Letters: n images, d features in, u units out.  d_something is the derivative of the loss with respect to something, and has its shape.
"""

from __future__ import annotations

import numpy as np

from lenet5.by_hand.activations import ACTIVATE
from lenet5.by_hand.layout import Array
from lenet5.by_hand.memory import Arena


class Dense:
    """Dense layer, activation.   source (d + 1, n), its last row 1; weight (u, d + 1), its last column the bias -> out (u, n)"""

    def __init__(self, arena: Arena, source: Array, weight: Array, out: Array, activation: str | None) -> None:
        self.source, self.weight, self.out = source, weight, out
        self.zeros = arena.constant(arena.take(*out.shape), 0)
        self.activate = ACTIVATE[activation] if activation else None

    def forward(self) -> None:
        np.dot(self.weight, self.source, out=self.out)
        if self.activate:
            self.activate(self.out, self.zeros, self.out)


class Basis:
    """The first factor of a factored dense layer: no bias, no activation.   source (d, n), weight (rank, d) -> out (rank, n)"""

    def __init__(self, source: Array, weight: Array, out: Array) -> None:
        self.source, self.weight, self.out = source, weight, out

    def forward(self) -> None:
        np.dot(self.weight, self.source, out=self.out)


class DenseBackward:
    """d_out (u, n) -> d_source (d, n), d_weight (u, d + 1); the weight (u, d) without its bias.  A basis has none: d_weight (u, d)"""

    def __init__(self, arena: Arena, source: Array, weight: Array, d_out: Array, d_weight: Array) -> None:
        self.d_out, self.d_weight = d_out, d_weight
        self.source, self.weight = source.T, weight.T
        self.d_source = arena.take(len(self.weight), d_out.shape[1])

    def backward(self) -> None:
        np.dot(self.d_out, self.source, out=self.d_weight)
        np.dot(self.weight, self.d_out, out=self.d_source)


def with_one(arena: Arena, d: int, n: int) -> Array:
    """Room for n columns of d features, and the 1 below them that multiplies the bias.   -> (d + 1, n)"""
    features = arena.take(d + 1, n)
    arena.constant(features[-1], 1)
    return features
