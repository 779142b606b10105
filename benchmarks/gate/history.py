"""The commits of a repository between two of them, and what one is called.

First parents only: each of these commits was once the state of the branch.  What was merged comes as one step, the merge; commits
within a merged branch need not have worked, and can lack what the branch had by then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.sessions.worktrees import commit_of, described, git, logged
from lenet5.errors import InputError

FIELDS = ("%H", "%T", "%P", "%an", "%aI", "%s")


@dataclass(frozen=True)
class Commit:
    """A commit as people know it."""

    name: str
    """The whole hash."""
    tree: str
    """Git's name for its files: two commits of the same name have the same code."""
    parents: Sequence[str]
    author: str
    date: str
    """The author's, in ISO 8601."""
    subject: str

    @property
    def short(self) -> str:
        return self.name[:12]

    def __str__(self) -> str:
        return f"{self.short} ({self.date[:10]}, {self.subject})"


def line(repository: Path, good: str, bad: str) -> list[Commit]:
    """The commits from one to the other, oldest first, both included.

    Those that a branch without good brought in before good was merged are no part of it.  Raises InputError, one line, for a revision that does
    not exist, for the same commit or code twice, and where good is no ancestor of bad.
    """
    names = {option: _name(repository, option, revision) for option, revision in (("--good", good), ("--bad", bad))}
    first, last = names.values()
    if first == last:
        raise InputError(f"--good {good}: is the same commit as --bad {bad}, {first[:12]}; expected an older one that is faster")
    if not _is_ancestor(repository, first, last):
        swapped = (
            "; it is younger: are the two swapped?" if _is_ancestor(repository, last, first) else f" in {described(repository)}"
        )
        raise InputError(f"--good {good}: is no ancestor of --bad {bad}{swapped}")
    after = set(git(repository, "rev-list", "--ancestry-path", f"{first}..{last}").stdout.split())
    chain = [commit for commit in _log(repository, "--first-parent", "--reverse", f"{first}..{last}") if commit.name in after]
    found = [*_log(repository, "-1", first), *chain]
    if found[0].tree == found[-1].tree:
        raise InputError(f"--good {good}: has the same files as --bad {bad}; nothing can have become slower")
    return found


def _name(repository: Path, option: str, revision: str) -> str:
    found = commit_of(repository, revision)
    if not found:
        raise InputError(f"{option} {revision}: no revision of {described(repository)}")
    return found


def _is_ancestor(repository: Path, one: str, other: str) -> bool:
    return git(repository, "merge-base", "--is-ancestor", one, other).returncode == 0


def _log(repository: Path, *arguments: str) -> list[Commit]:
    found = logged(repository, FIELDS, *arguments, "--") or []
    return [Commit(name, tree, parents.split(), author, date, subject) for name, tree, parents, author, date, subject in found]
