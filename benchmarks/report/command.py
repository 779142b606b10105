"""`python -m benchmarks report`: the report of a saved run, from its JSON alone."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.report import report
from benchmarks.saved.storage import STORAGE, newest
from lenet5.errors import InputError


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this room's command."""
    command = commands.add_parser("report", help="the report of a saved run, from its JSON alone")
    command.add_argument(
        "run",
        nargs="*",
        type=Path,
        metavar="RUN",
        help=f"folders or files; versions side by side; default: the newest in {STORAGE}",
    )
    command.add_argument("--output", type=Path, default=Path("report"), metavar="DIR", help="default: report")
    command.set_defaults(function=_report, parser=command)


def _report(options: argparse.Namespace) -> int:
    if options.pytest:
        raise InputError(f"-- {' '.join(options.pytest)}: report runs no pytest; use it with run")
    show(options.run or [newest()], options.output)
    return 0


def show(runs: Sequence[Path], output: Path) -> None:
    """Write the report of these runs into a folder and print it.  Raises InputError as `report.write` does."""
    written = report.write(runs, output)
    say(f"{written.text}\nWritten to {written.path}")


def say(text: str) -> None:
    """Print; a reader that has read enough, as head has, is no error."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python's own flush at the end would break again
