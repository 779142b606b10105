"""What a page reads in a cell of finished text."""

from __future__ import annotations

import pytest
from numpy.testing import assert_allclose

from benchmarks.report.cells import Cell, grid, number
from benchmarks.report.records import Table


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.23 ms [1.20 ms, 1.30 ms]", 1.23e-3),
        ("511 µs, 21.0 ms", 511e-6),
        ("40.1202 s", 40.1202),
        ("1,310,160", 1310160),
        ("65,406 / 65,407", 65406),
        ("57.1 % [52.5, 61.6]", 0.571),
        ("255 KiB", 261120),
        ("4.4888 MB on cuda", 4488800),
        ("0.0877 MFLOPs", 87700),
        ("63.4 GFLOP/s", 63.4e9),
        ("3.46 x [3.40, 3.52]", 3.46),
        ("1.96 nats", 1.96),
        ("6.7e-08", 6.7e-8),
        ("-0.5 %", -0.005),
        ("450", 450),
        ("0", 0),
    ],
)
def test_number_is_in_si(text, value):
    """A cell sorts by the number that it begins with, whatever its prefix."""
    assert_allclose(number(text), value, rtol=1e-12)


@pytest.mark.parametrize("text", ["numpy fused", "", "—", "batch 64", "2026-11-24T22:37", "x86_64", "3x32x32", "ms"])
def test_what_is_no_number(text):
    """Words stay words, and so do dates and names that begin with a digit."""
    assert number(text) is None


def test_grid():
    """Columns of figures are told from words and from quotes; a dash or an empty cell asks why, with its row and its column."""
    table = Table(
        ["", "time", "seed", "note"],
        [
            ["numpy fused", "1.5 ms [1 ms, 2 ms]", '"0.07 s"', "fast"],
            ["torch eager", "—", '"-"', ""],
            ["x", "2 s (eager)", "—", "2 of 3"],
        ],
    )
    found = grid(table, "{} / {}".format)

    assert [(column.figures, column.quoted, column.prose) for column in found.columns] == [
        (False, False, False),
        (True, False, False),
        (False, True, False),
        (False, False, False),
    ]
    assert found.headed
    assert found.sortable
    assert list(found.rows[0]) == [
        Cell("numpy fused"),
        Cell("1.5 ms", " [1 ms, 2 ms]", value=1.5e-3),
        Cell("0.07 s", kind="quote"),
        Cell("fast"),
    ]
    assert found.rows[1][1] == Cell("—", kind="missing", reason="torch eager / time")
    assert found.rows[1][3] == Cell("—", kind="missing", reason="torch eager / note")
    assert found.rows[2][3] == Cell("2 of 3")


def test_table_without_a_head_is_not_sorted():
    """Pairs of a name and what it is have no head to click on."""
    found = grid(Table(["", ""], [["CPU", "EPYC"], ["threads", "2"]]), "{}{}".format)
    assert not found.headed
    assert not found.sortable
