"""What the tests of a gate share: a repository, and one gate that was measured from its start to its end."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout

import pytest

from tests.support import fake_project
from tests.support.fake_project import commit, git
from tests.support.gates import Done, commanding

ODD = "one] é [x::y"
"""A parameter with which the id of one case begins with the id of another: test_case[one] and test_case[one] é [x::y]."""


@pytest.fixture(scope="package")
def repository(tmp_path_factory):
    """Commits by the name of what is true of them, compared with the first, `base`."""
    project = fake_project.write(tmp_path_factory.mktemp("repository") / "project")
    commits = {
        "base": {},
        "same": {},
        "slower": {"seconds": {"one": 1e-3, "two": 2.2e-3}},
        "slower-and-nearly": {"seconds": {"one": 1.02e-3, "two": 2.2e-3}, "noise": 0.01},
        "faster": {"seconds": {"one": 1e-3, "two": 1.8e-3}},
        "unsteady": {"noise": 0.3},
        "larger": {"extra": {"parameters": 11}},
        "more-memory": {"extra": {"parameters": 10, "peak_rss_bytes": 2_000_000}, "group": "space predict"},
        "memory": {"extra": {"parameters": 10, "peak_rss_bytes": 1_000_000}, "group": "space predict"},
        "slow-first": {"seconds": {"one": 1e-3}, "extra": {"first_call_seconds": 1.5}},
        "first": {"seconds": {"one": 1e-3}, "extra": {"first_call_seconds": 0.5}},
        "old-ids": {"seconds": {"batch=1": 1e-3, "two": 2e-3}},
        "new-ids": {"seconds": {"batch1": 1e-3, "two": 2.2e-3}},
        "odd-ids": {"seconds": {"one": 1e-3, ODD: 2e-3}},
        "odd-ids-slower": {"seconds": {"one": 1e-3, ODD: 2.2e-3}},
        "fewer-cases": {"seconds": {"one": 1e-3}},
        "more-cases": {"seconds": {"one": 1e-3, "two": 2e-3, "three": 3e-3}},
        "skipped": {"check": "name == 'two' and pytest.skip('no two today')"},
        "wrong": {"check": "assert name != 'two', '3 == 4'"},
        "all-wrong": {"check": "assert False, 'nothing is right'"},
        "broken": {"check": "pass\n\nraise ImportError('no such luck')"},
    }
    for name, facts in commits.items():
        fake_project.write(project, **facts)
        commit(project, name)
        git(project, "tag", name)
    git(project, "checkout", "--quiet", "base")
    return project


@pytest.fixture
def command(repository, tmp_path, capsys):
    """command(*arguments) -> exit code, standard output, standard error."""
    with commanding(repository, tmp_path) as call:
        yield lambda *arguments: (call(*arguments), *capsys.readouterr())


@pytest.fixture(scope="package")
def slower(repository, tmp_path_factory):
    """The gate of `slower` against `base`, from its start to its end."""
    folder = tmp_path_factory.mktemp("slower")
    (folder / "summary.md").write_text("before\n")
    out, err = io.StringIO(), io.StringIO()
    with commanding(repository, folder) as call, redirect_stdout(out), redirect_stderr(err), pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_STEP_SUMMARY", str(folder / "summary.md"))
        patch.setenv("CASE_LOG", str(folder / "cases.log"))
        before = git(repository, "status", "--porcelain")
        code = call("--base", "base", "--head", "slower", "--json", "out/gate.json", "--markdown", "out/gate.md")
        assert git(repository, "status", "--porcelain") == before
    return Done(code, out.getvalue(), err.getvalue(), folder)
