"""PyTorch's eager modes: the operations that the network dispatches.  oneDNN, which convolves, does not say how it pads what it multiplies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray
from torch.utils._python_dispatch import TorchDispatchMode

import lenet5
from benchmarks.arrange.executed import Executed

TITLE = "PyTorch's dispatcher"
FRAMEWORK = "torch"
PACKAGES = ("torch",)
KINDS = {"eager": "operations", "eager-channels_last": "operations"}


class Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """The names of all operations that are dispatched while it is entered."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names: list[str] = []

    def __torch_dispatch__(self, operation: Any, types: Any, arguments: Any = (), options: Any = None) -> Any:
        self.names.append(str(operation))
        return operation(*arguments, **(options or {}))


def predicting(mode: str, weights: Mapping[str, Any], images: NDArray[Any]) -> Executed:
    """The second of two equal calls."""
    net = lenet5.implementation(FRAMEWORK)(weights, mode=mode)
    x = net.tensor(images)
    net.predict(x)
    with Operations() as operations:
        net.predict(x)
    return Executed(len(operations.names), unknown="oneDNN does not say how it pads what it multiplies, nor what it copies")
