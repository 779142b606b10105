"""How a table shows times: which cases stand in a row, and what a cell holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.quantities import units
from benchmarks.report.text import DASH
from benchmarks.saved.results import Case, Run


def pairs(cases: Iterable[Case]) -> list[tuple[str, str]]:
    """(framework, mode) of the cases, each once, in the order of their appearance."""
    return list(dict.fromkeys((case.framework, case.mode) for case in cases))


def label(case: Case) -> str:
    return f"{case.framework} {case.mode}"


def label_of(pair: tuple[str, str]) -> str:
    return " ".join(pair)


def find(cases: Iterable[Case], pair: tuple[str, str]) -> Case | None:
    return next((case for case in cases if (case.framework, case.mode) == pair), None)


def best_of_each(cases: Sequence[Case], wanted: Mapping[str, Any]) -> list[Case]:
    """Each framework's fastest mode among the cases with the wanted parameters."""
    fitting = [case for case in cases if all(case.extra.get(key) == value for key, value in wanted.items())]
    frameworks = sorted({case.framework for case in fitting})
    return [min((case for case in fitting if case.framework == name), key=lambda case: case.median) for name in frameworks]


def median_of(run: Run) -> str:
    return "median" if run.processes == 1 else f"median of {run.processes} processes"


def what_a_cell_is(run: Run) -> str:
    if run.processes == 1:
        return "Median [quartiles] of the rounds of one process."
    return f"Median [lowest, highest] of the medians of {run.processes} processes."


def time_cell(case: Case | None) -> str:
    if case is None:
        return DASH
    if len(case.medians) > 1:
        return f"{units.seconds(case.median)} [{units.seconds(min(case.medians))}, {units.seconds(max(case.medians))}]"
    if case.stats["rounds"] == 1:
        return f"{units.seconds(case.median)} [one round]"
    return f"{units.seconds(case.median)} [{units.seconds(case.stats['q1'])}, {units.seconds(case.stats['q3'])}]"


def first_call(case: Case | None) -> str:
    return units.seconds(case.extra["first_call_seconds"]) if case and case.extra.get("first_call_seconds") is not None else DASH
