"""`python -m benchmarks report`: the report of a saved run, from its JSON alone."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.report import export
from benchmarks.saved.files import named, write_whole
from benchmarks.saved.many import load_many
from benchmarks.saved.storage import STORAGE, newest
from lenet5.errors import InputError, say

FOLDER = Path("report")

DESCRIPTION = """\
Renders the report of a saved run again, from its JSON alone: writes it as
Markdown and as one page with plots, and prints the comparison and the answer."""

EXAMPLES = """\
examples:
  python -m benchmarks report
  python -m benchmarks report .benchmarks/run-20261126-120000-678901 --output page --plots page
  python -m benchmarks report --export customSmallerIsBetter --output times.json
  python -m benchmarks report .benchmarks/py312-tf220-torch214-bench .benchmarks/py312-tf221-torch215-bench"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this room's command."""
    command = commands.add_parser(
        "report", help="Render the report of a saved run again.", description=DESCRIPTION, epilog=EXAMPLES
    )
    command.add_argument(
        "run",
        nargs="*",
        type=named,
        metavar="RUN",
        help="A file of pytest-benchmark, or the folder of a run; runs of several versions, or of several machines, are put side by side. "
        f"Default: what was saved last in {STORAGE}.",
    )
    command.add_argument(
        "--output",
        type=named,
        metavar="DIR",
        help=f"Write report.md and report.html into this folder. Default: {FOLDER}. With --export: write into this file.",
    )
    command.add_argument(
        "--plots", type=named, metavar="DIR", help="Write each plot into this folder as well, as an SVG file of its own."
    )
    command.add_argument(
        "--worklog",
        type=named,
        metavar="PAGE",
        help="Also write the figures of a run of the group worklog between the marks of this page, docs/fast-numpy.md.",
    )
    command.add_argument(
        "--export",
        choices=export.FORMATS,
        help="Write no report, but the times of one run as another tool reads them: on standard output, or into --output.",
    )
    command.set_defaults(function=_report, parser=command)


def _report(options: argparse.Namespace) -> int:
    runs = options.run or [newest()]
    if options.export is None:
        if options.worklog:
            _fill(options.worklog, runs)
        show(runs, options.output or FOLDER, options.plots)
        return 0
    for name in ("plots", "worklog"):
        if given := getattr(options, name):
            raise InputError(f"--{name} {given}: an export has none; leave it out")
    text = export.FORMATS[options.export](load_many(runs))
    if options.output:
        write_whole(options.output, f"{text}\n")
    else:
        say(text)
    return 0


def _fill(page: Path, runs: Sequence[Path]) -> None:
    """Write the figures of one run into the worklog's page."""
    from benchmarks.report import worklog_page  # with the sections, and what they are drawn with

    worklog_page.fill(page, load_many(runs))


def show(runs: Sequence[Path], output: Path, plots: Path | None = None) -> None:
    """Write the report of these runs into a folder and print it in short.  Raises InputError as `report.write` does.

    ``plots`` is the folder for its plots as files of their own.
    """
    from benchmarks.report import report  # with matplotlib, which takes half a second

    written = report.write(runs, output, plots)
    say(written.short)
