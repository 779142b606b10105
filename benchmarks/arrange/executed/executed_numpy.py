"""The network by hand: counted while it runs, by arrays that note what NumPy is asked to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from numpy.typing import NDArray

from benchmarks.arrange.executed import Executed
from benchmarks.arrange.worklog.copies import Copy
from benchmarks.arrange.worklog.counting import counted

TITLE = "by hand"
FRAMEWORK = "numpy"
PACKAGES = ("numpy",)
KINDS = {"fused": "NumPy calls", "im2col": "NumPy calls"}


def predicting(mode: str, weights: Mapping[str, Any], images: NDArray[Any]) -> Executed:
    """The second of two equal calls."""

    def work(network: Any) -> Callable[[], Any]:
        net = network(weights, mode=mode)
        return partial(net.predict, net.tensor(images))

    found = counted(Copy(), work)
    return Executed(found.calls, found.macs, found.copied_bytes)
