"""Where the time of a prediction goes, by a framework's own profiler: what the programs where_<framework> have in common.

    python -m benchmarks.isolated.where_torch MODE PROBLEM.npz --seconds 0.5

Prints {"plain_seconds": [...], "whole_seconds": [...], "parts": [[name, [kind, seconds]], ...]}: calls without the profiler and with it, and the
parts of the median call; or {"no_number": why} where these would describe another call than the one that is measured.  A kernel is what the profiler names; every moment of a call belongs to the innermost kernels that run then, in equal
shares if several threads run one each, or to what is between kernels.  So the parts sum to the whole, however many threads there are.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.testing import assert_allclose

import lenet5
from benchmarks.arrange.clock import interleaved
from benchmarks.arrange.problem import ATOL, load, weights_in
from benchmarks.isolated import program

KINDS = ("convolution", "pooling", "dense", "activation", "fused", "copies", "other", "between")
"""What a part of a call does; ``fused``: a compiler has made one kernel of several of the others; ``between``: no kernel runs."""

BETWEEN = "between kernels"

FEWEST_ROUNDS, MOST_ROUNDS = 5, 200

MOST_SLOWED = 1.5
"""A profiler under which the shortest call takes so many times as long as without describes another call than the one that is measured."""


class NotToBeTold(RuntimeError):
    """What a profiler says does not describe the call: one line, with the bound that was broken."""


@dataclass(frozen=True)
class Span:
    """A kernel, or a whole call, on one thread, in seconds of the profiler's own clock."""

    name: str
    start: float
    end: float
    thread: object = None


@dataclass(frozen=True)
class Profile:
    """What a profiler saw."""

    calls: Sequence[Span]
    kernels: Sequence[Span]


def main(
    framework: str,
    profile: Callable[[Any, Any, int], Profile],
    kind_of: Callable[[str], str],
    arguments: Sequence[str] | None = None,
) -> int:
    """Measure once and print the JSON; exit codes as in `program.answer`.  ``profile(net, x, rounds)`` makes that many calls."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("mode")
    parser.add_argument("problem", type=Path)
    parser.add_argument("--seconds", type=float, default=0.5)

    def measured(options: argparse.Namespace) -> dict[str, Any]:
        problem = load(options.problem)
        net = lenet5.implementation(framework)(weights_in(problem), mode=options.mode)
        x = net.tensor(problem["images"])
        assert_allclose(net.predict(x), problem["expected"], rtol=0, atol=ATOL)
        plain = interleaved({"plain": lambda: net.predict(x)}, options.seconds)["plain"]
        rounds = int(min(max(options.seconds / np.median(plain), FEWEST_ROUNDS), MOST_ROUNDS))
        found = told(profile(net, x, rounds), kind_of)
        try:
            check(plain, found["whole_seconds"], rounds)
        except NotToBeTold as error:
            return {"no_number": str(error)}
        return {"plain_seconds": plain, **found}

    return program.answer(parser, measured, arguments)


def check(plain: Sequence[float], whole: Sequence[float], rounds: int) -> None:
    """Raise NotToBeTold unless the profiler saw every call, and has left the calls about as long as they were."""
    if len(whole) != rounds:
        raise NotToBeTold(f"the profiler saw {len(whole)} of {rounds} calls")
    if min(whole) > MOST_SLOWED * min(plain):
        raise NotToBeTold(
            f"a call takes {min(whole) / min(plain):.2f} times as long under the profiler; expected at most {MOST_SLOWED}"
        )


def told(found: Profile, kind_of: Callable[[str], str]) -> dict[str, Any]:
    """The time of each call, and the parts of the median one, the longest first.  Raises ValueError if the profiler saw no call."""
    if not found.calls:
        raise ValueError("the profiler saw no call")
    whole = [call.end - call.start for call in found.calls]
    median = found.calls[int(np.argsort(whole)[len(whole) // 2])]
    parts = attributed(median, found.kernels)
    named = {name: [("between" if name == BETWEEN else kind_of(name)), seconds] for name, seconds in parts.items()}
    return {"whole_seconds": whole, "parts": sorted(named.items(), key=lambda part: -part[1][1])}


def attributed(call: Span, kernels: Sequence[Span]) -> dict[str, float]:
    """The seconds of a call that belong to each kernel, and to what is between them: together its whole length."""
    inside = [kernel for kernel in kernels if kernel.end > call.start and kernel.start < call.end]
    moments = sorted({call.start, call.end, *(min(max(at, call.start), call.end) for one in inside for at in (one.start, one.end))})
    parts: dict[str, float] = {}
    for start, end in pairwise(moments):
        running: dict[object, Span] = {}
        for kernel in inside:
            if kernel.start <= start and kernel.end >= end:
                outer = running.get(kernel.thread)
                if outer is None or (kernel.start, -kernel.end) >= (outer.start, -outer.end):
                    running[kernel.thread] = kernel
        names = [kernel.name for kernel in running.values()] or [BETWEEN]
        for name in names:
            parts[name] = parts.get(name, 0.0) + (end - start) / len(names)
    return parts


def kind_by(patterns: Mapping[str, str]) -> Callable[[str], str]:
    """A function that gives a kernel's kind by the first pattern that its name holds; "other" where none fits."""

    def kind_of(name: str) -> str:
        return next((kind for pattern, kind in patterns.items() if re.search(pattern, name)), "other")

    return kind_of


if __name__ == "__main__":
    sys.exit("benchmarks.isolated.where: run one of the programs where_<framework>")
