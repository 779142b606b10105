"""`python -m benchmarks verdict`: recorded pairs judged again."""

from __future__ import annotations

import argparse

from benchmarks.gate import recorded, text
from benchmarks.gate.command import NOT_TOLD, add_outcome, add_thresholds, check_files, reason_in_summary, told
from benchmarks.gate.thresholds import read
from benchmarks.saved.files import named

DESCRIPTION = """\
Judges pairs again that a gate has recorded: the same table, the same exit
code and the same files as the gate's own. Nothing is measured, and nothing in
the folders changes.

exit code:
  0  head is not slower
  1  head is slower, or the two sides do not do the same work
  2  no verdict, or it could not be written where you asked; a line says why
  3  undecided

Several folders are judged together if they compare the same two sides. Their
pairs count in the order in which they were measured, and a case uses no more of
them than a gate measures: the looks stay the same. Those of several machines
take turns and count within their machine; a table has each case on each of
them, and a line says on which it is slower and on which not. With other
thresholds a case can lack pairs that these would have asked for; then it is
undecided."""

EXAMPLES = """\
examples:
  python -m benchmarks verdict .benchmarks/gate-20260102-030405-678901
  python -m benchmarks verdict monday tuesday --markdown both.md
  python -m benchmarks verdict on-one-machine on-another --json both.json
  python -m benchmarks verdict monday --threshold 5% --threshold "predict=3%" """


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this command."""
    command = commands.add_parser(
        "verdict", help="Judge the recorded pairs of a gate again.", description=DESCRIPTION, epilog=EXAMPLES.rstrip()
    )
    command.add_argument(
        "folders",
        nargs="+",
        type=named,
        metavar="DIR",
        help="A folder that a gate left, in .benchmarks or where its --output says.",
    )
    add_thresholds(command, "Default: those of the gate; if any is given, those of the gate no longer hold.")
    add_outcome(command)
    command.set_defaults(function=_verdict, parser=command)


@reason_in_summary("Gate")
def _verdict(options: argparse.Namespace) -> int:
    check_files(options)
    outcome = recorded.outcome_of(options.folders, read(options.threshold) if options.threshold else None)
    places = ", ".join(map(str, options.folders))
    return outcome.exit_code if told(text.render(outcome), text.as_json(outcome), options, places) else NOT_TOLD
