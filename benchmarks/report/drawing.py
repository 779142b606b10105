"""From lines of numbers to an SVG that lies inside a page: its ink is the page's own, its colours are the page's variables.

Text stays text, so that it takes the page's font and can be searched; the same lines give the same bytes.
"""

from __future__ import annotations

import io
import os
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

from benchmarks.report.no_backend import Axes, Canvas, FigureCanvasSVG, Line2D, matplotlib, ticker
from benchmarks.report.records import Plot
from benchmarks.report.text import printable
from benchmarks.saved.files import File

PALETTE = {
    "blue": "#0f62b4",
    "orange": "#bd5200",
    "green": "#007d5c",
    "purple": "#9a4a94",
    "olive": "#756300",
    "grey": "#5c6672",
}
"""Colours of frameworks, told apart by colour-blind eyes as well (after Okabe and Ito).  A page has variables of these names, ``--blue`` and
so on, with its own values for the dark."""

NEUTRAL = {"neutral-1": "#3b3f46", "neutral-2": "#80705f", "neutral-3": "#8a9099"}
"""Colours of what is no framework: techniques, kinds of work, pairs of frameworks.  Dash and marker tell their lines apart as well."""

STYLES: tuple[tuple[Any, str], ...] = (("-", "o"), ("--", "s"), (":", "^"), ("-.", "D"), ((0, (6, 1, 1, 1, 1, 1)), "v"))
"""Dash and marker, one pair a mode: what colour says is also said without it."""

INK = "#0f0001"
"""Stands for the page's text colour until the SVG is written."""

COLOURS = {**PALETTE, **NEUTRAL}
STAND_INS = {word: f"#0f01{index:02x}" for index, word in enumerate(COLOURS)}
"""Word -> what stands for the page's variable of that name until the SVG is written."""

RC: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "lenet5",
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # what the layout is measured with; it comes with matplotlib
    "font.size": 10.5,
    "axes.labelsize": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": INK,
    "grid.alpha": 0.13,
    "grid.linewidth": 0.8,
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "legend.handlelength": 2.4,
    "legend.columnspacing": 1.4,
    "legend.borderaxespad": 0.2,
    "path.simplify": False,
}

WIDTH_INCHES = 5.2
HEIGHT_INCHES = 3.1
EDGES_INCHES, NAME_INCHES = 0.7, 0.2
"""A plot of many rows grows by each of their names."""
LEGEND_ROW_INCHES = 0.21
LOWER_INCHES, LOWER_EDGES_INCHES = 0.95, 0.1
"""Of a second plot below the first."""
SVG_DPI = 72
"""Dots an inch: matplotlib's unit in an SVG is the point."""

LEGEND = ((3, 16), (2, 28))
"""Columns of the legend, and the longest label that they have room for."""


@dataclass(frozen=True)
class Line:
    """One line of a plot.  ``style`` counts from 0 and starts again at its end."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    colour: str = "neutral-1"
    """A word of `PALETTE` or `NEUTRAL`."""
    style: int = 0
    width: float = 1.8
    strength: float = 1.0
    """1 is opaque."""
    markers: bool = True
    joined: bool = True
    """False: points only."""
    round: bool = True
    """Its ends; a bar's are not."""
    intervals: Sequence[tuple[float, float]] = ()
    """The low and the high end at each point, upright, or lying if the points are in rows."""
    band: Sequence[tuple[float, float]] = ()
    """Likewise, as a pale area: for more points than there is room for bars."""
    rows: bool = False
    """x is measured, y only says in which row."""


@dataclass(frozen=True)
class Axis:
    """One axis: what it shows, how it is spaced, and how its numbers are written.  ``ticks`` fixes where there are numbers."""

    title: str
    scale: Literal["linear", "log"] = "linear"
    base: int = 10
    write: Callable[[float], str] = "{:g}".format
    ticks: Sequence[float] = ()
    whole: bool = False
    """Whole numbers only."""
    zero: bool = False
    """The axis begins at 0."""
    ends: tuple[float, float] | None = None
    """Where the axis begins and ends; None for around what is drawn."""
    names: Sequence[str] = ()
    """The rows, from the top; the y of a point is the number of its row."""


