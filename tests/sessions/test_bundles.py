"""Code that travels: what is unpacked elsewhere is what lies here, and nothing of the user's repository changes."""

from __future__ import annotations

import pytest

from benchmarks.sessions import errand
from benchmarks.sessions.bundles import bundled
from lenet5 import InputError
from tests.support.fake_project import git


def state(repository):
    """All that git keeps, and what it says of the working tree."""
    inside = {path: path.read_bytes() for path in (repository / ".git").rglob("*") if path.is_file()}
    return inside, git(repository, "--no-optional-locks", "status", "--porcelain")


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.parts
    }


def unpacked(bundle, home):
    """Where an errand unpacks a bundle."""
    (home / "code").mkdir(parents=True)
    request = {"folders": {name: list(commits) for name, commits in bundle.folders.items()}}
    assert errand._unpack(home, home / "code", request, bundle.content) == ""
    return home / "code"


def test_a_directory_as_it_is(repository, tmp_path):
    """Changed, removed and new files travel, ignored ones do not; HEAD is the real commit, so that what is saved names it."""
    before = files(repository)
    (repository / "benchmarks" / "test_cases.py").write_text("# changed\n")
    (repository / "pyproject.toml").unlink()
    (repository / "new é.txt").write_text("new")
    (repository / "lenet5" / "__pycache__").mkdir()
    (repository / "lenet5" / "__pycache__" / "x.pyc").write_bytes(b"ignored")
    (repository / ".git" / "info" / "exclude").write_text("private.txt\n")
    (repository / "private.txt").write_text("ignored here only")
    (repository / ".benchmarks").mkdir()
    (repository / ".benchmarks" / "run.json").write_text("{}")
    git(repository, "worktree", "add", "--quiet", "--detach", str(tmp_path / "other"), "HEAD")
    kept = state(repository)

    code = unpacked(bundled({"head": (".", repository), "base": ("HEAD", tmp_path / "other")}), tmp_path / "home")

    assert state(repository) == kept
    head = files(code / "head")
    assert head == {
        name: content
        for name, content in files(repository).items()
        if name not in ("lenet5/__pycache__/x.pyc", "private.txt", ".benchmarks/run.json")
    }
    assert head.keys() == before.keys() - {"pyproject.toml"} | {"new é.txt"}
    assert files(code / "base") == before
    for side in ("base", "head"):
        assert git(code / side, "rev-parse", "HEAD") == git(repository, "rev-parse", "HEAD")
    assert git(code / "base", "status", "--porcelain") == ""
    assert git(code / "head", "status", "--porcelain") != ""
    # The commit before is not sent.
    assert git(code / "base", "rev-list", "--count", "HEAD") == "1"


def test_no_checkout(tmp_path):
    """A folder that git does not know cannot travel."""
    with pytest.raises(InputError, match=r"^--base x: .* is no git checkout, and code reaches a worker as a git bundle"):
        bundled({"base": ("--base x", tmp_path)})
