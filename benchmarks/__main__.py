"""The commands beside pytest: measure in fresh processes, report what was saved, gate, prove that the intervals cover."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from benchmarks.gate import gate, text, verdicts
from benchmarks.proof import coverage, study_page
from benchmarks.report import document, report
from benchmarks.saved import files, results
from benchmarks.sessions import process, processes, sides
from benchmarks.sessions.command_line import command_line
from lenet5.errors import InputError

STORAGE = Path(".benchmarks")
"""Where pytest-benchmark saves single processes, in a folder per platform; runs of several get a folder each beside those."""


class Parser(argparse.ArgumentParser):
    """An error is one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command: 0 if it did what was asked, 1 if a case failed, 2 if what was asked cannot be done, 130 if interrupted.

    A gate ends with 1 if head is slower and with 3 if that is undecided.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    options = parse(arguments)
    try:
        return int(options.function(options))
    except InputError as error:
        print(error, file=sys.stderr)
        return 2


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options of a command; ``pytest`` are those that follow ``--``."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options = _parser().parse_args(arguments[:end])
    options.pytest = tuple(arguments[end + 1 :])
    return options


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("report", help="the report of a saved run, from its JSON alone")
    command.add_argument(
        "run",
        nargs="*",
        type=Path,
        metavar="RUN",
        help=f"folders or files; versions side by side; default: the newest in {STORAGE}",
    )
    command.add_argument("--output", type=Path, default=Path("report"), metavar="DIR", help="default: report")
    command.set_defaults(function=_report)

    epilog = "What follows -- goes to pytest: -- --threads 1 --dataset digits --benchmark-max-time 0.3"
    command = commands.add_parser("run", help="measure in fresh processes: ratios with intervals", epilog=epilog)
    command.add_argument(
        "-k", dest="expression", metavar="EXPR", help="only these cases, as for pytest -k; the controls always run"
    )
    _add_processes(command, default=10)
    command.set_defaults(function=_run, parser=command)

    command = commands.add_parser(
        "gate", help="is head slower than base? 0 no, 1 yes, 2 cannot be measured, 3 undecided", epilog=epilog
    )
    _add_gate(command)
    command.set_defaults(function=_gate, parser=command)

    command = commands.add_parser("study", help="how often the gate errs and what it finds, from recorded pairs of identical code")
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
    _add_threshold(command)
    command.add_argument(
        "--output", type=Path, default=Path("report"), metavar="DIR", help="of study.json, .md and .html; default: report"
    )
    command.set_defaults(function=_study, parser=command)

    command = commands.add_parser("coverage", help="how often the intervals of identical cases miss 1", epilog=epilog)
    _add_processes(command, default=60)
    command.add_argument("--set", type=int, default=10, metavar="N", help="processes that give one ratio (default: 10)")
    command.add_argument("--save", type=Path, metavar="FILE", help="write the count there, as JSON")
    command.set_defaults(function=_coverage, parser=command)
    return parser


def _add_gate(command: argparse.ArgumentParser) -> None:
    side = "a git revision or a directory, and @/path/to/python for another interpreter"
    command.add_argument("--base", required=True, metavar="SIDE", help=side)
    command.add_argument("--head", default=".", metavar="SIDE", help="likewise; default: the directory as it is")
    command.add_argument(
        "-k", dest="expression", metavar="EXPR", help="the cases, as for pytest -k; default: a lean choice of benchmarks"
    )
    command.add_argument(
        "--cases",
        default=processes.CASES,
        metavar="FILE",
        help="folder or file with the cases, in either side's; default: benchmarks",
    )
    command.add_argument("--threads", type=int, default=1, metavar="N", help="for every framework; default: 1, which is steadier")
    command.add_argument("--budget", type=float, default=15, metavar="MINUTES", help="no new pair starts after it; default: 15")
    _add_threshold(command)
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


def _add_threshold(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--threshold",
        type=float,
        default=0.02,
        metavar="SHARE",
        help="the smallest relative change of a time that counts; default: 0.02, which is 2 %%",
    )


def _add_processes(command: argparse.ArgumentParser, default: int) -> None:
    command.add_argument("--processes", type=int, default=default, metavar="N", help=f"default: {default}")
    command.add_argument("--output", type=Path, metavar="DIR", help=f"default: a new folder in {STORAGE}; with --resume the newest")
    command.add_argument("--resume", action="store_true", help="keep the finished processes in DIR and go on")
    command.add_argument("--seed", type=int, default=0, metavar="S", help="of the orders of the cases (default: 0)")


# Commands


def _report(options: argparse.Namespace) -> int:
    if options.pytest:
        raise InputError(f"-- {' '.join(options.pytest)}: report runs no pytest; use it with run")
    return _show(options.run or [newest(STORAGE)], options.output)


def _run(options: argparse.Namespace) -> int:
    plan = processes.Plan(expression=options.expression, seed=options.seed, options=options.pytest)
    output = options.output or _folder("run", options.resume)
    try:
        run = processes.run(plan, options.processes, output, options.resume)
    except process.Interrupted as signal:
        return _interrupted(signal, options, output)
    _show([output], output)
    return 1 if any(reason.startswith(results.FAILED) for reason in run.not_measured.values()) else 0


