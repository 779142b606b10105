"""Did the machine hold still while it measured, and what does the harness itself cost?"""

from __future__ import annotations

from benchmarks.quantities.statistics import spread
from benchmarks.quantities.units import RATIO
from benchmarks.report.records import Alarm, Cell, Paragraph, Plot, Quantity, Section, Table, Words
from benchmarks.report.times import time, what_a_cell_is
from benchmarks.saved.results import CONTROL, Case, Run

DRIFT = 1.10
"""How many times longer the control may take at one time than at another before the report warns.

A quiet machine stays inside; a neighbour on the same cores or a clock that throttles goes beyond.
"""

ADVICE = "Measure again on a quiet machine before you believe a ratio."


def sections(run: Run) -> list[Section]:
    return [_watched(run)] if _controls(run) else []


def plots(run: Run) -> list[Plot]:
    return []


def _watched(run: Run) -> Section:
    """The cases that watch machine and harness; a warning for all that moved by more than the bound."""
    several = run.processes > 1
    rows: list[list[Cell]] = [
        [Words(case.mode), time(run, case), *([Quantity(spread(case.medians), RATIO)] if several else [])]
        for case in run.group(CONTROL)
    ]
    alarms: list[Paragraph] = [*_drifts(run)]
    change = RATIO.show(_change(run))
    return Section(
        "Did the machine hold still?",
        before=[
            "One fixed matrix product in NumPy, before all other cases and after them, and a network that only hands out stored logits: "
            f"what the harness adds to every time. {what_a_cell_is(run)}"
        ],
        table=Table(["", "time", *(["slowest / fastest process"] if several else [])], rows, same=True),
        after=[
            f"First and last product of a process: the slower took at most {change} as long.",
            *(alarms or [f"The control stayed within the bound of {RATIO.show(DRIFT)}."]),
        ],
    )


def _controls(run: Run) -> list[Case]:
    """The cases of the same fixed work, in the order in which every process ran them."""
    return [case for case in run.group(CONTROL) if case.extra.get("side") is not None]


def _change(run: Run) -> float:
    """How many times longer the slower of a process's controls took, in the process where that is most."""
    return max(spread(times) for times in zip(*(case.medians for case in _controls(run)), strict=True))


def _drifts(run: Run) -> list[Alarm]:
    """What moved by more than DRIFT; nothing where the machine held still."""
    bound = Quantity(DRIFT, RATIO)
    found = [
        Alarm(
            f"The machine was not the same for every process; the same work ({case.mode}) took at most, as a multiple of its least time",
            Quantity(spread(case.medians), RATIO),
            bound,
            ADVICE,
        )
        for case in _controls(run)
        if spread(case.medians) > DRIFT
    ]
    if _change(run) > DRIFT:
        what = "The machine drifted within a process; of its first and its last matrix product the slower took, as a multiple of the faster"
        found.append(Alarm(what, Quantity(_change(run), RATIO), bound, ADVICE))
    return found
