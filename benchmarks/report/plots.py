"""What the plots of all parts share: from cases to lines in a framework's colour and a mode's dash.

Nothing is measured here; every mark is a value of the JSON or a ratio of two.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from benchmarks.quantities import units
from benchmarks.quantities.statistics import Ratio
from benchmarks.report.drawing import Axis, Line, draw
from benchmarks.report.records import Plot
from benchmarks.saved.results import Case, Run

Figure = Plot
"""Its old name."""


def drawn(run: Run, *plots: Callable[[Run], Plot | None]) -> list[Plot]:
    """Those of the plots for which the run holds something."""
    return [found for plot in plots if (found := plot(run)) is not None]


def with_batch(run: Run, group: str) -> list[Case]:
    cases = [case for case in run.group(group) if is_positive(case.extra.get("batch"))]
    return sorted(cases, key=lambda case: case.extra["batch"])


def by_mode(cases: Iterable[Case]) -> dict[tuple[str, str], list[Case]]:
    """(framework, mode) -> its cases; the modes of a framework stand together."""
    found: dict[tuple[str, str], list[Case]] = {}
    for case in sorted(cases, key=lambda case: case.framework):
        found.setdefault((case.framework, case.mode), []).append(case)
    return found


def batches_of(lines: Iterable[Line]) -> list[float]:
    return sorted({x for line in lines for x in line.x})


def line_of(run: Run, framework: str, mode: str, x: Sequence[float], y: Sequence[float], **how: Any) -> Line:
    """A line in the colour of its framework and the dash of its mode."""
    own = [case for case in run.cases if case.framework == framework]
    own.sort(key=lambda case: case.extra.get("default_mode") is None)  # ways to run the network before tools that merely use it
    modes = list(dict.fromkeys(case.mode for case in own))
    how = {"colour": run.frameworks.index(framework), "style": modes.index(mode), **how}
    return Line(f"{framework} {mode}", list(x), list(y), **how)


def layer(index: int, count: int, step: float = 4.0) -> dict[str, Any]:
    """How to draw one of several lines or points that may lie on each other: the first large and pale, the last small and opaque."""
    return {"width": 1.4 + step * (count - 1 - index), "strength": 1.0 if index == count - 1 else 0.45}


def time_per_image_of(run: Run, group: str, name: str, title: str) -> Plot | None:
    lines = [
        line_of(run, *pair, [case.extra["batch"] for case in cases], [case.median / case.extra["batch"] for case in cases])
        for pair, cases in by_mode(with_batch(run, group)).items()
    ]
    if not lines:
        return None
    caption = "Lower is faster. Median time of a call divided by the images in it; both axes are logarithmic."
    batches = batches_of(lines)
    x, y = Axis("images in one call", "log", 2, ticks=batches), Axis("time per image", "log", write=tick_seconds)
    return Plot(name, title, caption, draw(name, lines, x, y))


def intervals_of(ratios: Iterable[Ratio]) -> list[tuple[float, float]]:
    return [(one.low, one.high) for one in ratios if one.low is not None and one.high is not None]


def tick_seconds(value: float) -> str:
    """0.01 -> '10 ms': a tick is a round number and needs no digits to say so."""
    return re.sub(r"\.0+(?= )", "", units.seconds(value))


def tick_percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def is_positive(value: Any) -> bool:
    return is_number(value) and value > 0


def are_numbers(values: Any) -> bool:
    """Is it a list of numbers, at least one?"""
    return isinstance(values, list) and bool(values) and all(map(is_number, values))
