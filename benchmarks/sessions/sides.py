"""The two sides of a comparison: each is this project's code in one folder, and the Python that runs it.

A side is written ``REVISION`` or ``DIRECTORY``, either with ``@/path/to/python`` after it.  A revision is checked out into a git
worktree in the system's temporary folder, so neither the working tree nor its index is touched; a directory is taken as it is.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.saved.provenance import ROOT, code_sha256, versions
from benchmarks.sessions import baton, folder, process
from benchmarks.sessions.process import Signals
from benchmarks.sessions.processes import Place
from lenet5.errors import InputError

PREFIX = "lenet5-gate-"
"""How the temporary folder of a gate begins.  Below it everything belongs to that gate: worktrees, and what its children leave."""

PLUGINS = "plugins"
"""In that folder: what the processes of both sides are given, whatever code they run."""

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
    """Of a revision, or of the directory if it is a checkout; None if git knows nothing of it."""
    temporary: bool
    """A worktree, which is gone afterwards."""
    changed: bool
    """A directory whose files are not those of the commit."""
    versions: Mapping[str, str]

    @property
    def option(self) -> str:
        """The side as the user wrote it, to begin an error with."""
        return f"--{self.role} {self.text}"

    def place(self, part: baton.Part) -> Place:
        """Where its processes run: in its folder, on its code, with nothing of this process's Python, and in turns with the other side's."""
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
        """One line for people."""
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
    remove_stale(repository)
    home = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
    # Held as long as this process lives: so what a killed gate left is told from what another one uses.
    with folder.alone(home, make=False):
        try:
            baton.install(home / PLUGINS)
            yield {role: _open(role, text, home, signals, repository) for role, text in asked.items()}
        finally:
            _remove(home, repository)


def remove_stale(repository: Path = ROOT) -> None:
    """Remove what gates left that were killed before they could do it themselves; the process that such a one ran ends by itself."""
    homes = {path.resolve() for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*")}
    homes |= {path.parent for path in _worktrees(repository) if path.parent.name.startswith(PREFIX)}
    for home in homes:
        # That of a gate at work, or of another user, cannot be locked.  One that is gone, because the system emptied its temporary
        # folder, may still be listed by git.
        with suppress(InputError), folder.alone(home, make=False):
            _remove(home, repository)


def _remove(home: Path, repository: Path) -> None:
    for path in _worktrees(repository):
        if path.parent == home:
            _git(repository, "worktree", "remove", "--force", "--force", str(path))
    shutil.rmtree(home, ignore_errors=True)


def _worktrees(repository: Path) -> list[Path]:
    listed = _git(repository, "worktree", "list", "--porcelain").stdout.splitlines()
    return [Path(line.removeprefix("worktree ")) for line in listed if line.startswith("worktree ")]


# One side


def _open(role: str, text: str, home: Path, signals: Signals, repository: Path) -> Side:
    what, python = _split(text)
    option = f"--{role} {text}"
    if not os.access(python, os.X_OK) or Path(python).is_dir():
        raise InputError(f"{option}: {python} is no program; expected a Python interpreter after the @")
    directory, commit = Path(what).expanduser(), _commit(repository, what)
    is_project = (directory / "benchmarks").is_dir() and (directory / "lenet5").is_dir()
    if commit and is_project:
        raise InputError(f"{option}: is a revision and a directory; write ./{what} or refs/heads/{what}")
    temporary = commit is not None and not is_project
    if temporary:
        project = _check_out(option, str(commit), home / role, repository)
    elif is_project:
        project = directory.resolve()
        commit = _commit(project, "HEAD") if _git(project, "rev-parse", "--show-prefix").stdout.strip() == "" else None
    else:
        words = _git(repository, "rev-parse", "--git-dir").stderr.splitlines()
        git = f" ({words[0]})" if words else ""
        raise InputError(
            f"{option}: neither a revision of {repository}{git} nor a directory with this project's lenet5 and benchmarks"
        )
    signals.check()
    changed = not temporary and commit is not None and bool(_git(project, "status", "--porcelain").stdout)
    found = _probe(option, project, python, home, signals)
    return Side(role, text, project, python, home, commit, temporary, changed, found)


def _split(text: str) -> tuple[str, str]:
    """A side's revision or directory, and its interpreter.   HEAD~1@/venv/bin/python -> HEAD~1, /venv/bin/python"""
    # No revision has such a thing in it: HEAD@{1} goes on with a brace.
    found = re.fullmatch(r"(.+?)@([/.~].*)", text)
    if not found:
        return text, sys.executable
    # Not resolved: a virtual environment's interpreter is a link, and is its environment only under that name.
    return found[1], os.path.abspath(Path(found[2]).expanduser())


def _commit(repository: Path, revision: str) -> str | None:
    """The whole name of a revision's commit; None if there is none."""
    if revision.startswith("-"):
        return None
    done = _git(repository, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    return done.stdout.strip() or None


def _check_out(option: str, commit: str, path: Path, repository: Path) -> Path:
    # Without hooks: one that runs after a checkout was not written for this.
    done = _git(repository, "-c", "core.hooksPath=/dev/null", "worktree", "add", "--detach", "--quiet", str(path), commit)
    if done.returncode:
        words = done.stderr.strip().splitlines() or ["git worktree add failed"]
        raise InputError(f"{option}: cannot be checked out ({words[-1]})")
    return path


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Git in a folder, with its exit code left to the caller.  Ctrl-C does not reach it: it would leave half a worktree."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        return subprocess.run(
            ["git", "--no-optional-locks", "-C", str(folder), *arguments],
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            start_new_session=True,
        )
    except FileNotFoundError:
        return subprocess.CompletedProcess([], 127, "", "git is not installed")


def _probe(option: str, project: Path, python: str, home: Path, signals: Signals) -> dict[str, str]:
    """The versions that a side's interpreter has.  Raises InputError unless it can import the side, from the side."""
    names = [name for name in versions() if name != "python"]
    log = home / "probe.log"
    with log.open("w", encoding="utf-8") as output:
        code = process.execute([python, "-c", PROBE, *names], environment(project), output, signals, project)
    if code:
        raise InputError(f"{option}: cannot be imported ({process.last_words(log)})")
    found = json.loads(log.read_text(encoding="utf-8").splitlines()[-1])
    if Path(found["lenet5"]).resolve().parent != (project / "lenet5").resolve():
        raise InputError(
            f"{option}: imports {found['lenet5']}, not {project / 'lenet5'}; its interpreter prefers what is installed"
        )
    versions_found: dict[str, str] = found["versions"]
    return versions_found
