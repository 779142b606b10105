"""`python -m benchmarks gate`: is head slower than base?"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.gate import gate, text
from benchmarks.gate.pairs import ROLES, Comparison
from benchmarks.gate.rules import Rules
from benchmarks.report.command import say
from benchmarks.report.document import add_to_job_summary
from benchmarks.saved.files import write_whole
from benchmarks.saved.results import PROCESSES
from benchmarks.saved.storage import MANIFEST, STORAGE
from benchmarks.sessions import sides
from benchmarks.sessions.command import EPILOG, INTERRUPTED, folder_of, say_how_to_go_on
from benchmarks.sessions.plan import CASES, Plan
from benchmarks.sessions.processes import MOST_PROCESSES
from benchmarks.sessions.signals import Interrupted, Signals
from lenet5.errors import InputError

DEFAULT_CASES = (
    "((test_predict and (1] or 64])) or test_train_step or (test_space_predict and 64]))"
    " and not (loops or sgd or compile or xla or channels_last or predict_on_batch or -predict- or -predict])"
)
"""As for ``pytest -k``.  Lean, for every process imports all frameworks: every framework in its default mode and in those others
that compile nothing, on 1 and 64 images and on a training step, and the memory of predicting 64 images."""

DEFAULT_OPTIONS = ("--heavy",)
"""Of pytest, with the default cases only: those that measure memory are marked heavy."""

SECONDS_A_CASE = 0.2
"""Each process measures a case for this long.  Longer gains little: processes differ by more than the rounds within them."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this room's command."""
    command = commands.add_parser(
        "gate", help="is head slower than base? 0 no, 1 yes, 2 cannot be measured, 3 undecided", epilog=EPILOG
    )
    side = "a git revision or a directory, and @/path/to/python for another interpreter"
    command.add_argument("--base", required=True, metavar="SIDE", help=side)
    command.add_argument("--head", default=".", metavar="SIDE", help="likewise; default: the directory as it is")
    command.add_argument(
        "-k", dest="expression", metavar="EXPR", help="the cases, as for pytest -k; default: a lean choice of benchmarks"
    )
    command.add_argument(
        "--cases",
        default=CASES,
        metavar="FILE",
        help="folder or file with the cases, in either side's; default: benchmarks",
    )
    command.add_argument("--threads", type=int, default=1, metavar="N", help="for every framework; default: 1, which is steadier")
    command.add_argument("--budget", type=float, default=15, metavar="MINUTES", help="no new pair starts after it; default: 15")
    add_threshold(command)
    command.add_argument("--json", type=Path, metavar="OUT", help="write the outcome there")
    command.add_argument("--markdown", type=Path, metavar="OUT", help="write it there for people; GitHub's job summary gets it too")
    command.add_argument("--seed", type=int, default=0, metavar="S", help="of the orders of sides and cases (default: 0)")
    command.add_argument(
        "--output", type=Path, metavar="DIR", help=f"of the raw values: a new folder in {STORAGE}; with --resume the newest"
    )
    command.add_argument("--resume", action="store_true", help="keep the finished pairs in DIR and go on")
    command.add_argument(
        "--pairs",
        type=int,
        metavar="N",
        help="so many, and every case in each, as a study needs them; default: as many as it takes, of what is not yet decided",
    )
    command.set_defaults(function=_gate, parser=command)


def add_threshold(command: argparse.ArgumentParser) -> None:
    """Add the option --threshold."""
    command.add_argument(
        "--threshold",
        type=float,
        default=0.02,
        metavar="SHARE",
        help="the smallest relative change of a time that counts; default: 0.02, which is 2 %%",
    )


def _gate(options: argparse.Namespace) -> int:
    _check(options)
    rules, plan = Rules(threshold=options.threshold), _plan(options)
    output = folder_of("gate", options)
    try:
        with Signals() as signals, sides.opened({role: getattr(options, role) for role in ROLES}, signals) as both:
            for side in both.values():
                print(side.describe(), file=sys.stderr)
            comparison = Comparison(both, plan, options.threads, rules, options.pairs)
            outcome = gate.run(comparison, output, signals, 60 * options.budget, options.resume)
            markdown, facts = text.render(outcome), text.as_json(outcome)
    except Interrupted as signal:
        return _interrupted(signal, options, output)
    if options.json:
        write_whole(options.json, json.dumps(facts, indent=2) + "\n")
    if options.markdown:
        write_whole(options.markdown, markdown)
    add_to_job_summary(markdown)
    say(f"{markdown}\nRaw values in {output}")
    return outcome.exit_code


def _check(options: argparse.Namespace) -> None:
    """Raise InputError, one line, for a number that no gate can work with."""
    if options.threads < 1:
        raise InputError(f"--threads {options.threads}: use a whole number of at least 1")
    if not options.budget > 0:
        raise InputError(f"--budget {options.budget}: use a number of minutes above 0")
    if options.pairs is not None and not 1 <= options.pairs <= MOST_PROCESSES:
        raise InputError(f"--pairs {options.pairs}: use a whole number from 1 to {MOST_PROCESSES}")


def _plan(options: argparse.Namespace) -> Plan:
    """What the processes of both sides measure."""
    lean = options.expression is None and options.cases == CASES
    expression = DEFAULT_CASES if lean else options.expression
    ours = (f"--threads={options.threads}", f"--benchmark-max-time={SECONDS_A_CASE}")
    return Plan(options.cases, expression, options.seed, (*(DEFAULT_OPTIONS if lean else ()), *ours, *options.pytest))


def _interrupted(signal: Interrupted, options: argparse.Namespace, output: Path) -> int:
    if (output / MANIFEST).exists():
        finished = [{path.name for path in (output / role).glob(PROCESSES)} for role in ROLES]
        say_how_to_go_on(signal, f"{len(set.intersection(*finished))} pairs are kept", options, output)
    else:
        print(f"{signal}: nothing was measured yet", file=sys.stderr)
    return INTERRUPTED
