"""Where the network by hand spends a prediction: each NumPy call of its prepared steps, timed in a copy of its modules.  Arguments and JSON: see `where`."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.arrange.worklog.copies import Copy, numpy_with
from benchmarks.isolated.where import Profile, Span, kind_by, main

TITLE = "by hand"
FRAMEWORK = "numpy"
PACKAGES = ("numpy",)
KINDS = {"fused": "fused"}

TIMED = ("copyto", "matmul", "maximum", "add")
"""The functions of NumPy that a prediction with relu calls."""

KIND = {
    r"^copyto": "copies",
    r"^matmul of a convolution": "convolution",
    r"^(maximum|add) of a convolution": "pooling",  # bias and activation come after it, on the pooled quarter
    r"of a dense layer": "dense",
}


def profile(net: Any, x: Any, rounds: int) -> Profile:
    """Predict by a copy of the network in which every call of NumPy is timed."""
    copy, kernels, here = Copy(), list[Span](), threading.local()
    copy.replace("np", numpy_with(**{name: _noted(getattr(np, name), name, kernels, here) for name in TIMED}))
    for place, kinds in {
        "a convolution": (copy.strips.StripConvolution, copy.patches.PatchConvolution),
        "a dense layer": (copy.dense.Dense,),
    }.items():
        for kind in kinds:
            kind.forward = _placed(kind.forward, place, here)
    watched = copy.network(net.weights())
    images = watched.tensor(np.asarray(x))
    watched.predict(images)
    calls = []
    kernels.clear()
    for _ in range(rounds):
        start = time.perf_counter()
        watched.predict(images)
        calls.append(Span("call", start, time.perf_counter()))
    return Profile(calls, kernels)


def _noted(function: Callable[..., Any], name: str, kernels: list[Span], here: threading.local) -> Callable[..., Any]:
    """The function, whose every call is noted under the place that it is made at."""

    def call(*arguments: Any, **options: Any) -> Any:
        start = time.perf_counter()
        result = function(*arguments, **options)
        end = time.perf_counter()
        kernels.append(Span(f"{name} of {getattr(here, 'place', 'the images and the logits')}", start, end, threading.get_ident()))
        return result

    return call


def _placed(forward: Callable[[Any], None], place: str, here: threading.local) -> Callable[[Any], None]:
    """A step's forward, during which its thread is at that place."""

    def call(step: Any) -> None:
        here.place = place
        forward(step)
        del here.place

    return call


if __name__ == "__main__":
    sys.exit(main(FRAMEWORK, profile, kind_by(KIND)))