def _coverage(options: argparse.Namespace) -> int:
    coverage.check_set(options.set, options.processes)
    plan = processes.Plan(cases=coverage.CASES, seed=options.seed, options=options.pytest)
    output = options.output or _folder("coverage", options.resume)
    path = options.save or output / "coverage.json"
    try:
        run = processes.run(plan, options.processes, output, options.resume)
    except process.Interrupted as signal:
        return _interrupted(signal, options, output)
    command = command_line(options, output=output, save=path, resume=False)
    _say(f"{coverage.sentence(coverage.save(run, options.set, command, path))}\nWritten to {path}")
    return 0


def _gate(options: argparse.Namespace) -> int:
    if options.threads < 1:
        raise InputError(f"--threads {options.threads}: use a whole number of at least 1")
    if not options.budget > 0:
        raise InputError(f"--budget {options.budget}: use a number of minutes above 0")
    if options.pairs is not None and not 1 <= options.pairs <= processes.MOST:
        raise InputError(f"--pairs {options.pairs}: use a whole number from 1 to {processes.MOST}")
    lean = options.expression is None and options.cases == processes.CASES
    chosen = gate.DEFAULT_OPTIONS if lean else ()
    own = (*chosen, f"--threads={options.threads}", f"--benchmark-max-time={gate.SECONDS_A_CASE}")
    expression = gate.DEFAULT_CASES if lean else options.expression
    plan = processes.Plan(options.cases, expression, options.seed, (*own, *options.pytest))
    rules = verdicts.Rules(threshold=options.threshold)
    output = options.output or _folder("gate", options.resume)
    try:
        with process.Signals() as signals, sides.opened({"base": options.base, "head": options.head}, signals) as both:
            for side in both.values():
                print(side.describe(), file=sys.stderr)
            budget_seconds = 60 * options.budget
            outcome = gate.run(both, plan, options.threads, rules, output, signals, budget_seconds, options.resume, options.pairs)
            markdown, facts = text.render(outcome), text.as_json(outcome)
    except process.Interrupted as signal:
        return _gate_interrupted(signal, options, output)
    if options.json:
        files.write_whole(options.json, json.dumps(facts, indent=2) + "\n")
    if options.markdown:
        files.write_whole(options.markdown, markdown)
    document.add_to_job_summary(markdown)
    print(markdown)
    print(f"Raw values in {output}")
    return outcome.exit_code


def _study(options: argparse.Namespace) -> int:
    if options.pytest:
        raise InputError(f"-- {' '.join(options.pytest)}: study runs no pytest; use it with gate")
    command = command_line(options)
    rules = verdicts.Rules(threshold=options.threshold)
    text = study_page.main(options.recordings, options.output, options.runs, options.seed, rules, command)
    _say(f"{text}\nWritten to {options.output / 'study.html'}")
    return 0


def _gate_interrupted(signal: process.Interrupted, options: argparse.Namespace, output: Path) -> int:
    if not (output / process.MANIFEST).exists():
        print(f"{signal}: nothing was measured yet", file=sys.stderr)
        return 130
    finished = {role: {path.name for path in (output / role).glob(results.PROCESSES)} for role in gate.ROLES}
    return _go_on(f"{signal}: {len(finished['base'] & finished['head'])} pairs are kept", options, output)


def _interrupted(signal: process.Interrupted, options: argparse.Namespace, output: Path) -> int:
    finished = len(list(output.glob(results.PROCESSES)))
    return _go_on(f"{signal}: {finished} of {options.processes} processes are kept", options, output)


def _go_on(kept: str, options: argparse.Namespace, output: Path) -> int:
    """Say what an interrupted command keeps, and the line to go on with."""
    print(f"{kept}; go on with\n{command_line(options, output=output, resume=True)}", file=sys.stderr)
    return 130


def _show(paths: Sequence[Path], output: Path) -> int:
    written = report.write(paths, output)
    _say(f"{written.text}\nWritten to {written.path}")
    return 0


def _say(text: str) -> None:
    """Print; a reader that has read enough, as head has, is no error."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python's own flush at the end would break again


# Folders


def _folder(kind: str, resume: bool) -> Path:
    """A new folder for a run, or the newest there is."""
    if not resume:
        return STORAGE / f"{kind}-{datetime.now():%Y%m%d-%H%M%S}"
    runs = sorted(STORAGE.glob(f"{kind}-*/{process.MANIFEST}"))
    if not runs:
        raise InputError(f"{STORAGE}: no {kind} to go on with; name its --output")
    return runs[-1].parent


def newest(storage: Path) -> Path:
    """The run that was saved last: a file of pytest-benchmark, or the folder of a run.  Raises InputError if there is none."""
    saved = [
        path
        for path in storage.glob("*/*.json")
        if path.name != process.MANIFEST and not path.parent.name.startswith(("coverage-", "gate-"))
    ]
    if not saved:
        raise InputError(f"{storage}: no saved run; name one, or make one with pytest benchmarks --benchmark-autosave")
    last = max(saved, key=lambda path: path.stat().st_mtime)
    return last.parent if (last.parent / process.MANIFEST).exists() else last


if __name__ == "__main__":
    sys.exit(main())
