"""Which side of a pair comes first is drawn, and even over two pairs."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import pytest

from benchmarks.gate.pairs import ROLES, Comparison, Pace, order, recorded, repeats_of, timed_seconds
from benchmarks.gate.rules import Rules
from benchmarks.sessions.folder import begin, check_settings
from benchmarks.sessions.sides import Side
from lenet5 import InputError
from tests.support.fake_project import commit


def test_order():
    """In every two pairs each side is first once; which one begins is drawn, the same for the same seed."""
    orders = [order(0, number) for number in range(1, 41)]

    assert all({one, other} == {ROLES, ROLES[::-1]} for one, other in zip(orders[::2], orders[1::2], strict=True))
    assert 4 <= orders[::2].count(ROLES) <= 16
    assert orders == [order(0, number) for number in range(1, 41)]
    assert orders != [order(1, number) for number in range(1, 41)]


@pytest.mark.parametrize(
    ("pace", "by_left"),
    [
        (None, {10: 1, 5: 2, 3: 3, 2: 5, 1: 5}),
        (Pace(20.0, 2.0, 10), {10: 1, 5: 2, 3: 3, 2: 5, 1: 5}),  # starting takes long
        (Pace(3.0, 2.0, 10), {10: 1, 5: 1, 3: 1, 2: 2, 1: 5}),  # it is quick
        (Pace(2.0, 2.0, 10), {10: 1, 1: 1}),
        (Pace(2.0, 0.0, 10), {1: 5}),
    ],
    ids=str,
)
def test_repeats(pace, by_left):
    """The fewer cases are left, the more often each is measured, unless that takes longer than starting the processes does."""
    assert {left: repeats_of(10, left, pace) for left in by_left} == by_left


def test_timed_seconds(slower):
    """Rounds times calls a round, of both processes, the control included."""
    pair = recorded(slower.folder / "raw")[0]
    stats = [
        case["stats"]
        for role in ROLES
        for case in json.loads((slower.folder / "raw" / role / "process-001.json").read_text())["benchmarks"]
    ]
    assert len(stats) == 6
    assert timed_seconds([*pair.base.cases, *pair.head.cases]) == pytest.approx(
        sum(one["total"] * one["iterations"] for one in stats)
    )
    many = SimpleNamespace(cases=[SimpleNamespace(stats={"mean": 1e-3, "rounds": 5, "iterations": 1000})])
    assert timed_seconds(many.cases) == pytest.approx(5.0)


def test_files_that_changed(tmp_path):
    """Where a side is not as it was, the line names the files: what the measured suite wrote there has to be found."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "kept.txt").write_text("1")
    commit(project, "first")
    side = Side("head", str(project), project, "", tmp_path, "HEAD", False, False, {}, "", SimpleNamespace())
    comparison = Comparison({"head": side}, None, 1, Rules())
    begin(tmp_path / "raw", {"head": {"changed": False}, "seed": 0})
    (project / "kept.txt").write_text("2")
    (project / "written.txt").touch()

    for now, line in (
        (
            {"head": {"changed": True}, "seed": 0},
            "head.changed was False, now it is True (not as in the commit: kept.txt, written.txt); ",
        ),
        ({"head": {"changed": False}, "seed": 1}, "seed was 0, now it is 1; "),
    ):
        with pytest.raises(InputError, match=re.escape(line)):
            check_settings(tmp_path / "raw", now, comparison.which_files)
