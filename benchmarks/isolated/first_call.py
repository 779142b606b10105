"""What the first call of a network costs in a process that has done nothing yet.  Run as a child, through `fresh`.

    python -m benchmarks.isolated.first_call FRAMEWORK MODE KIND PROBLEM.npz [--device cuda]      # KIND is predict or train_step

Prints {"import_seconds", "build_seconds", "first_call_seconds", "second_call_seconds"}.  NumPy is loaded before the clock starts:
every framework needs it.  Images are converted outside the timers, as in every other case.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.testing import assert_allclose
from numpy.typing import NDArray

import lenet5
from benchmarks.arrange.measuring import LEARNING_RATE, timed
from benchmarks.isolated import fresh

KINDS = ("predict", "train_step")
ATOL = 1e-5


def save_problem(
    path: Path, weights: lenet5.Weights, images: NDArray[np.float32], labels: NDArray[np.int64], expected: Any
) -> Path:
    """Write what a child needs: weights, images (n, c, 32, 32), labels (n,), and what it must answer.

    ``expected`` is the logits (n, classes) of a predict, the losses (2,) of two training steps.
    """
    np.savez(path, images=images, labels=labels, expected=np.asarray(expected), **weights)  # type: ignore[arg-type]
    return path


def load_problem(path: Path) -> dict[str, NDArray[Any]]:
    """What `save_problem` wrote."""
    with np.load(path, allow_pickle=False) as problem:
        return dict(problem)


def measure(
    load: Callable[[], Any], mode: str, kind: str, problem: Mapping[str, NDArray[Any]], device: str = "cpu"
) -> dict[str, float]:
    """Import by ``load``, build, call twice; seconds of each.  Raises AssertionError, and gives no time, for a wrong answer."""
    weights = {name: problem[name] for name in problem if name not in ("images", "labels", "expected")}
    implementation, import_seconds = timed(load)
    build = partial(implementation, weights, mode=mode, optimizer="adam", learning_rate=LEARNING_RATE, device=device)
    net, build_seconds = timed(build)
    batch = [net.tensor(problem["images"])] + ([net.tensor(problem["labels"])] if kind == "train_step" else [])
    call = getattr(net, kind)
    first, first_call_seconds = timed(call, *batch)
    second, second_call_seconds = timed(call, *batch)
    assert_allclose([first, second] if kind == "train_step" else first, problem["expected"], rtol=0, atol=ATOL)
    return {
        "import_seconds": import_seconds,
        "build_seconds": build_seconds,
        "first_call_seconds": first_call_seconds,
        "second_call_seconds": second_call_seconds,
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure once and print the JSON; exit codes as in `fresh.answer`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.isolated.first_call", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("framework")
    parser.add_argument("mode")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("problem", type=Path)
    parser.add_argument("--device", default="cpu")

    def measured(options: argparse.Namespace) -> dict[str, float]:
        load = partial(lenet5.implementation, options.framework)
        return measure(load, options.mode, options.kind, load_problem(options.problem), options.device)

    return fresh.answer(parser, measured, arguments)


if __name__ == "__main__":
    sys.exit(main())
