"""`python -m benchmarks gate`: is head slower than base?"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.gate import gate, text
from benchmarks.gate.pairs import ROLES, Comparison, Recorder
from benchmarks.gate.rules import Rules
from benchmarks.gate.thresholds import DEFAULT, read
from benchmarks.report.markdown import add_to_job_summary, render
from benchmarks.report.records import Report
from benchmarks.saved.files import check_writable, is_device, named, write_whole
from benchmarks.saved.results import PROCESSES
from benchmarks.saved.storage import MANIFEST
from benchmarks.sessions import any_project, expressions, sides
from benchmarks.sessions.asked import asked_for, goes_on_with
from benchmarks.sessions.command import BEHIND, add_cluster, add_folder, folder_of, say_how_to_go_on
from benchmarks.sessions.folder import settings_in
from benchmarks.sessions.plan import CASES, Plan
from benchmarks.sessions.processes import MOST_PROCESSES
from benchmarks.sessions.project import Project
from benchmarks.sessions.sides import Side
from benchmarks.sessions.signals import Interrupted, Signals
from benchmarks.sessions.survey import survey
from benchmarks.sessions.this_project import this_project
from lenet5.errors import INTERRUPTED, InputError, complain, say

DEFAULT_CASES = (
    "((test_predict and (1] or 64])) or test_train_step or (test_space_predict and 64]))"
    " and not (loops or sgd or compile or xla or channels_last or predict_on_batch or -predict- or -predict])"
)
"""As for ``pytest -k``.  Few, because every process imports all frameworks: each framework in its modes that compile quickly, on 1 and
64 images and on a training step, and the memory of predicting 64 images."""

NOT_TOLD = 2
"""The exit code of a gate whose outcome could not be written where it was asked for: not even "slower" is believed then."""

SECONDS_A_CASE = 0.1
"""Each process measures a case for this long.  Longer gains little: processes differ by more than the rounds within them (docs/gate.md)."""


DESCRIPTION = """\
Is head slower than base? Fresh processes of both sides are measured in pairs,
in turns, case by case, until every case is decided or the time is up.

exit code:
  0  head is not slower
  1  head is slower, or the two sides do not do the same work
  2  no verdict, or it could not be written where you asked; a line says why
  3  undecided: the outcome says what each such case needs, --resume goes on

While it measures it says how long a pair takes, how small a slow-down the
budget is likely to find, and each slower case when it is known.

A side is a git revision or a directory, and behind an @ the Python that runs
it, such as HEAD~1@/path/to/python. In this project a case of your own
(--cases) needs a group (@pytest.mark.benchmark(group="mine")), and the
framework and the mode that it measures, as texts in benchmark.extra_info.

With --project any other project is gated that has pytest-benchmark cases.
Revisions are its own, and what is relative, --cases and a side that is a
directory, begins in its folder."""

EXAMPLES = """\
examples:
  python -m benchmarks gate --base origin/main
  python -m benchmarks gate --base v1 --head v2 -k numpy --budget 10
  python -m benchmarks gate --base main --threshold 5% --threshold "predict=3%"
  python -m benchmarks gate --base .@/old/bin/python --head .@/new/bin/python
  python -m benchmarks gate --resume
  python -m benchmarks gate --base HEAD --cases benchmarks/twins.py -- --copies 4
  python -m benchmarks gate --base origin/main --scheduler tcp://HOST:8786
  python -m benchmarks gate --project ../theirs --base v1 --head HEAD --cases tests/bench

"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this room's command."""
    command = commands.add_parser(
        "gate",
        help="Compare two versions of the code: is head slower than base?",
        description=DESCRIPTION,
        epilog=EXAMPLES + BEHIND,
    )
    command.add_argument("--base", metavar="SIDE", help="Compare with this side. Needed, but for --resume.")
    command.add_argument("--head", default=".", metavar="SIDE", help="Compare this side. Default: ., the directory as it is.")
    add_project(command)
    command.add_argument(
        "--strict",
        action="store_true",
        help="With --project: end with exit code 2 if only one side has a case. Default: name it, and judge the others.",
    )
    _add_measuring(command)
    add_thresholds(command, f"Default: {DEFAULT}%.")
    add_outcome(command)
    add_folder(command, "pair")
    add_cluster(command)
    command.set_defaults(function=_gate, parser=command, pytest=())


