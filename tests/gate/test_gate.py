"""The gate keeps its word: exit codes, what it compares, in which order, and what it leaves behind."""

from __future__ import annotations

import json
import re
import shutil
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.__main__ import main
from benchmarks.gate import command as gate_command
from benchmarks.gate import gate
from benchmarks.gate.pairs import ROLES, Recorder, order
from benchmarks.gate.rows import Pair, decided
from benchmarks.gate.rules import Rules
from tests.support.copies import copy_of_project
from tests.support.fake_project import git
from tests.support.gates import FEW_PAIRS, cells
from tests.support.rows import slow


@pytest.mark.parametrize(
    ("base", "head", "code", "expected"),
    [
        ("base", "same", 0, {("test_case[one]", "time"): "same", ("test_case[two]", "time"): "same"}),
        pytest.param(
            *("base", "faster", 0, {("test_case[two]", "time"): "faster", ("test_case[one]", "time"): "same"}),
            marks=pytest.mark.slow,
        ),
        slow("first", "slow-first", 1, {("test_case[one]", "first call"): "SLOWER", ("test_case[one]", "time"): "same"}),
        slow(
            "memory", "more-memory", 1, {("test_case[one]", "peak memory"): "SLOWER", ("test_case[two]", "peak memory"): "SLOWER"}
        ),
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_same_code(command, repository, tmp_path):
    """Both sides have the same code only if every file of the project is the same, also one that neither lenet5 nor benchmarks holds."""
    git(tmp_path, "clone", "--quiet", "--branch=base", str(repository), "clone")
    asked = ("--base", "base", "--head", tmp_path / "clone", "--budget", "1e-9")
    same = command(*asked)
    (tmp_path / "clone" / "beside.py").write_text("SECONDS = 1")
    other = command(*asked, "--output", "other")

    note = "Both sides have the same code, down to the last file, the same interpreter and the same versions."
    assert (same[0], other[0], note in same[1], note in other[1]) == (3, 3, True, False)


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


def test_a_pair_is_short(slower):
    """Unless it is told otherwise, a process times each case for a tenth of a second, and trains for one epoch."""
    assert json.loads((slower.folder / "raw" / "run.json").read_text())["options"] == [
        *("--threads=1", "--epochs=1", "--benchmark-max-time=0.1")
    ]


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


@pytest.mark.slow
def test_ids_that_are_spelled_otherwise(command, tmp_path):
    """Base calls a case one[batch=1], head one[batch1]: they are one case, and each side leaves it out under its own id once it is decided."""
    code, out, err = command("--base", "old-ids", "--head", "new-ids")

    assert code == 1, err
    assert {key: row[-2:] for key, row in cells(out).items()} == {
        ("test_case[two]", "time"): ["3", "SLOWER"],
        ("test_case[batch1]", "time"): ["2", "same"],
    }
    for role, old_or_new in (("base", "batch=1"), ("head", "batch1")):
        raw = [json.loads((tmp_path / "raw" / role / f"process-{number:03d}.json").read_text()) for number in (1, 2, 3)]
        params = [{case["param"] for case in one["benchmarks"] if case["group"] == "predict"} for one in raw]
        assert params == [{old_or_new, "two"}, {old_or_new, "two"}, {"two"}]


@pytest.mark.slow
def test_an_id_that_begins_like_another(command, tmp_path):
    """A case that is decided is left out, and not the one whose id begins with its id; a gate that goes on does so too."""
    asked = ("--base", "odd-ids", "--head", "odd-ids-slower")
    code, out, err = command(*asked)

    assert code == 1, err
    expected = [("3", "SLOWER"), ("2", "same")]
    assert [tuple(row[-2:]) for row in cells(out).values()] == expected
    for role in ROLES:
        (tmp_path / "raw" / role / "process-003.json").unlink()
    code, out, err = command(*asked, "--resume")

    assert (code, err.count(": done;")) == (1, 1), err
    assert [tuple(row[-2:]) for row in cells(out).values()] == expected


@pytest.mark.slow
def test_thresholds_of_cases(command, tmp_path):
    """A change of 10 % counts in no case whose threshold is 20 %, and the table says whose that is; one for no case is an error."""
    code, out, err = command("--base", "base", "--head", "slower", "--threshold", "3%", "--threshold", "two and not x=20%")

    assert code == 0, err
    assert {key[0]: (row[3], row[-1]) for key, row in cells(out).items()} == {
        "test_case[one]": ("3 %", "same"),
        "test_case[two]": ("20 %", "same"),
    }
    shutil.rmtree(tmp_path / "raw")
    code, out, err = command("--base", "base", "--head", "slower", "--threshold", "tow=20%")
    line = '--threshold "tow=...": selects none of the cases that are measured, such as benchmarks/test_cases.py::test_case[one]'
    assert (code, out, err.count(": done;")) == (2, "", 0)
    assert err.splitlines()[-1].startswith(line.rpartition("test_case[")[0])


@pytest.mark.parametrize(("names", "pairs"), [(["memory"], [1, 2]), (["memory", "time"], [1, 2, *[3] * 10])])
def test_memory_is_measured_in_two_pairs(monkeypatch, tmp_path, capsys, names, pairs):
    """Peak memory that is the same after two pairs is left out of the others; if nothing else is measured the gate ends there.

    How long a pair takes is said of those that are left.
    """
    cases = {
        "memory": SimpleNamespace(name="m.py::memory", group="space predict", median=1.0, extra={"peak_rss_bytes": 5e8}),
        "time": SimpleNamespace(name="m.py::time", group="predict", median=1.0, stats={}, extra={}),
    }
    left_out, clock = [], [0.0]

    class Timed(Recorder):
        def prepare(self, resume):
            return []

        def measure(self, before, wanted, end):
            left_out.append(decided(before, self.comparison.rules))
            self.seconds = 2.0 if left_out[-1] else 30.0
            clock[0] += self.seconds
            measured = [cases[name] for name in names if cases[name].name not in left_out[-1]]
            run = SimpleNamespace(cases=measured, machine={})
            return Pair(run, run)

    monkeypatch.setattr(gate, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    facts = SimpleNamespace(rules=Rules())
    comparison = SimpleNamespace(rules=facts.rules, pairs=None, compared=lambda: facts)
    outcome = gate.run(Timed(comparison, tmp_path / "raw", signals=None), budget_seconds=600)

    assert outcome.exit_code == 0
    assert list(outcome.seconds) == [30.0 if number < 3 else 2.0 for number in pairs]
    assert ("a pair takes about 2.00 s; the budget is enough for about 52 pairs" in capsys.readouterr().err) == ("time" in names)
    assert left_out == [{"m.py::memory"} if number > 2 else set() for number in pairs]
    assert {row.case: (verdict.verdict, verdict.pairs) for row, verdict in outcome.verdicts} == {
        cases[name].name: ("same", 2 if name == "memory" else 12) for name in names
    }


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["--fail-fast"], []], ids=" ".join)
def test_slower_is_said_when_it_is_known(command, monkeypatch, arguments):
    """One line at the look that decides it; with --fail-fast it ends there, though another case is undecided."""
    rules = partial(Rules, **{**FEW_PAIRS, "looks": (3, 5)})
    monkeypatch.setattr(gate_command, "Rules", rules)

    code, out, err = command("--base", "base", "--head", "slower-and-nearly", *arguments)

    assert code == 1, err
    lines = err.splitlines()
    (said,) = (
        index for index, line in enumerate(lines) if line.startswith("SLOWER after 4 pairs: test_case[two], time: head / base 1.")
    )
    assert lines[said - 1] == "after 4 pairs 1 of 2 are decided"
    assert [line for line in lines[:said] if ": done;" in line][-1].startswith("pair 4 of at most 6: done;")
    assert (said == len(lines) - 1) == bool(arguments)
    assert cells(out)["test_case[two]", "time"][-1] == "SLOWER"


@pytest.mark.slow
def test_pairs_for_a_study(slower, command, tmp_path):
    """--pairs N measures N pairs, and every case in each; the verdicts are those of a gate that stops when it can."""
    code, out, err = command("--base", "base", "--head", "slower", "--pairs", "5", "--json", "gate.json")

    assert code == 1, err
    outcome = json.loads((tmp_path / "gate.json").read_text())
    assert [(row["verdict"], row["pairs"], len(row["base"])) for row in outcome["verdicts"]] == [("slower", 3, 5), ("same", 2, 5)]
    assert [row[-2:] for row in cells(out).values()] == [row[-2:] for row in cells(slower.out).values()]

    more = command("--base", "base", "--head", "slower", "--pairs", "6", "--resume")
    assert (more[0], more[2].count(": done;")) == (1, 1)
    manifest = tmp_path / "raw" / "run.json"
    manifest.write_text(manifest.read_text().replace('"--pairs=5", ', "").replace('"--pairs=5",', ""))
    mixed = command("--resume")
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


def test_counts(command):
    """Sides that do not do the same work are not timed against each other: the counts are named after one pair, exit 1."""
    code, out, err = command("--base", "base", "--head", "larger")

    assert code == 1
    assert out.startswith("# Gate: the sides do not do the same work\n")
    assert cells(out)["test_case[one] parameters", "10"] == ["11"]
    assert err.count(": done;") == 1


@pytest.mark.parametrize("budget", [slow("15"), "0.0001"], ids=["looks", "budget"])
def test_undecided(command, budget):
    """Noise, or no time for another pair, is no verdict: exit 3."""
    code, out, err = command("--base", "base", "--head", "unsteady" if budget == "15" else "same", "--budget", budget)

    assert code == 3
    verdicts = cells(out.partition("## What is undecided")[0])
    assert {row[-1] for row in verdicts.values()} >= {"undecided"}
    assert budget == "15" or err.count(": done;") == 1
    assert not [row for row in verdicts.values() if row[-1] == "undecided" and "[" in row[2]]  # no interval from so few pairs
    assert ("The time was up after 1 pair;" in out) == (budget != "15")
    # What each of them needs is said once more, below.
    needs = [line for line in out.partition("## What is undecided")[2].splitlines() if line.startswith("| test_")]
    assert len(needs) == [row[-1] for row in verdicts.values()].count("undecided")
    expected = (
        r"(more than 100|about \d+) pairs in all; a gate measures no more than 3 "
        if budget == "15"
        else "at least 1 more pair, 1 minute "
    )
    assert all(re.search(rf"\| {expected}", line) for line in needs)


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (
            "fewer-cases",
            "--head fewer-cases: does not measure benchmarks/test_cases.py::test_case[two] (no such case); --base does",
        ),
        slow("more-cases", "--base base: does not measure benchmarks/test_cases.py::test_case[three] (no such case); --head does"),
        slow("skipped", "--head skipped: does not measure benchmarks/test_cases.py::test_case[two] (no two today); --base does"),
        (
            "wrong",
            "--head wrong: benchmarks/test_cases.py::test_case[two] failed: 3 == 4; see raw/head/process-001.log, or leave it out with -k",
        ),
        slow("all-wrong", "--head all-wrong: benchmarks/test_cases.py::test_case[one] failed: nothing is right, benchmarks/"),
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
    assert not (tmp_path / "raw" / "run.json").exists()  # there is nothing to go on with


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--base", "base", "--threads", "0"), "--threads 0: use a whole number of at least 1"),
        (("--base", "base", "--budget", "0"), "--budget 0.0: use a number of minutes above 0"),
        (("--base", "base", "--budget", "nan"), "--budget nan: use a number of minutes above 0"),
        (("--base", "base", "--pairs", "0"), "--pairs 0: use a whole number from 1 to 999"),
        (("--base", "base", "--threshold", "5"), "--threshold 5: expected a threshold above 0 and below 1, such as 0.05 or 5%"),
        (
            ("--base", "base", "--threshold", "(one=5%"),
            '--threshold "(one=...": no expression as for pytest -k (a bracket is open)',
        ),
        (("--base", "base", "--head"), "python -m benchmarks gate: argument --head: expected one argument"),
        ((), "python -m benchmarks gate: the following arguments are required: --base"),
        (
            ("--base", "base", "--head", "same", "--resume"),
            "raw: no gate to go on with; name the --output of one that has begun",
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


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.alone
def test_slow_network(tmp_path, monkeypatch, capsys):
    """The real package against a copy of it whose network sleeps: slower, and the case is named."""
    base, head = (copy_of_project(tmp_path / role) for role in ROLES)
    source = head / "lenet5" / "by_hand" / "plain.py"
    slow = re.sub(r"(    def predict\(.*\n)", r"\1        __import__('time').sleep(0.02)\n", source.read_text())
    assert slow.count("sleep") == 1
    source.write_text(slow)
    monkeypatch.setattr(gate_command, "Rules", partial(Rules, **FEW_PAIRS))

    quick = ("--", "--dataset", "digits", "--benchmark-max-time", "0.05")
    only = ("-k", "test_predict and im2col and 1]", "--output", str(tmp_path / "raw"))
    code = main(["gate", "--base", str(base), "--head", str(head), *only, *quick])
    out, err = capsys.readouterr()

    assert code == 1, err
    assert cells(out)["test_predict[numpy-im2col-batch1]", "time"][-1] == "SLOWER"
