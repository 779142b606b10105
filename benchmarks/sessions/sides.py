"""The two sides of a comparison: each is this project's code in one folder, and the Python that runs it.

A side is written ``REVISION`` or ``DIRECTORY``, either with ``@/path/to/python`` after it.  A revision is checked out into a
worktree of its own; a directory is taken as it is.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.saved.provenance import ROOT, code_sha256, versions
from benchmarks.sessions import baton, worktrees
from benchmarks.sessions.process import Place, execute, last_words
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

    @property
    def option(self) -> str:
        """The side as the user wrote it, to begin an error with."""
        return f"--{self.role} {self.text}"

    def place(self, part: baton.Part) -> Place:
        """Where its processes run: in its folder, on its code, without the variables of this process's Python, and with the baton."""
        variables = baton.variables(part, environment(self.project), self.scratch / PLUGINS)
        return Place(self.project, self.python, variables, self.project, self.scratch, inherits=(part.end.fileno(),))

    def identity(self) -> dict[str, Any]:
        """What a measurement that goes on has to find as it was, as JSON has it."""
        return {
            "directory": None if self.temporary else str(self.project),
            "commit": self.commit,
            "changed": self.changed,
            "interpreter": self.python,
            "versions": dict(self.versions),
            "code_sha256": code_sha256(self.project),
        }

    def describe(self) -> str:
        """The side in one line for people."""
        commit = f"commit {self.commit[:12]}" if self.commit else "no commit"
        where = commit if self.temporary else f"{self.project} ({commit}{', changed' if self.changed else ''})"
        return f"{self.role} {self.text}: {where}, {self.python} ({self.versions['python']})"


def environment(project: Path) -> dict[str, str]:
    """The environment of a side's processes: what is imported comes from its folder first, whatever is installed."""
    foreign = ("GIT_", "PYTHON", "PYTEST")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, "PYTHONPATH": str(project)}


@contextmanager
def opened(asked: Mapping[str, str], signals: Signals, repository: Path = ROOT) -> Iterator[dict[str, Side]]:
    """Both sides by their roles, ready to be measured; when the block ends, however it does, no worktree of theirs is left.

    Raises InputError, one line, for a side that does not exist or cannot be imported.
    """
    with worktrees.temporary_home(repository) as home:
        baton.install(home / PLUGINS)
        yield {role: _open(role, text, home, signals, repository) for role, text in asked.items()}


def _open(role: str, text: str, home: Path, signals: Signals, repository: Path) -> Side:
    what, python = _split(text)
    option = f"--{role} {text}"
    if not os.access(python, os.X_OK) or Path(python).is_dir():
        raise InputError(f"{option}: {python} is no program; expected a Python interpreter after the @")
    directory, commit = _expanded(what), worktrees.commit_of(repository, what)
    is_project = _is_project(directory)
    if commit and is_project:
        raise InputError(f"{option}: is a revision and a directory; write ./{what} or refs/heads/{what}")
    temporary, changed = commit is not None and not is_project, False
    if temporary:
        project = home / role
        if refusal := worktrees.check_out(repository, str(commit), project):
            raise InputError(f"{option}: cannot be checked out ({refusal})")
    elif is_project:
        project = directory.resolve()
        is_top = worktrees.git(project, "rev-parse", "--show-prefix").stdout.strip() == ""
        commit = worktrees.commit_of(project, "HEAD") if is_top else None
        changed = commit is not None and bool(worktrees.git(project, "status", "--porcelain").stdout)
    else:
        words = worktrees.git(repository, "rev-parse", "--git-dir").stderr.splitlines()
        git = f" ({words[0]})" if words else ""
        raise InputError(
            f"{option}: neither a revision of {repository}{git} nor a directory with this project's lenet5 and benchmarks"
        )
    signals.check()
    found = _probe(option, Place(project, python, environment(project), project, home), signals)
    return Side(role, text, project, python, home, commit, temporary, changed, found)


def _split(text: str) -> tuple[str, str]:
    """A side's revision or directory, and its interpreter.   HEAD~1@/venv/bin/python -> HEAD~1, /venv/bin/python"""
    # No revision has such a thing in it: HEAD@{1} goes on with a brace.
    found = re.fullmatch(r"(.+?)@([/.~].*)", text)
    if not found:
        return text, sys.executable
    # Not resolved: a virtual environment's interpreter is a link, and is its environment only under that name.
    return found[1], os.path.abspath(_expanded(found[2]))


def _expanded(path: str) -> Path:
    """With the home folder for a ~; as it is if no such user is known."""
    return Path(os.path.expanduser(path))


# What makes a folder this project, and an interpreter one that can run it: all that the room knows of the project by name.

# Names come as arguments: the packages whose versions are wanted.
PROBE = """
import json, platform, sys
from importlib import metadata

import pytest, pytest_benchmark
import lenet5

found = {"python": platform.python_version()}
for name in sys.argv[1:]:
    try:
        found[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        pass
print(json.dumps({"lenet5": lenet5.__file__, "versions": found}))
"""


def _is_project(directory: Path) -> bool:
    return (directory / "benchmarks").is_dir() and (directory / "lenet5").is_dir()


def _probe(option: str, place: Place, signals: Signals) -> dict[str, str]:
    """The versions that a side's interpreter has.  Raises InputError unless it can import the side, from the side."""
    names = [name for name in versions() if name != "python"]
    log = Path(str(place.scratch)) / "probe.log"
    with log.open("w", encoding="utf-8") as output:
        code = execute([place.python, "-c", PROBE, *names], place, output, signals)
    if code:
        raise InputError(f"{option}: cannot be imported ({last_words(log)})")
    found = json.loads(log.read_text(encoding="utf-8", errors="replace").splitlines()[-1])
    # The other process may have the bytes of a path that is not ASCII as other letters than this one.
    imported = Path(os.fsdecode(found["lenet5"].encode("utf-8", "surrogateescape")))
    if imported.resolve().parent != (place.project / "lenet5").resolve():
        raise InputError(f"{option}: imports {imported}, not {place.project / 'lenet5'}; its interpreter prefers what is installed")
    versions_found: dict[str, str] = found["versions"]
    return versions_found
