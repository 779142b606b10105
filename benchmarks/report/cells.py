"""A table's finished text, read once more for a page: which cells are numbers, quotes or missing, and what a column sorts by.

The report decides what a cell says and Markdown shows it as it is; a page can also align, tint and sort it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.report.records import Table
from benchmarks.report.text import DASH, whole

FACTORS = {
    **{"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "%": 1e-2},
    **{"B": 1.0, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30, "kB": 1e3, "MB": 1e6, "GB": 1e9},
    **{
        f"{prefix}FLOP{end}": factor
        for prefix, factor in (("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12))
        for end in ("", "s", "/s")
    },
}
"""Unit -> its size in SI; any other word after a number leaves it as it is."""

NUMBER = re.compile(r"([<>~±+-]?)\s?(\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?)(?=[\s,;\])%]|$)\s?([^\W\d][\w/]*|%)?", re.IGNORECASE)


@dataclass(frozen=True)
class Cell:
    """One cell: what stands out in it, what stands behind that in small, and the number that it sorts by, if it is one."""

    text: str
    detail: str = ""
    kind: Literal["plain", "quote", "missing"] = "plain"
    value: float | None = None
    reason: str = ""
    """Why there is no figure; never empty if missing."""


@dataclass(frozen=True)
class Column:
    """A column: its head, whether it holds figures, figures of somebody else, or prose."""

    head: str
    figures: bool
    quoted: bool
    prose: bool


@dataclass(frozen=True)
class Grid:
    """A table with its columns understood."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]

    @property
    def headed(self) -> bool:
        return any(column.head for column in self.columns)

    @property
    def sortable(self) -> bool:
        return self.headed and len(self.rows) > 1


def grid(table: Table, why: Callable[[str, str], str]) -> Grid:
    """Understand a table.  ``why(row, column)`` says why a cell that is a dash, or empty, has no figure."""
    rows = [[_cell(whole(it), why, whole(row[0]), head) for head, it in zip(table.head, row, strict=True)] for row in table.rows]
    columns = [_column(head, [row[index] for row in rows]) for index, head in enumerate(table.head)]
    return Grid(columns, [[_fitting(cell, column) for cell, column in zip(row, columns, strict=True)] for row in rows])


def number(text: str) -> float | None:
    """The number that a text begins with, in SI units; None if it begins with none.   '1.23 ms [1.20, 1.30]' -> 0.00123"""
    found = NUMBER.match(text)
    if not found:
        return None
    sign, digits, unit = found.groups()
    return float(digits.replace(",", "")) * FACTORS.get(unit, 1.0) * (-1 if sign == "-" else 1)


def _cell(text: str, why: Callable[[str, str], str], row: str, head: str) -> Cell:
    text = text.strip()
    if text in ("", DASH):
        return Cell(DASH, kind="missing", reason=why(row, head))
    if len(text) > 1 and text[0] == text[-1] == '"':
        return Cell(text[1:-1], kind="quote", value=number(text[1:-1]))
    front, *_ = re.split(r"(?= [\[(])", text, maxsplit=1)
    return Cell(front, text[len(front) :], value=number(text))


def _column(head: str, cells: Sequence[Cell]) -> Column:
    there = [cell for cell in cells if cell.kind != "missing"]
    numbers = [cell for cell in there if cell.value is not None]
    return Column(
        head,
        figures=len(numbers) * 2 > len(there),
        quoted=any(cell.kind == "quote" for cell in there),
        prose=any(len(cell.text) + len(cell.detail) > 60 for cell in there),
    )


def _fitting(cell: Cell, column: Column) -> Cell:
    """Outside a column of figures nothing stands behind in small and nothing sorts as a number."""
    if column.figures or cell.kind == "missing":
        return cell
    return Cell(cell.text + cell.detail, kind=cell.kind)
