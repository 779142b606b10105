"""The report as Markdown that a terminal shows as well as a browser."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import jinja2

from benchmarks.report.records import Section, Table
from benchmarks.report.text import paragraph, whole


def render(parts: Iterable[Section]) -> str:
    """Sections as Markdown whose tables are aligned, so that a terminal shows them as well as a browser."""
    environment = jinja2.Environment(  # no autoescape: Markdown has its own, `_escaped`
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"), trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["aligned"] = _aligned
    environment.filters["escaped"] = _escaped
    environment.filters["paragraph"] = paragraph
    return environment.get_template("report.md.j2").render(sections=list(parts))


def _escaped(text: str) -> str:
    """Text from a JSON as text in Markdown: no table, line or tag of its own."""
    text = text.encode("utf-8", "replace").decode()  # half a surrogate pair is valid in JSON, not in a file
    for character, harmless in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "\\|")):
        text = text.replace(character, harmless)
    return " ".join(text.split())


def _aligned(table: Table) -> str:
    """A Markdown table whose columns line up: the first to the left, the others to the right."""
    cells = [[_escaped(whole(cell)) for cell in row] for row in (table.head, *table.rows)]
    widths = [max(3, *(len(row[column]) for row in cells)) for column in range(len(table.head))]
    prose = any(len(cell) > 60 for row in cells for cell in row)

    def line(row: Sequence[str]) -> str:
        padded = [
            cell.ljust(width) if prose or not column else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return f"| {' | '.join(padded)} |"

    rule = [("-" * width) if prose or not column else "-" * (width - 1) + ":" for column, width in enumerate(widths)]
    return "\n".join([line(cells[0]), f"| {' | '.join(rule)} |", *(line(row) for row in cells[1:])])
