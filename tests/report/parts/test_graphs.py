"""The report's part on graphs, from cases small enough to check by hand."""

from __future__ import annotations

import pytest

from benchmarks.quantities.statistics import Ratio
from benchmarks.report.parts import graphs
from benchmarks.report.reasons import NOT_IN_RUN
from tests.support.runs import case, run_of, said

PREDICT, TRAIN = graphs.GROUPS


def timed(mode="eager", *seconds, batch=1, framework="torch", dynamic=None, default="eager", group=PREDICT):
    return case(group, framework, mode, *(seconds or (2.0,)), batch=batch, dynamic_mode=dynamic, default_mode=default)


def old_run(*cases):
    """A run of commit 67fa1dc, which names neither its reference nor what a graph is compared with."""
    run = run_of(*cases)
    del run.lenet5["reference"]
    return run


@pytest.mark.parametrize(
    ("ratios", "words"),
    [
        ([2.0, 2.0, 3.0], "faster at every batch size"),
        ([2.0, 0.5, 0.4], "faster up to batch 1, slower from 4 on"),
        ([0.5, 2.0, 0.4], "slower up to batch 1, faster at 4, slower from 16 on"),
        ([0.5, 2.0, 2.0, 0.4], "slower up to batch 1, faster from 4 to 16, slower from 64 on"),
        ([2.0, (1.1, 0.9, 1.3), (1.2, 1.1, 1.3)], "faster up to batch 1, no different at 4, faster from 16 on"),
        ([1.0, 0.999999, 1.004], "no different at every batch size"),
        ([(1.001, 1.0005, 1.002), 1.006, 0.994], "faster up to batch 4, slower from 16 on"),
    ],
)
def test_sides(ratios, words):
    """A sentence says where a mode wins; with intervals it does not claim what they leave open."""
    curve = {
        batch: Ratio(*(ratio if isinstance(ratio, tuple) else (ratio, None, None)))
        for batch, ratio in zip((1, 4, 16, 64), ratios, strict=False)
    }
    assert graphs.sides(curve) == words


def test_a_graph_is_compared_with_the_mode_that_it_names():
    """Each graph has its own dynamic mode; where that was not measured there is no curve, and a mode that is no graph has none."""
    run = run_of(
        timed("eager", 2.0), timed("compile", 0.5, dynamic="eager"), timed("compile", 0.5, dynamic="eager", batch=4),
        timed("eager-last", 1.0), timed("compile-last", 0.5, dynamic="eager-last"),
        timed("eager", 9.0, framework="tensorflow"), timed("graph", 3.0, framework="tensorflow", dynamic="eager"),
        timed("graph", framework="other", dynamic="eager"),
        timed("fused", 1.0, framework="numpy", default="fused"), timed("im2col", 4.0, framework="numpy", default="fused"),
    )  # fmt: skip
    assert graphs.speedups(run, PREDICT) == {
        ("torch", "compile"): {1: Ratio(4.0, None, None)},
        ("torch", "compile-last"): {1: Ratio(pytest.approx(2.0), None, None)},
        ("tensorflow", "graph"): {1: Ratio(pytest.approx(3.0), None, None)},
        ("other", "graph"): {},
    }


def test_a_file_of_before_compares_with_the_default_mode():
    """Such a file does not say what is dynamic: in a framework it was the default mode, and by hand there is no graph."""
    run = old_run(
        timed("eager", 2.0), timed("compile", 0.5),
        timed("fused", 1.0, framework="numpy", default="fused"), timed("im2col", 4.0, framework="numpy", default="fused"),
    )  # fmt: skip
    assert graphs.speedups(run, PREDICT) == {("torch", "compile"): {1: Ratio(4.0, None, None)}}


def test_a_run_without_such_cases_has_no_such_section():
    """Nothing is said about what was not measured."""
    assert graphs.sections(run_of(case("predict", "torch", "eager", 1.0, batch=1))) == []


def test_pages():
    """The whole Markdown of a small run."""
    run = run_of(
        timed("eager", 2e-3), timed("eager", 4e-3, batch=64),
        timed("compile", 1e-3, dynamic="eager"), timed("compile", 8e-3, dynamic="eager", batch=64),
        timed("predict", 40e-3, dynamic="eager"),
    )  # fmt: skip
    assert said(graphs, run) == (
        "## Static graph against dynamic: inference\n\n"
        "A static graph is traced or compiled once and then called; dynamic is the mode of the same framework that does the same "
        "operation by operation (torch eager). Times are of one call once warm; in brackets the dynamic mode's time divided by the "
        "graph's, from one process and so without an interval. **Above 1, the graph is faster.**\n\n"
        "|               |            batch 1 |          batch 64 |\n"
        "| ------------- | -----------------: | ----------------: |\n"
        "| torch eager   |            2.00 ms |           4.00 ms |\n"
        "| torch compile |   1.00 ms (2.00 x) | 8.00 ms (0.500 x) |\n"
        "| torch predict | 40.0 ms (0.0500 x) |                 — |\n\n"
        "— not in this run: left out, or not possible here\n\n"
        "Against the dynamic mode: torch compile is faster up to batch 1, slower from 64 on; torch predict is slower at every batch size.\n\n"
        "Fastest of each framework: torch compile at 1, eager at 64.\n\n"
    )


def test_why_there_is_no_time():
    """A batch that a mode has no time for is a dash with the reason of its case."""
    why = {"benchmarks/test_cases.py::test_graphs_predict[torch-compile-batch64]": "compiles too long"}
    cases = timed("eager"), timed("eager", batch=64), timed("compile", dynamic="eager"), timed("graph", framework="tensorflow")
    (section,) = graphs.sections(run_of(*cases, not_measured=why))
    assert [row[-1].reason for row in section.table.rows[1:]] == ["compiles too long", NOT_IN_RUN]


def test_intervals_from_several_processes():
    """With several processes a speed-up carries its interval."""
    run = run_of(timed("eager", 2.0, 2.0), timed("compile", 1.0, 1.0, dynamic="eager"))
    page = said(graphs, run)
    assert "1.00 s (2.00 x [2.00, 2.00])" in page
    assert "without an interval" not in page
    assert "[95% interval]" in page


def test_the_fastest_is_the_one_that_the_ratio_says():
    """The median of the graph is the lower one, its geometric mean the higher: both sentences go by what the ratio compares."""
    eager, graph = [1.8, 2.7, 3.6, 4.5, 5.1], [1.7, 2.9, 3.5, 5.4, 6.0]
    run = run_of(timed("eager", *eager), timed("compile", *graph, dynamic="eager"))
    cases = {case.mode: case for case in run.cases}
    assert cases["compile"].median < cases["eager"].median
    assert cases["compile"].typical > cases["eager"].typical
    page = said(graphs, run)
    assert "Fastest of each framework: torch eager at 1." in page
    assert "torch compile is faster" not in page


def test_without_a_graph_there_is_nothing_in_brackets():
    """A run that measured no graph has times, and no words about ratios."""
    (section,) = graphs.sections(run_of(timed("eager")))
    assert section.before[0].endswith("Times are of one call once warm.")
