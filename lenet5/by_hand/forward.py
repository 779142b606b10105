"""The fast network on n images, forwards: the convolutions take them chunk by chunk, the dense layers all at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from lenet5.architecture import CONVOLUTIONS, DENSE, FLAT_SIDE
from lenet5.by_hand.dense import Basis, Dense, with_one
from lenet5.by_hand.layout import Array
from lenet5.by_hand.memory import Arena
from lenet5.by_hand.parameters import Parameters, ShiftedKernels
from lenet5.by_hand.patches import PatchFeatures
from lenet5.by_hand.strips import StripFeatures

FEW_IMAGES = 4
"""Up to here images go channels innermost (`patches`), in fewer calls; with more the longer rows of `strips` pay."""

CHUNK_IMAGES = 36
"""The most images that are convolved together.  More make longer products, fewer stay nearer to the processor."""


class Features(Protocol):
    """Both convolutions, prepared for one chunk."""

    def forward(self, x: Array) -> None: ...


class Layer(Protocol):
    """A few NumPy calls on arrays and views that are made once: making a view takes longer than many a call."""

    def forward(self) -> None: ...


class Forward:
    """The network on n images, prepared: every array cut from the arena, every view made.

    With ``keep`` every array on the way stays, so that the network can go backwards.
    """

    def __init__(
        self, arena: Arena, n: int, parameters: Parameters, kernels: Mapping[str, ShiftedKernels], activation: str, keep: bool
    ) -> None:
        features = with_one(arena, len(parameters.kernels[CONVOLUTIONS[-1]]) * FLAT_SIDE**2, n)
        maps = features[:-1].reshape(-1, FLAT_SIDE, FLAT_SIDE, n)  # channel first: the canonical order of fc1's columns

        self.features: list[tuple[slice, Features]]
        if n <= FEW_IMAGES and not keep:
            self.features = [(slice(n), PatchFeatures(arena, kernels, maps, activation))]
        else:
            self.features = [
                (chunk, StripFeatures(arena, kernels, maps[..., chunk], activation, keep))
                for chunk in parts(n, -(-n // CHUNK_IMAGES))
            ]

        self.dense: dict[str, Dense] = {}
        self.bases: dict[str, Basis] = {}
        self.layers: list[Layer] = []
        for name in DENSE:
            if name in parameters.bases:
                basis = parameters.bases[name]
                combined = with_one(arena, len(basis), n)
                self.bases[name] = Basis(features[:-1], basis, combined[:-1])
                self.layers.append(self.bases[name])
                features = combined
            weight, last = parameters.dense[name], name == DENSE[-1]
            units = arena.take(len(weight), n) if last else with_one(arena, len(weight), n)
            out = units if last else units[:-1]
            self.dense[name] = Dense(arena, features, weight, out, None if last else activation)
            self.layers.append(self.dense[name])
            features = units
        self.logits = features

    def forward(self, x: Array) -> Array:
        """Logits, until the next call.   x (n, c, 32, 32), fastest if `laid_out` -> (classes, n)"""
        for chunk, features in self.features:
            features.forward(x[chunk])
        for layer in self.layers:
            layer.forward()
        return self.logits


def parts(n: int, count: int) -> list[slice]:
    """n images in that number of parts, which follow each other and differ by one image at most."""
    return [slice(n * k // count, n * (k + 1) // count) for k in range(count)]
