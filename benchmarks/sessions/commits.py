"""Many commits measured in one go: each in fresh processes, in rounds through all of them, for a history that the machine does not write.

A round measures every commit once, in a random order, before the next one begins: what the machine does for minutes falls on all commits
alike.  Each commit measures its own cases, as in a gate: the cases of today need not run on the code of then.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.saved.provenance import versions
from benchmarks.saved.results import PROCESSES
from benchmarks.saved.storage import MANIFEST, NOTED
from benchmarks.sessions import worktrees
from benchmarks.sessions.folder import alone, begin, check_settings, kept_if, note, settings_in
from benchmarks.sessions.plan import Plan, session_path
from benchmarks.sessions.process import Place
from benchmarks.sessions.processes import MOST_PROCESSES, failures, measure
from benchmarks.sessions.progress import Progress
from benchmarks.sessions.project import Project
from benchmarks.sessions.sides import environment
from benchmarks.sessions.signals import Signals
from benchmarks.sessions.this_project import HOLDS_NOTHING, is_this_project
from lenet5.errors import InputError

SKIPPED = "skipped"
"""Among what the folder notes: the commits that could not be measured, each with the reason."""

SHORT = 12


@dataclass(frozen=True)
class Commit:
    """A commit as people know it."""

    name: str
    """The whole hash."""
    date: str
    subject: str

    def __str__(self) -> str:
        return f"{self.name[:SHORT]} ({self.date[:10]}, {self.subject})"


@dataclass(frozen=True)
class Asked:
    """What is measured."""

    project: Project
    commits: Sequence[Commit]
    """The oldest first."""
    plan: Plan
    processes: int
    """Of each commit."""

    def settings(self) -> dict[str, Any]:
        """What must not change until the last process, as JSON has it."""
        plan = {**asdict(self.plan), "options": list(self.plan.options)}
        return {**plan, "commits": [commit.name for commit in self.commits], "python": sys.executable, "versions": versions()}


def chosen(repository: Path, revisions: Sequence[str], paths: Sequence[str] = (), pattern: str | None = None) -> list[Commit]:
    """The commits of ranges, such as v1..HEAD, the oldest first: those that touch some of the paths, and whose message fits a pattern.

    Raises InputError, one line, for a range that git does not know, and if there is no such commit.
    """
    said = " ".join(revisions)
    if any(one.startswith("-") for one in revisions):
        raise InputError(f"{said}: is no range of commits; expected one such as v1..HEAD")
    fitting = [f"--grep={pattern}"] if pattern else []
    found = _log(repository, "--no-merges", "--reverse", "--topo-order", *fitting, *revisions, "--", *paths)
    if found is None:
        raise InputError(f"{said}: is no range of commits of {worktrees.described(repository)}; expected one such as v1..HEAD")
    if not found:
        raise InputError(
            f"{said}: holds no commit that fits; use a longer range, or leave --path or --grep out to see which there are"
        )
    return found


def begun(repository: Path, folder: Path) -> list[Commit]:
    """The commits that a folder was begun with.  Raises InputError if it was not, or if git no longer knows one of them."""
    names = settings_in(folder).get("commits")
    if not (isinstance(names, list) and names and all(re.fullmatch("[0-9a-f]{40,64}", str(name)) for name in names)):
        raise InputError(f"{folder / MANIFEST}: names no commits; expected the folder of python -m benchmarks commits")
    found = _log(repository, "--no-walk=unsorted", *names, "--")
    if found is None:
        raise InputError(f"{folder / MANIFEST}: names a commit that is none of {worktrees.described(repository)}")
    return found


def _log(repository: Path, *words: str) -> list[Commit] | None:
    """The commits that git log lists; None if it fails."""
    found = worktrees.logged(repository, ("%H", "%cI", "%s"), *words)
    return None if found is None else [Commit(*fields) for fields in found]


def run(asked: Asked, folder: Path, resume: bool = False, words: Sequence[str] = ()) -> Mapping[str, str]:
    """Measure into a folder, which gets one of its own for each commit.   -> the commits that could not be measured, with the reason

    ``words`` are what asked for it, to go on with.  Raises InputError if a folder has results already (without ``resume``) or those of something
    else (with it), and if no commit could be measured; raises Interrupted on a signal, when nothing that it started is left.
    """
    if not 1 <= asked.processes <= MOST_PROCESSES:
        raise InputError(f"--processes {asked.processes}: use a whole number from 1 to {MOST_PROCESSES}")
    with alone(folder, make=not resume):
        if resume:
            check_settings(folder, asked.settings())
        else:
            if any(folder.glob(f"*/{PROCESSES}")):
                raise InputError(f"{folder}: has finished processes; go on with --resume, or name another --output")
            begin(folder, asked.settings(), words)
        with Signals() as signals, worktrees.temporary_home(asked.project.repository) as home:
            measuring = _Measuring(asked, folder, home, signals)
            with kept_if(lambda: any(folder.glob(f"*/{PROCESSES}")), folder):
                measuring.run()
    return measuring.skipped


@dataclass
class _Measuring:
    asked: Asked
    folder: Path
    home: Path
    """For the checkouts, each of which stays until the end."""
    signals: Signals
    skipped: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        self.skipped.update(settings_in(self.folder).get(NOTED, {}).get(SKIPPED, {}))
        total = self.asked.processes * len(self.asked.commits)
        left = list(self._left())
        with Progress("process", total, total - len(left)) as progress:
            for done, (number, commit) in enumerate(left, total - len(left) + 1):
                if commit.name not in self.skipped:
                    self._measure(commit, number, progress)
                progress.finished(f"{commit.name[:SHORT]}: process {done}")
        if len(self.skipped) == len(self.asked.commits):
            name, reason = next(iter(self.skipped.items()))
            raise InputError(f"no commit could be measured: {name[:SHORT]}: {reason}")

    def _left(self) -> Iterator[tuple[int, Commit]]:
        """Round by round, the commits that it has not measured yet, but for those that cannot be."""
        for number in range(1, self.asked.processes + 1):
            order = list(self.asked.commits)
            random.Random(f"{self.asked.plan.seed}.{number}").shuffle(order)
            for commit in order:
                if commit.name not in self.skipped and not session_path(self._folder(commit), number).exists():
                    yield number, commit

    def _measure(self, commit: Commit, number: int, progress: Progress) -> None:
        try:
            place = self._place(commit)
            folder = self._folder(commit)
            folder.mkdir(exist_ok=True)
            session = self.asked.project.session(self.asked.plan, place, folder, number)
            for failure in failures(measure(session, self.signals)):
                progress.say(f"{commit.name[:SHORT]}: {failure} failed")
        except InputError as error:
            self.skipped[commit.name] = str(error)
            note(self.folder, **{SKIPPED: self.skipped})
            progress.say(f"{commit} is skipped: {error}")

    def _place(self, commit: Commit) -> Place:
        """Where a commit's processes run: in a checkout of its own, with what is imported from there first."""
        top = self.home / commit.name[:SHORT]
        if not top.exists() and (refusal := worktrees.check_out(self.asked.project.repository, commit.name, top)):
            raise InputError(f"cannot be checked out ({refusal})")
        folder = top / self.asked.project.inside
        if not is_this_project(folder):
            raise InputError(HOLDS_NOTHING)
        return Place(folder, sys.executable, environment(folder, self.asked.project), folder, self.home)

    def _folder(self, commit: Commit) -> Path:
        return self.folder / commit.name[:SHORT]
