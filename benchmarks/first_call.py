"""What the first call of a network costs in a process that has done nothing yet.  Run as a child, through `fresh`.

    python -m benchmarks.first_call FRAMEWORK MODE KIND PROBLEM.npz      # KIND is predict or train_step

Prints {"import_seconds", "build_seconds", "first_call_seconds", "second_call_seconds"}.  NumPy is loaded before the clock starts:
every framework needs it.  Images are converted outside the timers, as in every other case.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.testing import assert_allclose
from numpy.typing import NDArray

import lenet5
from benchmarks.measuring import LEARNING_RATE, timed

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


def measure(load: Callable[[], Any], mode: str, kind: str, problem: Mapping[str, NDArray[Any]]) -> dict[str, float]:
    """Import by ``load``, build, call twice; seconds of each.  Raises AssertionError, and gives no time, for a wrong answer."""
    weights = {name: problem[name] for name in problem if name not in ("images", "labels", "expected")}
    implementation, import_seconds = timed(load)
    net, build_seconds = timed(lambda: implementation(weights, mode=mode, optimizer="adam", learning_rate=LEARNING_RATE))
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
    """Measure once and print the JSON; 0, or 2 and one line on standard error for input that is none."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.first_call", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("framework")
    parser.add_argument("mode")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("problem", type=Path)
    options = parser.parse_args(arguments)
    try:
        problem = load_problem(options.problem)
        found = measure(lambda: lenet5.implementation(options.framework), options.mode, options.kind, problem)
    except (lenet5.InputError, lenet5.NotInstalled, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
