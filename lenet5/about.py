"""What a prediction needs to know beside the weights: how an image became numbers, and what the classes are called.

It lies in the file of the weights as one text of JSON, and may be absent there, whole or in part.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lenet5.architecture import IMAGE_SIDE
from lenet5.contract import ACTIVATIONS
from lenet5.errors import InputError

if TYPE_CHECKING:
    from lenet5.datasets import Dataset

KEY = "lenet5"
"""The name of the text in a file: a key of the metadata of .safetensors, an array in an .npz."""


@dataclass(frozen=True)
class About:
    """How an image is prepared for the network, and what its answers are called; None for what is not known.

    An image is resized to side x side, padded with zeros to 32 x 32, divided by 255, and less the mean of its channel.
    """

    mean: tuple[float, ...] | None = None
    names: tuple[str, ...] | None = None
    """Of the classes."""
    activation: str | None = None
    side: int | None = None
    dataset: str | None = None
    """What the network was trained on; nothing depends on it."""

    def text(self) -> str:
        """As it lies in a file."""
        return json.dumps({name: value for name, value in asdict(self).items() if value is not None})


def of(dataset: Dataset, activation: str = "relu") -> About:
    """What a network that is trained on this data set needs, with the activation that it was built with."""
    mean = tuple(float(value) for value in dataset.mean)
    return About(mean, dataset.names, activation, dataset.side, dataset.name)


def read(text: str, weights: Mapping[str, Any]) -> About:
    """The opposite of `About.text`; what is unknown to it is left out.  Raises InputError for what does not fit the network."""
    channels, classes = weights["conv1.weight"].shape[1], weights["fc3.weight"].shape[0]
    right: dict[str, tuple[str, Callable[[Any], bool]]] = {
        "mean": (f"{channels} numbers from 0 to 1", lambda value: _all(value, channels, _is_share)),
        "names": (f"{classes} names of classes", lambda value: _all(value, classes, lambda name: isinstance(name, str))),
        "activation": (f"one of {', '.join(ACTIVATIONS)}", lambda value: value in ACTIVATIONS),
        "side": (f"an even number up to {IMAGE_SIDE}", lambda value: type(value) is int and value in range(2, IMAGE_SIDE + 1, 2)),
        "dataset": ("a name", lambda value: isinstance(value, str)),
    }
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InputError(f"{KEY}: {text!r:.80} is no JSON object; one with {', '.join(right)} would be right")
    for name, (wanted, fits) in right.items():
        if name in found and not fits(found[name]):
            raise InputError(f"{KEY}: {name} {json.dumps(found[name]):.80} does not fit this network; {wanted} would be right")
    lists = {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}
    known: dict[str, Any] = {name: lists[name] for name in right if name in lists}
    return About(**known)


def _all(value: Any, count: int, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and len(value) == count and all(map(fits, value))


def _is_share(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= 1
