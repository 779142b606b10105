"""The gate keeps its word: exit codes, what it compares, what it leaves behind, and the same verdict after any interruption."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import psutil
import pytest

from benchmarks.__main__ import main
from benchmarks.gate import command as gate_command
from benchmarks.gate.pairs import ROLES, order
from benchmarks.gate.rules import Rules
from benchmarks.saved.provenance import ROOT
from benchmarks.sessions import sides
from tests.support import fake_project
from tests.support.copies import copy_of_project
from tests.support.fake_project import commit, git
from tests.support.processes import alive

# As few pairs as the mathematics allows: the same after 2, slower after 3.
FEW = {"looks": (2,), "confirm": 1, "alpha": 0.4, "agree": 0.5}

# The command in a process of its own, with few pairs, and the revisions of a repository of the test's.
DRIVER = f"""
import sys, tempfile
from functools import partial
from pathlib import Path
from benchmarks.__main__ import main
from benchmarks.gate import command
from benchmarks.sessions import sides

command.Rules = partial(command.Rules, **{FEW!r})
sides.opened = partial(sides.opened, repository=Path(sys.argv[1]))
tempfile.tempdir = sys.argv[2]
sys.exit(main(sys.argv[3:]))
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """Commits by the name of what is true of them, compared with the first, `base`."""
    project = fake_project.write(tmp_path_factory.mktemp("repository") / "project")
    commits = {
        "base": {},
        "same": {},
        "slower": {"seconds": {"one": 1e-3, "two": 2.2e-3}},
        "faster": {"seconds": {"one": 1e-3, "two": 1.8e-3}},
        "unsteady": {"noise": 0.3},
        "larger": {"extra": {"parameters": 11}},
        "more-memory": {"extra": {"parameters": 10, "peak_rss_bytes": 2_000_000}, "group": "space predict"},
        "memory": {"extra": {"parameters": 10, "peak_rss_bytes": 1_000_000}, "group": "space predict"},
        "slow-first": {"seconds": {"one": 1e-3}, "extra": {"first_call_seconds": 1.5}},
        "first": {"seconds": {"one": 1e-3}, "extra": {"first_call_seconds": 0.5}},
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


@contextmanager
def commanding(repository, folder):
    """Within the block: call(*arguments) -> exit code, of a gate over the repository's revisions that works in a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(gate_command, "Rules", partial(Rules, **FEW))
        patch.setattr(sides, "opened", partial(sides.opened, repository=repository))
        patch.delenv("GITHUB_STEP_SUMMARY", raising=False)
        (folder / "tmp").mkdir(exist_ok=True)
        patch.setattr(tempfile, "tempdir", str(folder / "tmp"))

        def call(*arguments):
            try:
                code = main(["gate", "-k", "case", "--output", "raw", *map(str, arguments)])
            except SystemExit as end:
                code = end.code
            assert not list((folder / "tmp").iterdir())
            assert git(repository, "worktree", "list").count("\n") == 0
            return code

        yield call


@pytest.fixture
def command(repository, tmp_path, capsys):
    """command(*arguments) -> exit code, standard output, standard error."""
    with commanding(repository, tmp_path) as call:
        yield lambda *arguments: (call(*arguments), *capsys.readouterr())


@dataclass(frozen=True)
class Done:
    """A gate that has ended: what it said, and the folder that it worked in."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def outcome(self):
        return json.loads((self.folder / "out" / "gate.json").read_text())


@pytest.fixture(scope="module")
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


def cells(table):
    """The rows of a Markdown table by their first two cells."""
    found = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.startswith("| test_")]
    return {tuple(row[:2]): row[2:] for row in found}


