"""The report's part on where the time goes, from parts whose sums can be seen without a pencil."""

from __future__ import annotations

import re

import pytest

from benchmarks.isolated.where import KINDS
from benchmarks.report.parts import where
from tests.support.runs import case, run_of


def call(framework, mode, batch=64, seconds=6.0, kernels=None):
    made = kernels or [["conv1", ["convolution", 3.0]], ["conv2", ["convolution", 1.0]], ["between kernels", ["between", 2.0]]]
    return case("where", framework, mode, seconds, batch=batch, profiler="a profiler", plain_seconds=5.0, kernels=made)


def test_a_run_without_such_cases_has_no_such_section():
    """Nothing is said or drawn about what was not profiled."""
    assert where.sections(run_of(case("predict", "numpy", "fused", 1.0, batch=64))) == []
    assert where.plots(run_of(case("predict", "numpy", "fused", 1.0, batch=64))) == []


def test_table():
    """Kernels of a kind are added up, the longest are named, and what is between is none of them."""
    other = [["gemm", ["dense", 2.0]], ["odd", ["a kind of its own", 1.0]], ["nothing", ["copies", 0]]]
    (section,) = where.sections(run_of(call("numpy", "fused"), call("torch", "eager", kernels=other)))
    assert section.table.head == [
        *("", "profiled", "without", "convolution", "dense", "copies", "between", "a kind of its own"),
        *("longest kernels", "profiler"),
    ]
    first, second = section.table.rows
    assert first[0].text == "numpy fused, batch 64"
    assert [cell.value for cell in first[1:4]] == [6, 5, 4]
    assert first[6].value == 2
    assert [cell.reason for cell in (first[4], first[5], first[7])] == [where.NONE_OF_IT.reason] * 3
    assert first[8].text == "conv1 (3.00 s); conv2 (1.00 s)"
    assert second[5].reason == where.NONE_OF_IT.reason
    assert second[8].text == "gemm (2.00 s); odd (1.00 s)"


def test_kinds_are_those_of_the_programs():
    """In their order; the report imports no program."""
    assert where.KINDS == KINDS
    assert len(where.LOOKS) >= len(KINDS)


def test_bars():
    """One picture a batch: in each row the kinds follow each other without a gap, and end where the call does."""
    run = run_of(call("numpy", "fused"), call("torch", "eager"), call("numpy", "fused", batch=450))
    first, second = where.plots(run)
    assert [first.name, second.name] == ["where-64", "where-450"]
    paths = [re.findall(rf'id="where-64-mark-{index}".*?d="([^"]*)"', first.svg, re.DOTALL)[0] for index in range(2)]
    corners = [[tuple(map(float, pair)) for pair in re.findall(r"[ML] (\S+) (\S+)", path)] for path in paths]
    for row in range(2):
        (left, right), (begin, end) = (part[2 * row : 2 * row + 2] for part in corners)
        assert right[0] == pytest.approx(begin[0])
        assert (right[0] - left[0]) / (end[0] - left[0]) == pytest.approx(4 / 6, abs=1e-3)
        assert left[1] == right[1] == begin[1] == end[1]
    assert [mark.count("linecap: round") for mark in re.findall(r'id="where-64-mark-.*?</g>', first.svg, re.DOTALL)] == [0, 0]
