"""Fresh processes: the benchmarks several times over, each time in a random order of its own, one JSON a process.

A process fixes things that no number of rounds inside it can average out (where its memory lies, its hash seed, the minute it
ran in), so an interval needs several.  `results.load_many` makes one run of the files; a killed run goes on where it stopped.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.saved import results
from benchmarks.saved.provenance import ROOT, code_sha256, versions
from benchmarks.saved.results import CONTROL, FAILED, Run
from benchmarks.sessions import folder, process
from benchmarks.sessions.process import Interrupted, Progress, Signals
from lenet5.errors import InputError

MOST = 999
CASES = "benchmarks"
"""Where the cases are, unless a plan says otherwise; relative to the project."""
WATCHDOGS = "test_control"
"""What every run measures beside its selection, or nobody could tell whether the machine held still."""


@dataclass(frozen=True)
class Place:
    """Where a process runs: on which code, by which Python, and with which environment."""

    project: Path
    python: str
    environment: Mapping[str, str]
    folder: Path | None = None
    """Its working directory; None for ours, so that paths among pytest's options mean what they say."""
    scratch: Path | None = None
    """Where its temporary folder is made and removed; None for the system's choice."""
    inherits: tuple[int, ...] = ()
    """File descriptors that it has from us."""


@dataclass(frozen=True)
class Plan:
    """What every process of a run has in common: which cases, in which orders, with which other options of pytest."""

    cases: str = CASES
    """Folder or file with the cases, relative to the project."""
    expression: str | None = None
    """As for ``pytest -k``; None for all of them."""
    seed: int = 0
    options: tuple[str, ...] = ()

    def pytest(self, number: int, json_path: Path, place: Place, without: Collection[str] = ()) -> list[str]:
        """The command line of one process, without some cases; the same number gives the same order."""
        selection = ["-k", f"({self.expression}) or {WATCHDOGS}"] if self.expression else []
        selection += [f"--deselect={name}" for name in without]
        saved = f"--benchmark-json={json_path.absolute()}"
        ours = ["--no-report", f"--shuffle={self.seed}.{number}", saved, "-p", "no:cacheprovider", f"--rootdir={place.project}"]
        return [place.python, "-m", "pytest", str(place.project / self.cases), *self.options, *selection, *ours]

    def settings(self) -> dict[str, Any]:
        """What must not change between the first process and the last, as JSON has it."""
        asked = {**asdict(self), "options": list(self.options)}
        return {**asked, "system": platform.platform(), "versions": versions(), "code_sha256": code_sha256()}


def run(plan: Plan, processes: int, output: Path, resume: bool = False) -> Run:
    """Measure until the folder ``output`` holds so many processes, and read them back as one run.

    Raises InputError if that cannot be: a folder that has results already (without ``resume``) or those of another plan (with
    it), or that another run is measuring into; a process that cannot start.  Raises Interrupted on SIGINT, SIGTERM and SIGHUP, when
    nothing that it started is left.
    """
    if not 1 <= processes <= MOST:
        raise InputError(f"--processes {processes}: use a whole number from 1 to {MOST}")
    with folder.alone(output, make=not resume):
        return _run(plan, processes, output, resume)


def _run(plan: Plan, processes: int, output: Path, resume: bool) -> Run:
    _prepare(plan, output, resume)
    wanted = {number: output / f"process-{number:03d}.json" for number in range(1, processes + 1)}
    missing = {number: path for number, path in wanted.items() if not path.exists()}
    here = Place(ROOT, sys.executable, os.environ)
    with Signals() as signals, Progress("process", processes, processes - len(missing)) as progress:
        for number, path in missing.items():
            process.check_settings(output, plan.settings())
            for failure in failures(measure(plan, number, path, here, signals)):
                progress.say(f"{path.stem}: {failure} failed")
            progress.finished(path.stem)
    return results.load_many([output])


def _prepare(plan: Plan, output: Path, resume: bool) -> None:
    """Make sure that ``output`` is the folder of a run of this plan, or can become it, and note the plan there."""
    finished = sorted(output.glob(results.PROCESSES))
    if not resume:
        if finished:
            raise InputError(f"{output}: has {len(finished)} finished processes; go on with --resume, or name another --output")
        process.begin(output, plan.settings())
        return
    process.check_settings(output, plan.settings())
    if finished:
        results.load_many(finished)


def measure(plan: Plan, number: int, path: Path, place: Place, signals: Signals, without: Collection[str] = ()) -> Run:
    """Run one process to its end and move what it saved to ``path``: whole and fit for this run, or not at all.

    ``without``: the names of cases that it leaves out.  Raises InputError, one line, if there is nothing fit to move, and
    Interrupted if a signal comes.
    """
    beside, log = path.with_suffix(".part"), path.with_suffix(".log")
    try:
        with log.open("w", encoding="utf-8") as output, _scratch(place) as scratch:
            environment = {**place.environment, "TMPDIR": scratch}
            code = process.execute(
                plan.pytest(number, beside, place, without), environment, output, signals, place.folder, place.inherits
            )
        if code not in (0, 1) or not beside.exists():
            raise InputError(f"{path.stem} could not measure (exit code {code}): {process.last_words(log)}; see {log}")
        measured = results.load(beside)
        if plan.expression and not measured.not_measured and {case.group for case in measured.cases} == {CONTROL}:
            raise InputError(f"-k {plan.expression}: selects no case; see pytest {plan.cases} --collect-only")
        # At once, not after hours: does it fit the others?
        for first in sorted(path.parent.glob(results.PROCESSES))[:1]:
            results.check_fit(results.load(first), measured, without)
        os.replace(beside, path)
        if code == 0:
            log.unlink()
        return measured
    except Interrupted:
        log.unlink()
        raise
    finally:
        beside.unlink(missing_ok=True)


def _scratch(place: Place) -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(dir=place.scratch, ignore_cleanup_errors=True)


def failures(measured: Run) -> list[str]:
    """The cases that gave a wrong answer or broke, in one process."""
    return [name for name, reason in measured.not_measured.items() if reason.startswith(FAILED)]
