"""A side is what it says: that commit's code, run by that interpreter, and nothing of the repository is touched for it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from benchmarks.arrange import kept
from benchmarks.sessions import baton, sides
from benchmarks.sessions.signals import Signals
from benchmarks.sessions.this_project import this_project
from lenet5 import InputError
from tests.support import fake_project
from tests.support.fake_project import commit, git
from tests.support.rows import slow


@pytest.fixture(autouse=True)
def _temporary_folder(own_temporary_folder):
    """No other gate on this machine is seen, and none sees these."""


def opened(repository, **asked):
    return sides.opened(asked, Signals(), this_project(repository=repository))


def state(repository):
    """All that a comparison must leave as it was: files, the index to the byte, and the worktrees."""
    status = git(repository, "--no-optional-locks", "status", "--porcelain")
    return status, (repository / ".git" / "index").read_bytes(), git(repository, "worktree", "list", "--porcelain")


def wrapper(path, *lines):
    """An interpreter: this one, started by a script."""
    path.write_text("\n".join(["#!/bin/sh", *lines]))
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("text", "what", "python"),
    [
        ("HEAD~1", "HEAD~1", sys.executable),
        ("HEAD@{1}", "HEAD@{1}", sys.executable),
        ("user@example", "user@example", sys.executable),
        ("HEAD@/usr/bin/python3", "HEAD", "/usr/bin/python3"),
        ("HEAD@{1}@/usr/bin/python3", "HEAD@{1}", "/usr/bin/python3"),
        (".@./bin/python", ".", str(Path("bin/python").absolute())),
        (".@.tox/torch/bin/python", ".", str(Path(".tox/torch/bin/python").absolute())),
        (".@~/bin/python", ".", str(Path("~/bin/python").expanduser())),
    ],
    ids=str,
)
def test_split(text, what, python):
    """An interpreter follows an @ and is a path that looks like one; whatever git means by an @ stays git's."""
    assert sides._split(text) == (what, python)


def test_revision(repository):
    """A revision is its commit's files in a folder of their own; afterwards the repository is as it was before."""
    (repository / "lenet5" / "__init__.py").write_text("not committed, and no Python")
    before = state(repository)

    with opened(repository, base="HEAD~1", head="main") as both:
        base, head = both["base"], both["head"]
        assert (base.commit, head.commit) == (git(repository, "rev-parse", "HEAD~1"), git(repository, "rev-parse", "HEAD"))
        assert "0.001" in (base.project / "lenet5" / "__init__.py").read_text()
        assert "0.002" in (head.project / "lenet5" / "__init__.py").read_text()
        assert base.identity()["code_sha256"] != head.identity()["code_sha256"]
        assert base.versions["python"] == ".".join(map(str, sys.version_info[:3]))
        assert "numpy" in base.versions
        assert base.describe() == f"base HEAD~1: commit {base.commit[:12]}, {sys.executable} ({base.versions['python']})"

    assert state(repository) == before
    assert not base.project.exists()
    assert not list(Path(tempfile.gettempdir()).iterdir())


def test_revision_of_something_else(repository):
    """Of a repository in which the project merely lies a commit holds nothing that could be measured."""
    git(repository, "rm", "-r", "--quiet", "--cached", "lenet5")
    git(repository, "-c", "user.name=x", "-c", "user.email=x", "commit", "--quiet", "-m", "without")
    line = "^--base HEAD: the revision holds no lenet5 and benchmarks$"
    with pytest.raises(InputError, match=line), opened(repository, base="HEAD"):
        pass


def test_directory(repository, tmp_path):
    """A directory is taken as it is, with what is not committed; git may know nothing of it."""
    outside = fake_project.write(tmp_path / "outside")
    fake_project.write(repository, {"one": 3e-3})
    before = state(repository)

    with opened(repository, base=str(outside), head=str(repository)) as both:
        assert (both["base"].project, both["base"].commit, both["base"].changed) == (outside, None, False)
        assert (both["head"].project, both["head"].changed) == (repository, True)
        assert both["head"].commit == git(repository, "rev-parse", "HEAD")
        assert f"{repository} (commit {both['head'].commit[:12]}, changed)" in both["head"].describe()

    assert state(repository) == before


def test_identity_follows_the_files(repository):
    """A directory that is edited while it is measured is another side."""
    with opened(repository, head=str(repository)) as both:
        before = both["head"].identity()
        fake_project.write(repository, {"one": 9e-3})
        assert both["head"].identity() != before


