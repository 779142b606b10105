"""LeNet-5 as a shape: the five layers, the arrays that hold their weights, and the first values of those arrays.

    image (c, 32, 32)
      conv1 5x5, activation, 2x2 max-pool -> (6, 14, 14)
      conv2 5x5, activation, 2x2 max-pool -> (16, 5, 5), flattened channel first -> 400
      fc1, activation -> 120      fc2, activation -> 84      fc3 -> logits (classes,)

Dimensions, here and in every doc-string: n images, c channels in, f filters (channels out), h x w pixels, k kernel side,
d features in, u units out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5.contract import ACTIVATIONS, SEEDS, Weights, check_option, whole_number
from lenet5.errors import InputError

IMAGE_SIDE = 32
KERNEL_SIDE = 5
POOL_SIDE = 2
CONVOLUTIONS = ("conv1", "conv2")
DENSE = ("fc1", "fc2", "fc3")
LAYERS = CONVOLUTIONS + DENSE
FACTORABLE = LAYERS[1:]
"""The layers whose kernel may be a product of two: ``<layer>.basis``, without bias or activation, then ``<layer>.weight``."""

# Rows (and columns) of each convolution's output: 32 - 5 + 1 = 28, pooled to 14, 14 - 5 + 1 = 10, pooled to 5.
CONVOLUTION_SIDE = {"conv1": 28, "conv2": 10}
FLAT_SIDE = 5


@dataclass(frozen=True)
class Architecture:
    """One LeNet-5: image channels, number of classes, and the activation after each hidden layer.

    Raises InputError for a number that no network can have and for an unknown activation.
    """

    channels: int = 3
    classes: int = 50
    activation: str = "relu"

    def __post_init__(self) -> None:
        for name, least in (("channels", 1), ("classes", 2)):
            object.__setattr__(self, name, whole_number(name, getattr(self, name), least))  # the class is frozen
        check_option("activation", self.activation, ACTIVATIONS)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The ten arrays and their shapes, in the order of the data's way through them."""
        k, flat = KERNEL_SIDE, 16 * FLAT_SIDE * FLAT_SIDE
        return {
            "conv1.weight": (6, self.channels, k, k),
            "conv1.bias": (6,),
            "conv2.weight": (16, 6, k, k),
            "conv2.bias": (16,),
            "fc1.weight": (120, flat),
            "fc1.bias": (120,),
            "fc2.weight": (84, 120),
            "fc2.bias": (84,),
            "fc3.weight": (self.classes, 84),
            "fc3.bias": (self.classes,),
        }


NAMES = tuple(Architecture().shapes)
"""The ten arrays of every LeNet-5."""

BASES = tuple(f"{layer}.basis" for layer in FACTORABLE)
"""The arrays that a LeNet-5 with factored layers has in addition (see `compression.low_rank`)."""

ORDER = tuple(f"{layer}.{kind}" for layer in LAYERS for kind in ("basis", "weight", "bias"))
"""Every name that can occur, in canonical order: a basis stands before the weight of its layer."""


def initial_weights(architecture: Architecture, seed: int = 0) -> Weights:
    """Weights to start training from: each array uniform in +/- 1/sqrt(inputs of one unit), as PyTorch does by default.

    Biases are drawn too, so that no check is blind to a forgotten bias.  The same seed gives the same arrays with every version
    of NumPy: RandomState's stream is frozen, Generator's is not (NEP 19).  Raises InputError for a seed that is no whole number from 0 to
    4,294,967,295.
    """
    random = np.random.RandomState(whole_number("seed", seed, 0, SEEDS - 1))
    weights = {}
    for layer in LAYERS:
        shape = architecture.shapes[f"{layer}.weight"]
        bound = 1 / np.sqrt(np.prod(shape[1:]))
        weights[f"{layer}.weight"] = random.uniform(-bound, bound, shape).astype(np.float32)
        weights[f"{layer}.bias"] = random.uniform(-bound, bound, shape[0]).astype(np.float32)
    return weights


