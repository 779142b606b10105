"""`python -m benchmarks study` and `coverage`: how often the gate and the report's intervals are wrong, counted on identical code."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.gate.command import add_threshold
from benchmarks.gate.rules import Rules
from benchmarks.proof import coverage, study, study_page
from benchmarks.proof.recordings import by_condition
from benchmarks.report.command import say
from benchmarks.sessions.command import EPILOG, INTERRUPTED, add_processes, folder_of, measured
from benchmarks.sessions.command_line import command_line
from benchmarks.sessions.plan import Plan
from lenet5.errors import InputError


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this room's commands."""
    _add_study(
        commands.add_parser("study", help="how often the gate errs and what it finds, from recorded pairs of identical code")
    )
    _add_coverage(commands.add_parser("coverage", help="how often the intervals of identical cases miss 1", epilog=EPILOG))


def _add_study(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "recordings",
        nargs="+",
        metavar="RECORDING",
        help="the folder of a gate on identical code (--pairs); NAME=DIR says under which condition it was measured",
    )
    command.add_argument(
        "--runs", type=int, default=2000, metavar="N", help="runs that are resampled for each figure; default: 2000"
    )
    command.add_argument("--seed", type=int, default=0, metavar="S", help="of the resampling; default: 0")
    add_threshold(command)
    command.add_argument(
        "--output", type=Path, default=Path("report"), metavar="DIR", help="of study.json, .md and .html; default: report"
    )
    command.set_defaults(function=_study, parser=command)


def _study(options: argparse.Namespace) -> int:
    if options.pytest:
        raise InputError(f"-- {' '.join(options.pytest)}: study runs no pytest; use it with gate")
    rules = Rules(threshold=options.threshold)
    found = study.study(by_condition(options.recordings), rules, options.runs, options.seed)
    text = study_page.write({"command": command_line(options), **found}, options.output)
    say(f"{text}\nWritten to {options.output / 'study.html'}")
    return 0


def _add_coverage(command: argparse.ArgumentParser) -> None:
    add_processes(command, default=60)
    command.add_argument("--set", type=int, default=10, metavar="N", help="processes that give one ratio (default: 10)")
    command.add_argument("--save", type=Path, metavar="FILE", help="write the count there, as JSON")
    command.set_defaults(function=_coverage, parser=command)


def _coverage(options: argparse.Namespace) -> int:
    coverage.check_set(options.set, options.processes)
    output = folder_of("coverage", options)
    path = options.save or output / "coverage.json"
    run = measured(Plan(cases=coverage.CASES, seed=options.seed, options=options.pytest), options, output)
    if run is None:
        return INTERRUPTED
    command = command_line(options, output=output, save=path, resume=False)
    say(f"{coverage.sentence(coverage.save(run, options.set, command, path))}\nWritten to {path}")
    return 0
