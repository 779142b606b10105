"""A small plot for each case: one line a framework and mode, the control beneath, gaps where circumstances differ.

Where there are more points than columns of pixels, a column shows the median of its medians and an area from its lowest to its highest end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone

import numpy as np
from numpy.typing import NDArray

from benchmarks.quantities import units
from benchmarks.report.drawing import Axis, Line, draw_above
from benchmarks.report.history.changes import MACHINE, Change
from benchmarks.report.history.lines import Case, History
from benchmarks.report.history.lines import Line as Points
from benchmarks.report.history.moments import By
from benchmarks.report.lines import neutral, tick_seconds
from benchmarks.report.records import Plot

Numbers = NDArray[np.float64]

COLUMNS = 300
"""Of pixels that a plot has."""

FEW_POINTS = 40
"""So many points of a line are drawn one by one, each with a bar for its interval; more are a line in an area."""

MOST_TICKS = 5

WIDE = 4.0
"""Times that differ by more than this factor stand on a logarithmic axis."""

NARROW = 0.05
"""Times that differ by less than this share have as much room on either side, so that their numbers on the axis differ."""

MARGIN = 0.04
"""Of the x axis, on either side."""

AXIS: Mapping[By, str] = {"commit": "commit, in the order of commits", "version": "versions", "date": "measured on"}

NO_CONTROL = "No control was measured beside it."


def plots(history: History, found: Sequence[Change]) -> list[Plot]:
    """One plot a case, in the order of the cases."""
    return [
        _plot(history, case, f"history-{number}", [one for one in found if one.case is case])
        for number, case in enumerate(history.cases)
    ]


def _plot(history: History, case: Case, name: str, found: Sequence[Change]) -> Plot:
    x = _x(history)
    upper = [_drawn(history, points, index) for index, points in enumerate(_merged(case.lines))]
    own = {place for line in case.lines for place in line.places}
    controls = [points for points in _merged(history.controls) if own & {place for part in points for place in part.places}]
    lower = [_drawn(history, points, index, relative=True) for index, points in enumerate(controls)]
    upright = sorted({one.after.at for one in found if one.verdict != MACHINE})
    svg = draw_above(name, (upper, _y(upper)), (lower, Axis("control", write="{:g}".format)), x, upright)
    return Plot(name, case.title, _caption(case, bool(upright), bool(lower)), svg)


def _caption(case: Case, changed: bool, controlled: bool) -> str:
    most = max(len(line.places) for line in case.lines)
    words = ["Lower is faster."]
    if most <= FEW_POINTS:
        words.append("Bars: quartiles of the rounds of one process, or lowest to highest of several.")
    elif most <= 2 * COLUMNS:
        words.append("Pale: quartiles of the rounds of one process, or lowest to highest of several.")
    else:
        words.append(
            f"{units.count(most)} points in {COLUMNS} columns: the line is the median of a column, pale is the range of all of its intervals."
        )
    if changed:
        words.append("Dashed: a change that the control did not make, too.")
    words.append("Below: the control, by its own median." if controlled else NO_CONTROL)
    return " ".join(words)


def _merged(lines: Sequence[Points]) -> list[list[Points]]:
    """Lines of one case, framework and mode together: they are drawn alike, with gaps between them."""
    found: dict[tuple[str, str, str], list[Points]] = {}
    for line in lines:
        found.setdefault((line.name, line.framework, line.mode), []).append(line)
    return list(found.values())


def _drawn(history: History, parts: Sequence[Points], index: int, relative: bool = False) -> Line:
    """The parts of one line, each by itself, with nothing between them."""
    first = parts[0]
    at = np.array([moment.at for moment in history.moments])
    level = float(np.median(np.concatenate([part.median for part in parts]))) if relative else 1.0
    ends = at[0], at[-1]
    drawn = [thinned(at[part.places], part.median / level, part.low / level, part.high / level, ends) for part in parts]
    gap = np.full((1, 4), np.nan)
    table = np.concatenate([piece for part in drawn for piece in (part, gap)][:-1])
    few = max(len(part.places) for part in parts) <= FEW_POINTS and sum(len(part.places) for part in parts) <= 2 * FEW_POINTS
    bars = [(float(low), float(high)) for low, high in table[:, 2:]]
    how = neutral(index)
    if not relative and first.framework in history.colours:
        modes = history.modes.get(first.framework, ())
        how = {"colour": history.colours[first.framework], "style": modes.index(first.mode) if first.mode in modes else index}
    return Line(
        f"{'control: ' if relative else ''}{first.mode if relative and first.mode else first.label}",
        [*map(float, table[:, 0])],
        [*map(float, table[:, 1])],
        width=1.2 if relative else 1.6,
        markers=few,
        intervals=bars if few else (),
        band=() if few else bars,
        **how,
    )


def thinned(at: Numbers, median: Numbers, low: Numbers, high: Numbers, ends: tuple[float, float]) -> Numbers:
    """Rows of x, median, low and high: those of the points, or where these are too many, of columns of pixels between the ends of the x axis."""
    if len(at) <= 2 * COLUMNS:
        return np.column_stack([at, median, low, high])
    first, last = ends
    column = np.minimum(((at - first) / (last - first) * COLUMNS).astype(int), COLUMNS - 1)
    begins = np.flatnonzero(np.diff(column, prepend=-1))
    middles = [np.median(part) for part in np.split(median, begins[1:])]
    return np.column_stack([at[begins], middles, np.minimum.reduceat(low, begins), np.maximum.reduceat(high, begins)])


# Axes


def _x(history: History) -> Axis:
    at = [moment.at for moment in history.moments]
    beside = MARGIN * (at[-1] - at[0]) or 0.5
    ends = at[0] - beside, at[-1] + beside
    if history.by == "date":
        ticks = np.linspace(at[0], at[-1], MOST_TICKS - 1) if at[-1] > at[0] else at[:1]
        days = at[-1] - at[0] > 3 * 86400
        return Axis(AXIS["date"], ticks=[*map(float, ticks)], write=_day if days else _minute, ends=ends)
    stride = -(-len(at) // (MOST_TICKS if history.by == "commit" else 3))
    chosen = range(0, len(at), stride)
    names = {at[number]: history.moments[number].label.replace(", ", ",\n") for number in chosen}
    return Axis(AXIS[history.by], ticks=[*names], write=lambda value: names.get(value, ""), ends=ends)


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).date().isoformat()


def _minute(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%m-%d %H:%M}"


def _y(lines: Sequence[Line]) -> Axis:
    times = np.concatenate([line.y for line in lines])
    least, most = float(np.nanmin(times)), float(np.nanmax(times))
    around = (least * (1 - NARROW), most * (1 + NARROW)) if most < (1 + NARROW) * least else None
    return Axis("time", "log" if most > WIDE * least else "linear", write=tick_seconds, ends=around)