def checked(weights: Mapping[str, Any], like: Mapping[str, tuple[int, ...]] | None = None) -> Weights:
    """A copy of the weights, in canonical order, if they are a LeNet-5's.

    Takes anything that NumPy can read as arrays, a PyTorch state_dict included.  ``like``: name -> shape that is wanted; without it
    the layers must fit each other.  Raises InputError for a missing or unknown name, for a value that NumPy cannot read as an array,
    for a dtype other than float32, for a shape that does not fit, and for numbers that are not finite.
    """
    needed = tuple(like or NAMES)
    if missing := [name for name in needed if name not in weights]:
        raise InputError(f"weights: {missing[0]!r} is missing; LeNet-5 has {', '.join(needed)}")
    if foreign := [name for name in weights if name not in needed and (like or name not in BASES)]:
        raise InputError(f"weights: {foreign[0]!r} is not an array of LeNet-5; it has {', '.join(needed)}")
    arrays = {name: _copied(name, weights[name]) for name in ORDER if name in weights}
    wanted = like or _fitting_shapes(arrays)
    for name, array in arrays.items():
        if array.dtype != np.float32:
            raise InputError(f"weights: {name} has dtype {array.dtype}; it must be float32")
        if array.shape != wanted[name]:
            raise InputError(f"weights: {name} has shape {array.shape}; {wanted[name]} would fit")
        if not np.isfinite(array).all():
            raise InputError(f"weights: {name} holds {array[~np.isfinite(array)][0]}; every value must be finite")
    return arrays


def shapes_of(weights: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Name -> shape of each array."""
    return {name: tuple(array.shape) for name, array in weights.items()}


def kernel_names(weights: Mapping[str, Any]) -> list[str]:
    """The arrays that inputs are multiplied by, in canonical order: all but the biases."""
    return [name for name in ORDER if name in weights and not name.endswith(".bias")]


def _copied(name: str, value: Any) -> NDArray[Any]:
    """A copy of a value as NumPy reads it."""
    try:
        return np.asarray(value).copy()  # np.array would ask a PyTorch tensor for the copy, which answers with a warning
    except (TypeError, ValueError, RuntimeError) as error:  # ragged lists; tensors in bfloat16, sparse ones, or tied to a gradient
        reason = str(error).partition("\n")[0]
        raise InputError(f"weights: {name} is not an array ({reason}); it must be float32") from error


def _fitting_shapes(arrays: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Name -> the shape that the array must have, given the outputs of each layer, the rank of each basis and the image's channels."""
    for name in kernel_names(arrays):
        count = 4 if name.startswith(CONVOLUTIONS) else 2
        if arrays[name].ndim != count or 0 in arrays[name].shape:
            raise InputError(f"weights: {name} has shape {arrays[name].shape}; it must have {count} dimensions, none of them 0")
    outputs = {layer: arrays[f"{layer}.weight"].shape[0] for layer in LAYERS}
    k = KERNEL_SIDE
    inputs: dict[str, tuple[int, ...]] = {
        "conv1": (arrays["conv1.weight"].shape[1], k, k),
        "conv2": (outputs["conv1"], k, k),
        "fc1": (outputs["conv2"] * FLAT_SIDE * FLAT_SIDE,),
        "fc2": (outputs["fc1"],),
        "fc3": (outputs["fc2"],),
    }
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in LAYERS:
        if f"{layer}.basis" in arrays:
            rank = arrays[f"{layer}.basis"].shape[0]
            shapes[f"{layer}.basis"] = (rank, *inputs[layer])
            inputs[layer] = (rank, *(1 for _ in inputs[layer][1:]))  # a factored convolution ends in one of 1 x 1
        shapes[f"{layer}.weight"] = (outputs[layer], *inputs[layer])
        shapes[f"{layer}.bias"] = (outputs[layer],)
    return shapes
