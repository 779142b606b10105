"""`python -m benchmarks run`: measure in fresh processes.  And what the other commands that measure share with it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.saved.files import named
from benchmarks.saved.results import FAILED, PROCESSES, Run
from benchmarks.saved.storage import MANIFEST, STORAGE, new_folder, newest_folder
from benchmarks.sessions import processes
from benchmarks.sessions.asked import asked_for
from benchmarks.sessions.command_line import command_line
from benchmarks.sessions.plan import Plan
from benchmarks.sessions.signals import Interrupted, Signals
from lenet5.errors import INTERRUPTED

DESCRIPTION = """\
Measures in fresh processes, each in a random order of its own, and reports
ratios with their 95 % intervals. A run that is interrupted goes on with
--resume. The exit code is 1 if a case gave a wrong answer or broke."""

EXAMPLES = """\
examples:
  python -m benchmarks run
  python -m benchmarks run --processes 5 -k "predict and torch"
  python -m benchmarks run --resume
  python -m benchmarks run -- --threads 1 --dataset digits --benchmark-max-time 0.3
  python -m benchmarks run --scheduler tcp://HOST:8786 --processes 20

"""

BEHIND = """\
What stands behind -- goes to pytest, which runs the cases: options of pytest,
of pytest-benchmark, and of this project (see pytest benchmarks --help)."""

Show = Callable[[Sequence[Path], Path], object]
"""Runs and a folder -> their report, written there and printed."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], show: Show) -> None:
    """Add this room's command, which ends with the report of what it measured."""
    command = commands.add_parser(
        "run",
        help="Measure in fresh processes, for ratios with intervals.",
        description=DESCRIPTION,
        epilog=EXAMPLES + BEHIND,
    )
    command.add_argument(
        "-k",
        dest="expression",
        metavar="EXPR",
        help="Measure only these cases, selected as by pytest -k. The controls are always measured.",
    )
    add_processes(command, default=10)
    add_cluster(command)
    command.set_defaults(function=lambda options: _run(options, show), parser=command, pytest=())


def add_processes(command: argparse.ArgumentParser, default: int) -> None:
    """Add the options of a command that measures this many processes unless it is told another number."""
    command.add_argument(
        "--processes", type=int, default=default, metavar="N", help=f"Measure in this many processes. Default: {default}."
    )
    add_folder(command, "process")
    command.add_argument(
        "--seed", type=int, default=0, metavar="S", help="Draw the orders of the cases from this seed. Default: 0."
    )


def add_folder(command: argparse.ArgumentParser, step: str) -> None:
    """Add --output and --resume to a command that measures step by step."""
    command.add_argument(
        "--output",
        type=named,
        metavar="DIR",
        help="Keep what each process measured in this folder. "
        f"Default: a new folder in {STORAGE}; with --resume the newest of this command that can go on.",
    )
    command.add_argument(
        "--resume",
        action="store_true",
        help=f"Go on with an interrupted measurement, after the last {step} that it finished; it need not be said again what was asked.",
    )


def add_cluster(command: argparse.ArgumentParser) -> None:
    """Add the options of a command that can measure on the workers of a cluster."""
    command.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="Measure on the workers of the Dask cluster that has this scheduler, such as tcp://HOST:8786; see docs/cluster.md. "
        "Default: on this machine.",
    )
    command.add_argument(
        "--wait",
        type=float,
        metavar="SECONDS",
        help="With --scheduler: give up if no scheduler or no worker is there for this long. Default: 30.",
    )


def _run(options: argparse.Namespace, show: Show) -> int:
    output = folder_of("run", options)
    plan = Plan(expression=options.expression, seed=options.seed, options=options.pytest)
    runs = measured(plan, options, output)
    if runs is None:
        return INTERRUPTED
    show([output], output)
    return 1 if any(reason.startswith(FAILED) for run in runs for reason in run.not_measured.values()) else 0


def folder_of(command: str, options: argparse.Namespace) -> Path:
    """The folder that a command measures into: that of --output, or a new one, or with --resume the newest of this command."""
    output: Path | None = options.output
    return output or (newest_folder(command) if options.resume else new_folder(command))


def measured(plan: Plan, options: argparse.Namespace, output: Path) -> list[Run] | None:
    """Measure the processes of a plan into a folder, a run for each kind of machine; None if a signal ended that, when the way to go on has been printed."""
    try:
        with _measurer(plan, options) as by:
            return processes.run(plan, options.processes, output, options.resume, asked_for(options), by)
    except Interrupted as signal:
        if not (output / MANIFEST).exists():
            print(f"{signal}: nothing was measured yet", file=sys.stderr)
            return None
        finished = len(list(output.glob(PROCESSES)))
        say_how_to_go_on(signal, f"{finished} of {options.processes} processes are kept", options, output)
        return None


@contextmanager
def _measurer(plan: Plan, options: argparse.Namespace) -> Iterator[processes.Here]:
    """What measures the processes of a plan: this machine, or the workers of a cluster."""
    if not getattr(options, "scheduler", None):
        yield processes.Here(plan)
        return
    from benchmarks.sessions import elsewhere

    with Signals() as signals, elsewhere.workers(options.scheduler, options.wait, signals) as cluster:
        yield elsewhere.There(plan, cluster, signals)


def say_how_to_go_on(signal: Interrupted, kept: str, options: argparse.Namespace, output: Path) -> None:
    """Print on standard error what an interrupted command keeps, and the command line that goes on with it."""
    print(f"{signal}: {kept}; go on with\n{command_line(options, output=output, resume=True)}", file=sys.stderr)
