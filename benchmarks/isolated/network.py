"""What the programs have in common that watch one network solve a problem on disk: their arguments.

python -m benchmarks.isolated.<program> FRAMEWORK MODE KIND PROBLEM.npz [--device cuda]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import lenet5
from benchmarks.arrange import problem
from benchmarks.isolated import program

Measure = Callable[..., dict[str, Any]]
"""measure(load, mode, kind, problem, device), where ``load()`` imports the framework and gives its LeNet5."""


def main(measure: Measure, kinds: tuple[str, ...], arguments: Sequence[str] | None = None) -> int:
    """Measure once and print the JSON; exit codes as in `program.answer`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("framework")
    parser.add_argument("mode")
    parser.add_argument("kind", choices=kinds)
    parser.add_argument("problem", type=Path)
    parser.add_argument("--device", default="cpu")

    def measured(options: argparse.Namespace) -> dict[str, Any]:
        load = partial(lenet5.implementation, options.framework)
        return measure(load, options.mode, options.kind, problem.load(options.problem), options.device)

    return program.answer(parser, measured, arguments)
