"""`python -m benchmarks commits`: measure many commits, for their history."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from benchmarks.sessions import commits
from benchmarks.sessions.asked import asked_for
from benchmarks.sessions.command import BEHIND, add_folder, folder_of, say_how_to_go_on
from benchmarks.sessions.plan import Plan
from benchmarks.sessions.signals import Interrupted
from benchmarks.sessions.this_project import this_project
from lenet5.errors import INTERRUPTED, InputError, say

SECONDS_A_CASE = 0.1
"""Each process measures a case for this long.  Longer gains little: processes differ by more than the rounds within them (docs/gate.md)."""

DESCRIPTION = """\
Measures many commits of this project, each by its own cases: every commit
once, in a random order, then every commit again. What cannot be measured is
named and skipped. `python -m benchmarks history` then draws what was saved."""

EXAMPLES = """\
examples:
  python -m benchmarks commits HEAD~3..HEAD -k "predict and numpy"
  python -m benchmarks commits HEAD~50..HEAD --path lenet5/by_hand --processes 5
  python -m benchmarks commits --resume

"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this command."""
    command = commands.add_parser(
        "commits", help="Measure many commits, for their history.", description=DESCRIPTION, epilog=EXAMPLES + BEHIND
    )
    command.add_argument(
        "range",
        nargs="*",
        metavar="RANGE",
        help="Measure these commits, such as v1..HEAD; merges are left out. Needed, but for --resume.",
    )
    command.add_argument(
        "--path", action="append", metavar="PATH", help="Only those that change this file or folder. May be given several times."
    )
    command.add_argument("--grep", metavar="PATTERN", help="Only those whose message fits this pattern, as of git log --grep.")
    command.add_argument(
        "-k",
        dest="expression",
        metavar="EXPR",
        help="Measure only these cases, selected as by pytest -k. The controls are always measured.",
    )
    command.add_argument(
        "--processes", type=int, default=3, metavar="N", help="Measure each commit in this many processes. Default: 3."
    )
    command.add_argument(
        "--threads",
        type=int,
        default=1,
        metavar="N",
        help="Use N threads in every framework. Default: 1, which is steadier than more.",
    )
    command.add_argument(
        "--seed", type=int, default=0, metavar="S", help="Draw the orders of commits and cases from this seed. Default: 0."
    )
    command.add_argument("--list", action="store_true", help="Measure nothing: print the commits that would be measured.")
    add_folder(command, "process")
    command.set_defaults(function=_commits, parser=command, pytest=())


def _commits(options: argparse.Namespace) -> int:
    if not (options.range or options.resume):
        options.parser.error("the following arguments are required: RANGE")
    if options.threads < 1:
        raise InputError(f"--threads {options.threads}: use a whole number of at least 1")
    project = this_project(options.threads)
    if options.resume:
        found = commits.begun(project.repository, options.output)
    else:
        found = commits.chosen(project.repository, options.range, options.path or (), options.grep)
    if options.list:
        say("\n".join(map(str, found)))
        return 0
    always = (*project.options, f"--benchmark-max-time={SECONDS_A_CASE}", *options.pytest)
    plan = Plan(project.cases[0], options.expression, options.seed, always)
    output: Path = folder_of("commits", options)
    try:
        skipped = commits.run(commits.Asked(project, found, plan, options.processes), output, options.resume, asked_for(options))
    except Interrupted as signal:
        say_how_to_go_on(signal, f"{len(list(output.rglob('process-*.json')))} processes are kept", options, output)
        return INTERRUPTED
    lines = [f"{commit} was not measured: {skipped[commit.name]}" for commit in found if commit.name in skipped]
    measured = len(found) - len(lines)
    say(
        "\n".join(
            [
                *lines,
                f"{measured} of {len(found)} commits; now {shlex.join(['python', '-m', 'benchmarks', 'history', str(output)])}",
            ]
        )
    )
    return 0
