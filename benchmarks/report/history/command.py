"""`python -m benchmarks history`: many runs over time and machines, on one page."""

from __future__ import annotations

import argparse
from datetime import datetime, timezone
from pathlib import Path

from benchmarks.report.history import accepted
from benchmarks.saved.files import named
from benchmarks.saved.index import INDEX, opened
from benchmarks.saved.storage import STORAGE
from lenet5.errors import InputError, say

FOLDER = Path("report")

FAILS: dict[str, set[str]] = {"never": set(), "slower": {"slower"}, "changed": {"slower", "faster"}}
"""--fail-on -> the verdicts that end the command with 1."""

DESCRIPTION = """\
Draws all saved runs and gates over commits, versions or dates: one page and a
Markdown file, a line for each mode with its interval at every point, the
control beneath. Finds where a line changes its level, and prints each change
with the command of the gate that would confirm it.

exit code:
  0  done
  1  with --fail-on: there is such a change that is not accepted
  2  what was asked cannot be done; a line says why"""

EXAMPLES = f"""\
examples:
  python -m benchmarks history
  python -m benchmarks history .benchmarks docs/gpu --x date --output page
  python -m benchmarks history --fail-on slower --accepted {accepted.FILE}"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this command."""
    command = commands.add_parser(
        "history", help="Draw all saved runs over time, and find what changed.", description=DESCRIPTION, epilog=EXAMPLES
    )
    command.add_argument(
        "run",
        nargs="*",
        type=named,
        metavar="RUN",
        help="A saved file, the folder of a run or of a gate, or a folder of such folders. "
        f"Default: {STORAGE}, all that was saved.",
    )
    command.add_argument(
        "--output",
        type=named,
        default=FOLDER,
        metavar="DIR",
        help=f"Write history.md and history.html into this folder. Default: {FOLDER}.",
    )
    command.add_argument(
        "--plots", type=named, metavar="DIR", help="Write each plot into this folder as well, as an SVG file of its own."
    )
    command.add_argument(
        "--x",
        choices=("commit", "version", "date"),
        default="commit",
        help="Draw over the commits that were measured, the versions of frameworks, or the dates of measuring. Default: commit.",
    )
    command.add_argument(
        "--accepted",
        type=named,
        metavar="FILE",
        help=f"Take the changes that are accepted from this file, a line each: CASE COMMIT REASON. Default: {accepted.FILE}, if it exists.",
    )
    command.add_argument(
        "--fail-on",
        choices=FAILS,
        default="never",
        help="End with exit code 1 if a case became slower, or changed at all, unless that is accepted. Default: never.",
    )
    command.add_argument(
        "--index",
        type=named,
        default=INDEX,
        metavar="FILE",
        help=f"Keep what the files say in this file, so that only new ones are read. Default: {INDEX}.",
    )
    command.add_argument("--reindex", action="store_true", help="Make the index anew from the files.")
    command.set_defaults(function=_history, parser=command)


def _history(options: argparse.Namespace) -> int:
    from benchmarks.report.history import history  # with NumPy, SciPy and matplotlib

    marks = accepted.read(options.accepted)
    if not options.run and not STORAGE.is_dir():
        raise InputError(f"{STORAGE}: no saved run; name one, or make one with pytest benchmarks --benchmark-autosave")
    roots = options.run or [STORAGE]
    with opened(options.index, options.reindex) as index:
        faults = index.update(roots).faults
        processes = index.processes(roots)
        if not processes:
            raise InputError(f"{roots[0]}: no saved run is there; expected a saved file, or a folder of runs or of gates")
        found = history.of(index, processes, options.x, marks, faults)
    written = history.write(found, options.output, datetime.now(timezone.utc).isoformat(), options.plots)
    say(written)
    verdicts = {one.verdict for one in found.changes if one.counts}
    return int(bool(verdicts & FAILS[options.fail_on]))
