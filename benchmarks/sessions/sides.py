"""The two sides of a comparison: each is a project's code in one folder, and the Python that runs it.

A side is written ``REVISION`` or ``DIRECTORY``, either with ``@/path/to/python`` after it.  A revision is checked out into a
worktree of its own; a directory is taken as it is.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.sessions import baton, trees, worktrees
from benchmarks.sessions.plan import Plan, Session
from benchmarks.sessions.process import Place
from benchmarks.sessions.project import Project
from benchmarks.sessions.signals import Signals
from lenet5.errors import InputError

PLUGINS = "plugins"
"""In the temporary folder of a comparison: the plug-in that the processes of both sides get, whatever code they run."""


@dataclass(frozen=True)
class Side:
    """What is measured on one side, resolved: nothing of it changes any more while it is measured."""

    role: str
    """Base or head."""
    text: str
    """As it was asked for."""
    project: Path
    python: str
    scratch: Path
    commit: str | None
    """Of a revision, or of the directory if it is a checkout; None if git does not know the directory."""
    temporary: bool
    """A worktree, which is gone afterwards."""
    changed: bool
    """A directory whose files are not those of the commit."""
    versions: Mapping[str, str]
    """Of Python and of the packages that measuring needs, as far as the interpreter has them."""
    tree: str
    """What all files of the project are, in one word, see `trees`: two sides of the same word have the same code."""
    of: Project

    @property
    def option(self) -> str:
        """The side as the user wrote it, to begin an error with."""
        return f"--{self.role} {self.text}"

    def place(self, part: baton.Part | None = None) -> Place:
        """Where its processes run: in its folder, on its code, without the variables of this process's Python, and with the baton if it takes part."""
        around = {**environment(self.project, self.of), **self._kept()}
        if part is None:
            return Place(self.project, self.python, baton.with_path(around, self.scratch / PLUGINS), self.project, self.scratch)
        variables = baton.variables(part, around, self.scratch / PLUGINS)
        return Place(self.project, self.python, variables, self.project, self.scratch, inherits=(part.end.fileno(),))

    def _kept(self) -> dict[str, str]:
        """The variable that names the folder in which its processes keep what need not be computed twice."""
        if self.of.kept is None:
            return {}
        folder = self.scratch / f"kept-{self.role}"
        folder.mkdir(exist_ok=True)
        return {self.of.kept: str(folder)}

    def session(
        self, plan: Plan, part: baton.Part | None, folder: Path, number: int, without: Collection[str], absent: Collection[str]
    ) -> Session:
        """A session of a plan on this side, as one of a pair."""
        return self.of.session(plan, self.place(part), folder, number, without, absent)

    def identity(self) -> dict[str, Any]:
        """What a measurement that goes on has to find as it was, as JSON has it."""
        return {
            "directory": None if self.temporary else str(self.project),
            "commit": self.commit,
            "changed": self.changed,
            "interpreter": self.python,
            "versions": dict(self.versions),
            "tree": self.tree,
            "code_sha256": self.of.code(self.project),
        }

    def differing(self) -> list[str]:
        """The files of a directory that are not as in its commit now; none of a directory that git does not know."""
        if self.commit is None:
            return []
        return trees.differing(Path(worktrees.git(self.project, "rev-parse", "--show-toplevel").stdout.strip()))

    def describe(self) -> str:
        """The side in one line for people."""
        commit = f"commit {self.commit[:12]}" if self.commit else "no commit"
        where = commit if self.temporary else f"{self.project} ({commit}{', changed' if self.changed else ''})"
        return f"{self.role} {self.text}: {where}, {self.python} ({self.versions['python']})"


def environment(folder: Path, project: Project) -> dict[str, str]:
    """The environment of a side's processes: what is imported comes from its folder first, whatever is installed."""
    foreign = ("GIT_", "PYTHON", "PYTEST")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, **project.variables, "PYTHONPATH": str(project.source(folder))}


@contextmanager
def opened(
    asked: Mapping[str, str], signals: Signals, project: Project, commits: Mapping[str, str] | None = None
) -> Iterator[dict[str, Side]]:
    """Both sides by their roles, ready to be measured; when the block ends, however it does, no worktree of theirs is left.

    ``commits`` are those that some sides mean, by their roles, whatever their revisions mean by now.
    Raises InputError, one line, for a side that does not exist or cannot be imported.
    """
    with worktrees.temporary_home(project.repository) as home:
        project.install(home / PLUGINS)
        yield {role: _open(role, text, home, signals, project, (commits or {}).get(role)) for role, text in asked.items()}


def _open(role: str, text: str, home: Path, signals: Signals, project: Project, meant: str | None) -> Side:
    what, python = _split(text, project.start)
    option = f"--{role} {text}"
    if not os.access(python, os.X_OK) or Path(python).is_dir():
        raise InputError(f"{option}: {python} is no program; expected a Python interpreter after the @")
    directory, commit = project.start / _expanded(what), meant or worktrees.commit_of(project.repository, what)
    is_directory = project.is_directory(what, directory)
    if commit and is_directory:
        raise InputError(f"{option}: is a revision and a directory; write ./{what} or refs/heads/{what}")
    if is_directory:
        folder, top, commit = _directory(directory, project)
        changed = commit is not None and trees.is_changed(top)
        tree = trees.tree_of_checkout(top, commit) if commit else trees.tree_of_folder(folder)
    elif commit:
        if refusal := worktrees.check_out(project.repository, commit, home / role):
            raise InputError(f"{option}: cannot be checked out ({refusal})")
        folder, changed, tree = home / role / project.inside, False, trees.tree_of_commit(project.repository, commit)
        if not folder.is_dir():
            raise InputError(f"{option}: has no {project.inside}")
    else:
        raise InputError(f"{option}: neither a revision of {worktrees.described(project.repository)} nor {project.no_side}")
    signals.check()
    if os.pathsep in str(folder):
        raise InputError(
            f"{option}: there is a {os.pathsep!r} in {folder}, where Python splits its search path; give it a path without one"
        )
    found = project.probe(option, Place(folder, python, environment(folder, project), folder, home), signals)
    return Side(role, text, folder, python, home, commit, not is_directory, changed, found, tree, project)


def _directory(directory: Path, project: Project) -> tuple[Path, Path, str | None]:
    """A side that is a directory: its folder, the top of its checkout, and its commit, None if git does not know it as this project."""
    folder = directory.resolve()
    inside = worktrees.git(folder, "rev-parse", "--show-prefix")
    if inside.returncode or inside.stdout.strip() != project.inside:
        return folder, folder, None
    top = Path(worktrees.git(folder, "rev-parse", "--show-toplevel").stdout.strip())
    return folder, top, worktrees.commit_of(folder, "HEAD")


def _split(text: str, start: Path = Path()) -> tuple[str, str]:
    """A side's revision or directory, and its interpreter.   HEAD~1@/venv/bin/python -> HEAD~1, /venv/bin/python"""
    # No revision has such a thing in it: HEAD@{1} goes on with a brace.
    found = re.fullmatch(r"(.+?)@([/.~].*)", text)
    if not found:
        return text, sys.executable
    # Not resolved: a virtual environment's interpreter is a link, and is its environment only under that name.
    return found[1], os.path.abspath(start / _expanded(found[2]))


def _expanded(path: str) -> Path:
    """With the home folder for a ~; as it is if no such user is known."""
    return Path(os.path.expanduser(path))
