"""The processes of a run on the workers of a cluster, and what a worker sends back put where a local process would have left it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.saved.files import write_whole
from benchmarks.saved.provenance import ROOT, code_sha256, packages
from benchmarks.saved.results import Run
from benchmarks.saved.storage import NOTED
from benchmarks.sessions.bundles import bundled
from benchmarks.sessions.cluster import Cluster, Done, Job, connected
from benchmarks.sessions.folder import note, settings_in
from benchmarks.sessions.plan import Plan, Session
from benchmarks.sessions.processes import Here, keep
from benchmarks.sessions.progress import Progress
from benchmarks.sessions.signals import Signals
from lenet5.errors import InputError

THEIRS = "each worker's own"
"""The system, and the interpreter of a side, where workers measure."""

HARNESS = "harness"
"""The folder on a worker that has this project as it is here."""


def workers(address: str, wait_seconds: float | None, signals: Signals) -> AbstractContextManager[Cluster]:
    """The cluster with a scheduler at this address, see `connected`; what it has to say goes to standard error."""
    return connected(address, wait_seconds, signals, lambda line: print(line, file=sys.stderr, flush=True))


class There(Here):
    """Processes of a plan on the workers of a cluster, as many at once as there are workers."""

    def __init__(self, plan: Plan, cluster: Cluster, signals: Signals) -> None:
        """Send the code, and learn what the workers are.  Raises InputError, one line, if there is none to use."""
        super().__init__(plan)
        self._cluster = cluster
        code = bundled({HARNESS: ("--scheduler", ROOT)})
        module = "benchmarks.sessions.on_worker"
        cluster.begin(Job(code, HARNESS, module, tuple(packages()), {HARNESS: code_sha256()}, "process"), signals)

    def settings(self) -> Mapping[str, Any]:
        """The versions are those of the workers; their systems may differ."""
        return {**super().settings(), "system": THEIRS, "versions": self._cluster.facts["versions"]}

    def measured(self, sessions: Sequence[Session], signals: Signals, progress: Progress) -> Iterator[tuple[Session, Run, str]]:
        self._cluster.say = progress.say
        for session in sessions:
            self._cluster.send(session.number, {"plan": asdict(self._plan), "number": session.number})
        known = {session.number: session for session in sessions}
        for _ in sessions:
            while (found := self._cluster.next(signals)) is None:
                pass  # a further worker takes what waits here for one
            session = known[found.number]
            measured = received(session, found)
            note_worker(session.folder, session.path.stem, found.worker, self._cluster)
            yield session, measured, f" ({found.worker})"


def note_worker(folder: Path, what: str, worker: str, cluster: Cluster) -> None:
    """Keep in a folder which worker measured what, and which machines had more than one worker."""
    before = settings_in(folder).get(NOTED, {})
    shared = sorted({*before.get("shared_machines", ()), *cluster.shared})
    note(folder, measured_by={**before.get("measured_by", {}), what: worker}, shared_machines=shared)


def received(session: Session, done: Done, inside: str = "") -> Run:
    """Put what a worker has sent into a session's folder.  ``inside`` is the folder of it among the results, with a slash.

    Raises InputError, one line that names the worker, if that could not measure, or measured what does not fit the others.
    """
    log = session.path.with_suffix(".log")
    if said := done.files.get(f"{inside}{log.name}"):
        write_whole(log, said)
    saved = done.files.get(f"{inside}{session.path.name}")
    if done.code or saved is None:
        raise InputError(f"{done.worker}: {told(done, session.folder, inside)}")
    part = session.path.with_suffix(".part")
    try:
        write_whole(part, saved)
        return keep(session, part, anywhere=True)
    except InputError as error:
        raise InputError(f"{done.worker}: {error}") from None
    finally:
        part.unlink(missing_ok=True)


def told(done: Done, folder: Path, inside: str = "") -> str:
    """What a worker's command said last, with our folder in place of the worker's, which is gone."""
    there = f"{done.home}/results/{inside}".rstrip("/")
    return done.said.replace(there, str(folder)) if done.home else done.said