def add_project(command: argparse.ArgumentParser) -> None:
    """Add the options that say whose code is compared."""
    command.add_argument(
        "--project", type=named, metavar="DIR", help="Compare two versions of the project in this folder. Default: this project."
    )
    command.add_argument(
        "--source",
        metavar="DIR",
        help="With --project: its packages are in this folder of it. Default: src, or where there is none the folder itself.",
    )


def _add_measuring(command: argparse.ArgumentParser) -> None:
    """Add the options that say what is measured, and how much of it."""
    command.add_argument(
        "-k",
        dest="expression",
        metavar="EXPR",
        help="Measure these cases, selected as by pytest -k. Default: a few cases of every framework that compile nothing; "
        "with --project all of them.",
    )
    command.add_argument(
        "--cases",
        metavar="FILE",
        help=f"Take the cases from this file or folder of either side. Default: {CASES}; "
        f"with --project the first of {', '.join(any_project.CASES)} that has some.",
    )
    command.add_argument(
        "--threads",
        type=int,
        default=1,
        metavar="N",
        help="Use N threads in every framework. Default: 1, which is steadier than more.",
    )
    command.add_argument(
        "--budget", type=float, default=15, metavar="MINUTES", help="Start no new pair after this time. Default: 15."
    )
    command.add_argument(
        "--fail-fast", action="store_true", help="End with exit code 1 as soon as a case is slower. Default: decide all cases."
    )
    command.add_argument(
        "--pairs",
        type=int,
        metavar="N",
        help="Measure every case in exactly N pairs, as a study needs it. "
        "Default: as many pairs as it takes, each of the cases that are not decided yet.",
    )
    command.add_argument(
        "--seed", type=int, default=0, metavar="S", help="Draw the orders of sides and cases from this seed. Default: 0."
    )


def add_outcome(command: argparse.ArgumentParser) -> None:
    """Add the options that say where the outcome goes."""
    command.add_argument("--json", type=named, metavar="FILE", help="Write the outcome into this file, for programs.")
    command.add_argument(
        "--markdown",
        type=named,
        metavar="FILE",
        help="Write the outcome into this file, for people. GitHub's summary of the job gets it without this option.",
    )


def add_thresholds(command: argparse.ArgumentParser, default: str) -> None:
    """Add the option --threshold, whose help ends with its ``default``, for all cases and for some, as texts for `read`."""
    command.add_argument(
        "--threshold",
        action="append",
        metavar="[EXPR=]SHARE",
        help="Ignore changes of a time that are smaller than this share, such as 5%% or 0.05; with EXPR= before it, in the cases that "
        f"this selects as pytest -k would. May be given several times; of several that select a case the last counts. {default}",
    )


def add_threshold(command: argparse.ArgumentParser) -> None:
    """Add the option --threshold, one for all cases, as a text for `share` to read."""
    command.add_argument(
        "--threshold",
        default=DEFAULT,
        metavar="SHARE",
        help=f"Ignore changes of a time that are smaller than this share, such as 5%% or 0.05. Default: {DEFAULT}%.",
    )


@contextmanager
def reason_in_summary(command: str) -> Iterator[None]:
    """If the block ends with an InputError, its line is in GitHub's job summary as well: a job that failed is looked at there first."""
    try:
        yield
    except InputError as error:
        add_to_job_summary(render(Report(f"{command}: nothing was judged", notes=[str(error)])))
        raise


@reason_in_summary("Gate")
def _gate(options: argparse.Namespace) -> int:
    _check(options)
    threshold, thresholds = read(options.threshold or ())
    rules, project = Rules(threshold=threshold, thresholds=thresholds), project_of(options)
    output = folder_of("gate", options)
    try:
        with (
            Signals() as signals,
            sides.opened({role: getattr(options, role) for role in ROLES}, signals, project, _commits(options, output)) as here,
            _measuring(options, here, signals) as (both, recorder_of),
        ):
            for side in both.values():
                print(side.describe(), file=sys.stderr)
            found = survey(both, plans_of(options, project), signals)
            for remark in found.remarks:
                print(remark, file=sys.stderr)
            comparison = Comparison(
                both, found.plan, options.threads, rules, options.pairs, asked_for(options), found.alone, found.remarks
            )
            enough = gate.any_slower if options.fail_fast else gate.all_decided
            outcome = gate.run(recorder_of(comparison, output, signals), 60 * options.budget, options.resume, enough)
            markdown, facts = text.render(outcome), text.as_json(outcome)
    except Interrupted as signal:
        return _interrupted(signal, options, output)
    return outcome.exit_code if told(markdown, facts, options, str(output)) else NOT_TOLD


