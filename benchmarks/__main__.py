"""The commands beside pytest: measure in fresh processes, report what was saved, gate, prove that the intervals cover.

Each room has its commands in a module ``command``; here they are put together.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from benchmarks.gate import command as gate
from benchmarks.proof import command as proof
from benchmarks.report import command as report
from benchmarks.sessions import command as sessions
from lenet5.errors import InputError


class Parser(argparse.ArgumentParser):
    """An error is one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command: 0 if it did what was asked, 1 if a case failed, 2 if what was asked cannot be done, 130 if interrupted.

    A gate ends with 1 if head is slower and with 3 if that is undecided.
    """
    options = parse(sys.argv[1:] if arguments is None else arguments)
    try:
        return int(options.function(options))
    except InputError as error:
        print(error, file=sys.stderr)
        return 2


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options of a command; ``pytest`` are those that follow ``--``."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options = _parser().parse_args(arguments[:end])
    options.pytest = tuple(arguments[end + 1 :])
    return options


def _parser() -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = Parser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    report.add(commands)
    sessions.add(commands, show=report.show)
    gate.add(commands)
    proof.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
