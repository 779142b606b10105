"""How a table shows times: which cases stand in a row, and what a cell holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.quantities import units
from benchmarks.quantities.statistics import ratio_interval
from benchmarks.quantities.units import SECONDS
from benchmarks.report.disturbance import first_call_mark, mark_of
from benchmarks.report.estimates import ratio_cell
from benchmarks.report.reasons import dash
from benchmarks.report.records import Cell, Dash, Quantity, Several, Table, Words
from benchmarks.saved.results import Case, Run

Pair = tuple[str, str]
"""Framework and mode."""


def pairs(cases: Iterable[Case]) -> list[Pair]:
    """(framework, mode) of the cases, each once, in the order of their appearance."""
    return list(dict.fromkeys((case.framework, case.mode) for case in cases))


def label(case: Case) -> str:
    return f"{case.framework} {case.mode}"


def find(cases: Iterable[Case], pair: Pair) -> Case | None:
    return next((case for case in cases if (case.framework, case.mode) == pair), None)


def best_of_each(cases: Sequence[Case], wanted: Mapping[str, Any]) -> list[Case]:
    """Each framework's fastest mode among the cases with the wanted parameters."""
    return [min(own, key=lambda case: case.typical) for own in of_each(cases, wanted).values()]


def of_each(cases: Sequence[Case], wanted: Mapping[str, Any]) -> dict[str, list[Case]]:
    """Framework, in alphabetical order -> its cases with the wanted parameters."""
    fitting = [case for case in cases if all(case.extra.get(key) == value for key, value in wanted.items())]
    return {name: [case for case in fitting if case.framework == name] for name in sorted({case.framework for case in fitting})}


def ratio(slower: Case, faster: Case, note: str = "") -> Quantity:
    """How many times longer one case takes than another, with its interval where the run has several processes."""
    return ratio_cell(ratio_interval(slower.medians, faster.medians), note)


def median_of(run: Run) -> str:
    return "median" if run.processes == 1 else f"median of {run.processes} processes"


def what_a_cell_is(run: Run) -> str:
    if run.processes == 1:
        return "Median [quartiles] of the rounds of one process."
    return f"Median [lowest, highest] of the medians of {run.processes} processes."


def median(run: Run, case: Case, note: Quantity | str = "", interval: tuple[float, float] | None = None) -> Quantity:
    """The median time of a case, marked if the case was disturbed."""
    return Quantity(case.median, SECONDS, interval, note, mark_of(run, case))


def time(run: Run, case: Case) -> Quantity:
    """The median, and how far the medians of the processes, or the rounds of the one process, lie apart."""
    if len(case.medians) > 1:
        return median(run, case, interval=(min(case.medians), max(case.medians)))
    if case.stats["rounds"] == 1:
        return median(run, case, note="one round")
    return median(run, case, interval=(case.stats["q1"], case.stats["q3"]))


def time_cell(run: Run, group: str, pair: Pair, batch: int | None = None) -> Cell:
    """The time of a group's case in this framework and mode, or a dash with its reason."""
    case = _case(run, group, pair, batch)
    return time(run, case) if case else dash(run, *pair, batch, group)


MAY_BE_COMPILED = "cases with the same graph ran before it in some processes, in a random order"

TRAINING = "train"
"""The groups whose names begin so train with the same graph, whatever their optimizer and however many steps they take."""


def first_call(run: Run, group: str, pair: Pair, batch: int | None = None) -> Quantity | Dash:
    """The first call of a group's case in this framework and mode, or a dash with its reason.

    A framework may find what another network of its process has compiled: PyTorch does where both run the same graph, as with two
    optimizers.  In a random order no case is always the first of them, and what was taken for a first call is none in some processes.
    """
    case = _case(run, group, pair, batch)
    seconds = case.extra.get("first_call_seconds") if case else None
    if case is None or seconds is None:
        return dash(run, *pair, batch, group)
    shuffled_graph = case.extra.get("dynamic_mode") and run.lenet5.get("shuffle") is not None
    if shuffled_graph and any(_graph(other) == _graph(case) for other in run.cases if other is not case):
        return Dash(MAY_BE_COMPILED)
    return Quantity(seconds, SECONDS, mark=first_call_mark(run, case))


def _graph(case: Case) -> tuple[str, Pair, object]:
    """What two cases have in common that run the same graph."""
    group = TRAINING if case.group.startswith(TRAINING) else case.group
    return group, (case.framework, case.mode), case.extra.get("batch")


def images_per_second(run: Run, group: str, pair: Pair) -> Cell:
    """Images that the median call of a group's case gets through in a second, or a dash with its reason."""
    case = find(run.group(group), pair)
    if not case:
        return dash(run, *pair, group=group)
    return Quantity(case.extra["batch"] / case.median, IMAGES_PER_SECOND, mark=mark_of(run, case))


IMAGES_PER_SECOND = units.Unit(units.significant, units.significant)


def by_batch(run: Run, group: str, first_calls: bool = False) -> Table:
    """Frameworks and modes in rows, the group's batch sizes in columns, and all first calls in a last one."""
    cases = run.group(group)
    batches = sorted({case.extra["batch"] for case in cases})
    rows: list[list[Cell]] = [
        [Words(" ".join(pair)), *(time_cell(run, group, pair, batch) for batch in batches)] for pair in pairs(cases)
    ]
    head = ["", *(f"batch {batch}" for batch in batches)]
    if first_calls:
        head.append(f"first call, batch {', '.join(map(str, batches))}")
        for row, pair in zip(rows, pairs(cases), strict=True):
            row.append(Several([first_call(run, group, pair, batch) for batch in batches]))
    return Table(head, rows, same=True)


def _case(run: Run, group: str, pair: Pair, batch: int | None) -> Case | None:
    return find((case for case in run.group(group) if batch is None or case.extra["batch"] == batch), pair)
