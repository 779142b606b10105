"""The report as Markdown that a terminal shows as well as a browser."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from benchmarks.report import text
from benchmarks.report.records import (
    Alarm,
    Answer,
    Cell,
    Dash,
    Paragraph,
    Picture,
    Quantity,
    Report,
    Section,
    Several,
    Table,
    Words,
)
from lenet5.errors import complain

ALONE = Dash("nothing was compared with it")


def render(report: Report) -> str:
    """The whole report."""
    lines = [_escaped(report.disturbed)] if report.disturbed else []
    lines += [f"# {_escaped(report.title)}", *([_escaped(" · ".join(report.facts))] if report.facts else [])]
    lines += map(_paragraph, report.alarms)
    lines += map(_escaped, report.summary)
    lines += _table(_answers(report.answers, report.time_is)) if report.answers else []
    lines += map(_paragraph, report.notes)
    return "".join(f"{line}\n\n" for line in lines) + "".join(section(one) for one in report.sections if not one.to_look_at)


def add_to_job_summary(written: str) -> None:
    """Append to the page that GitHub Actions shows of a job; anywhere else, do nothing.  Where that fails, a line on standard error says so."""
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with open(summary, "a", encoding="utf-8") as file:
                file.write(written)
        except OSError as error:
            complain(f"Warning: $GITHUB_STEP_SUMMARY {summary}: cannot be written ({error.strerror}); the job has no summary")


def section(found: Section) -> str:
    """One section: its heading, its prose and its table."""
    return f"## {_escaped(found.title)}\n\n{body(found)}"


def body(found: Section) -> str:
    """A section without its heading, for a page that has a heading already."""
    lines = [*map(_paragraph, found.before), *(_table(found.table) if found.table else [])]
    return "".join(f"{line}\n\n" for line in (*lines, *map(_paragraph, found.after)))


def _answers(answers: Sequence[Answer], time_is: str) -> Table:
    """A row a question: the fastest, how long it takes, and how many times as long the others do."""

    def others(answer: Answer) -> Cell:
        ratios = [_with_note(one.ratio, one.label) for one in answer.contenders[1:] if one.ratio]
        return Several(ratios) if ratios else ALONE

    rows = [(Words(one.question), Words(one.fastest.label), one.fastest.time, others(one)) for one in answers]
    return Table(["", "fastest", time_is, "the others take"], rows)


def _with_note(ratio: Quantity, note: str) -> Quantity:
    return Quantity(ratio.value, ratio.unit, ratio.interval, note)


def _paragraph(line: Paragraph) -> str:
    """A paragraph, in which a warning stands out in bold."""
    return f"**Warning: {_escaped(text.alarm(line))}**" if isinstance(line, Alarm) else _escaped(line)


def _escaped(words: str) -> str:
    """Text from a JSON as text in Markdown: no table, line, tag or link of its own."""
    words = text.visible(words)
    for character, harmless in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "\\|"), ("](", "]\\(")):
        words = words.replace(character, harmless)
    return " ".join(words.split())


def _without_pictures(table: Table) -> Table:
    """The table without the columns that hold pictures."""
    kept = [at for at in range(len(table.head)) if not any(isinstance(row[at], Picture) for row in table.rows)]
    return Table([table.head[at] for at in kept], [[row[at] for at in kept] for row in table.rows])


def _table(table: Table) -> Iterator[str]:
    """A table whose columns line up, numbers to the right, and below it why cells are dashes and what marks mean; without its pictures."""
    table = _without_pictures(table)
    cells = [[_escaped(text.whole(cell)) for cell in row] for row in (map(Words, table.head), *table.rows)]
    columns = range(len(table.head))
    widths = [max(3, *(len(row[column]) for row in cells)) for column in columns]
    right = [column > 0 and text.is_figures(row[column] for row in table.rows) for column in columns]

    def line(row: Sequence[str]) -> str:
        return f"| {' | '.join(row[at].rjust(widths[at]) if right[at] else row[at].ljust(widths[at]) for at in columns)} |"

    rule = ["-" * (widths[at] - 1) + ":" if right[at] else "-" * widths[at] for at in columns]
    yield "\n".join([line(cells[0]), f"| {' | '.join(rule)} |", *map(line, cells[1:])])
    yield from map(_escaped, text.below(cell for row in table.rows for cell in row))
