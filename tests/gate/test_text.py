"""What a gate says: before it measures, while it does, and of what it found, to people and to programs."""

from __future__ import annotations

import re
import sys
from dataclasses import asdict

import pytest

from benchmarks.gate.rows import told_apart
from benchmarks.gate.rules import Rules
from tests.support.fake_project import git
from tests.support.gates import FEW_PAIRS, cells


def test_slower(slower):
    """What is slower is named first, with its times, its ratio, and the interval of that."""
    times = cells(slower.out)

    assert slower.code == 1
    assert slower.out.startswith("# Gate: head is slower (1 slower, 1 same)\n")
    assert list(times) == [("test_case[two]", "time"), ("test_case[one]", "time")]
    base, head, ratio, threshold, pairs, verdict = times["test_case[two]", "time"]
    middle, low, high = map(float, re.findall(r"[\d.]+", ratio))
    assert (base, head, threshold, pairs, verdict) == ("2.00 ms", "2.20 ms", "2 %", "3", "SLOWER")
    assert 1.08 < low <= middle <= high < 1.12
    assert times["test_case[one]", "time"][-1] == "same"


def test_names():
    """A case is called without its file, but for cases of two files that would have the same name."""
    names = {
        "a.py::test_x[p::q]": "test_x[p::q]",
        "b.py::C::test_x": "C::test_x",
        "a.py::test_y": "a.py::test_y",
        "b.py::test_y": "b.py::test_y",
    }
    assert told_apart([*names, *names]) == names


def test_what_is_compared(slower, repository):
    """The command says what each side is before it measures, and of each pair that it is done."""
    sha = git(repository, "rev-parse", "base")
    lines = slower.err.splitlines()

    assert lines[0] == f"base base: commit {sha[:12]}, {sys.executable} ({'.'.join(map(str, sys.version_info[:3]))})"
    assert lines[1].startswith(f"head slower: commit {git(repository, 'rev-parse', 'slower')[:12]}, ")
    assert re.fullmatch(r"pair 1 of at most 3: done; [\d.]+ s each, (at most \d+|less than 1) min left", lines[2])
    assert re.fullmatch(
        r"a pair takes about [\d.]+ m?s; the budget is enough for about 3 pairs; the first verdicts come after 2, in about [\d.]+ m?s",
        lines[3],
    )
    assert re.fullmatch(
        r"in 3 pairs a slow-down of \d\.\d % is likely to be found in half of the cases, and one of \d\.\d % in the least steady, test_case\[\w+\]",
        lines[5],
    )
    assert lines[6] == "after 2 pairs 1 of 2 are decided"
    assert lines[-2] == "after 3 pairs 2 of 2 are decided"
    assert re.fullmatch(r"SLOWER after 3 pairs: test_case\[two\], time: head / base 1\.\d+ \[1\.\d+, 1\.\d+\]", lines[-1])
    assert sha in slower.out


def test_outcome_for_programs(slower):
    """The JSON has what was compared, by which rules, and every verdict in raw SI units."""
    outcome = slower.outcome
    two = outcome["verdicts"][0]

    assert (outcome["exit_code"], outcome["pairs"], outcome["threads"]) == (1, 3, 1)
    assert outcome["rules"] == {**asdict(Rules(**FEW_PAIRS)), "looks": [2], "thresholds": []}
    assert len(outcome["pair_seconds"]) == 3
    assert sum(outcome["pair_seconds"]) / 3 == pytest.approx(outcome["seconds_a_pair"], rel=0.2)
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
