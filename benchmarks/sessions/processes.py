"""Fresh processes: the benchmarks several times over, each time in a random order of its own, one JSON a process.

A process fixes things that no number of rounds inside it can average out (where its memory lies, its hash seed, the minute it
ran in), so an interval needs several.  `results.load_many` makes one run of the files; a killed run goes on where it stopped.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.launch import temporary
from benchmarks.saved import machines, results
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


class Here:
    """Processes of a plan on this machine, one after the other."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def settings(self) -> Mapping[str, Any]:
        """What must not change between the first process of a run and its last, as JSON has it."""
        return self._plan.settings()

    def measured(self, sessions: Sequence[Session], signals: Signals, progress: Progress) -> Iterator[tuple[Session, Run, str]]:
        """Measure sessions into their files.   -> each with what it measured, and with where that was if that was not here"""
        for session in sessions:
            check_settings(session.folder, self.settings())
            yield session, measure(session, signals), ""


def run(
    plan: Plan, processes: int, folder: Path, resume: bool = False, asked: Sequence[str] = (), by: Here | None = None
) -> list[Run]:
    """Measure until a folder holds this many processes, and read them back as one run for each kind of machine.

    ``asked`` are the words to go on with.

    They are measured ``by`` this machine unless another one does it.

    Raises InputError if that cannot be: a folder that has results already (without ``resume``) or those of another plan (with
    it), or that another run is measuring into; a process that cannot start.  Raises Interrupted on SIGINT, SIGTERM and SIGHUP, when
    nothing that it started is left.
    """
    if not 1 <= processes <= MOST_PROCESSES:
        raise InputError(f"--processes {processes}: use a whole number from 1 to {MOST_PROCESSES}")
    by = by or Here(plan)
    with alone(folder, make=not resume):
        _prepare(by.settings(), folder, resume, asked)
        with kept_if(lambda: any(folder.glob(results.PROCESSES)), folder):
            _measure_missing(plan, processes, folder, by)
        return results.load_runs([folder])


def _prepare(settings: Mapping[str, Any], folder: Path, resume: bool, asked: Sequence[str]) -> None:
    """Make sure that the folder is that of a run of this plan, or can become it, and note the plan there."""
    finished = sorted(folder.glob(results.PROCESSES))
    if not resume:
        if finished:
            raise InputError(f"{folder}: has {len(finished)} finished processes; go on with --resume, or name another --output")
        begin(folder, settings, asked)
        return
    check_settings(folder, settings)
    if finished:
        results.load_runs(finished)


def _measure_missing(plan: Plan, processes: int, folder: Path, by: Here) -> None:
    missing = [number for number in range(1, processes + 1) if not session_path(folder, number).exists()]
    here = Place(ROOT, sys.executable, os.environ)
    sessions = [Session(plan, here, folder, number) for number in missing]
    with Signals() as signals, Progress("process", processes, processes - len(missing)) as progress:
        for session, measured, where in by.measured(sessions, signals, progress):
            for failure in failures(measured):
                progress.say(f"{session.path.stem}: {failure} failed{where}")
            progress.finished(session.path.stem)


def measure(session: Session, signals: Signals) -> Run:
    """Run one session to its end and keep what it saved: whole and fit for its folder, or not at all.

    Raises InputError, one line, if it saved nothing that is fit, and Interrupted if a signal comes.
    """
    path = session.path
    part, log = path.with_suffix(".part"), path.with_suffix(".log")
    try:
        code = _execute(session, session.command(part), left_out_ids(session), log, signals)
        if code not in (0, 1) or not (part.exists() and part.stat().st_size):
            words = last_words(log, session.place.project)
            raise InputError(f"{path.stem} could not measure (exit code {code}): {words}; see {log}")
        measured = keep(session, part)
        if code == 0:
            log.unlink()
        return measured
    except Interrupted:
        log.unlink()
        raise
    finally:
        part.unlink(missing_ok=True)


def left_out_ids(session: Session) -> list[str]:
    """The ids of the cases that a session leaves out."""
    # This side's pytest knows a case by the id that this side saved, which can be an older spelling of its name.
    first = _first(session)
    return [*session.absent, *(case.id for case in (first.cases if first else ()) if case.name in session.without)]


def keep(session: Session, part: Path, anywhere: bool = False) -> Run:
    """Take what a session saved into its folder.  Raises InputError, one line, unless it fits what is there.

    It has to be of the same machine, or with ``anywhere`` to fit what other machines measured.
    """
    measured, first = session.read(part), _first(session)
    # At once, not after hours: does it fit the others?
    if first and anywhere and not machines.alike(first, measured):
        results.check_fit(first, measured, session.without, elsewhere=True)
        first = next((one for one in _all(session) if machines.alike(one, measured)), None)
    if first:
        results.check_fit(first, measured, session.without)
    os.replace(part, session.path)
    return measured


def _first(session: Session) -> Run | None:
    return next(_all(session), None)


def _all(session: Session) -> Iterator[Run]:
    """What the sessions of this folder saved so far, in the order of their numbers."""
    return map(session.read, sorted(session.folder.glob(results.PROCESSES)))


def _execute(session: Session, command: list[str], ids: Collection[str], log: Path, signals: Signals) -> int:
    """Run the session's command, without the cases of these ids, with a temporary folder of its own and its output in a log.

    -> its exit code
    """
    place = session.place
    with (
        log.open("w", encoding="utf-8") as output,
        temporary.folder("lenet5-session-", place.scratch) as scratch,
    ):
        environment = {**place.environment, "TMPDIR": scratch}
        if ids:
            environment = left_out.variables(ids, environment, Path(scratch))
        return execute(command, replace(place, environment=environment), output, signals)


def failures(measured: Run) -> list[str]:
    """The cases that gave a wrong answer or broke, in one process."""
    return [name for name, reason in measured.not_measured.items() if reason.startswith(FAILED)]
