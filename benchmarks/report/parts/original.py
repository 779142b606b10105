"""What are the original report's numbers worth?  Each as it was taken then and as it should be taken, both measured on this machine."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.quantities.units import SECONDS, counted
from benchmarks.report import original_report
from benchmarks.report.disturbance import mark_of
from benchmarks.report.estimates import accuracy_cell
from benchmarks.report.original_pairs import PAIRS, Pair
from benchmarks.report.parts import comparison
from benchmarks.report.reasons import dash
from benchmarks.report.records import Cell, Dash, Plot, Quantity, Quote, Section, Table, Words
from benchmarks.saved.results import Case, Run

GROUP = "original"


def sections(run: Run) -> list[Section]:
    """The numbers that this run took both ways, and in words what the others were; nothing if this run quotes none of them."""
    both_ways = [_both_ways(run)] if measured(run) else []
    return [*both_ways, _others(run)] if both_ways or comparison.rows(run) else []


def plots(run: Run) -> list[Plot]:
    return []


# What is computed


def measured(run: Run) -> dict[str, Case]:
    """The original report's numbers that this run measured again, each with its case."""
    known = {pair.figure for pair in PAIRS}
    return {case.extra["figure"]: case for case in run.group(GROUP) if case.extra["figure"] in known}


# What is said


def _both_ways(run: Run) -> Section:
    """The pairs that this run measured, each with what the difference teaches."""
    cases = measured(run)
    return Section(
        "The original report's numbers, as it took them and as they should be taken",
        before=[
            *([] if comparison.rows(run) else [comparison.INTRODUCTION]),  # else it stands there
            "Second column: the original report's own words. Third and fourth column: measured here with this project's code, once with "
            "the original's mistake and once without. The original's images were others (63,325 to train on), so compare a row's third "
            "column with its fourth, not with its second.",
        ],
        table=Table(
            ["number", "the original report printed", "with its mistake, here", "honest, here", "what the difference teaches"],
            [_row(pair, cases[pair.figure], run) for pair in PAIRS if pair.figure in cases],
        ),
        after=_not_redone(cases),
    )


def _row(pair: Pair, case: Case, run: Run) -> list[Cell]:
    known = all(case.extra[name] is not None for name in pair.needs)
    unknown = Dash("this file does not hold it")
    as_original = pair.as_original(case) if known else unknown
    honest = _trained(case, run) if pair.honest is None else pair.honest(case) if known else unknown
    return [
        Words(pair.title),
        Quote(pair.printed),
        *(_marked(run, case, cell) for cell in (as_original, honest)),
        Words(pair.lesson),
    ]


def _marked(run: Run, case: Case, cell: Cell) -> Cell:
    """The cell itself; a time with a mark if the case was disturbed."""
    if isinstance(cell, Quantity) and cell.unit is SECONDS:
        return replace(cell, mark=mark_of(run, case))
    return cell


def _trained(case: Case, run: Run) -> Cell:
    """The accuracy of the same framework by the common recipe, from the cases that train to the end."""
    for other in run.group("train"):
        if other.framework == case.framework:
            epochs = f", {counted(other.extra['epochs'], 'epoch')}" if other.extra["epochs"] else ""
            return replace(accuracy_cell(other), note=f"ReLU, Adam 1e-3{epochs}")
    return dash(run, case.framework, group="train")


def _not_redone(cases: dict[str, Case]) -> list[str]:
    """Which rows this run has no case for; what no case can measure again stands in `original_report.REALLY`."""
    missing = [pair.title for pair in PAIRS if pair.figure not in cases]
    return [f"Not in this run: {'; '.join(missing)}. The slower of these run with `--heavy`."] if missing else []


def _others(run: Run) -> Section:
    """What the original report's numbers really were, without those that this run shows both ways: that is said there."""
    shown = measured(run)
    rows = [[Words(truth.figure), Words(truth.really)] for truth in original_report.REALLY if truth.shown_by not in shown]
    title = f"What the original report's {'other ' if shown else ''}numbers really were"
    return Section(title, table=Table(["number", "what was timed or counted"], rows))
