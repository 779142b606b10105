"""Did the machine hold still while it measured, and what does the harness itself cost?"""

from __future__ import annotations

from benchmarks.quantities import units
from benchmarks.quantities.statistics import spread
from benchmarks.report.records import Plot, Section, Table
from benchmarks.report.text import DASH
from benchmarks.report.times import time_cell, what_a_cell_is
from benchmarks.saved.results import CONTROL, Case, Run

DRIFT = 1.10
"""How many times longer the control may take at one time than at another before the report warns.

A quiet machine stays inside; a neighbour on the same cores or a clock that throttles goes beyond.
"""


def sections(run: Run) -> list[Section]:
    return [_watchdogs(run)]


def plots(run: Run) -> list[Plot]:
    return []


def _controls(run: Run) -> list[Case]:
    """The cases of the same fixed work, in the order in which every process ran them."""
    return [case for case in run.group(CONTROL) if case.extra.get("side") is not None]


def _change(run: Run) -> float:
    """How many times longer the slower of a process's controls took, in the process where that is most; 1 without controls."""
    return max((spread(times) for times in zip(*(case.medians for case in _controls(run)), strict=True)), default=1)


def drifts(run: Run) -> list[str]:
    """What moved by more than DRIFT, each in one clause; nothing where the machine held still or was not watched."""
    found = []
    for case in _controls(run):
        if spread(case.medians) > DRIFT:
            found.append(
                f"the machine was not the same for every process: the control ({case.mode}) took {units.times(spread(case.medians))} "
                f"as long in one as in another; the bound is {units.times(DRIFT)}"
            )
    if _change(run) > DRIFT:
        found.append(
            f"the machine drifted within a process: of the control's first and last time one is {units.times(_change(run))} "
            f"the other; the bound is {units.times(DRIFT)}"
        )
    return found


def _watchdogs(run: Run) -> Section:
    """Whether the machine held still, and what the harness itself costs."""
    title, cases = "Did the machine hold still?", run.group(CONTROL)
    if not _controls(run):
        return Section(title, before=["Nobody knows: this run measured no control case."])
    rows = [[case.mode, time_cell(case), units.times(spread(case.medians)) if run.processes > 1 else DASH] for case in cases]
    return Section(
        title,
        before=[
            "One fixed matrix product in NumPy, before all other cases and after them, and a network that only hands out stored logits: "
            f"what the harness adds to every time. {what_a_cell_is(run)}"
        ],
        table=Table(["", "time", "slowest / fastest process"], rows),
        after=[
            f"First and last product of a process: the slower took at most {units.times(_change(run))} as long.",
            *(f"{drift[0].upper()}{drift[1:]}." for drift in drifts(run)),
            *([] if drifts(run) else [f"The control stayed within the bound of {units.times(DRIFT)}."]),
        ],
    )
