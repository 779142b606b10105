"""The tool that gates again and again, of which docs/gate has figures: its project, and what it says of its gates."""

from __future__ import annotations

import re
import sys
from importlib import import_module

import pytest

from tests.support import gated_again
from tests.support.fake_project import git
from tests.support.gated_again import Gated


def test_the_project(tmp_path, monkeypatch):
    """One of eight commits changes code, by a twentieth of one case's work; the cases run."""
    gated_again.ten_cases(tmp_path / "project")
    changed = [
        git(tmp_path / "project", "diff", "--unified=0", one, other, "--", "src")
        for one, other in (("same", "slower^"), ("slower^", "slower"), ("slower", "last"))
    ]
    assert [bool(difference) for difference in changed] == [False, True, False]
    before, after = (int(re.search(rf"^\{sign}TURNS = (\d+)$", changed[1], re.M)[1]) for sign in "-+")
    assert after == 1.05 * before
    monkeypatch.syspath_prepend(tmp_path / "project" / "src")
    work = import_module("work")
    monkeypatch.delitem(sys.modules, "work")
    cases = (tmp_path / "project" / "benchmarks" / "test_work.py").read_text(encoding="utf-8")
    names = re.search(r'"(loop .*)".split', cases)[1].split()
    assert len(names) == 10
    assert all(getattr(work, name)() for name in names)


def test_summary():
    """Each exit code with how often it came, and its interval; the times of the gates."""
    found = [Gated(code, seconds, 20, []) for code, seconds in ((0, 40.0), (0, 30.0), (1, 80.0), (0, 50.0))]
    assert gated_again.summary(found).splitlines() == [
        "exit 0: 3 of 4 [30 %, 95 %]",
        "exit 1: 1 of 4 [5 %, 70 %]",
        "seconds: median 45, from 30 to 80",
    ]


@pytest.mark.slow
def test_a_real_gate(monkeypatch, capsys):
    """One pair of one case decides nothing."""
    arguments = ["--times", "1", "--ten-cases", "--", "--base", "same", "--head", "slower", "-k", "loop", "--pairs", "1"]
    monkeypatch.setattr(sys, "argv", ["gated_again", *arguments])
    gated_again.main()
    assert re.match(r"1: exit 3, \d+ s, 1 pair: 1 undecided\nexit 3: 1 of 1 ", capsys.readouterr().out)
