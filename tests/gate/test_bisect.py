"""`bisect` names the commit that made a case slower, of a real repository; and refuses what it cannot work with before it measures."""

from __future__ import annotations

import json
import math
import shlex
import shutil
import tempfile
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from types import SimpleNamespace

import pytest

from benchmarks.__main__ import main, parse
from benchmarks.gate import bisect as bisect_module
from benchmarks.gate import bisect_command, bisection, history, recorded
from benchmarks.gate.rules import Rules
from benchmarks.sessions import sides
from lenet5 import InputError
from tests.gate.test_recorded import keep
from tests.gate.test_verdicts import even
from tests.support import fake_project
from tests.support.fake_project import ENDS_OF_LINES, commit, git
from tests.support.gates import FEW_PAIRS, commanding

PACKAGE = """
def work(steps):
    return sum(step * step for step in range(steps))


STEPS = {steps}
"""

CASES = """
import pytest
import theirs


@pytest.mark.parametrize("name", ["heavy", "light"])
def test_work(benchmark, name):
    benchmark.pedantic(theirs.work, (theirs.STEPS if name == "heavy" else 2000,), rounds=10, iterations=3)
"""


def write(project, name, steps=2000, broken=False, case="heavy"):
    """One more version of a package, a commit and a tag of its name."""
    text = PACKAGE.format(steps=steps) + ("raise ImportError('no such luck')\n" if broken else "")
    files = {
        "theirs.py": text,
        "bench/test_work.py": CASES.replace("heavy", case),
        ".gitignore": "__pycache__/\n",
        f"notes/{name}.txt": name,
    }
    for path, content in files.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(content)
    commit(project, f"the commit {name}")
    git(project, "tag", name)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Nine commits, c0 to c8: c3 lacks the case, c4 cannot be imported, c6 does eight times the work of those before it."""
    folder = tmp_path_factory.mktemp("theirs") / "project"
    for number in range(9):
        write(
            folder, f"c{number}", steps=16000 if number >= 6 else 2000, broken=number == 4, case="hard" if number == 3 else "heavy"
        )
    git(folder, "checkout", "--quiet", "--detach", "c0")
    return folder


@pytest.fixture
def bisect(project, tmp_path, monkeypatch, capsys):
    """bisect(*arguments) -> exit code, standard output, standard error; with few pairs, and nothing is left of it elsewhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bisect_command, "Rules", partial(Rules, **FEW_PAIRS))
    monkeypatch.setattr(bisection, "CHANCE", 2.0)  # so many pairs are as few as can be
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))

    def call(*arguments):
        try:
            code = main(["bisect", "--output", "raw", *map(str, arguments)])
        except SystemExit as end:
            code = end.code
        assert not list((tmp_path / "tmp").iterdir())
        return code, *capsys.readouterr()

    yield call
    assert git(project, "worktree", "list").count("\n") == 0
    assert git(project, "status", "--porcelain") == ""