def draw(name: str, lines: Sequence[Line], x: Axis, y: Axis, level: tuple[float, str] | None = None, legend: bool = True) -> str:
    """Lines as an SVG element whose ids begin with ``name``; each line's own id is name-mark-0 and so on.

    ``level`` is a line across the plot at a value of what is measured, and what is written on it: level, or upright if the points are in
    rows.
    """
    lines = [replace(line, label=printable(line.label)) for line in lines]
    with _canvas(lines if legend else (), max(HEIGHT_INCHES, EDGES_INCHES + NAME_INCHES * len(y.names))) as (canvas, columns):
        axes = canvas.add_subplot()
        shown = [_add(axes, index, line) for index, line in enumerate(lines)]
        if level is not None and y.names:
            axes.axvline(level[0], color=INK, linewidth=1.2, dashes=(5, 3), gid="level")
        elif level is not None:
            axes.axhline(level[0], color=INK, linewidth=1.2, dashes=(5, 3), gid="level")
            axes.annotate(level[1], (0.01, level[0]), (0, 4), xycoords=("axes fraction", "data"), textcoords="offset points")
        _scale(axes, "x", x)
        _scale(axes, "y", y)
        if legend:
            canvas.legend(handles=shown, loc="outside lower center", ncols=columns)
        return _written(name, canvas)


