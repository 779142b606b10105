"""Static graph against dynamic in the short run, from cases small enough to check by hand."""

from __future__ import annotations

from benchmarks.report.parts import static
from benchmarks.report.reasons import NOT_IN_RUN
from benchmarks.report.records import Dash
from benchmarks.report.times import MAY_BE_COMPILED, first_call
from tests.support.runs import case, run_of, said

PREDICT, STEP = static.GROUPS


def timed(group, mode, *seconds, first=None, batch=64, framework="torch"):
    graphs = {"compile": "eager", "graph": "eager"}
    extra = {"batch": batch, "dynamic_mode": graphs.get(mode), "first_call_seconds": first}
    return case(group, framework, mode, *seconds, **extra, **({"optimizer": "adam"} if group == STEP else {}))


def test_page():
    """Inference and training beside each other, a graph a row; first calls apart, with the dynamic mode's in brackets."""
    run = run_of(
        timed(PREDICT, "eager", 4e-3, first=5e-3), timed(PREDICT, "compile", 2e-3, first=3.0),
        timed(PREDICT, "eager", 1e-3, first=2e-3, batch=1), timed(PREDICT, "compile", 2e-3, first=12.0, batch=1),
        timed(STEP, "eager", 6e-3, first=7e-3), timed(STEP, "compile", 4e-3, first=8.0),
    )  # fmt: skip
    (section,) = static.sections(run)
    columns = ["predict, batch 1", "predict, batch 64", "step, batch 64"]
    assert section.table.head == ["", *columns, *(f"first call: {name}" for name in columns)]
    page = said(static, run)
    (row,) = [line for line in page.splitlines() if line.startswith("| torch")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:4] == ["torch compile against eager", "0.500 x", "2.00 x", "1.50 x"]
    assert cells[4:] == ["12.0 s (2.00 ms)", "3.00 s (5.00 ms)", "8.00 s (7.00 ms)"]
    assert "**Above 1, the graph is faster.**" in page


def test_what_was_not_measured_is_a_dash():
    """A graph that has a ratio for inference only has a dash, with its reason, for training; a first call that a file lacks is one too."""
    (section,) = static.sections(
        run_of(timed(PREDICT, "eager", 2.0), timed(PREDICT, "compile", 1.0), timed(STEP, "eager", 2.0, first=1.0))
    )
    (row,) = section.table.rows
    assert [cell.reason for cell in row if isinstance(cell, Dash)] == [NOT_IN_RUN] * 3


def test_a_first_call_that_need_not_be_one():
    """Where the order is random and another case has the same graph, no process is known to have compiled for this one."""
    graph, eager = timed(STEP, "compile", 4e-3, first=8.0), timed(STEP, "eager", 6e-3, first=7e-3)
    sgd, predict = timed("train step sgd", "compile", 4e-3, first=0.01), timed(PREDICT, "compile", 4e-3, first=3.0)

    def cell(*cases, **ours):
        (section,) = static.sections(run_of(graph, eager, *cases, **ours))
        return section.table.rows[0][-1]

    assert cell(sgd, shuffle="0.1") == Dash(MAY_BE_COMPILED)
    assert first_call(run_of(eager, timed("train step sgd", "eager", 1.0), shuffle="0.1"), STEP, ("torch", "eager")).value == 7e-3
    assert [cell(*cases, **ours).value for cases, ours in (([sgd], {}), ([predict], {"shuffle": "0.1"}))] == [8.0, 8.0]


def test_intervals():
    """From several processes a ratio has its interval."""
    run = run_of(timed(PREDICT, "eager", 2.0, 2.0), timed(PREDICT, "compile", 1.0, 1.0))
    assert "| 2.00 x [2.00, 2.00] |" in said(static, run)


def test_without_a_pair_there_is_no_section():
    """A graph without its dynamic mode, or a run without a graph, says nothing here."""
    assert static.sections(run_of(timed(PREDICT, "compile", 1.0))) == []
    assert static.sections(run_of(timed(PREDICT, "eager", 1.0), timed(PREDICT, "graph", 1.0, framework="tensorflow"))) == []
    assert static.sections(run_of(case("sgemm", "numpy", "sgemm 512", 1.0, side=512, flops=2 * 512**3))) == []
