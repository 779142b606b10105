"""Where does the time of a prediction go?  The parts of one call in each framework, as its own profiler names them."""

from __future__ import annotations

from math import nan

from benchmarks.quantities import units
from benchmarks.quantities.units import SECONDS
from benchmarks.report.disturbance import mark_of
from benchmarks.report.drawing import Axis, Line, draw
from benchmarks.report.records import Cell, Dash, Plot, Quantity, Section, Table, Words
from benchmarks.report.times import median
from benchmarks.saved.results import Case, Run

GROUP = "where"

KINDS = ("convolution", "pooling", "dense", "activation", "fused", "copies", "other", "between")
"""What a part of a call does, in the order of the columns; a run may have further ones."""

LOOKS = [(f"neutral-{number}", strength) for strength in (1.0, 0.55, 0.25) for number in (1, 2, 3)]
"""Colour and strength of each kind's bars: no framework's colour, as every framework has all kinds."""

LONGEST = 3
"""Kernels that a row names."""

NONE_OF_IT = Dash("no kernel of that kind, by the name that the profiler gives it")


def sections(run: Run) -> list[Section]:
    """One section, if this run profiled anything."""
    return [_table(run)] if run.group(GROUP) else []


# What is computed


def kinds(run: Run) -> list[str]:
    """The kinds that some call has a part of, in their order."""
    found = dict.fromkeys(kind for case in run.group(GROUP) for _, (kind, _) in case.extra["kernels"])
    return [*(kind for kind in KINDS if kind in found), *(kind for kind in found if kind not in KINDS)]


def seconds_of(case: Case, kind: str) -> float:
    """What all kernels of a kind take in the median call."""
    return float(sum(seconds for _, (one, seconds) in case.extra["kernels"] if one == kind))


# What is said


def _table(run: Run) -> Section:
    shown = kinds(run)
    return Section(
        "Where the time of a prediction goes",
        before=[
            "The parts of one call, the median one of those that each framework's own profiler saw, in a process of its own. A moment in which "
            "several threads run a kernel each belongs to each of them in equal shares; 'between' is where no kernel runs. The parts are "
            "the whole call. A profiler slows what it watches: the column 'without' is the same call without it."
        ],
        table=Table(
            ["", "profiled", "without", *shown, "longest kernels", "profiler"],
            [_row(run, case, shown) for case in run.group(GROUP)],
        ),
        after=[
            "'fused' is what a compiler has made one kernel of. An activation that is part of a convolution's kernel counts as that."
        ],
    )


def _row(run: Run, case: Case, shown: list[str]) -> list[Cell]:
    mark = mark_of(run, case)
    longest = sorted(case.extra["kernels"], key=lambda part: -part[1][1])
    named = [f"{name} ({units.seconds(seconds)})" for name, (kind, seconds) in longest if kind != "between" and seconds > 0]
    parts = [seconds_of(case, kind) for kind in shown]
    return [
        Words(f"{case.framework} {case.mode}, batch {case.extra['batch']}"),
        median(run, case),
        Quantity(case.extra["plain_seconds"], SECONDS, mark=mark),
        *(Quantity(part, SECONDS, mark=mark) if part > 0 else NONE_OF_IT for part in parts),
        Words("; ".join(named[:LONGEST]) or "none"),
        Words(case.extra["profiler"]),
    ]


# What is drawn


def plots(run: Run) -> list[Plot]:
    """One picture a batch."""
    batches = sorted({case.extra["batch"] for case in run.group(GROUP)})
    return [_bars(run, batch) for batch in batches]


def _bars(run: Run, batch: int) -> Plot:
    """A bar a framework, stacked by kind, from the left to the right as in the table."""
    cases = [case for case in run.group(GROUP) if case.extra["batch"] == batch]
    shown = kinds(run)
    lines = []
    for index, kind in enumerate(shown):
        x: list[float] = []
        y: list[float] = []
        for row, case in enumerate(cases):
            left = sum(seconds_of(case, before) for before in shown[:index])
            x += [1e3 * left, 1e3 * (left + seconds_of(case, kind)), nan]
            y += [row, row, nan]
        colour, strength = LOOKS[index % len(LOOKS)]
        lines.append(Line(kind, x, y, colour, width=11, strength=strength, markers=False, round=False))
    name = f"where-{batch}"
    rows = [f"{case.framework} {case.mode}" for case in cases]
    svg = draw(name, lines, Axis("ms", zero=True), Axis("", names=rows))
    caption = (
        "Left is faster. One call in each framework, by what its kernels do, as its own profiler names them; each under its profiler, which "
        "takes time too."
    )
    return Plot(name, f"Where the time goes: a prediction of {batch} images", caption, svg)