def _commits(options: argparse.Namespace, output: Path) -> dict[str, str]:
    """The commits of the sides with which a gate goes on, by their roles; none of a directory."""
    began = {role: settings_in(output).get(role) for role in ROLES if goes_on_with(options, role)}
    return {
        role: side["commit"]
        for role, side in began.items()
        if isinstance(side, Mapping) and isinstance(side.get("commit"), str) and side.get("directory") is None
    }


@contextmanager
def _measuring(
    options: argparse.Namespace, here: Mapping[str, Side], signals: Signals
) -> Iterator[tuple[Mapping[str, Side], Callable[[Comparison, Path, Signals], Recorder]]]:
    """The sides as they are where they are measured, and what makes the recorder: for this machine, or for the workers of a cluster."""
    if not options.scheduler:
        yield here, Recorder
        return
    from benchmarks.gate import elsewhere
    from benchmarks.sessions.elsewhere import workers

    with workers(options.scheduler, options.wait, signals) as cluster:
        yield elsewhere.sent(here, cluster, signals), partial(elsewhere.FarRecorder, cluster)


def told(markdown: str, facts: Mapping[str, Any], options: argparse.Namespace, raw: str) -> bool:
    """Print the outcome, then write it wherever else it was asked for.   -> whether all of that could be written

    What could not be is a line on standard error each, and keeps nothing else from being written.
    """
    steps: list[Callable[[], object]] = [lambda: say(f"{markdown}\nRaw values in {raw}"), lambda: add_to_job_summary(markdown)]
    if options.json:
        steps.append(lambda: write_whole(options.json, json.dumps(facts, indent=2) + "\n", "--json"))
    if options.markdown:
        steps.append(lambda: write_whole(options.markdown, markdown, "--markdown"))
    all_told = True
    for step in steps:
        try:
            step()
        except InputError as error:
            complain(str(error))
            all_told = False
    return all_told


def _check(options: argparse.Namespace) -> None:
    """Raise InputError, one line, for what no gate can work with."""
    if options.base is None:
        options.parser.error("the following arguments are required: --base")
    if options.threads < 1:
        raise InputError(f"--threads {options.threads}: use a whole number of at least 1")
    if not options.budget > 0:
        raise InputError(f"--budget {options.budget}: use a number of minutes above 0")
    if options.scheduler and options.project:
        raise InputError("--scheduler: measures this project only; leave --project out, or measure on this machine")
    if options.pairs is not None and not 1 <= options.pairs <= MOST_PROCESSES:
        raise InputError(f"--pairs {options.pairs}: use a whole number from 1 to {MOST_PROCESSES}")
    expressions.check(options.expression)
    check_files(options)


def check_files(options: argparse.Namespace) -> None:
    """Raise InputError, one line, if the outcome cannot be written where it was asked for."""
    for option, path in (("--json", options.json), ("--markdown", options.markdown)):
        if path:
            check_writable(path, option)
    if options.json and options.markdown and options.json.resolve() == options.markdown.resolve() and not is_device(options.json):
        raise InputError(f"--markdown {options.markdown}: is the file of --json, too; name another one")


def project_of(options: argparse.Namespace) -> Project:
    """What both sides are versions of."""
    if options.project:
        return any_project.any_project(options.project, options.threads, options.source, options.strict)
    for name in ("source", "strict"):
        if getattr(options, name):
            raise InputError(f"--{name}: is for the project that --project names; leave it out, or name one")
    return replace(this_project(options.threads), expression=DEFAULT_CASES)


def plans_of(options: argparse.Namespace, project: Project) -> list[Plan]:
    """What the processes of both sides measure: a plan for each place where the cases might be."""
    places = (options.cases,) if options.cases else project.cases
    lean = options.expression is None and options.cases in (None, *project.cases)
    expression = project.expression if lean else options.expression
    always = (
        *project.options,
        f"--benchmark-max-time={SECONDS_A_CASE}",
        *options.pytest,
    )
    return [Plan(place, expression, options.seed, always) for place in places]


def _interrupted(signal: Interrupted, options: argparse.Namespace, output: Path) -> int:
    if (output / MANIFEST).exists():
        finished = [{path.name for path in (output / role).glob(PROCESSES)} for role in ROLES]
        say_how_to_go_on(signal, f"{len(set.intersection(*finished))} pairs are kept", options, output)
    else:
        print(f"{signal}: nothing was measured yet", file=sys.stderr)
    return INTERRUPTED
