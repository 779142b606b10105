"""Fresh processes: the benchmarks several times over, each time in a random order of its own, one JSON a process.

A process fixes things that no number of rounds inside it can average out (where its memory lies, its hash seed, the minute it
ran in), so an interval needs several.  `results.load_many` makes one run of the files; a killed run goes on where it stopped.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.saved import results
from benchmarks.saved.provenance import ROOT
from benchmarks.saved.results import FAILED, Run
from benchmarks.sessions import left_out
from benchmarks.sessions.folder import alone, begin, check_settings, kept_if
from benchmarks.sessions.plan import Plan, Session, session_path
from benchmarks.sessions.process import Place, execute, last_words
from benchmarks.sessions.progress import Progress
from benchmarks.sessions.signals import Interrupted, Signals
from lenet5.errors import InputError

MOST_PROCESSES = 999


def run(plan: Plan, processes: int, folder: Path, resume: bool = False, asked: Sequence[str] = ()) -> Run:
    """Measure until a folder holds this many processes, and read them back as one run.  ``asked`` are the words to go on with.

    Raises InputError if that cannot be: a folder that has results already (without ``resume``) or those of another plan (with
    it), or that another run is measuring into; a process that cannot start.  Raises Interrupted on SIGINT, SIGTERM and SIGHUP, when
    nothing that it started is left.
    """
    if not 1 <= processes <= MOST_PROCESSES:
        raise InputError(f"--processes {processes}: use a whole number from 1 to {MOST_PROCESSES}")
    with alone(folder, make=not resume):
        _prepare(plan, folder, resume, asked)
        with kept_if(lambda: any(folder.glob(results.PROCESSES)), folder):
            _measure_missing(plan, processes, folder)
        return results.load_many([folder])


def _prepare(plan: Plan, folder: Path, resume: bool, asked: Sequence[str]) -> None:
    """Make sure that the folder is that of a run of this plan, or can become it, and note the plan there."""
    finished = sorted(folder.glob(results.PROCESSES))
    if not resume:
        if finished:
            raise InputError(f"{folder}: has {len(finished)} finished processes; go on with --resume, or name another --output")
        begin(folder, plan.settings(), asked)
        return
    check_settings(folder, plan.settings())
    if finished:
        results.load_many(finished)


def _measure_missing(plan: Plan, processes: int, folder: Path) -> None:
    missing = [number for number in range(1, processes + 1) if not session_path(folder, number).exists()]
    here = Place(ROOT, sys.executable, os.environ)
    with Signals() as signals, Progress("process", processes, processes - len(missing)) as progress:
        for number in missing:
            check_settings(folder, plan.settings())
            session = Session(plan, here, folder, number)
            for failure in failures(measure(session, signals)):
                progress.say(f"{session.path.stem}: {failure} failed")
            progress.finished(session.path.stem)


def measure(session: Session, signals: Signals) -> Run:
    """Run one session to its end and keep what it saved: whole and fit for its folder, or not at all.

    Raises InputError, one line, if it saved nothing that is fit, and Interrupted if a signal comes.
    """
    path = session.path
    part, log = path.with_suffix(".part"), path.with_suffix(".log")
    # At once, not after hours: does it fit the others?
    others = sorted(session.folder.glob(results.PROCESSES))
    first = session.read(others[0]) if others else None
    # This side's pytest knows a case by the id that this side saved, which can be an older spelling of its name.
    ids = [*session.absent, *(case.id for case in (first.cases if first else ()) if case.name in session.without)]
    try:
        code = _execute(session, session.command(part), ids, log, signals)
        if code not in (0, 1) or not (part.exists() and part.stat().st_size):
            raise InputError(f"{path.stem} could not measure (exit code {code}): {last_words(log)}; see {log}")
        measured = session.read(part)
        if first:
            results.check_fit(first, measured, session.without)
        os.replace(part, path)
        if code == 0:
            log.unlink()
        return measured
    except Interrupted:
        log.unlink()
        raise
    finally:
        part.unlink(missing_ok=True)


def _execute(session: Session, command: list[str], ids: Collection[str], log: Path, signals: Signals) -> int:
    """Run the session's command, without the cases of these ids, with a temporary folder of its own and its output in a log.

    -> its exit code
    """
    place = session.place
    with (
        log.open("w", encoding="utf-8") as output,
        tempfile.TemporaryDirectory(dir=place.scratch, ignore_cleanup_errors=True) as scratch,
    ):
        environment = {**place.environment, "TMPDIR": scratch}
        if ids:
            environment = left_out.variables(ids, environment, Path(scratch))
        return execute(command, replace(place, environment=environment), output, signals)


def failures(measured: Run) -> list[str]:
    """The cases that gave a wrong answer or broke, in one process."""
    return [name for name, reason in measured.not_measured.items() if reason.startswith(FAILED)]
