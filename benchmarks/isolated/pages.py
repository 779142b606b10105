"""What it saves to have every page of the BLAS's memory there before it is needed: it can be measured only where it has not been done yet.

    python -m benchmarks.isolated.pages PROBLEM.npz --seconds 0.2

Prints {"own_seconds": [...], "against_seconds": [...]}: the rounds of the network by hand before the pages were made, and after that.  In a
process that has computed anything large they are there already.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from numpy.testing import assert_allclose

from benchmarks.arrange import worklog
from benchmarks.arrange.clock import interleaved
from benchmarks.arrange.problem import ATOL, load, weights_in
from benchmarks.isolated import program

WORK_SECONDS = 0.05
"""The network runs for so long before its times count: in a new process everything is slow at first."""


def measure(options: argparse.Namespace) -> dict[str, list[float]]:
    """Time the network without the pages, make them, time it again.  Raises AssertionError for a wrong answer."""
    problem = load(options.problem)
    without, beside = worklog.NO_PAGES.copy(), worklog.FAST_PATH.copy()
    nets = [made.network(weights_in(problem), mode=worklog.FAST) for made in (without, beside)]
    images = nets[0].tensor(problem["images"])
    call: Callable[[], Any] = partial(nets[0].predict, images)
    assert_allclose(call(), problem["expected"], rtol=0, atol=ATOL)

    def timed() -> list[float]:
        interleaved({"own": call}, WORK_SECONDS)
        return interleaved({"own": call}, options.seconds)["own"]

    before = timed()
    nets[1].predict(nets[1].tensor(problem["images"]))  # makes the pages, for the threads of both networks
    return {"own_seconds": before, "against_seconds": timed()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure once and print the JSON; exit codes as in `program.answer`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("problem", type=Path)
    parser.add_argument("--seconds", type=float, default=0.2)
    return program.answer(parser, measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
