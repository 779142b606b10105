"""The report's part on graphs, from cases small enough to check by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.quantities.statistics import Ratio
from benchmarks.report import markdown
from benchmarks.report.parts import graphs
from benchmarks.saved.results import Case, Run

PREDICT, TRAIN = graphs.GROUPS


def case(
    mode="eager",
    batch=1,
    seconds=2.0,
    first=1.0,
    group=PREDICT,
    build=0.0,
    framework="torch",
    medians=None,
    default="eager",
    firsts=(),
):
    extra = {
        "framework": framework,
        "mode": mode,
        "batch": batch,
        "default_mode": default,
        "import_fresh_seconds": 3.0,
        "build_fresh_seconds": build,
        "first_call_fresh_seconds": first,
    }
    extras = tuple({**extra, "first_call_fresh_seconds": each} for each in firsts)
    return Case(group, f"{framework}-{mode}-{batch}", {"median": seconds}, extra, medians or (seconds,), extras)


def run_of(*cases):
    return Run(tuple(Path(str(number)) for number in range(len(cases[0].medians))), cases, {}, {}, {}, "", "")


@pytest.mark.parametrize(
    ("graph", "eager", "calls"),
    [
        ({"first": 9.0, "seconds": 1.0}, {}, 9),  # 9 + 8 x 1 = 17 = 1 + 8 x 2: as much, after nine calls
        ({"first": 9.5, "seconds": 1.0}, {}, 10),  # 9.5 + 9 x 1 = 18.5 < 19
        ({"first": 8.0, "build": 1.0, "seconds": 1.0}, {}, 9),  # building counts
        ({"first": 8.0, "seconds": 1.0}, {"build": 7.0}, 1),  # for both
        ({"first": 1.0, "seconds": 2.0}, {}, 1),  # the same thing has paid for itself at once
        ({"first": 0.5, "seconds": 2.5}, {}, None),  # ahead at first, behind for ever after
        ({"first": 9.0, "seconds": 2.0}, {}, None),
        ({"first": 9.0, "seconds": 3.0}, {}, None),
    ],
)
def test_break_even(graph, eager, calls):
    """The number of calls is the first at which the sums cross, counted by adding them up."""
    graph, eager = case("compile", **graph), case(**eager)
    assert graphs.break_even_calls(graph, eager) == calls

    def total(case, n):
        return case.extra["build_fresh_seconds"] + case.extra["first_call_fresh_seconds"] + (n - 1) * case.median

    if calls is not None:
        assert total(graph, calls) <= total(eager, calls)
        assert calls == 1 or total(graph, calls - 1) > total(eager, calls - 1)


@pytest.mark.parametrize(
    ("ratios", "words"),
    [
        ([2.0, 2.0, 3.0], "faster at every batch size"),
        ([2.0, 0.5, 0.4], "faster up to batch 1, slower from 4 on"),
        ([0.5, 2.0, 0.4], "slower up to batch 1, faster at 4, slower from 16 on"),
        ([2.0, (1.1, 0.9, 1.3), (1.2, 1.1, 1.3)], "faster up to batch 1, no different at 4, faster from 16 on"),
    ],
)
def test_sides(ratios, words):
    """A sentence says where a mode wins; with intervals it does not claim what they leave open."""
    curve = {
        batch: Ratio(*(ratio if isinstance(ratio, tuple) else (ratio, None, None)))
        for batch, ratio in zip((1, 4, 16), ratios, strict=True)
    }
    assert graphs.sides(curve) == words


def test_speedups_are_against_the_own_default_mode():
    """Each framework is its own reference; a mode whose reference is missing has no curve."""
    run = run_of(
        case(seconds=2.0), case("compile", seconds=0.5), case("compile", batch=4), case(framework="tensorflow", seconds=9.0),
        case("graph", framework="tensorflow", seconds=3.0), case("graph", framework="other"),
        case("fused", framework="numpy", seconds=1.0, default="fused"),
        case("im2col", framework="numpy", seconds=4.0, default="fused"),
    )  # fmt: skip
    assert graphs.speedups(run, PREDICT) == {
        ("torch", "compile"): {1: Ratio(4.0, None, None)},
        ("tensorflow", "graph"): {1: Ratio(pytest.approx(3.0), None, None)},
        ("other", "graph"): {},
        ("numpy", "im2col"): {1: Ratio(pytest.approx(0.25), None, None)},
    }


def test_a_run_without_such_cases_has_no_such_section():
    """Nothing is said about what was not measured."""
    assert graphs.sections(run_of(case(group="predict"))) == []


def test_pages():
    """The whole Markdown of a small run: a table of times and one of first calls."""
    run = run_of(
        case(seconds=2e-3, first=0.01), case(batch=64, seconds=4e-3, first=0.02),
        case("compile", seconds=1e-3, first=30.0), case("compile", batch=64, seconds=8e-3, first=40.0),
        case("predict", seconds=40e-3, first=1.0),
    )  # fmt: skip
    assert markdown.render(graphs.sections(run)) == (
        "# Static graph against dynamic: inference\n\n"
        "Time of one call once warm, and in brackets how many times longer the framework's default mode takes (torch eager); from "
        "one process, so without an interval.\n\n"
        "predict_on_batch and predict are Keras' own methods around a graph; where they train, it is by train_on_batch and by fit on "
        "the one batch.\n\n"
        "|               |            batch 1 |          batch 64 |\n"
        "| ------------- | -----------------: | ----------------: |\n"
        "| torch eager   |            2.00 ms |           4.00 ms |\n"
        "| torch compile |   1.00 ms (2.00 x) | 8.00 ms (0.500 x) |\n"
        "| torch predict | 40.0 ms (0.0500 x) |                 — |\n\n"
        "Against the default mode: torch compile is faster up to batch 1, slower from 64 on; torch predict is slower at every batch size.\n\n"
        "Fastest of each framework: torch compile at 1, eager at 64.\n\n"
        "## What a graph costs first: inference\n\n"
        "The first call in a fresh process, tracing and compiling included, with no compiled code on disk, a single sample each, so "
        "without a spread; after the comma the number of calls after which the graph has paid for itself against the default mode "
        "(torch eager).\n\n"
        "|               | import |        batch 1 |      batch 64 |\n"
        "| ------------- | -----: | -------------: | ------------: |\n"
        "| torch eager   | 3.00 s |        10.0 ms |       20.0 ms |\n"
        "| torch compile | 3.00 s | 30.0 s, 29,991 | 40.0 s, never |\n"
        "| torch predict | 3.00 s |  1.00 s, never |             — |\n\n"
        "With F for building the network and its first call in a fresh process and s for a call once warm, n calls take F + (n - 1) s; "
        "a graph has paid for itself from n = 1 + ceil((F_graph - F_default) / (s_default - s_graph)) calls on, and never where its "
        "call is the slower one. Importing is the same for both and not in F.\n\n"
    )


def test_intervals_from_several_processes():
    """With several processes a speed-up carries its interval, and a first call its spread."""
    several = case("compile", seconds=1.0, first=25.0, medians=(1.0, 1.0), firsts=(20.0, 30.0))
    run = run_of(case(medians=(2.0, 2.0)), several)
    page = markdown.render(graphs.sections(run))
    assert "1.00 s (2.00 x [2.00, 2.00])" in page
    assert "without an interval" not in page
    assert "25.0 s [20.0 s, 30.0 s], 25 |" in page
    assert "no compiled code on disk, median [lowest, highest] of 2;" in page
