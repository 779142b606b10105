"""The report on a terminal: the comparison in a narrow table, where the rest is, what makes figures doubtful, and last the answer.

If the machine was disturbed, that comes before everything else.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.report import text
from benchmarks.report.parts.comparison import Row
from benchmarks.report.records import Answer, Report
from benchmarks.report.text import printable

COLUMNS = 80
"""What every terminal shows without breaking a line."""

GAP = "  "

NO_BREAK = "\u00a0"
"""Stands for a space at which no line may break."""

WIDTH = 19
"""Characters that a figure may have in one line: three of them and a title fit beside each other."""


def render(report: Report, introduction: str, comparison: Sequence[Row], files: Sequence[str]) -> str:
    """At most `COLUMNS` characters in a line, but for the paths of ``files``, which say where the whole report is.

    Of the comparison only what the original report printed: the rest is in the files.
    """
    rows = [row for row in comparison if row.printed] or comparison
    blocks = [
        _prose(report.disturbed),
        [*_prose(introduction), "", *_comparison(rows)] if rows else [],
        [*_prose(" · ".join(report.facts)), *map(printable, files)],
        [line for alarm in report.alarms for line in _prose(f"Warning: {text.alarm(alarm)}")],
        [
            *(line for answer in report.answers for line in _answer(answer)),
            *(line for sentence in report.summary for line in _prose(sentence)),
        ],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _prose(sentence: str) -> list[str]:
    return _wrapped(printable(sentence.replace("**", "")))


def _answer(answer: Answer) -> list[str]:
    """One question: the fastest with its time, and how many times as long the other frameworks take in their fastest modes."""
    first = f"{answer.fastest.label} {text.front(answer.fastest.time)}"
    others = [f"{one.framework} {text.front(one.ratio)}" for one in answer.contenders[1:] if one.ratio]
    together = [printable(words).replace(" ", NO_BREAK) for words in (first, *others)]
    return _wrapped(f"{printable(answer.question)}: {', '.join(together)}")


def _wrapped(words: str) -> list[str]:
    lines = textwrap.wrap(words, COLUMNS, break_on_hyphens=False, break_long_words=False)
    return [line.replace(NO_BREAK, " ") for line in lines]


# The comparison


def _comparison(rows: Sequence[Row]) -> Iterator[str]:
    """Frameworks in columns, as many beside each other as fit; below a figure what the original report printed."""
    lines = [line for row in rows for line in _lines(row)]
    titles = max(len(title) for title, _ in lines)
    frameworks = list(rows[0].measured)
    width = {name: max(len(printable(name)), *(len(cells.get(name, "")) for _, cells in lines)) for name in frameworks}
    beside: list[str] = []
    for name in frameworks:
        if beside and titles + sum(len(GAP) + width[one] for one in (*beside, name)) > COLUMNS:
            yield from _block(lines, beside, titles, width)
            beside = []
        beside.append(name)
    yield from _block(lines, beside, titles, width)
    for line in text.below(cell for row in rows for cell in row.measured.values()):
        yield from _prose(line)


def _lines(row: Row) -> Iterator[tuple[str, dict[str, str]]]:
    """The lines of one row: what stands at their left, and what each framework has there."""
    whole = {name: printable(text.whole(cell)) for name, cell in row.measured.items()}
    if max(map(len, whole.values())) <= WIDTH:
        yield row.short, whole
    else:
        yield row.short, {name: printable(text.front(cell)) for name, cell in row.measured.items()}
        yield "", {name: _cut(printable(text.behind(cell))) for name, cell in row.measured.items()}
    if row.printed:
        yield "  original report", {name: text.whole(quote) for name, quote in row.printed.items()}


def _cut(words: str) -> str:
    """What stands behind a figure, no longer than that may be; the files have the rest.   (compile_channels_last) -> (compile_channels…"""
    return words if len(words) <= WIDTH else f"{words[: WIDTH - 1]}…"


def _block(
    lines: Sequence[tuple[str, Mapping[str, str]]], frameworks: Sequence[str], titles: int, width: Mapping[str, int]
) -> Iterator[str]:
    for title, cells in [("", dict(zip(frameworks, map(printable, frameworks), strict=True))), *lines]:
        yield GAP.join([title.ljust(titles), *(cells.get(name, "").rjust(width[name]) for name in frameworks)]).rstrip()
