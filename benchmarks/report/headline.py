"""The answer: which framework is fastest at what, and how sure that is."""

from __future__ import annotations

from benchmarks.quantities import units
from benchmarks.quantities.statistics import CONFIDENCE, ratio_interval
from benchmarks.report.parts.machine import drifts
from benchmarks.report.records import Section, Table
from benchmarks.report.text import DASH
from benchmarks.report.times import best_of_each, label, median_of
from benchmarks.saved.results import Case, Run

BATCHES = (1, 64, 450)


def section(run: Run) -> Section:
    """Who is fastest at what, and how sure that is."""
    questions = [(f"predict, batch {batch}", run.group("predict"), {"batch": batch}) for batch in BATCHES]
    questions += [(group, run.group(group), {}) for group in ("train step", "train epoch")]
    rows = []
    for question, cases, wanted in questions:
        best = sorted(best_of_each(cases, wanted), key=lambda case: case.median)
        if best:
            slower = [f"{_ratio_cell(case, best[0])} ({label(case)})" for case in best[1:]]
            rows.append([question, label(best[0]), units.seconds(best[0].median), ", ".join(slower) or DASH])
    return Section(
        "LeNet-5: which framework is fastest, at equal accuracy?",
        before=[
            *(f"**Warning: {warning}. Measure again on a quiet machine before you believe a ratio.**" for warning in drifts(run)),
            "Each framework in its fastest mode; the ratios are how many times longer the others take.",
        ],
        table=Table(["", "fastest", median_of(run), "the others take"], rows),
        after=[_how_sure(run)],
    )


def _how_sure(run: Run) -> str:
    """What a ratio of this run is worth."""
    if run.processes == 1:
        return (
            "These ratios come from **one process** and carry no interval: they are good for orders of magnitude, not for a few per cent. "
            "On a shared machine the same case can be much slower a minute later. For intervals: python -m benchmarks run."
        )
    order = " in a random order of its own" if run.lenet5.get("shuffle") is not None else ""
    return (
        f"Ratio [{CONFIDENCE:.0%} interval] from **{run.processes} processes**, each of which measured every case{order}: "
        "the geometric mean of the ratios within the processes, and Student's t on their logarithms. An interval that holds 1 does not "
        "tell the two apart. Which mode is a framework's fastest was chosen by the same numbers."
    )


def _ratio_cell(slower: Case, faster: Case) -> str:
    """How many times longer one case takes than another, with its interval where the run has several processes."""
    return units.times(*ratio_interval(slower.medians, faster.medians))
