"""Code that travels: the files of some checkouts as they are now, in one git bundle, for a machine that has neither repository.

A bundle holds each checkout's commit without its history, and a second commit with what is changed or new there.  All is made in a
repository of its own in a temporary folder: no branch, no index and no object of the user's is added or changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.launch import temporary
from benchmarks.saved.storage import STORAGE
from benchmarks.sessions.worktrees import commit_of, git, lines
from lenet5.errors import InputError

AUTHOR = ("-c", "user.name=benchmarks", "-c", "user.email=benchmarks@localhost")


@dataclass(frozen=True)
class Bundle:
    """A git bundle, and what to check out of it."""

    content: bytes
    folders: Mapping[str, tuple[str, str]]
    """Name of a folder -> its commit, and the commit that has its files as they are."""


def bundled(folders: Mapping[str, tuple[str, Path]]) -> Bundle:
    """Make one bundle of checkouts.   name of a folder -> the option to begin an error with, the checkout

    Files that git ignores are left out.  Raises InputError, one line, for a folder that is not the top of a git checkout.
    """
    with temporary.folder("lenet5-bundle-") as home:
        made, path = Path(home) / "made", Path(home) / "code.bundle"
        _done(Path(home), "init", "--quiet", "--template=", str(made))
        places = [_checkout(option, folder) for option, folder in folders.values()]
        inside = made / ".git"
        (inside / "objects" / "info").mkdir(parents=True, exist_ok=True)
        (inside / "objects" / "info" / "alternates").write_text("".join(f"{objects}\n" for _, objects, _ in places))
        # Git takes these commits for the first ones of their history, and bundles nothing before them.
        (inside / "shallow").write_text("".join(f"{commit}\n" for commit, _, _ in places))
        found = {
            name: (commit, _files_as_they_are(inside, folder, commit, excluded))
            for (name, (_, folder)), (commit, _, excluded) in zip(folders.items(), places, strict=True)
        }
        for name, commits in found.items():
            for what, commit in zip(("commit", "files"), commits, strict=True):
                _done(made, "update-ref", f"refs/heads/{name}-{what}", commit)
        _done(made, "bundle", "create", "--quiet", str(path), "--branches")
        return Bundle(path.read_bytes(), found)


def _checkout(option: str, folder: Path) -> tuple[str, Path, str]:
    """A checkout's commit, the folder of its objects, and what it alone ignores."""
    commit = commit_of(folder, "HEAD")
    top = git(folder, "rev-parse", "--show-toplevel").stdout.strip()
    if commit is None or Path(top).resolve() != folder.resolve():
        raise InputError(
            f"{option}: {folder} is no git checkout, and code reaches a worker as a git bundle; use a revision or a checkout"
        )
    objects, exclude = (
        (folder / git(folder, "rev-parse", "--git-path", what).stdout.strip()).resolve() for what in ("objects", "info/exclude")
    )
    return commit, objects, exclude.read_text(encoding="utf-8", errors="surrogateescape") if exclude.is_file() else ""


def _files_as_they_are(inside: Path, folder: Path, commit: str, excluded: str) -> str:
    """A commit with the files of a checkout: what git tracks there, as it is now, and what is new and not ignored."""
    (inside / "info").mkdir(exist_ok=True)
    (inside / "info" / "exclude").write_text(f"{excluded}\n/{STORAGE}/\n", encoding="utf-8", errors="surrogateescape")
    here = (f"--git-dir={inside}", f"--work-tree={folder}")
    _done(folder, *here, "read-tree", commit)
    _done(folder, *here, "add", "--all", "--", ".")
    tree = _done(folder, *here, "write-tree")
    return _done(inside, *AUTHOR, "commit-tree", tree, "-p", commit, "-m", "the files as they are")


def _done(folder: Path, *arguments: str) -> str:
    """What git prints.  Raises InputError, one line, if it fails."""
    done = git(folder, *arguments)
    if done.returncode:
        said = (lines(done.stderr) or ["it says nothing"])[0]
        raise InputError(f"{folder}: cannot be made a git bundle ({said})")
    return done.stdout.strip()