@pytest.mark.slow
def test_names_the_commit(bisect, project, tmp_path, capsys):
    """By the real clock: interrupted by its budget it goes on, passes over what cannot be imported, and names the commit with its ratio.

    A branch means the commit that it meant in the beginning.
    """
    git(project, "branch", "moving", "c8")
    code, out, err = bisect(
        "--good", "c0", "--bad", "moving", "--project", project, "-k", "heavy", "--json", "found.json", "--budget", "1e-9"
    )
    assert (code, out.splitlines()[0]) == (3, "# Bisect: undecided whether bad is slower than good"), err
    assert "The time was up; python -m benchmarks bisect --resume goes on." in out
    kept = {path: path.read_bytes() for path in tmp_path.glob("raw/*/*/process-001.json")}
    assert len(kept) == 2

    git(project, "branch", "--force", "moving", "c7")
    code, out, err = bisect("--resume", "--budget", "30")
    git(project, "branch", "-D", "moving")

    assert code == 1, err
    names = {f"c{number}": git(project, "rev-parse", f"c{number}") for number in range(9)}
    found = json.loads((tmp_path / "found.json").read_text())
    assert [one["name"] for one in found["suspects"]] == [names["c6"]]
    assert (found["suspects"][0]["subject"], found["commits"], found["exit_code"]) == ("the commit c6", 8, 1)
    assert [(one["commit"], one["verdict"]) for one in found["measured"]] == [
        (names["c8"], "slower"),
        (names["c4"], "unknown"),
        (names["c3"], "unknown"),
        (names["c5"], "not slower"),
        (names["c6"], "slower"),
    ]
    (row,) = found["measured"][-1]["rows"]
    assert row["case"] == "bench/test_work.py::test_work[heavy]"
    assert row["ratio"] > 2
    assert found["measured"][1]["reason"] == "bench/test_work.py cannot be collected (ImportError: no such luck; theirs.py, line 7)"
    assert found["measured"][2]["reason"].startswith("bench: no case is on both sides (")
    assert {path: path.read_bytes() for path in kept} == kept

    # For people: the commit, its author's date, the ratio, what was measured, and the lines that show it again.
    assert out.startswith(
        f"# Bisect: {names['c6'][:12]} ({git(project, 'log', '-1', '--format=%as', 'c6')}, the commit c6) made it slower\n"
    )
    assert git(project, "log", "-1", "--format=%aI", "c6") in out
    shown = [shlex.split(line.partition("`")[2].partition("`")[0])[3:] for line in out.splitlines() if ": `python" in line]
    assert [words[0] for words in shown] == ["gate", "verdict"]
    gate = parse(shown[0])
    assert (gate.base, gate.head, gate.expression, gate.project) == (names["c5"][:12], names["c6"][:12], "heavy", project)
    assert (main(shown[1]), capsys.readouterr().out.splitlines()[0]) == (1, "# Gate: head is slower (1 slower)")

    # All that is there is read again: no process measures.
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("raw/*/*/*.json")}
    assert bisect("--resume")[:2] == (1, out)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("raw/*/*/*.json")} == before


# The same without processes: what each commit is like is said by the test.

UNDECIDED = math.log(1.02)
"""A slow-down of exactly the threshold."""


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """Commits c0 to c6, each with files of its own, but for c4, which has those of c0; then one that is no line with them."""
    folder = tmp_path_factory.mktemp("line") / "project"
    folder.mkdir()
    for number in range(7):
        (folder / "version").write_text(str(0 if number == 4 else number))
        commit(folder, f"number {number}")
        git(folder, "tag", f"c{number}")
    git(folder, "checkout", "--quiet", "-b", "side", "c1")
    commit(folder, "beside")
    git(folder, "checkout", "--quiet", "main")
    return folder


