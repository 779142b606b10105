"""PyTorch's eager modes: the operations that the network dispatches, and what oneDNN, which convolves for it, says that it multiplies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray
from torch.utils._python_dispatch import TorchDispatchMode

import lenet5
from benchmarks.arrange import onednn
from benchmarks.arrange.executed import Executed
from lenet5 import cost
from lenet5.architecture import CONVOLUTIONS, DENSE

TITLE = "PyTorch's dispatcher, oneDNN's verbose lines"
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
    """The second of two equal calls.  The dense layers are products of the BLAS, which pads none."""
    net = lenet5.implementation(FRAMEWORK)(weights, mode=mode)
    x = net.tensor(images)
    net.predict(x)
    with Operations() as operations:
        net.predict(x)
    convolutions = [one for one in onednn.executed(lambda: net.predict(x)) if one.kind == "convolution"]
    calls, layers = len(operations.names), cost.macs_by_layer(weights)
    if len(convolutions) != len(CONVOLUTIONS):
        return Executed(calls, unknown="oneDNN did not say what it multiplies, nor PyTorch what it copies")
    dense = len(images) * sum(layers[layer] for layer in DENSE)
    return Executed(calls, sum(map(onednn.macs, convolutions)) + dense, unknown="PyTorch does not say how many bytes it copies")
