"""What the plots of several parts share: lines in the colour of their framework and the dash of their mode, and how their axes are written.

Nothing is measured here; every mark is a value of the JSON or a ratio of two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from benchmarks.quantities import units
from benchmarks.quantities.statistics import CONFIDENCE, Ratio
from benchmarks.report.drawing import NEUTRAL, Axis, Line, draw
from benchmarks.report.records import Plot
from benchmarks.saved.results import Case, Run


def drawn(run: Run, *plots: Callable[[Run], Plot | None]) -> list[Plot]:
    """Those of the plots for which the run holds something."""
    return [found for plot in plots if (found := plot(run)) is not None]


# Lines


def line_of(run: Run, framework: str, mode: str, x: Sequence[float], y: Sequence[float], **how: Any) -> Line:
    """A line in the colour of its framework and the dash of its mode."""
    known = run.lenet5.get("modes", {}).get(framework, ())
    modes = list(dict.fromkeys([*known, *(case.mode for case in run.cases if case.framework == framework)]))
    how = {"colour": run.colours[framework], "style": modes.index(mode), **how}
    return Line(f"{framework} {mode}", list(x), list(y), **how)


def neutral(index: int) -> dict[str, Any]:
    """Colour and dash of a line that is no framework's: the first, second and so on of its plot."""
    return {"colour": tuple(NEUTRAL)[index % len(NEUTRAL)], "style": index}


def layer(index: int, count: int, step: float = 4.0) -> dict[str, Any]:
    """How to draw one of several lines or points that may lie on each other: the first large and pale, the last small and opaque."""
    return {"width": 1.4 + step * (count - 1 - index), "strength": 1.0 if index == count - 1 else 0.45}


def intervals_of(ratios: Iterable[Ratio]) -> list[tuple[float, float]]:
    """The intervals of ratios for the bars of a line; empty where they have none, which is so for all or for no ratio of a run."""
    return [(one.low, one.high) for one in ratios if one.low is not None and one.high is not None]


def bars(run: Run) -> str:
    """The sentence of a caption on intervals of ratios of times; empty where the run has none."""
    return f" Bars are {CONFIDENCE:.0%} intervals over {run.processes} processes." if run.processes > 1 else ""


# Time against batch size


def by_mode(cases: Iterable[Case]) -> dict[tuple[str, str], list[Case]]:
    """(framework, mode) -> its cases by rising batch size; the modes of a framework stand together."""
    found: dict[tuple[str, str], list[Case]] = {}
    for case in sorted(cases, key=lambda case: (case.framework, case.extra["batch"])):
        found.setdefault((case.framework, case.mode), []).append(case)
    return found


def batch_axis(lines: Iterable[Line]) -> Axis:
    """The axis of plots against the batch size, with a number at each size that was measured."""
    return Axis("images in one call", "log", 2, ticks=sorted({x for line in lines for x in line.x}))


def time_per_image_of(run: Run, group: str, name: str, title: str) -> Plot | None:
    """Time per image of every framework and mode of a group, against the batch size; None if the run does not hold the group."""
    lines = [
        line_of(run, *pair, [case.extra["batch"] for case in cases], [case.median / case.extra["batch"] for case in cases])
        for pair, cases in by_mode(run.group(group)).items()
    ]
    if not lines:
        return None
    caption = "Lower is faster. Median time of a call divided by the images in it; both axes are logarithmic."
    return Plot(name, title, caption, draw(name, lines, batch_axis(lines), Axis("time per image", "log", write=tick_seconds)))


# Numbers on axes


def tick_seconds(value: float) -> str:
    """0.01 -> '10 ms': a tick is a round number and needs no digits to say so."""
    return re.sub(r"\.0+(?= )", "", units.seconds(value))


def tick_percent(share: float) -> str:
    """0.9 -> '90 %'"""
    return f"{100 * share:.3g} %"
