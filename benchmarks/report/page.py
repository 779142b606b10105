"""The report as one self-contained page: what the Markdown says, the plots, and nothing from anywhere else.

The page loads nothing and cannot: its policy forbids every request and every script but its own.  The same report gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from benchmarks.quantities.statistics import CONFIDENCE
from benchmarks.quantities.units import SHARE
from benchmarks.report import text
from benchmarks.report.drawing import PALETTE
from benchmarks.report.records import Accuracy, Answer, Cell, Picture, Quantity, Quote, Report, Several, Table

TEMPLATES = Path(__file__).parent / "templates"

PROSE = 60
"""Characters in a cell from which on its column needs room to wrap in."""


@dataclass(frozen=True)
class Column:
    """A column: its head, and whether it holds figures, what the original report printed, or prose."""

    head: str
    figures: bool
    quoted: bool
    prose: bool


def render(report: Report) -> str:
    """The page of a report."""
    script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    words = _template().render(
        report=report,
        plots=[(plot, Markup(plot.svg)) for plot in report.plots],
        colours={framework: word if word in PALETTE else "grey" for framework, word in report.colours.items()},
        scale=scale(report.accuracies),
        confidence=f"{CONFIDENCE:.0%}",
        style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    return text.visible(words)


@cache
def _template() -> jinja2.Template:
    """The page's template, compiled once a process: that takes as long as all else that a small report needs."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(prose=prose, front=text.front, behind=text.behind, interval=text.interval, alarm=text.alarm)
    environment.filters.update(columns=columns, sorts_by=sorts_by, kind=kind, below=_below)
    environment.filters.update(share=share, accuracy=accuracy, pictured=pictured, shades=shades)
    return environment.get_template("report.html.j2")


# Tables


def columns(table: Table) -> list[Column]:
    """What each column holds."""
    found = []
    for index, head in enumerate(table.head):
        cells = [row[index] for row in table.rows]
        figures = index > 0 and text.is_figures(cells)
        quoted = any(isinstance(cell, Quote) for cell in cells)
        prose = not figures and any(len(text.whole(cell)) > PROSE for cell in cells if not isinstance(cell, Picture))
        found.append(Column(head, figures, quoted, prose))
    return found


def sorts_by(cell: Cell) -> float | None:
    """The number that a cell sorts by; None for one that sorts by its words, or has no number."""
    if isinstance(cell, Several):
        return next((one.value for one in cell.cells if isinstance(one, Quantity)), None)
    return cell.value if isinstance(cell, Quantity) else None


def kind(cell: Cell) -> str:
    """How the template tells cells apart.   Dash('why') -> 'dash'"""
    return type(cell).__name__.lower()


def pictured(table: Table) -> bool:
    """Whether there is something to look at in it."""
    return any(isinstance(cell, Picture) for row in table.rows for cell in row)


def shades(table: Table) -> list[list[float | None]]:
    """How strongly each cell of a square table is shaded, from 0 to 1, by the largest number off the diagonal; None on it and in the first column."""
    beside = [
        [None if at in (0, row + 1) else sorts_by(cell) or 0 for at, cell in enumerate(cells)]
        for row, cells in enumerate(table.rows)
    ]
    most = max((one for row in beside for one in row if one), default=1)
    return [[None if one is None else round(one / most, 3) for one in row] for row in beside]


def _below(table: Table) -> list[str]:
    return text.below(cell for row in table.rows for cell in row)


# Cards


def share(answer: Answer, index: int) -> float:
    """How long the bar of a contender is, from 0 to 1: its ratio by that of the slowest."""
    ratios = [one.ratio.value if one.ratio else 1.0 for one in answer.contenders]
    return round(ratios[index] / max(ratios), 4)


def scale(shown: Sequence[Accuracy]) -> tuple[int, int]:
    """Where the accuracies' common axis begins and ends, in whole per cent: multiples of 5 around all intervals."""
    if not shown:
        return 0, 100
    low, high = min(one.interval[0] for one in shown), max(one.interval[1] for one in shown)
    return int(low * 20) * 5, min(100, int(high * 20) * 5 + 5)


def accuracy(one: Accuracy) -> Quantity:
    """The share with its interval."""
    return Quantity(one.share, SHARE, one.interval)


def prose(words: str) -> Markup:
    """Text with its **bold** and its `code` as HTML, everything else escaped."""
    safe = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", str(escape(words)))
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", safe))
