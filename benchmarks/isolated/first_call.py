"""What the first call of a network costs in a process that has done nothing yet.

    python -m benchmarks.isolated.first_call FRAMEWORK MODE KIND PROBLEM.npz [--device cuda]      # KIND is predict or train_step

Prints {"import_seconds", "build_seconds", "first_call_seconds", "second_call_seconds"}.  NumPy is loaded before the clock starts:
every framework needs it.  Images are converted outside the timers, as in every other case.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from numpy.testing import assert_allclose
from numpy.typing import NDArray

from benchmarks.arrange import honest
from benchmarks.arrange.clock import timed
from benchmarks.arrange.problem import ATOL, LEARNING_RATE, weights_in
from benchmarks.isolated import network

KINDS = ("predict", "train_step")


def measure(
    load: Callable[[], Any], mode: str, kind: str, problem: Mapping[str, NDArray[Any]], device: str = "cpu"
) -> dict[str, float]:
    """Import by ``load``, build, call twice; seconds of each.

    Raises AssertionError, and gives no time, for a wrong answer, and NotHonoured for a network that is not what its mode's name says.
    """
    weights = weights_in(problem)
    implementation, import_seconds = timed(load)
    build = partial(implementation, weights, mode=mode, optimizer="adam", learning_rate=LEARNING_RATE, device=device)
    net, build_seconds = timed(build)
    batch = [net.tensor(problem["images"])] + ([net.tensor(problem["labels"])] if kind == "train_step" else [])
    call = getattr(net, kind)
    first, first_call_seconds = timed(call, *batch)
    second, second_call_seconds = timed(call, *batch)
    assert_allclose([first, second] if kind == "train_step" else first, problem["expected"], rtol=0, atol=ATOL)
    honest.check_call(net, mode, first)
    return {
        "import_seconds": import_seconds,
        "build_seconds": build_seconds,
        "first_call_seconds": first_call_seconds,
        "second_call_seconds": second_call_seconds,
    }


if __name__ == "__main__":
    sys.exit(network.main(measure, KINDS))
