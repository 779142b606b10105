"""A saved file names the commit of the code that was measured, or none; and why it names none is said."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from pytest_benchmark.utils import get_commit_info

from benchmarks.sessions.named_commit import NamedCommit
from tests.support import fake_project
from tests.support.fake_project import DUBIOUS, commit, refusing_git


@pytest.fixture
def commit_info(monkeypatch, tmp_path):
    """commit_info() -> what is saved of the commit of a project in this folder, and the lines that are said."""
    project = fake_project.write(tmp_path / "project")
    monkeypatch.chdir(project)

    def ask():
        plugin, said = NamedCommit(project / "lenet5"), []
        hook = plugin.pytest_benchmark_generate_commit_info()
        next(hook)
        with pytest.raises(StopIteration) as end:
            hook.send(get_commit_info())
        plugin.pytest_terminal_summary(SimpleNamespace(write_line=lambda line, **_: said.append(line)))
        return end.value.value, said

    return ask


def test_no_repository(commit_info):
    """A folder of its own has no commit, which is no fault."""
    found, said = commit_info()
    assert (found["id"], said) == ("unversioned", [])


def test_unpacked_in_another_repository(commit_info, tmp_path):
    """The commit of a repository that does not hold this code is none of it; one that holds it is."""
    (tmp_path / ".gitignore").write_text("project")
    commit(tmp_path, "of something else")
    found, said = commit_info()
    assert (found["id"], found["dirty"], found["time"], said) == ("unversioned", False, None, [])

    (tmp_path / ".gitignore").write_text("")
    name = commit(tmp_path, "with the project")
    found, said = commit_info()
    assert (found["id"], found["dirty"], said) == (name, False, [])


def test_elsewhere(commit_info, tmp_path, monkeypatch):
    """Nor is that of the repository in which the session merely runs."""
    monkeypatch.chdir(tmp_path / "project" / "benchmarks")
    commit(tmp_path / "project" / "benchmarks", "of something else")
    assert commit_info()[0]["id"] == "unversioned"


def test_git_that_refuses(commit_info, tmp_path, monkeypatch):
    """A checkout of another owner's: why git names no commit, and its remedy, are in the file and said at the end."""
    commit(tmp_path, "with the project")
    refusing_git(tmp_path / "bin", monkeypatch)
    found, said = commit_info()
    why = f"{DUBIOUS[0]}; {DUBIOUS[-1].strip()}"
    assert (found["id"], found["error"], said) == ("unknown", why, [f"The commit is unknown: {why}"])


@pytest.mark.parametrize("path", ["/dev/null/such", "/nosuch"])
def test_no_git(commit_info, tmp_path, monkeypatch, path):
    """Also where a folder of the path is none."""
    commit(tmp_path, "with the project")
    monkeypatch.setenv("PATH", path)
    assert commit_info()[1] == ["The commit is unknown: git is not installed"]
