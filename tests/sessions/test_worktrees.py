"""Worktrees are removed: by the comparison that made them, and after one that was killed by the next."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import pytest

from benchmarks.sessions import worktrees
from benchmarks.sessions.worktrees import PREFIX, check_out, commit_of, described, remove_stale, temporary_home
from tests.support.fake_project import DUBIOUS, ENDS_OF_LINES, git, refusing_git


@pytest.fixture(autouse=True)
def _temporary_folder(own_temporary_folder):
    """No other comparison on this machine is seen, and none sees these."""


def test_checked_out(repository):
    """A commit is a folder as long as the block lasts; what git refuses is said, not raised."""
    with temporary_home(repository) as home:
        assert check_out(repository, str(commit_of(repository, "main")), home / "base") == ""
        assert (home / "base" / "conftest.py").exists()
        assert "already exists" in check_out(repository, "main", home / "base")
    assert not home.exists()
    assert git(repository, "worktree", "list").count("\n") == 0


def test_no_commit(repository):
    """A name without a commit, and a word that git would take for an option, give None."""
    assert commit_of(repository, "HEAD") == git(repository, "rev-parse", "HEAD")
    assert commit_of(repository, "nonsense") is None
    assert commit_of(repository, "--all") is None


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (["fatal: 'x' already exists"], "fatal: 'x' already exists"),
        (["hint: wait", "error: unknown filter", "fatal: Could not reset index file"], "error: unknown filter"),
        (
            ["error: unable to write file a.py", "error: unable to write file b.py", "fatal: Could not reset index file"],
            f"error: unable to write file a.py; if {tempfile.gettempdir()} is full, set TMPDIR to another place",
        ),
        (["killed"], "killed"),
    ],
)
def test_the_cause(said, line, monkeypatch):
    """Of what git says against a checkout its first error counts; where that is of a full disk, the line says what can be done."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert worktrees._cause(said) == line


def test_described(repository, tmp_path, monkeypatch):
    """Why a repository has no revisions, and what to do about it."""
    assert described(repository) == str(repository)
    nowhere = tmp_path / "tmp"
    assert (
        described(nowhere)
        == f"{nowhere} (fatal: not a git repository (or any of the parent directories): .git; git clone the project)"
    )
    refusing_git(tmp_path / "bin", monkeypatch)
    assert described(repository) == f"{repository} ({DUBIOUS[0]}; {DUBIOUS[-1].strip()})"


def test_stale(repository):
    """What a killed comparison left is removed by the next one; what one at work uses is not."""
    left = Path(tempfile.gettempdir()) / f"{PREFIX}left"
    left.mkdir()
    git(repository, "worktree", "add", "--quiet", "--detach", str(left / "base"))

    with temporary_home(repository) as at_work:
        assert not left.exists()
        check_out(repository, "HEAD", at_work / "base")
        with temporary_home(repository):
            assert (at_work / "base").exists()
        assert (at_work / "base").exists()

    assert git(repository, "worktree", "list").count("\n") == 0


def test_stale_after_a_reboot(repository):
    """A worktree whose folder is gone, because the system emptied its temporary one, is no longer listed either; another's is."""
    gone = Path(tempfile.gettempdir()) / f"{PREFIX}gone"
    for path in (gone / "base", gone.parent / "another's"):
        git(repository, "worktree", "add", "--quiet", "--detach", str(path))
        subprocess.run(["rm", "-r", str(path.parent if path.parent == gone else path)], check=True)

    remove_stale(repository)

    assert str(gone) not in git(repository, "worktree", "list")
    assert "another's" in git(repository, "worktree", "list")


def test_any_letter_in_a_path(repository, tmp_path):
    """A worktree below a folder with such a name is found, and removed; so is a file that git ignores."""
    home = tmp_path / f"{ENDS_OF_LINES}x" / f"{PREFIX}left"
    home.mkdir(parents=True)
    git(repository, "worktree", "add", "--quiet", "--detach", str(home / "base"))
    assert home / "base" in worktrees._worktrees(repository)
    remove_stale(repository)
    assert not home.exists()

    (repository / ".git" / "info" / "exclude").write_text("*.so\n")
    path = f"a{ENDS_OF_LINES}/quick.so"
    (repository / path).parent.mkdir()
    (repository / path).touch()
    assert worktrees.ignored_module(repository, "No module named 'quick'") == path
