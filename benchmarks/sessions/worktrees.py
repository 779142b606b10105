"""Other commits of a repository as folders: git worktrees below the system's temporary folder, and their removal.

Neither the working tree nor its index is touched.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.launch import tied
from benchmarks.sessions.folder import alone
from lenet5.errors import InputError

PREFIX = "lenet5-gate-"
"""How the temporary folder of a comparison begins.  All below it belongs to that comparison: worktrees, and what its processes leave."""


@contextmanager
def temporary_home(repository: Path) -> Iterator[Path]:
    """A temporary folder for worktrees; both are gone when the block ends, however it ends."""
    remove_stale(repository)
    home = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
    # Held as long as this process lives: a home that nothing holds was left by a process that was killed.
    with alone(home, make=False):
        try:
            yield home
        finally:
            _remove(home, repository)


def remove_stale(repository: Path) -> None:
    """Remove the homes that were left behind by processes that were killed."""
    homes = {path.resolve() for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*")}
    homes |= {path.parent for path in _worktrees(repository) if path.parent.name.startswith(PREFIX)}
    for home in homes:
        # The home of a comparison at work, or of another user, cannot be locked.  One that the system has emptied with its
        # temporary folder may still be listed by git.
        with suppress(InputError), alone(home, make=False):
            _remove(home, repository)


def _remove(home: Path, repository: Path) -> None:
    for path in _worktrees(repository):
        if path.parent == home:
            git(repository, "worktree", "remove", "--force", "--force", str(path))
    shutil.rmtree(home, ignore_errors=True)


def _worktrees(repository: Path) -> list[Path]:
    listed = git(repository, "worktree", "list", "--porcelain").stdout.split("\n")
    return [Path(line.removeprefix("worktree ")) for line in listed if line.startswith("worktree ")]


def check_out(repository: Path, commit: str, path: Path) -> str:
    """Check a commit out into a new folder.   -> what git says against it, empty if it is done"""
    # Without hooks: one that runs after a checkout was not written for this.
    done = git(repository, "-c", "core.hooksPath=/dev/null", "worktree", "add", "--detach", "--quiet", str(path), commit)
    if not done.returncode:
        return ""
    return _cause(lines(done.stderr) or ["git worktree add failed"])


def _cause(said: Sequence[str]) -> str:
    """The line in which git names the cause: its first error, from which the last one follows.  It does not say of every full disk that it is full."""
    line = next((line for line in said if line.startswith(("error: ", "fatal: "))), said[-1])
    full = f"; if {tempfile.gettempdir()} is full, set TMPDIR to another place" if re.search("write|create", line) else ""
    return f"{line}{full}"


def commit_of(repository: Path, revision: str) -> str | None:
    """The whole name of a revision's commit; None if there is no such revision."""
    if revision.startswith("-"):
        return None
    done = git(repository, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    return done.stdout.strip() or None


def described(repository: Path) -> str:
    """A repository, and why it might not have a revision that one expects there."""
    found = git(repository, "rev-parse", "--is-shallow-repository")
    shallow = "a shallow clone, which lacks older commits: git fetch --unshallow" if found.stdout.strip() == "true" else ""
    why = refusal(found) or shallow
    return f"{repository}{f' ({why})' if why else ''}"


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """What git says against a repository, and what can be done about it, in one line; empty if it says nothing."""
    first, *more = [line.strip() for line in lines(done.stderr)] or [""]
    # Where a repository belongs to another user, git's own remedy stands some lines further.
    remedies = (
        ["git clone the project"] if "not a git repository" in first else [line for line in more if line.startswith("git config ")]
    )
    return "; ".join([first, *remedies])


def holds(repository: Path, path: Path) -> bool:
    """Whether a repository has a file or a folder under version control."""
    return git(repository, "ls-files", "--error-unmatch", "--", str(path)).returncode == 0


def ignored_module(repository: Path, said: str) -> str | None:
    """The file of the working tree, ignored by git, that a module would be whose absence an error states; None if there is no such file."""
    missing = re.search(r"No module named '([\w.]+)'|cannot import name '\w+' from '([\w.]+)'", said)
    if not missing:
        return None
    parts = (missing[1] or missing[2]).split(".")
    listed = git(repository, "ls-files", "--others", "--ignored", "--exclude-standard", "-z").stdout.split("\0")
    # Of _quick.cpython-311-x86_64-linux-gnu.so the module is _quick.
    named = ((path, [*path.split("/")[:-1], path.rpartition("/")[2].partition(".")[0]]) for path in listed)
    return next((path for path, module in named if module[-len(parts) :] == parts), None)


def logged(repository: Path, fields: Sequence[str], *arguments: str) -> list[list[str]] | None:
    """These fields, such as %H, of each commit that git log lists; None if it fails.

    Each is one line: a subject or a name can hold any letter but NUL, also those at which a terminal or Python begins a new line.
    """
    form = f"--format={'%x00'.join(fields)}"
    done = git(repository, "-c", "log.showSignature=false", "log", "-z", "--no-color", form, *arguments)
    if done.returncode:
        return None
    found = [" ".join(text.split()) for text in done.stdout.split("\0")[:-1]]
    return [found[start : start + len(fields)] for start in range(0, len(found), len(fields))]


def lines(said: str) -> list[str]:
    """What git says, line by line, without the empty ones.  It names files, in whose names str.splitlines can find more ends of lines."""
    return [line for line in said.split("\n") if line.strip()]


def git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git in a folder, its exit code left to the caller.  Ctrl-C does not reach it: it would leave half a worktree.

    It speaks English, as its lines stand in ours.
    """
    variables = {**{name: value for name, value in os.environ.items() if not name.startswith("GIT_")}, "LC_ALL": "C"}
    try:
        done = tied.run(
            ["git", "--no-optional-locks", "-C", str(folder), *arguments],
            env=variables,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (FileNotFoundError, NotADirectoryError):
        return subprocess.CompletedProcess([], 127, "", "git is not installed")
    # It names files, whose names need not be text, and can hold a carriage return, which Python's text mode makes an end of line.
    return subprocess.CompletedProcess(done.args, done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr))