def draw_above(
    name: str, upper: tuple[Sequence[Line], Axis], lower: tuple[Sequence[Line], Axis], x: Axis, upright: Sequence[float] = ()
) -> str:
    """Two plots with one x axis, the upper one larger, as an SVG element as `draw` makes it; without lines below, the upper one alone.

    The upper one has a dashed line ``upright`` at each of these x.  The lines of the lower one follow on those of the upper one in the legend.
    """
    both = [[replace(line, label=printable(line.label)) for line in lines] for lines, _ in (upper, lower)]
    named = [line for line in (*both[0], *both[1]) if line.label]
    below = LOWER_INCHES if both[1] else 0.0
    with _canvas(named, HEIGHT_INCHES + below) as (canvas, columns):
        ratios = [HEIGHT_INCHES - EDGES_INCHES, LOWER_INCHES - LOWER_EDGES_INCHES] if both[1] else [1]
        panels = canvas.subplots(len(ratios), 1, sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
        shown, begin = [], 0
        for axes, lines, (_, y) in zip(panels, both, (upper, lower), strict=False):
            shown += [_add(axes, begin + index, line) for index, line in enumerate(lines)]
            begin += len(lines)
            _scale(axes, "y", y)
        for index, at in enumerate(upright):
            panels[0].axvline(at, color=INK, linewidth=1.1, dashes=(4, 3), gid=f"upright-{index}")
        _scale(panels[-1], "x", x)
        canvas.legend(
            handles=[one for one, line in zip(shown, (*both[0], *both[1]), strict=True) if line.label],
            loc="outside lower center",
            ncols=columns,
        )
        return _written(name, canvas)


@contextmanager
def _canvas(named: Sequence[Line], height: float) -> Iterator[tuple[Canvas, int]]:
    """An empty drawing with room for a legend of these lines, and the columns of that; within the block matplotlib draws as this module says."""
    longest = max((len(line.label) for line in named), default=0)
    columns = next((columns for columns, width in LEGEND if longest <= width), 1)
    rows = -(-len(named) // columns)
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()  # whatever the user's own settings are
        matplotlib.rcParams.update(RC)
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # the page's own font may well have it
        yield Canvas((WIDTH_INCHES, height + LEGEND_ROW_INCHES * rows), SVG_DPI, layout="constrained"), columns


def _written(name: str, canvas: Canvas) -> str:
    """A finished drawing as an element of a page."""
    text = io.StringIO()
    metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    os.environ.pop(
        "SOURCE_DATE_EPOCH", None
    )  # a plot has no date; matplotlib reads the variable all the same, and fails where it is no number
    # Left to `savefig`, everything would be drawn twice: first unseen, to find the places.
    FigureCanvasSVG(canvas)
    if layout := canvas.get_layout_engine():
        layout.execute(canvas)
        canvas.set_layout_engine(None)
    canvas.savefig(text, format="svg", transparent=True, metadata=metadata)
    return _inline(name, text.getvalue())


def alone(svg: str, title: str) -> str:
    """An element that `draw` made as a file of its own, whose ink follows the reader's light or dark background."""
    root = ElementTree.fromstring(svg)
    root.attrib |= {"xmlns": "http://www.w3.org/2000/svg", "font-family": "DejaVu Sans, Verdana, sans-serif"}
    root.attrib.pop("aria-labelledby")
    style = ElementTree.Element("style")
    style.text = "svg{color:#1f2328}@media(prefers-color-scheme:dark){svg{color:#e6edf3}}"
    named = ElementTree.Element("title")
    named.text = printable(title)
    root[:0] = [named, style]
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def files(plots: Sequence[Plot], folder: Path | None) -> list[File]:
    """Each plot as a file of its own in a folder; none where there is no folder."""
    return (
        [File(folder / f"{plot.name}.svg", alone(plot.svg, plot.title), "name another --plots") for plot in plots] if folder else []
    )


def _add(axes: Axes, index: int, line: Line) -> Line2D:
    dash, marker = STYLES[line.style % len(STYLES)]
    colour = STAND_INS[line.colour]
    (drawn,) = axes.plot(
        line.x,
        line.y,
        label=line.label,
        gid=f"mark-{index}",
        color=colour,
        alpha=line.strength,
        linewidth=line.width,
        linestyle=dash if line.joined else "none",
        marker=marker if line.markers else "none",
        markersize=max(5.0, line.width + 2),
        markeredgewidth=0,
        clip_on=False,
        solid_capstyle="round" if line.round else "butt",
    )
    if line.intervals:
        low, high = zip(*line.intervals, strict=True)
        draw_lines, at = (axes.hlines, line.y) if line.rows else (axes.vlines, line.x)
        draw_lines(at, low, high, color=colour, alpha=line.strength, linewidth=1.6, gid=f"interval-{index}")
    if line.band:
        low, high = zip(*line.band, strict=True)
        axes.fill_between(line.x, low, high, color=colour, alpha=0.2 * line.strength, linewidth=0, gid=f"band-{index}")
    return drawn


def _scale(axes: Axes, which: Literal["x", "y"], axis: Axis) -> None:
    """Spacing, numbers and title of the x or the y axis."""
    if axis.scale == "log":
        axes.set(**{f"{which}scale": "log"})
    side = axes.xaxis if which == "x" else axes.yaxis
    side.set_label_text(axis.title)
    if axis.names:
        side.set_major_locator(ticker.FixedLocator(range(len(axis.names))))
        axes.set(**{f"{which}lim": (len(axis.names) - 0.5, -0.5)})
        axes.tick_params(which, length=0)
    elif axis.ticks:
        side.set_major_locator(ticker.FixedLocator(list(axis.ticks)))
    elif axis.scale == "log":
        low, high = sorted(side.get_view_interval())
        wide = high / low > 1e3
        subs = (1.0,) if axis.base != 10 or wide else (1.0, 2.0, 5.0)
        side.set_major_locator(ticker.LogLocator(axis.base, subs=subs, numticks=12))
    elif axis.whole:
        low, high = side.get_view_interval()
        axes.set(**{f"{which}lim": (min(low, round(low) - 0.5), max(high, round(high) + 0.5))} if high - low < 1 else {})
        side.set_major_locator(ticker.MaxNLocator(integer=True, min_n_ticks=1))
    if axis.ends:
        axes.set(**{f"{which}lim": axis.ends})
    side.set_minor_locator(ticker.NullLocator())
    if axis.names:
        side.set_major_formatter(ticker.FixedFormatter([printable(name) for name in axis.names]))
    else:
        side.set_major_formatter(ticker.FuncFormatter(lambda value, _: axis.write(value)))
    if axis.zero:
        axes.set(**{f"{which}lim": (0, None)})


def _inline(name: str, svg: str) -> str:
    """matplotlib's file as an element of an HTML page: no prolog, style sheet, size or font, and no id that another plot has too."""
    root = ElementTree.fromstring(svg)
    for parent in list(root.iter()):
        for child in [child for child in parent if child.tag.endswith(("}metadata", "}style"))]:
            parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {key.rpartition("}")[2]: _attribute(name, key, value) for key, value in element.attrib.items()}
    root.attrib = {"viewBox": root.attrib["viewBox"], "role": "img", "aria-labelledby": f"{name}-title"}
    return ElementTree.tostring(root, encoding="unicode")


def _attribute(name: str, key: str, value: str) -> str:
    if key == "id":
        return f"{name}-{value}"
    value = re.sub(r"^#|(?<=url\()#", f"#{name}-", value)
    if key == "style":
        value = re.sub(r"font-family: [^;]*; ", "", value).replace(INK, "currentColor")
        for word, stand_in in STAND_INS.items():
            value = value.replace(stand_in, f"var(--{word}, {COLOURS[word]})")
    return value