@pytest.fixture
def bisecting(repository, tmp_path, monkeypatch, capsys):
    """bisecting(facts, *arguments) -> exit code, standard output, standard error, and the commits that were measured by their numbers.

    ``facts``: number of a commit -> ln(commit / good) of each pair, or an error, or what else its gate found.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    base = SimpleNamespace(option="--base good")
    monkeypatch.setattr(sides, "opened", lambda *_: nullcontext({"base": base}))

    def run(facts, *arguments):
        measured = []

        def measure(self, index, rules, enough):
            measured.append(index)
            if isinstance(facts[index], Exception):
                raise InputError(str(facts[index]).format(self._asked(index)))
            values, noted, extra = facts[index] if isinstance(facts[index], tuple) else (facts[index], {}, None)
            folder = self._folder(index)
            keep(folder, {"a": values}, str(index), extra=extra, threshold=rules.threshold, noted={"rules": asdict(rules), **noted})
            return recorded.outcome_of([folder])

        monkeypatch.setattr(bisect_module._Bisecting, "_measure", measure)
        code = main(["bisect", "--output", "raw", *arguments])
        return code, *capsys.readouterr(), measured

    asked = ("--good", "c0", "--bad", "c6", "--project", str(repository), "-k", "x")
    return lambda facts, *arguments: run(facts, *(() if "--resume" in arguments else asked), *arguments)


SLOW, FAST = even(20, 0.3), even(12)
IMPORT = InputError("--head {}: cannot be imported (ImportError)")


def test_found(bisecting, repository):
    """Each commit is measured once, one with files that are known not at all; then all of it is read again."""
    code, out, err, measured = bisecting({6: SLOW, 3: FAST, 5: SLOW})

    assert (code, measured) == (1, [6, 3, 5])
    assert out.startswith(f"# Bisect: {git(repository, 'rev-parse', 'c5')[:12]} (")
    assert "With a chance of at most 5 % a verdict behind this is wrong." in out
    assert "6 commits after good: about 4 verdicts of 12 to 52 pairs each, the first on bad itself" in err
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in out.splitlines() if line.startswith("| ")]
    ratios = next(row for row in rows if row[:2] == ["a", "time"])
    assert ratios[2] == "—"
    assert [cell.partition(" ")[0] for cell in ratios[3:5]] == ["1.350", "1.350"]
    assert ratios[5] == "15.9 %"
    assert [row[1:] for row in rows if row[1].startswith("number") and len(row) == 4] == [
        ["number 6", "20", "SLOWER"],
        ["number 3", "12", "not slower"],
        ["number 4", "—", "not slower"],
        ["number 5", "20", "SLOWER"],
    ]
    assert bisecting({}, "--resume")[:2] == (1, out)


def test_a_range(bisecting, tmp_path):
    """Where a commit cannot be told it can be one of several: exit 3, and each is named with what is known of it."""
    code, out, _, measured = bisecting({6: SLOW, 3: FAST, 5: even(52, math.log1p(0.159))}, "--json", "found.json")

    assert (code, measured) == (3, [6, 3, 5])
    assert out.startswith("# Bisect: one of 2 commits made it slower, undecided which\n")
    found = json.loads((tmp_path / "found.json").read_text())
    assert [(one["subject"], found["exit_code"]) for one in found["suspects"]] == [("number 5", 3), ("number 6", 3)]
    assert "undecided after 52 pairs" in out
    assert "The time was up" not in out


def test_what_is_there_is_not_mixed(bisecting):
    """A folder takes no second bisection, and goes on with the settings that it began with only."""
    bisecting({6: FAST})

    assert bisecting({6: FAST})[2] == "raw: has results; go on with --resume, or name another --output\n"
    code, out, err, measured = bisecting({6: FAST}, "--resume", "--threshold", "3%")
    assert (code, out, measured) == (2, "", [])
    assert err.startswith("raw/run.json: threshold was 0.02, now it is 0.03; restore it")


def test_passed_over(bisecting):
    """A commit that cannot be measured is named with the reason, and not tried again."""
    facts = {6: SLOW, 3: IMPORT, 2: FAST, 5: (SLOW, {}, {"base": {"parameters": 1}, "head": {"parameters": 2}})}
    code, out, err, measured = bisecting(facts)

    assert (code, measured) == (3, [6, 3, 2, 5])
    assert "unknown: cannot be imported (ImportError)" in err
    asked = [line for line in err.splitlines() if line.endswith(" slower than good?")]
    assert asked[0].endswith("number 6) slower than good?")  # of bad, as of every other commit
    assert "does not do the same work as good (parameters differs)" in out
    assert bisecting({}, "--resume")[:2] == (3, out)


def test_the_time_is_up(bisecting):
    """Then what is known so far is said, and --resume goes on from there."""
    code, out, _, measured = bisecting({6: SLOW, 3: (even(5), {"out_of_time": True}, None)})

    assert (code, measured) == (3, [6, 3])
    assert out.startswith("# Bisect: one of 6 commits made it slower, undecided which\n")
    assert "The time was up; python -m benchmarks bisect --resume goes on." in out


@pytest.mark.parametrize(("pairs", "ratio"), [(1, "0.995"), (5, "1.000"), (12, "1.000 [0.995, 1.005]")])
def test_few_pairs_have_no_interval(bisecting, pairs, ratio):
    """As in the table of a gate: from so few pairs any interval can be had."""
    out = bisecting({6: (even(pairs, width=-0.005), {"out_of_time": True}, None)})[1]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in out.splitlines()]
    assert next(row for row in rows if row[:2] == ["a", "time"])[3] == ratio


@pytest.mark.parametrize(
    ("facts", "code", "said"),
    [
        (FAST, 0, "# Bisect: bad is not slower than good\n"),
        (even(44, UNDECIDED), 3, "# Bisect: undecided whether bad is slower than good\n"),
        (IMPORT, 2, "--good is base here, --bad is head: --head "),
        (
            (SLOW, {}, {"base": {"parameters": 1}, "head": {"parameters": 2}}),
            2,
            "good and bad do not do the same work: a, parameters: 1 and 2; which of them is slower says nothing then\n",
        ),
    ],
    ids=["not slower", "undecided", "cannot be measured", "other work"],
)
def test_bad_against_good(bisecting, facts, code, said):
    """What ends the search before it begins: the answer, or one line."""
    found, out, err, measured = bisecting({6: facts})

    assert (found, measured) == (code, [6]), err
    assert (out if code != 2 else err.splitlines(keepends=True)[-1]).startswith(said)
    assert bool(out) == (code != 2)


def test_what_is_wrong_with_good(bisecting):
    """An error of good's side says nothing of a commit: exit 2."""
    code, out, err, _ = bisecting({6: SLOW, 3: InputError("--base good: process-001 could not measure")})
    assert (code, out, err.splitlines()[-1]) == (2, "", "--base good: process-001 could not measure")


