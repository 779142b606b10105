"""The commands beside pytest: python -m benchmarks report [RUN.json] [--output DIR]."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import report
from lenet5 import InputError

STORAGE = Path(".benchmarks")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 if it did what was asked, 2 if what was asked cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("report", help="the report of a saved run, from its JSON alone")
    command.add_argument("run", nargs="?", type=Path, metavar="RUN.json", help=f"default: the newest in {STORAGE}")
    command.add_argument("--output", type=Path, default=Path("report"), metavar="DIR", help="default: report")
    options = parser.parse_args(arguments)
    try:
        written = report.write([options.run or newest(STORAGE)], options.output)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    print(written.text)
    print(f"Written to {written.path}")
    return 0


def newest(storage: Path) -> Path:
    """The run that was saved last.  Raises InputError if there is none."""
    saved = sorted(storage.glob("*/*.json"), key=lambda path: path.stat().st_mtime)
    if not saved:
        raise InputError(f"{storage}: no saved run; name one, or make one with pytest benchmarks --benchmark-autosave")
    return saved[-1]


if __name__ == "__main__":
    sys.exit(main())
