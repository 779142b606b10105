"""`python -m benchmarks bisect`: which commit made a case slower?"""

from __future__ import annotations

import argparse
import os
import shlex
from dataclasses import replace
from pathlib import Path

from benchmarks.gate import bisect, bisect_text, history
from benchmarks.gate.bisect import Asked
from benchmarks.gate.bisection import CHANCE
from benchmarks.gate.command import (
    NOT_TOLD,
    add_outcome,
    add_project,
    add_thresholds,
    check_files,
    plans_of,
    project_of,
    reason_in_summary,
    told,
)
from benchmarks.gate.history import Commit
from benchmarks.gate.rules import Rules
from benchmarks.gate.thresholds import DEFAULT, read
from benchmarks.saved.results import PROCESSES
from benchmarks.sessions.asked import asked_for, goes_on_with
from benchmarks.sessions.command import BEHIND, add_folder, folder_of, say_how_to_go_on
from benchmarks.sessions.command_line import words
from benchmarks.sessions.folder import alone, begin, check_settings, kept_if, settings_in
from benchmarks.sessions.plan import CASES
from benchmarks.sessions.project import Project
from benchmarks.sessions.signals import Interrupted, Signals
from lenet5.errors import INTERRUPTED, InputError

DESCRIPTION = f"""\
Which commit made a case slower? The last one is compared with the first as by
the gate; if it is slower, the commits between them are halved until one is
left. The chance of naming a wrong one is at most {100 * CHANCE:g} %.

exit code:
  0  bad is not slower than good
  1  the commit is found
  2  not measured; a line says why
  3  undecided, which can be a range of commits; a line says why

Commits are those of the line of first parents: a merge is one step. One that
cannot be measured is passed over, as git bisect skip does."""

EXAMPLES = """\
examples:
  python -m benchmarks bisect --good v1 --bad HEAD -k "test_predict and numpy"
  python -m benchmarks bisect --good v1 --bad v2 --project ../theirs -k parse
  python -m benchmarks bisect --good v1 --bad HEAD -k fused -- --dataset digits
  python -m benchmarks bisect --resume --budget 30

"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this command."""
    command = commands.add_parser(
        "bisect", help="Find the commit that made a case slower.", description=DESCRIPTION, epilog=EXAMPLES + BEHIND
    )
    command.add_argument("--good", metavar="REV", help="A revision before it became slower. Needed, but for --resume.")
    command.add_argument("--bad", metavar="REV", help="A later one, which is slower. Needed, but for --resume.")
    command.add_argument(
        "-k",
        dest="expression",
        metavar="EXPR",
        help="Follow these cases, selected as by pytest -k, the fewer the quicker. Needed, but for --resume.",
    )
    add_project(command)
    command.add_argument("--python", metavar="FILE", help="Run all commits by this Python. Default: the one that runs this.")
    command.add_argument(
        "--cases",
        metavar="FILE",
        help=f"Take the cases from this file or folder of every commit. Default: as for the gate, {CASES}.",
    )
    command.add_argument("--threads", type=int, default=1, metavar="N", help="Use N threads in every framework. Default: 1.")
    command.add_argument(
        "--budget", type=float, default=60, metavar="MINUTES", help="Start no new pair after this time. Default: 60."
    )
    command.add_argument(
        "--seed", type=int, default=0, metavar="S", help="Draw the orders of sides and cases from this seed. Default: 0."
    )
    add_thresholds(command, f"Default: {DEFAULT}%. Between good and bad, half of their slow-down counts if that is more.")
    add_outcome(command)
    add_folder(command, "pair")
    command.set_defaults(function=_bisect, parser=command, pytest=(), strict=False)


@reason_in_summary("Bisect")
def _bisect(options: argparse.Namespace) -> int:
    asked = _asked(options)
    output = folder_of("bisect", options)
    settings = bisect.settings(asked)
    try:
        with Signals() as signals, alone(output, make=not options.resume):
            if options.resume:
                check_settings(output, settings)
            elif any(output.rglob(PROCESSES)):
                raise InputError(f"{output}: has results; go on with --resume, or name another --output")
            else:
                begin(output, settings, asked_for(options))
            with kept_if(lambda: any(output.rglob(PROCESSES)), output):
                result = bisect.run(asked, output, signals, 60 * options.budget)
    except Interrupted as signal:
        say_how_to_go_on(signal, f"{len(list(output.rglob(PROCESSES)))} processes are kept", options, output)
        return INTERRUPTED

    def again(base: Commit, head: Commit) -> str:
        return _gate(base, head, asked.python, options)

    shown, facts = bisect_text.render(result, again), bisect_text.as_json(result, again)
    return result.exit_code if told(shown, facts, options, str(output)) else NOT_TOLD


def _asked(options: argparse.Namespace) -> Asked:
    """What is asked for.  Raises InputError, one line, for what no bisection can work with."""
    for option, value in (("--good", options.good), ("--bad", options.bad), ("-k", options.expression)):
        if value is None:
            options.parser.error(f"the following arguments are required: {option}")
    if options.threads < 1:
        raise InputError(f"--threads {options.threads}: use a whole number of at least 1")
    if not options.budget > 0:
        raise InputError(f"--budget {options.budget}: use a number of minutes above 0")
    check_files(options)
    threshold, thresholds = read(options.threshold or ())
    project = replace(project_of(options), strict=False)  # commits may have cases that others lack
    # A bisection that goes on does so between the commits that it began with.
    good, bad = (
        str(settings_in(options.output).get(name)) if goes_on_with(options, name) else getattr(options, name)
        for name in ("good", "bad")
    )
    line = history.line(project.repository, good, bad)
    rules = Rules(threshold=threshold, thresholds=thresholds)
    return Asked(project, line, _python(options.python, project), plans_of(options, project), options.threads, rules)


def _python(python: str | None, project: Project) -> str:
    """The interpreter as it stands behind a revision.  Raises InputError, one line, if there is none."""
    if python is None:
        return ""
    path = os.path.abspath(project.start / os.path.expanduser(python))
    if not os.access(path, os.X_OK) or Path(path).is_dir():
        raise InputError(f"--python {python}: {path} is no program; expected a Python interpreter")
    return f"@{path}"


def _gate(base: Commit, head: Commit, python: str, options: argparse.Namespace) -> str:
    """The command line of a gate that compares two commits by what this command was asked for."""
    own = ("good", "bad", "python", "budget", "output", "json", "markdown")
    shared = words(options, resume=False, **dict.fromkeys(own))
    return shlex.join(
        ["python", "-m", "benchmarks", "gate", f"--base={base.short}{python}", f"--head={head.short}{python}", *shared]
    )