def test_interpreter(repository, tmp_path):
    """The interpreter after the @ is the one that runs the side, by the name that it was given."""
    python = wrapper(tmp_path / "python", "export INTERPRETER=mine", f'exec {sys.executable} "$@"')

    one, other = socket.socketpair()
    with one, other, opened(repository, base=f"HEAD@{python}") as both:
        place = both["base"].place(baton.Part(one, first=True))
        said = subprocess.run(
            [place.python, "-c", "import os, lenet5; print(os.environ['INTERPRETER'], lenet5.__file__)"],
            cwd=place.folder, env=place.environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert said.stdout.split() == ["mine", str(both["base"].project / "lenet5" / "__init__.py")]
        assert both["base"].identity()["interpreter"] == str(python)


def test_each_side_keeps_its_own(repository):
    """The processes of a side are told one folder for what need not be computed twice; those of the other side another one."""
    one, other = socket.socketpair()
    with one, other, opened(repository, base="HEAD", head="HEAD") as both:
        folders = {
            role: {side.place(part).environment[kept.VARIABLE] for part in (None, baton.Part(one, first=True))}
            for role, side in both.items()
        }
        assert [len(found) for found in folders.values()] == [1, 1]
        base, head = (Path(*found) for found in folders.values())
        assert base.is_dir()
        assert head.is_dir()
        assert base != head
    assert not base.exists()


def test_environment(monkeypatch):
    """A side imports from its own folder first; what steers this process's Python, pytest or git does not reach it."""
    for name in ("PYTHONPATH", "PYTHONSAFEPATH", "PYTEST_ADDOPTS", "GIT_DIR", "GIT_INDEX_FILE"):
        monkeypatch.setenv(name, "ours")

    found = sides.environment(Path("/side"), this_project())

    assert found["PYTHONPATH"] == "/side"
    assert not {name for name, value in found.items() if value == "ours"}
    assert found["PATH"] == os.environ["PATH"]


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ("nonsense", "neither a revision of {repository} nor a directory with this project's lenet5 and benchmarks"),
        slow("--output=x", "neither a revision"),
        slow("{repository}/benchmarks", "neither a revision"),
        ("HEAD@/nowhere/python", "/nowhere/python is no program; expected a Python interpreter after the @"),
        slow("HEAD@/tmp", "/tmp is no program"),
        ("broken", "cannot be imported (ImportError: no such luck)"),
        slow("HEAD@{repository}/../nothing", "cannot be imported (no lenet5 today)"),
        ("HEAD@{repository}/../isolated", "imports "),
    ],
)
def test_no_side(repository, tmp_path, asked, reason):
    """What is no side is one line that says so, and leaves no worktree."""
    text = (repository / "lenet5" / "__init__.py").read_text()
    (repository / "lenet5" / "__init__.py").write_text("raise ImportError('no such luck')")
    commit(repository, "broken")
    git(repository, "branch", "broken")
    (repository / "lenet5" / "__init__.py").write_text(text)
    commit(repository, "whole")
    wrapper(tmp_path / "nothing", "echo no lenet5 today", "exit 1")
    wrapper(tmp_path / "isolated", f'exec {sys.executable} -I "$@"')
    before = state(repository)

    asked, reason = (value.format(repository=repository) for value in (asked, reason))
    with pytest.raises(InputError) as caught, opened(repository, base="HEAD", head=asked):
        pass

    assert str(caught.value).startswith(f"--head {asked}: {reason}")
    assert "\n" not in str(caught.value)
    assert state(repository) == before


def test_both_at_once(repository, monkeypatch):
    """A name that is a branch and a directory is not guessed at."""
    monkeypatch.chdir(repository.parent)
    git(repository, "branch", "project")

    with pytest.raises(InputError, match=r"--base project: is a revision and a directory; write \./project or refs/heads/project"):
        opened(repository, base="project").__enter__()
    with opened(repository, base="./project", head="refs/heads/project") as both:
        assert [side.temporary for side in both.values()] == [False, True]


def test_without_git(repository, monkeypatch):
    """Where there is no git, directories can still be compared."""
    monkeypatch.setenv("PATH", "/nowhere")
    with opened(repository, base=str(repository)) as both:
        assert both["base"].commit is None
    with pytest.raises(InputError, match=r"neither a revision of .* \(git is not installed\) nor a directory"):
        opened(repository, base="HEAD").__enter__()
