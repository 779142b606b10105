"""`commits` measures every commit of a range, in rounds, and names what it could not measure."""

from __future__ import annotations

import tempfile
from functools import partial

import pytest

from benchmarks.__main__ import main
from benchmarks.saved.results import load_many
from benchmarks.sessions import commits, commits_command
from benchmarks.sessions.plan import Plan
from benchmarks.sessions.this_project import this_project
from lenet5 import InputError
from tests.support import fake_project
from tests.support.fake_project import ENDS_OF_LINES, commit, git


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """Four commits, each a tag: of the second nothing can be imported, in the fourth one case gives a wrong answer."""
    project = fake_project.write(tmp_path_factory.mktemp("repository") / "project")
    versions = {
        "first": {},
        "broken": {"check": "pass\n\nraise ImportError('no such luck')"},
        "slower": {"seconds": {"one": 1e-3, "two": 3e-3}},
        "wrong": {"check": "assert name != 'two', '3 == 4'"},
    }
    for name, facts in versions.items():
        fake_project.write(project, **facts)
        (project / f"{name}.txt").write_text(name)
        commit(project, f"area: {name}")
        git(project, "tag", name)
    return project


@pytest.fixture
def command(repository, tmp_path, monkeypatch, capsys):
    """command(*arguments) -> exit code, standard output, standard error; no worktree is left."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(commits_command, "this_project", partial(this_project, repository=repository))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))

    def call(*arguments):
        try:
            code = main(["commits", *arguments])
        except SystemExit as end:
            code = end.code
        assert not list((tmp_path / "tmp").iterdir())
        assert git(repository, "worktree", "list").count("\n") == 0
        return code, *capsys.readouterr()

    return call


def subjects(found):
    return [one.subject.removeprefix("area: ") for one in found]


def test_chosen(repository):
    """The oldest first; by what they change, and by their message."""
    assert subjects(commits.chosen(repository, ["first..wrong"])) == ["broken", "slower", "wrong"]
    assert subjects(commits.chosen(repository, ["wrong"], ["slower.txt", "first.txt"])) == ["first", "slower"]
    assert subjects(commits.chosen(repository, ["wrong"], pattern="^area: [sf]")) == ["first", "slower"]


def test_any_letter_in_a_subject(tmp_path):
    """It is one line, whatever letters it holds."""
    commit(tmp_path, f"B{ENDS_OF_LINES}")
    assert subjects(commits.chosen(tmp_path, ["HEAD"])) == ["B one two three four five six"]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["nosuch..first"], "nosuch..first: is no range of commits"),
        (["wrong", "--path", "nosuch.txt"], "wrong: holds no commit that fits"),
        (["wrong..first"], "wrong..first: holds no commit that fits; use a longer range, or leave --path or --grep out"),
        (["wrong", "--processes", "0"], "--processes 0: use a whole number"),
        (["wrong", "--threads", "0"], "--threads 0: use a whole number"),
        (["--resume"], "raw: no commits to go on with"),
        ([], "python -m benchmarks commits: the following arguments are required: RANGE"),
    ],
)
def test_what_cannot_be_done(command, words, line):
    """One line, exit 2, before anything is measured."""
    code, out, err = command(*words, "--output", "raw")
    assert (code, out) == (2, "")
    assert err.startswith(line)
    assert err.count("\n") == 1


def test_commits_of_something_else(command, tmp_path, monkeypatch):
    """Of a repository in which the project merely lies no commit can be measured, and the line says why."""
    (tmp_path / "outer").mkdir()
    monkeypatch.setattr(commits_command, "this_project", partial(this_project, repository=tmp_path / "outer"))
    name = commit(tmp_path / "outer", "empty")
    code, out, err = command("HEAD", "--output", "raw")
    assert (code, out) == (2, "")
    assert err.endswith(f"no commit could be measured: {name[:12]}: the revision holds no lenet5 and benchmarks\n")


def test_no_option_of_gits(repository):
    """What looks like one is no range."""
    with pytest.raises(InputError, match="--all: is no range"):
        commits.chosen(repository, ["--all"])


def test_rounds(tmp_path):
    """Every commit once, in an order of its own, before any comes again; what is measured or cannot be is left out."""
    twenty = [commits.Commit(f"{number:012x}{0:028x}", "", "") for number in range(1, 21)]
    asked = commits.Asked(this_project(), twenty, Plan(), 2)
    measuring = commits._Measuring(asked, tmp_path, tmp_path, None, {twenty[0].name: "it is broken"})
    done = tmp_path / twenty[1].name[:12] / "process-001.json"
    done.parent.mkdir()
    done.touch()

    left = list(measuring._left())

    first, second = ([commit.name for round, commit in left if round == number] for number in (1, 2))
    assert [round for round, _ in left] == [1] * 18 + [2] * 19
    assert sorted(first) == [commit.name for commit in twenty[2:]]
    assert sorted(second) == [commit.name for commit in twenty[1:]]
    assert [name for name in second if name in first] != first != sorted(first)
    assert list(measuring._left()) == left, "the same again, to go on with"


def test_listed(command, tmp_path):
    """What would be measured, and nothing is."""
    code, out, _ = command("first..wrong", "--list")
    assert code == 0
    assert [line.partition("area: ")[2] for line in out.splitlines()] == ["broken)", "slower)", "wrong)"]
    assert not (tmp_path / ".benchmarks").exists()


@pytest.mark.slow  # seven sessions of pytest
def test_measured(command, repository, tmp_path, monkeypatch):
    """Each commit by its own code, in rounds; what cannot be measured is named and tried once; with --resume only what is missing."""
    monkeypatch.setenv("CASE_LOG", str(tmp_path / "cases.log"))
    names = {name: git(repository, "rev-parse", name).strip()[:12] for name in ("first", "broken", "slower", "wrong")}

    code, out, err = command("HEAD", "-k", "case", "--processes", "2", "--output", "raw")

    assert code == 0, err
    lines = out.splitlines()
    assert lines[0].startswith(f"{names['broken']} (")
    assert "was not measured: process-001 could not measure" in lines[0]
    assert lines[1:] == ["3 of 4 commits; now python -m benchmarks history raw"]
    assert err.count("is skipped") == 1
    assert err.count("test_case[two] failed") == 2
    medians = {
        name: {case.id: case.median for case in load_many([tmp_path / "raw" / names[name]]).cases}
        for name in ("first", "slower", "wrong")
    }
    two = "benchmarks/test_cases.py::test_case[two]"
    assert medians["slower"][two] / medians["first"][two] == pytest.approx(1.5, rel=0.01)
    assert two not in medians["wrong"]
    order = [line.split()[0] for line in (tmp_path / "cases.log").read_text().splitlines() if "[one]" in line]
    assert sorted(order[:3]) == sorted(order[3:]) == sorted(names[name] for name in ("first", "slower", "wrong")), "in rounds"

    (tmp_path / "raw" / names["slower"] / "process-002.json").unlink()
    git(repository, "commit", "--allow-empty", "--quiet", "-m", "since then")
    code, out, err = command("--resume", "--output", "raw")
    assert (code, out.splitlines()[1:]) == (0, lines[1:]), err
    assert [line.partition(": done")[0] for line in err.splitlines()] == [f"{names['slower']}: process 8 of 8"]
    assert load_many([tmp_path / "raw" / names["slower"]]).processes == 2
    assert command("wrong", "--output", "raw")[2].startswith("raw: has finished processes; go on with --resume")


@pytest.mark.slow  # a session of pytest
def test_none_could_be_measured(command):
    """One line with the reason of the first, exit 2."""
    code, out, err = command("first..broken", "--output", "raw")
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith("no commit could be measured: ")