@pytest.mark.parametrize(
    ("base", "head", "code", "expected"),
    [
        ("base", "same", 0, {("test_case[one]", "time"): "same", ("test_case[two]", "time"): "same"}),
        ("base", "faster", 0, {("test_case[two]", "time"): "faster", ("test_case[one]", "time"): "same"}),
        ("first", "slow-first", 1, {("test_case[one]", "first call"): "SLOWER", ("test_case[one]", "time"): "same"}),
        ("memory", "more-memory", 1, {("test_case[one]", "peak memory"): "SLOWER", ("test_case[two]", "peak memory"): "SLOWER"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_verdicts(command, base, head, code, expected):
    """What became slower is named with its ratio and interval, by time, by first call and by memory; the rest is as it was."""
    found, out, err = command("--base", base, "--head", head)

    assert found == code, err
    verdicts_found = {key: row[-1] for key, row in cells(out).items()}
    assert expected.items() <= verdicts_found.items()
    assert next(iter(verdicts_found.values())) == next(iter(expected.values()))


def test_slower(slower):
    """What is slower is named first, with its times, its ratio, and the interval of that."""
    times = cells(slower.out)

    assert slower.code == 1
    assert slower.out.startswith("# Gate: head is slower (1 slower, 1 same)\n")
    assert list(times) == [("test_case[two]", "time"), ("test_case[one]", "time")]
    base, head, ratio, interval, threshold, pairs, verdict = times["test_case[two]", "time"]
    low, high = map(float, re.findall(r"[\d.]+", interval))
    assert (base, head, threshold, pairs, verdict) == ("2.00 ms", "2.20 ms", "2 %", "3", "SLOWER")
    assert 1.08 < low <= float(ratio) <= high < 1.12
    assert times["test_case[one]", "time"][-1] == "same"


def test_what_is_compared(slower, repository):
    """The command says what each side is before it measures, and of each pair that it is done."""
    sha = git(repository, "rev-parse", "base")
    lines = slower.err.splitlines()

    assert lines[0] == f"base base: commit {sha[:12]}, {sys.executable} ({'.'.join(map(str, sys.version_info[:3]))})"
    assert lines[1].startswith(f"head slower: commit {git(repository, 'rev-parse', 'slower')[:12]}, ")
    assert re.fullmatch(r"pair 1 of 2: done; \d+ s each, \d+ min left", lines[2])
    assert lines[-1] == "after 3 pairs 2 of 2 are decided"
    assert sha in slower.out


def test_a_file_of_cases(command):
    """Other cases than those of benchmarks: a file that both sides have, and nothing else from beside it; one that they lack is named."""
    asked = ("--base", "base", "--head", "same", "--json", "gate.json")
    code, out, err = command(*asked, "--cases", "benchmarks/test_cases.py")
    assert code == 0, err
    assert json.loads(Path("gate.json").read_text())["cases"] == "benchmarks/test_cases.py"
    shutil.rmtree("raw")

    code, out, err = command(*asked, "--cases", "benchmarks/none.py")
    assert (code, out) == (2, "")
    assert "benchmarks/none.py" in err


def test_raw_values(slower):
    """Every process is kept whole, in the order of the pairs; its side's own code measured it, never the installed package."""
    for role in ROLES:
        files = sorted((slower.folder / "raw" / role).iterdir())
        assert [path.name for path in files] == ["process-001.json", "process-002.json", "process-003.json"]
        raw = [json.loads(path.read_text()) for path in files]
        assert [Path(one["machine_info"]["lenet5"]["imported"]).parent.name for one in raw] == [role] * 3
        cases = [case for one in raw for case in one["benchmarks"] if case["group"] == "predict"]
        assert all(len(case["stats"]["data"]) == 5 for case in cases)
        medians = {
            param: [[case["stats"]["median"] for case in one["benchmarks"] if case["param"] == param] for one in raw]
            for param in ("one", "two")
        }
        assert [list(map(len, of_case)) for of_case in medians.values()] == [[1, 1, 0], [1, 1, 2]]
        found = {row["case"]: row[role] for row in slower.outcome["verdicts"]}
        for param, of_case in medians.items():
            expected = [sum(values) / len(values) for values in of_case if values]
            assert found[f"benchmarks/test_cases.py::test_case[{param}]"] == pytest.approx(expected, rel=1e-12)


def test_order_is_kept(slower):
    """Both of a pair take turns in the same order of cases; the one that was drawn begins.

    What is decided, here after the second pair, is left out, and the rest is measured as much more often.
    """
    ran = (slower.folder / "cases.log").read_text().splitlines()
    everything = ("control", "case[one]", "case[two]")
    for number, cases in ((1, everything), (2, everything), (3, ("control", "case[two]") * 2)):
        first, second = order(0, number)
        for position, case in enumerate(cases):
            turn = (first, second) if position % 2 == 0 else (second, first)
            assert [ran.pop(0), ran.pop(0)] == [f"{role} test_{case}" for role in turn]
        paths = {role: slower.folder / "raw" / role / f"process-{number:03d}.json" for role in ROLES}
        shuffles = [json.loads(path.read_text())["machine_info"]["lenet5"]["shuffle"] for path in paths.values()]
        assert shuffles == [f"0.{number}"] * 2
    assert not ran


def test_pairs_for_a_study(slower, command, tmp_path):
    """--pairs N measures N pairs, and every case in each; the verdicts are those of a gate that stops when it can."""
    code, out, err = command("--base", "base", "--head", "slower", "--pairs", "5", "--json", "gate.json")

    assert code == 1, err
    outcome = json.loads((tmp_path / "gate.json").read_text())
    assert [(row["verdict"], row["pairs"], len(row["base"])) for row in outcome["verdicts"]] == [("slower", 3, 5), ("same", 2, 5)]
    assert [row[-2:] for row in cells(out).values()] == [row[-2:] for row in cells(slower.out).values()]

    more = command("--base", "base", "--head", "slower", "--pairs", "6", "--resume")
    assert (more[0], more[2].count(": done;")) == (1, 1)
    mixed = command("--base", "base", "--head", "slower", "--resume")
    assert (mixed[0], "raw/run.json: measured was 'every case in every pair', now it is " in mixed[2]) == (2, True)


def test_a_case_stops(slower, tmp_path, command):
    """A case that is not in a later pair though it is not decided is named, and never taken for one of fewer pairs."""
    shutil.copytree(slower.folder / "raw", tmp_path / "raw")
    for path in tmp_path.glob("raw/*/process-002.json"):
        document = json.loads(path.read_text())
        gone = [case for case in document["benchmarks"] if case["param"] == "two"]
        document["benchmarks"].remove(*gone)
        document["machine_info"]["lenet5"]["not_measured"] = {gone[0]["fullname"]: "no two today"}
        path.write_text(json.dumps(document))

    code, _, err = command("--base", "base", "--head", "slower", "--resume")

    expected = "pair 2: does not measure benchmarks/test_cases.py::test_case[two] (no two today); pair 1 does"
    assert (code, err.splitlines()[-1]) == (2, expected)


def test_outcome_for_programs(slower):
    """The JSON has what was compared, by which rules, and every verdict in raw SI units."""
    outcome = slower.outcome
    two = outcome["verdicts"][0]

    assert (outcome["exit_code"], outcome["pairs"], outcome["threads"]) == (1, 3, 1)
    assert outcome["rules"] == {**asdict(Rules(**FEW)), "looks": [2]}
    assert outcome["sides"]["base"]["asked"] == "base"
    assert len(outcome["sides"]["head"]["commit"]) == 40
    assert (two["metric"], two["verdict"], two["threshold"], two["pairs"]) == ("time", "slower", 0.02, 3)
    assert two["low"] <= two["ratio"] <= two["high"]
    assert two["ratio"] == pytest.approx(1.1, rel=0.01)


def test_outcome_for_people(slower):
    """The Markdown is printed, written, and added to GitHub's job summary after what is there."""
    text = (slower.folder / "out" / "gate.md").read_text()

    assert slower.out == f"{text}\nRaw values in raw\n"
    assert (slower.folder / "summary.md").read_text() == "before\n" + text


def test_counts(command):
    """Sides that do not do the same work are not timed against each other: the counts are named after one pair, exit 1."""
    code, out, err = command("--base", "base", "--head", "larger")

    assert code == 1
    assert out.startswith("# Gate: the sides do not do the same work\n")
    assert cells(out)["test_case[one] parameters", "10"] == ["11"]
    assert err.count(": done;") == 1


@pytest.mark.parametrize("budget", ["15", "0.0001"], ids=["looks", "budget"])
def test_undecided(command, budget):
    """Noise, or no time for another pair, is no verdict: exit 3."""
    code, out, err = command("--base", "base", "--head", "unsteady" if budget == "15" else "same", "--budget", budget)

    assert code == 3
    assert {row[-1] for row in cells(out).values()} >= {"undecided"}
    assert budget == "15" or err.count(": done;") == 1
    assert {row[3] for row in cells(out).values() if row[-1] == "undecided"} == {"—"}
    assert ("The time was up after 1 pair;" in out) == (budget != "15")


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (
            "fewer-cases",
            "--head fewer-cases: does not measure benchmarks/test_cases.py::test_case[two] (no such case); --base does",
        ),
        ("more-cases", "--base base: does not measure benchmarks/test_cases.py::test_case[three] (no such case); --head does"),
        ("skipped", "--head skipped: does not measure benchmarks/test_cases.py::test_case[two] (no two today); --base does"),
        ("wrong", "--head wrong: benchmarks/test_cases.py::test_case[two] failed: 3 == 4; see raw/head/process-001.log"),
        ("all-wrong", "--head all-wrong: benchmarks/test_cases.py::test_case[one] failed: nothing is right, benchmarks/"),
        ("broken", "--head broken: cannot be imported (ImportError: no such luck)"),
        ("nonsense", "--head nonsense: neither a revision of "),
    ],
    ids=lambda value: value.partition(":")[0],
)
def test_cannot_be_measured(command, tmp_path, head, reason):
    """A case that one side lacks or fails, and a side that does not exist, end with exit 2 and one line that names it."""
    code, out, err = command("--base", "base", "--head", head)

    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith(reason)
    assert not list(tmp_path.glob("raw/head/*.json"))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--base", "base", "--threads", "0"), "--threads 0: use a whole number of at least 1"),
        (("--base", "base", "--budget", "0"), "--budget 0.0: use a number of minutes above 0"),
        (("--base", "base", "--budget", "nan"), "--budget nan: use a number of minutes above 0"),
        (("--base", "base", "--pairs", "0"), "--pairs 0: use a whole number from 1 to 999"),
        (("--base", "base", "--threshold", "0"), "threshold 0.0: use a share above 0"),
        (("--base", "base", "--head"), "python -m benchmarks gate: argument --head: expected one argument"),
        ((), "python -m benchmarks gate: the following arguments are required: --base"),
        (
            ("--base", "base", "--head", "same", "--resume"),
            "raw/run.json: no such file; expected the folder of a run to go on with",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_arguments(command, tmp_path, arguments, reason):
    """What cannot be done is one line that says what would be right, and nothing is measured."""
    code, out, err = command(*arguments)

    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith(reason)
    assert not (tmp_path / "raw").exists()


def test_resume(slower, command, tmp_path):
    """A gate that goes on says what an uninterrupted one says, measures only what is missing, and both processes of a pair anew."""
    shutil.copytree(slower.folder / "raw", tmp_path / "raw")
    (tmp_path / "raw" / "head" / "process-002.json").unlink()

    assert command("--base", "base", "--head", "slower", "--resume", "--budget", "1e-9")[0] == 3
    assert [path.name for path in tmp_path.glob("raw/*/*.json")] == ["process-001.json"] * 2

    code, out, err = command("--base", "base", "--head", "slower", "--resume")

    assert (code, out) == (1, slower.out)
    assert err.count(": done;") == 2
    for name, kept in (("process-001.json", True), ("process-002.json", False), ("process-003.json", False)):
        assert ((tmp_path / "raw" / "base" / name).read_bytes() == (slower.folder / "raw" / "base" / name).read_bytes()) == kept


def test_not_judged_again(slower, command, tmp_path):
    """A gate that has ended is not judged by other rules afterwards."""
    shutil.copytree(slower.folder / "raw", tmp_path / "raw")

    code, out, err = command("--base", "base", "--head", "slower", "--resume", "--threshold", "0.2")

    assert (code, out) == (2, "")
    assert "raw/run.json: threshold was 0.02, now it is 0.2; restore it" in err


def test_not_resumed(command, repository, tmp_path):
    """Pairs of other sides or settings are not mixed, and a folder that has results takes no second gate."""
    command("--base", "base", "--head", repository, "--budget", "0.0001")
    kept = sorted(path.read_bytes() for path in tmp_path.glob("raw/*/*.json"))
    again = ("--base", "base", "--head", repository, "--resume")

    assert "raw: has results; go on with --resume" in command("--base", "base", "--head", "same")[2]
    assert "raw/run.json: base.commit was " in command("--base", "slower", "--head", repository, "--resume")[2]
    assert "raw/run.json: threshold was 0.02, now it is 0.03" in command(*again, "--threshold", "0.03")[2]
    assert "raw/run.json: options was " in command(*again, "--threads", "2")[2]
    fake_project.write(repository, {"one": 5e-3})
    try:
        assert "raw/run.json: head.changed was False" in command(*again)[2]
    finally:
        git(repository, "checkout", "--quiet", ".")
    assert sorted(path.read_bytes() for path in tmp_path.glob("raw/*/*.json")) == kept


def test_interpreter(command, tmp_path):
    """Two interpreters are compared on the same code; each side's processes run in its own."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexport INTERPRETER=mine\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)

    code, out, _ = command("--base", "base", "--head", f"base@{python}")

    assert code == 0
    assert str(python) in out
    for role, expected in (("base", "the usual one"), ("head", "mine")):
        documents = [json.loads(path.read_text()) for path in (tmp_path / "raw" / role).glob("*.json")]
        assert {one["machine_info"]["lenet5"]["interpreter"] for one in documents} == {expected}


# Killed


def start(repository, tmp_path, *arguments):
    """A gate in a process of its own, when its first pair is under way: the process, and its children."""
    (tmp_path / "tmp").mkdir(exist_ok=True)
    line = [
        sys.executable,
        "-c",
        DRIVER,
        repository,
        tmp_path / "tmp",
        "gate",
        "-k",
        "case",
        "--output",
        tmp_path / "raw",
        *arguments,
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = subprocess.Popen(
        list(map(str, line)),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A script that runs these tests in the background ignores Ctrl-C, and so would the gate.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    for _ in range(6000):
        if list(tmp_path.glob("raw/*/*.log")) and (children := psutil.Process(running.pid).children(recursive=True)):
            return running, children
        time.sleep(0.1)
    running.kill()
    raise AssertionError(running.communicate())


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(repository, tmp_path, signum):
    """Ctrl-C and SIGTERM leave no process, no worktree and no temporary file, but a folder and the line to go on with."""
    running, children = start(repository, tmp_path, "--base", "base", "--head", "slower")
    running.send_signal(signum)
    _, err = running.communicate(timeout=300)

    assert running.returncode == 130
    assert not [child for child in children if alive(child)]
    assert git(repository, "worktree", "list").count("\n") == 0
    assert not list((tmp_path / "tmp").iterdir())
    assert not list(tmp_path.glob("raw/*/*.log")) + list(tmp_path.glob("raw/*/*.part"))
    kept, go_on = err.splitlines()[-2:]
    assert re.fullmatch(rf"{signal.Signals(signum).name}: \d pairs are kept; go on with", kept)

    if signum == signal.SIGINT:  # to go on is the same after either
        line = [sys.executable, "-c", DRIVER, str(repository), str(tmp_path / "tmp"), *shlex.split(go_on)[3:]]
        done = subprocess.run(line, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
        assert done.returncode == 1, done.stderr
        assert cells(done.stdout)["test_case[two]", "time"][-1] == "SLOWER"


def test_killed(repository, tmp_path, command):
    """After kill -9 the next gate removes the worktrees that were left, and goes on in the folder."""
    running, children = start(repository, tmp_path, "--base", "base", "--head", "slower")
    running.kill()
    running.communicate()
    psutil.wait_procs(children, timeout=300)
    assert git(repository, "worktree", "list").count("\n") == 2

    code, out, _ = command("--base", "base", "--head", "slower", "--resume")  # which also looks that nothing is left

    assert code == 1
    assert cells(out)["test_case[two]", "time"][-1] == "SLOWER"


def test_child_killed(repository, tmp_path):
    """When a process that measures is killed, the gate cannot go on: exit 2 and its name; nothing is left."""
    running, children = start(repository, tmp_path, "--base", "base", "--head", "slower")
    for child in children:
        child.kill()
    _, err = running.communicate(timeout=300)

    assert running.returncode == 2
    assert re.match(r"--(base|head) (base|slower): process-00\d could not measure \(exit code -9\)", err.splitlines()[-1])
    assert git(repository, "worktree", "list").count("\n") == 0


# For real


def test_slow_network(tmp_path, monkeypatch, capsys):
    """The real package against a copy of it whose network sleeps: slower, and the case is named."""
    base, head = (copy_of_project(tmp_path / role) for role in ROLES)
    source = head / "lenet5" / "by_hand" / "plain.py"
    slow = re.sub(r"(    def predict\(.*\n)", r"\1        __import__('time').sleep(0.02)\n", source.read_text())
    assert slow.count("sleep") == 1
    source.write_text(slow)
    monkeypatch.setattr(gate_command, "Rules", partial(Rules, **FEW))

    quick = ("--", "--dataset", "digits", "--benchmark-max-time", "0.05")
    only = ("-k", "test_predict and im2col and 1]", "--output", str(tmp_path / "raw"))
    code = main(["gate", "--base", str(base), "--head", str(head), *only, *quick])
    out, err = capsys.readouterr()

    assert code == 1, err
    assert cells(out)["test_predict[numpy-im2col-batch1]", "time"][-1] == "SLOWER"
