"""Did the machine hold still while it measured, and what does the harness itself cost?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.quantities.statistics import spread
from benchmarks.quantities.units import RATIO, SHARE
from benchmarks.report.records import Alarm, Cell, Paragraph, Plot, Quantity, Section, Table, Words
from benchmarks.report.times import time, what_a_cell_is
from benchmarks.saved.results import CONTROL, Case, Run

DRIFT = 1.10
"""How many times longer the control may take at one time than at another before the report warns.

A quiet machine stays inside; a neighbour on the same cores or a clock that throttles goes beyond.
"""

SPREAD = 1.5
"""How many times as long as the first quartile of the control's rounds the third may be, in any process, before the report warns.

A neighbour that comes and goes slows some rounds and not others: the median, and so the drift, can stay where they were.  One that is
always there slows all alike: that is for `disturbance` to see.  docs/numbers.md says what was seen, idle and beside busy loops.
"""

LEAST_SHARE = 0.1
"""How large a share of the rounds that fit into the control's time it must get, at its own median, before the report warns.

The plug-in chooses the number of rounds by one call before them; that call stood still if few follow.
"""

LEAST_ROUNDS = 20
"""With fewer rounds than this there are no quartiles to speak of, and one that fits so few is not judged by their number."""

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
    alarms: list[Paragraph] = [*_drifts(run), *_disturbed(run)]
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


def _disturbed(run: Run) -> Iterator[Alarm]:
    """What slowed some rounds of a control and not others, or let it have few rounds."""
    for case in _controls(run):
        spreads = [one["q3"] / one["q1"] for one in case.stats_of_each if one["rounds"] >= LEAST_ROUNDS]
        if max(spreads, default=1.0) > SPREAD:
            what = f"Rounds of the same work ({case.mode}) were not equally long; the third quartile is, as a multiple of the first"
            yield Alarm(what, Quantity(max(spreads), RATIO), Quantity(SPREAD, RATIO), ADVICE)
        shares = [one["rounds"] / fitting for one in case.stats_of_each if (fitting := _fitting(case, one)) >= LEAST_ROUNDS]
        if min(shares, default=1.0) < LEAST_SHARE:
            what = f"Rounds of the same work ({case.mode}) were few, since the call that chooses their number was slow; of those that fit its time it got"
            yield Alarm(what, Quantity(min(shares), SHARE), Quantity(LEAST_SHARE, SHARE), ADVICE)


def _fitting(case: Case, stats: Mapping[str, Any]) -> float:
    """How many rounds of the median's length fit into the time of a case; 0 where the file does not say what that was."""
    return (case.asked_seconds or 0.0) / float(stats["median"] * stats.get("iterations", 1))
