"""Which files a folder holds, as one word: two folders with the same word have the same code.

The word of a commit is git's name for its tree.  A folder whose files are not those of its commit has another one, from the names and
contents of the files that differ; so has a folder that git does not know.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.sessions.worktrees import git

SOURCES = (".py", ".pyx", ".so", ".pyd", ".toml", ".cfg", ".ini")
"""How the names of files end that a time can depend on, as far as that can be told of any project."""

NO_CODE = ("__pycache__", "site-packages", "node_modules")
"""Folders that hold nothing of a project's own; those that begin with a dot do not either."""


def tree_of_commit(repository: Path, commit: str) -> str:
    """Git's name for the tree of a commit."""
    return git(repository, "rev-parse", f"{commit}^{{tree}}").stdout.strip()


def is_changed(top: Path) -> bool:
    """Whether the files of a checkout are not those of its commit."""
    return bool(differing(top))


def tree_of_checkout(top: Path, commit: str) -> str:
    """The word of a checkout as it is now, with what is changed, new, or ignored by git and yet code."""
    ignored = _paths(git(top, "ls-files", "--others", "--ignored", "--exclude-standard", "-z").stdout)
    files = {*differing(top), *(path for path in ignored if _is_source(path))}
    tree = tree_of_commit(top, commit)
    return f"{tree}+{digest(top, files)}" if files else tree


def differing(top: Path) -> list[str]:
    """The files of a checkout that are not as in its commit, or not in it; without what a gate's own processes leave there.

    A file that is changed in the index alone counts as well: the word differs then although the code does not.
    """
    # Not git diff, which writes into the index what it has found out about files that were only touched.
    status = _paths(git(top, "status", "--porcelain", "--no-renames", "--untracked-files=no", "-z").stdout)
    tracked = [line[len("XY ") :] for line in status]
    new = _paths(git(top, "ls-files", "--others", "--exclude-standard", "-z").stdout)
    return [*tracked, *(path for path in new if not _in_no_code(path))]


def tree_of_folder(folder: Path) -> str:
    """The word of a folder that git does not know."""
    return digest(folder, _walked(folder))


def sources_of(folder: Path) -> str:
    """A digest of the code in a folder: of the files whose names end as those of SOURCES."""
    listed = _paths(git(folder, "ls-files", "--cached", "--others", "--exclude-standard", "-z").stdout)
    return digest(folder, [path for path in (listed or _walked(folder)) if _is_source(path)])


def digest(folder: Path, files: Iterable[str]) -> str:
    """One digest of some files of a folder: names, contents, and which of them are not there."""
    found = hashlib.sha256()
    for name in sorted(set(files)):
        path = folder / name
        content = os.fsencode(os.readlink(path)) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found.update(f"{name} {None if content is None else len(content)}\n".encode("utf-8", "surrogateescape") + (content or b""))
    return found.hexdigest()


def _paths(listed: str) -> list[str]:
    return [name for name in listed.split("\0") if name]


def _is_source(name: str) -> bool:
    return name.endswith(SOURCES) and not _in_no_code(name)


def _in_no_code(name: str) -> bool:
    return any(part in NO_CODE or part.startswith(".") for part in Path(name).parts[:-1])


def _walked(folder: Path) -> Iterator[str]:
    for place, below, files in os.walk(folder):
        below[:] = [name for name in below if name not in NO_CODE and not name.startswith(".")]
        yield from (os.path.relpath(os.path.join(place, name), folder) for name in files)
