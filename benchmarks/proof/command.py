"""`python -m benchmarks study`, `coverage` and `disturb`: how often the gate, the report's intervals and its first line are wrong."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.gate.command import add_threshold
from benchmarks.gate.rules import Rules
from benchmarks.gate.thresholds import share
from benchmarks.proof import coverage
from benchmarks.saved.files import check_writable, named
from benchmarks.sessions.command import BEHIND, add_processes, folder_of, measured
from benchmarks.sessions.command_line import command_line
from benchmarks.sessions.plan import Plan
from benchmarks.sessions.signals import Interrupted, Signals
from lenet5.errors import INTERRUPTED, InputError, complain, say

STUDY = """\
How often is the gate wrong, and how small a slow-down does it find? Counted
on pairs of identical code that gates have recorded (gate --pairs); nothing is
measured. Writes study.json, study.md and a page with plots, study.html."""

STUDY_EXAMPLES = """\
examples:
  python -m benchmarks gate --base HEAD --head HEAD --pairs 52 --budget 60 --output quiet-1
  python -m benchmarks study quiet-1
  python -m benchmarks study quiet=quiet-1 busy=busy-1 --runs 500 --output docs/gate"""

COVERAGE = """\
Are the report's 95 % intervals honest? Identical copies of a few cases are
measured in fresh processes; the true ratio of two copies is 1, and 5 % of the
intervals may miss it."""

COVERAGE_EXAMPLES = """\
examples:
  python -m benchmarks coverage
  python -m benchmarks coverage --processes 20 --set 5 --save count.json
  python -m benchmarks coverage -- --threads 1 --benchmark-max-time 0.1

"""


DISTURBANCE = """\
How often does the report call a disturbed case disturbed, and an idle one?
Short sessions are measured beside no, one and two busy loops until each has
300 cases, about ten minutes on two CPUs; nothing else should run meanwhile.
Writes study.md and disturbance.json."""

DISTURBANCE_EXAMPLES = """\
examples:
  python -m benchmarks disturb --output docs/disturbance
  python -m benchmarks disturb --runs 2"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this room's commands."""
    command = commands.add_parser(
        "study", help="Count how often the gate is wrong, and what it finds.", description=STUDY, epilog=STUDY_EXAMPLES
    )
    _add_study(command)
    command = commands.add_parser(
        "coverage",
        help="Count how often the report's intervals miss the truth.",
        description=COVERAGE,
        epilog=COVERAGE_EXAMPLES + BEHIND,
    )
    _add_coverage(command)
    command = commands.add_parser(
        "disturb",
        help="Count how often a disturbed case is called so.",
        description=DISTURBANCE,
        epilog=DISTURBANCE_EXAMPLES,
    )
    _add_disturbance(command)


def _add_study(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "recordings",
        nargs="+",
        metavar="RECORDING",
        help="The folder of a gate on identical code. NAME=DIR says under which condition it was measured; a DIR alone is quiet.",
    )
    command.add_argument("--runs", type=int, default=2000, metavar="N", help="Resample N runs for each number. Default: 2000.")
    command.add_argument("--seed", type=int, default=0, metavar="S", help="Resample them by this seed. Default: 0.")
    add_threshold(command)
    command.add_argument(
        "--output", type=named, default=Path("report"), metavar="DIR", help="Write the files into this folder. Default: report."
    )
    command.set_defaults(function=_study, parser=command)


def _study(options: argparse.Namespace) -> int:
    from benchmarks.proof import study, study_page  # with matplotlib, which takes half a second
    from benchmarks.proof.recordings import by_condition

    check_writable(options.output / "study.html", "--output")
    rules = Rules(threshold=share(options.threshold))
    found = study.study(by_condition(options.recordings), rules, options.runs, options.seed)
    text = study_page.write({"command": command_line(options), **found}, options.output)
    say(f"{text}\nWritten to {options.output / 'study.html'}")
    return 0


def _add_coverage(command: argparse.ArgumentParser) -> None:
    add_processes(command, default=60)
    command.add_argument(
        "--set",
        type=int,
        default=10,
        metavar="N",
        help="Compute each ratio from N processes; N has to divide --processes. Default: 10.",
    )
    command.add_argument(
        "--save", type=named, metavar="FILE", help="Write the count into this file, as JSON. Default: coverage.json in --output."
    )
    command.set_defaults(function=_coverage, parser=command, pytest=())


def _coverage(options: argparse.Namespace) -> int:
    coverage.check_set(options.set, options.processes)
    output = folder_of("coverage", options)
    path = options.save or output / "coverage.json"
    check_writable(path, "--save")
    runs = measured(Plan(cases=coverage.CASES, seed=options.seed, options=options.pytest), options, output)
    if runs is None:
        return INTERRUPTED
    (run,) = runs  # of this machine
    command = command_line(options, output=output, save=path, resume=False)
    say(f"{coverage.sentence(coverage.save(run, options.set, command, path))}\nWritten to {path}")
    return 0


def _add_disturbance(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--runs", type=int, metavar="N", help="Measure N sessions beside each number of loops. Default: until each has 300 cases."
    )
    command.add_argument(
        "--output", type=named, default=Path("report"), metavar="DIR", help="Write the files into this folder. Default: report."
    )
    command.set_defaults(function=_disturbance, parser=command)


def _disturbance(options: argparse.Namespace) -> int:
    if options.runs is not None and options.runs < 1:
        raise InputError(f"--runs {options.runs}: use a whole number of at least 1")
    from benchmarks.proof import disturbance, disturbance_page

    check_writable(options.output / "study.md", "--output")
    try:
        with Signals() as signals:
            found = disturbance.study(options.runs, command_line(options), signals)
    except Interrupted as signal:
        complain(f"{signal}: nothing is kept")
        return INTERRUPTED
    say(f"{disturbance_page.write(found, options.output)}\nWritten to {options.output / 'study.md'}")
    return 0
