"""Which side of a pair comes first is drawn, and even over two pairs."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from benchmarks.gate.pairs import ROLES, Pace, order, recorded, repeats_of, timed_seconds


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
