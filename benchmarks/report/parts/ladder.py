"""What does each step from textbook loops to threads buy?  The network by hand, rung by rung, in time and in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from benchmarks.quantities.statistics import CONFIDENCE, ratio_interval
from benchmarks.quantities.units import BYTES, RATIO
from benchmarks.report.disturbance import mark_of
from benchmarks.report.drawing import Axis, Line, draw
from benchmarks.report.lines import bars, drawn, intervals_of, neutral
from benchmarks.report.reasons import dash
from benchmarks.report.records import Cell, Dash, Plot, Quantity, Section, Table, Words
from benchmarks.report.times import median, ratio
from benchmarks.saved.results import Case, Run

GROUP = "ladder"


def sections(run: Run) -> list[Section]:
    """One section, if this run measured any rung."""
    return [_rungs(run)] if run.group(GROUP) else []


# What is computed


def ladders(run: Run) -> dict[str, list[Case]]:
    """Question -> its rungs, from the lowest up."""
    found: dict[str, list[Case]] = {}
    for case in run.group(GROUP):
        found.setdefault(f"{case.extra['kind']}, batch {case.extra['batch']}", []).append(case)
    return found


def lowest(run: Run, rungs: Sequence[Case]) -> Case | None:
    """The reference mode, which all other rungs are compared with, if it was measured."""
    return next((case for case in rungs if (case.framework, case.mode) == run.reference), None)


# What is said


def _rungs(run: Run) -> Section:
    _, reference = run.reference
    alone = run.lenet5["threads"] == 1
    return Section(
        "The ladder by hand: what each rung buys",
        before=[
            "The ladder is the network by hand in steps, called rungs, from the textbook's loops, by which the original report computed, "
            f"to threads; every rung gives the same logits. {_what_a_ratio_is(run)}"
        ],
        table=Table(
            [
                "",
                "time",
                "times as fast as the rung above",
                f"times as fast as {reference}",
                "memory of a call",
                "times that of the rung above",
                f"times that of {reference}",
                "kept after it",
            ],
            [row for question, rungs in ladders(run).items() for row in _climb(run, question, rungs)],
        ),
        after=[
            *(["This run has one thread: the last two rungs are the same network, measured twice."] if alone else []),
            "Memory of a call is the most that a new network's first call of that size held at a time in arrays and Python objects "
            "(tracemalloc): its workspace and all that it computes in between, neither images nor weights nor the optimizer's state. "
            "Kept after it is the workspace that stays for the next call.",
        ],
    )


def _climb(run: Run, question: str, rungs: Sequence[Case]) -> Iterator[list[Cell]]:
    """A row a rung, each against the one above it in the table and against the reference."""
    bottom: Case | Dash | None = lowest(run, rungs)
    if bottom is None:
        bottom = dash(run, *run.reference, rungs[0].extra["batch"], GROUP)
    one_higher: list[Case | Dash] = [Dash("the first rung has none above it"), *rungs[:-1]]
    for above, case in zip(one_higher, rungs, strict=True):
        yield [
            Words(f"{question}: {case.mode}"),
            median(run, case),
            *(_faster(run, case, other) for other in (above, bottom)),
            Quantity(case.extra["traced_peak_bytes"], BYTES),
            *(_larger(case, other) for other in (above, bottom)),
            Quantity(case.extra["workspace_bytes"], BYTES),
        ]


def _faster(run: Run, case: Case, other: Case | Dash) -> Cell:
    """How many times as fast a rung is as another one; a dash where there is no other."""
    if isinstance(other, Dash):
        return other
    if other is case:
        return Dash("a rung is not compared with itself")
    return replace(ratio(other, case), mark=mark_of(run, case, other))


def _larger(case: Case, other: Case | Dash) -> Cell:
    """How many times as much memory a rung takes as another one; a dash where there is no other."""
    if isinstance(other, Dash):
        return other
    if other is case:
        return Dash("a rung is not compared with itself")
    held = other.extra["traced_peak_bytes"]
    return Quantity(case.extra["traced_peak_bytes"] / held, RATIO) if held else Dash("the other rung held no memory")


def _what_a_ratio_is(run: Run) -> str:
    if run.processes == 1:
        return "Ratios from one process, so without an interval."
    return f"Ratios of times with their {CONFIDENCE:.0%} intervals from {run.processes} processes."


# What is drawn


def plots(run: Run) -> list[Plot]:
    return drawn(run, ladder_time, ladder_memory)


def ladder_time(run: Run) -> Plot | None:
    """How many times as fast as the reference each rung is, question by question."""
    questions = {question: (rungs, bottom) for question, rungs in ladders(run).items() if (bottom := lowest(run, rungs))}
    if not questions:
        return None
    rows = _rows(rungs for rungs, _ in questions.values())
    lines = []
    for index, (question, (rungs, bottom)) in enumerate(questions.items()):
        ratios = [ratio_interval(bottom.medians, case.medians) for case in rungs]
        faster, at = [one.ratio for one in ratios], [rows.index(case.mode) for case in rungs]
        lines.append(Line(question, faster, at, intervals=intervals_of(ratios), rows=True, **neutral(index)))
    _, reference = run.reference
    caption = f"Right is faster. The same network by hand from {reference} down to threads; the axis is logarithmic.{bars(run)}"
    x = Axis(f"times as fast as {reference}", "log")
    return Plot("ladder-time", "By hand: time, rung by rung", caption, draw("ladder-time", lines, x, Axis("", names=rows)))


def ladder_memory(run: Run) -> Plot | None:
    """The most memory that a call holds on each rung, question by question."""
    traced = {question: [case for case in rungs if case.extra["traced_peak_bytes"]] for question, rungs in ladders(run).items()}
    questions = {question: rungs for question, rungs in traced.items() if rungs}  # the axis is logarithmic and has no 0
    if not questions:
        return None
    rows = _rows(questions.values())
    lines = [
        Line(
            question,
            [case.extra["traced_peak_bytes"] / 2**20 for case in rungs],
            [rows.index(case.mode) for case in rungs],
            rows=True,
            **neutral(index),
        )
        for index, (question, rungs) in enumerate(questions.items())
    ]
    caption = "Left is smaller. The most that a first call holds at a time in arrays and Python objects, its workspace included."
    x = Axis("memory of a call (MiB)", "log")
    return Plot("ladder-memory", "By hand: memory, rung by rung", caption, draw("ladder-memory", lines, x, Axis("", names=rows)))


def _rows(ladders: Iterable[Sequence[Case]]) -> list[str]:
    """The rungs, each once, from the lowest up."""
    return list(dict.fromkeys(case.mode for rungs in ladders for case in rungs))
