"""From records to text: how a cell and a warning are written, for Markdown and page alike."""

from __future__ import annotations

from benchmarks.report.records import Alarm, Cell, Dash, Paragraph, Quantity, Quote, Several, Words

DASH = "—"


def front(cell: Cell) -> str:
    """What stands out in a cell.   Quantity(0.00123, SECONDS, (0.0012, 0.0013)) -> '1.23 ms'"""
    match cell:
        case str():
            return cell
        case Quantity():
            return cell.unit.show(cell.value)
        case Words() | Quote():
            return cell.text
        case Dash():
            return DASH
        case Several():
            return ", ".join(whole(one) for one in cell.cells)


def behind(cell: Cell) -> str:
    """What stands behind that in small: the interval, then the note.   -> '[1.20 ms, 1.30 ms] (eager)'"""
    if not isinstance(cell, Quantity):
        return ""
    note = whole(cell.note) if isinstance(cell.note, Quantity) else cell.note
    parts = []
    if cell.interval:
        parts.append(f"[{', '.join(map(cell.unit.end, cell.interval))}]")
    if note:
        parts.append(f"({note})")
    return " ".join(parts)


def whole(cell: Cell) -> str:
    """The cell in one line.   -> '1.23 ms [1.20 ms, 1.30 ms] (eager)'"""
    words = f'"{cell.text}"' if isinstance(cell, Quote) else front(cell)
    return f"{words} {behind(cell)}".strip()


def alarm(found: Alarm) -> str:
    """A warning in one paragraph.   -> 'The control took longer: 1.31 x; the bound is 1.10 x. Measure again.'"""
    sentence = found.what
    if found.measured:
        sentence += f": {whole(found.measured)}"
    if found.bound:
        sentence += f"; the bound is {whole(found.bound)}"
    return f"{sentence}. {found.advice}".strip()


def paragraph(line: Paragraph) -> str:
    """A paragraph, in which a warning stands out in bold."""
    return f"**Warning: {alarm(line)}**" if isinstance(line, Alarm) else line