def test_each_verdict_has_a_share_of_its_own(bisecting, repository, tmp_path, monkeypatch):
    """No two that measured have the same, nor after --resume; one that could not be measured has none."""
    monkeypatch.setattr(bisection, "share", lambda number, _: number / 100)

    def spent():
        names = {number: git(repository, "rev-parse", "--short=12", f"c{number}") for number in range(7)}
        manifests = {number: tmp_path / "raw" / name / "run.json" for number, name in names.items()}
        rules = {number: json.loads(path.read_text())["noted"]["rules"] for number, path in manifests.items() if path.exists()}
        return {number: round(one["alpha"] * (1 + 1 / one["agree"]), 9) for number, one in rules.items()}

    assert bisecting({6: SLOW, 3: IMPORT, 2: FAST, 5: (even(5), {"out_of_time": True}, None)})[0] == 3
    assert spent() == {6: 0.01, 2: 0.02, 5: 0.03}

    shutil.rmtree(tmp_path / "raw" / git(repository, "rev-parse", "--short=12", "c5"))
    assert bisecting({5: SLOW}, "--resume")[3] == [5]
    assert spent() == {6: 0.01, 2: 0.02, 5: 0.03}


# Before anything is measured


@pytest.fixture
def refused(repository, tmp_path, monkeypatch, capsys):
    """refused(*arguments) -> the one line on standard error of a bisection that ends with 2 and measures nothing."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        try:
            code = main(["bisect", "--output", "raw", *arguments])
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert not (tmp_path / "raw" / "run.json").exists()
        return err

    return call


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--good", "nonsense", "--bad", "c6"], "--good nonsense: no revision of {}\n"),
        (["--good", "c0", "--bad", "--all"], "python -m benchmarks bisect: "),
        (["--good", "c0", "--bad=--all"], "--bad --all: no revision of {}\n"),
        (["--good", "c6", "--bad", "c6"], "--good c6: is the same commit as --bad c6, "),
        (["--good", "c0", "--bad", "c4"], "--good c0: has the same files as --bad c4; nothing can have become slower\n"),
        (["--good", "c6", "--bad", "c2"], "--good c6: is no ancestor of --bad c2; it is younger: are the two swapped?\n"),
        (["--good", "side", "--bad", "c6"], "--good side: is no ancestor of --bad c6 in {}\n"),
        (["--good", "c0", "--bad", "c6", "--budget", "0"], "--budget 0.0: use a number of minutes above 0\n"),
        (["--good", "c0", "--bad", "c6", "--threshold", "5"], "--threshold 5: expected a threshold above 0 and below 1"),
        (["--good", "c0", "--bad", "c6", "--python", "nowhere"], "--python nowhere: {}/nowhere is no program; "),
        (["--good", "c0", "--bad", "c6", "--json", "."], ".: is a folder; name another --json\n"),
        (["--bad", "c6"], "python -m benchmarks bisect: the following arguments are required: --good\n"),
        (["--good", "c0"], "python -m benchmarks bisect: the following arguments are required: --bad\n"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_refused(refused, repository, arguments, line):
    """What no bisection can work with is one line that names it."""
    assert refused("--project", str(repository), "-k", "x", *arguments).startswith(line.format(repository))


def test_cases_have_to_be_named(refused, repository):
    """Every case of a suite would be followed by mistake."""
    assert "required: -k" in refused("--project", str(repository), "--good", "c0", "--bad", "c6")


def test_a_shallow_clone(refused, repository, tmp_path):
    """Where good is not there because the clone is shallow, the line says what to do."""
    git(repository, "clone", "--quiet", "--depth=2", f"file://{repository}", str(tmp_path / "clone"))
    old = git(repository, "rev-parse", "c1")
    line = refused("--project", str(tmp_path / "clone"), "-k", "x", "--good", old, "--bad", "HEAD")
    assert line.endswith(
        f"no revision of {tmp_path / 'clone'} (a shallow clone, which lacks older commits: git fetch --unshallow)\n"
    )


# The line of commits


def test_first_parents(tmp_path):
    """Merges are steps, what they merged is none; what came before good is no part of it, though a merge has it as first parent."""
    folder = tmp_path / "project"
    folder.mkdir()

    def add(name, *merged):
        if merged:
            git(folder, "merge", "--quiet", "--no-commit", "--no-ff", *merged)
        (folder / name).write_text(name)
        commit(folder, name)
        git(folder, "tag", f"t-{name}")

    add("a")
    git(folder, "checkout", "--quiet", "-b", "side")
    add("good")
    add("after")
    git(folder, "checkout", "--quiet", "main")
    add("b")
    add("merge", "side")
    git(folder, "checkout", "--quiet", "-b", "other")
    add("within")
    git(folder, "checkout", "--quiet", "main")
    add("c")
    add("second", "other")
    add("bad")

    def subjects(good, bad):
        return [one.subject for one in history.line(folder, good, bad)]

    assert subjects("t-a", "t-bad") == ["a", "b", "merge", "c", "second", "bad"]
    assert subjects("t-good", "t-bad") == ["good", "merge", "c", "second", "bad"]
    assert subjects("t-good", "t-after") == ["good", "after"]
    first, *_, last = history.line(folder, "t-a", "t-second")
    assert (first.parents, len(last.parents), last.author) == ([], 2, "someone@example.org")
    assert last.name == git(folder, "rev-parse", "t-second")


def test_any_letter_in_a_commit(tmp_path):
    """A subject and an author are a field each, in one line, whatever letters they hold."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "file").write_text("good")
    commit(folder, "good")
    (folder / "file").write_text("bad")
    git(folder, "add", "file")
    git(folder, "commit", "--quiet", f"--author=A{ENDS_OF_LINES} <a@example.org>", f"--message=B{ENDS_OF_LINES}")

    said = "one two three four five six"
    found = history.line(folder, "HEAD~1", "HEAD")
    assert [(one.author, one.subject) for one in found] == [("someone@example.org", "good"), (f"A {said}", f"B {said}")]


@pytest.mark.slow
def test_this_project(tmp_path, monkeypatch, capsys):
    """Commits of this project, whose cases are not counted before: one has a case that the others lack, and the commit is found all the same."""
    repository = tmp_path / "project"
    for number, facts in enumerate([{"one": 1e-3}, {"one": 1e-3, "two": 1e-3}, {"one": 2e-3}]):
        fake_project.write(repository, facts)
        commit(repository, f"number {number}")
    monkeypatch.setattr(bisect_command, "Rules", partial(Rules, **FEW_PAIRS))
    monkeypatch.setattr(bisection, "CHANCE", 2.0)
    with commanding(repository, tmp_path):
        code = main(["bisect", "--good", "HEAD~2", "--bad", "HEAD", "-k", "case", "--output", "raw", "--json", "found.json"])

    assert code == 1, capsys.readouterr().err
    assert [one["subject"] for one in json.loads((tmp_path / "found.json").read_text())["suspects"]] == ["number 2"]
