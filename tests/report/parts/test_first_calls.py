"""The report's part on what a graph costs first, from cases small enough to check by hand."""

from __future__ import annotations

import pytest

from benchmarks.report.parts import first_calls
from benchmarks.report.parts.graphs import GROUPS
from tests.support.runs import case, run_of, said, several

PREDICT, _ = GROUPS


def timed(mode="eager", *seconds, first=1.0, build=0.0, batch=1):
    fresh = {"import_fresh_seconds": 3.0, "build_fresh_seconds": build, "first_call_fresh_seconds": first}
    dynamic = None if mode == "eager" else "eager"
    return case(PREDICT, "torch", mode, *(seconds or (2.0,)), batch=batch, dynamic_mode=dynamic, **fresh)


@pytest.mark.parametrize(
    ("graph", "eager", "calls"),
    [
        ((1.0, {"first": 9.0}), {}, 9),  # 9 + 8 x 1 = 17 = 1 + 8 x 2: as much, after nine calls
        ((1.0, {"first": 9.5}), {}, 10),  # 9.5 + 9 x 1 = 18.5 < 19
        ((1.0, {"first": 8.0, "build": 1.0}), {}, 9),  # building counts
        ((1.0, {"first": 8.0}), {"build": 7.0}, 1),  # for both
        ((2.0, {"first": 1.0}), {}, 1),  # the same thing has paid for itself at once
        ((2.5, {"first": 0.5}), {}, None),  # ahead at first, behind for ever after
        ((2.0, {"first": 9.0}), {}, None),
        ((3.0, {"first": 9.0}), {}, None),
    ],
)
def test_break_even(graph, eager, calls):
    """The number of calls is the first at which the sums cross, counted by adding them up."""
    graph, eager = timed("compile", graph[0], **graph[1]), timed("eager", 2.0, **eager)
    assert first_calls.break_even_calls(graph, eager) == calls

    def total(case, n):
        return case.extra["build_fresh_seconds"] + case.extra["first_call_fresh_seconds"] + (n - 1) * case.median

    if calls is not None:
        assert total(graph, calls) <= total(eager, calls)
        assert calls == 1 or total(graph, calls - 1) > total(eager, calls - 1)


def test_a_run_without_such_cases_has_no_such_section():
    """Nothing is said about what was not measured."""
    assert first_calls.sections(run_of(case("predict", "torch", "eager", 1.0, batch=1))) == []


def test_pages():
    """The whole Markdown of a small run."""
    run = run_of(
        timed("eager", 2e-3, first=0.01), timed("eager", 4e-3, first=0.02, batch=64),
        timed("compile", 1e-3, first=30.0), timed("compile", 8e-3, first=40.0, batch=64),
        timed("predict", 40e-3, first=1.0), timed("same", 2e-3, first=0.01),
    )  # fmt: skip
    assert said(first_calls, run) == (
        "## What a graph costs first: inference\n\n"
        "The first call in a fresh process, tracing and compiling included, with no compiled code on disk, a single sample each, so "
        "without a spread.\n\n"
        "In brackets the number of calls after which the graph has taken no longer in all than the dynamic mode "
        "(torch eager).\n\n"
        "|               | import |               batch 1 |       batch 64 |\n"
        "| ------------- | -----: | --------------------: | -------------: |\n"
        "| torch eager   | 3.00 s |               10.0 ms |        20.0 ms |\n"
        "| torch compile | 3.00 s | 30.0 s (29,991 calls) | 40.0 s (never) |\n"
        "| torch predict | 3.00 s |        1.00 s (never) |              — |\n"
        "| torch same    | 3.00 s |      10.0 ms (1 call) |              — |\n\n"
        "— not in this run: left out, or not possible here\n\n"
        "With F for building the network and its first call in a fresh process and s for a call once warm, n calls take F + (n - 1) s; "
        "a graph has paid for itself from n = 1 + ceil((F_graph - F_dynamic) / (s_dynamic - s_graph)) calls on, and never where its "
        "call is the slower one; where the two calls cannot be told apart, it is not decided. Importing is the same for both and not in F.\n\n"
    )


def test_why_there_is_no_time():
    """A batch that a mode has no first call for is a dash with the reason of its case."""
    why = {"benchmarks/test_cases.py::test_graphs_predict[torch-compile-batch64]": "compiles too long"}
    (section,) = first_calls.sections(run_of(timed(), timed(batch=64), timed("compile"), not_measured=why))
    assert section.table.rows[1][-1].reason == "compiles too long"


def test_spread_from_several_processes():
    """With several processes a first call has its spread."""
    graph = several(timed("compile", 1.0, 1.0), "first_call_fresh_seconds", [20.0, 30.0])
    page = said(first_calls, run_of(timed("eager", 2.0, 2.0), graph))
    assert "25.0 s [20.0 s, 30.0 s] (25 calls) |" in page
    assert "no compiled code on disk, median [lowest, highest] of 2." in page


@pytest.mark.parametrize(
    ("graph", "eager", "words"),
    [
        ([2.0], [2.0], "9.00 s (not decided)"),  # as fast to the last digit
        ([2.0], [2.002], "9.00 s (not decided)"),  # three digits show no difference
        ([2.0, 2.0], [2.002, 2.002], "(4,00"),  # two processes that agree do: some 4,000 calls
        ([2.0, 2.2], [2.1, 2.1], "(not decided)"),  # the interval holds 1
        ([2.2, 2.0], [2.0, 2.1], "(not decided)"),
        ([2.2], [2.0], "9.00 s (never)"),
    ],
)
def test_calls_that_cannot_be_told_apart(graph, eager, words):
    """When a graph has paid for itself is as open as which of the two is faster."""
    run = run_of(
        timed("eager", *eager), several(timed("compile", *graph, first=9.0), "first_call_fresh_seconds", [9.0] * len(graph))
    )
    assert words in said(first_calls, run)


def test_without_a_graph_there_is_nothing_in_brackets():
    """A run that measured no graph has first calls, and no words about paying for itself."""
    (section,) = first_calls.sections(run_of(timed()))
    assert (len(section.before), section.after) == (1, [])
