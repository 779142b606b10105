"""From records to text: how a cell, a warning and the reasons of dashes are written, for every form that a report takes."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.report.records import Alarm, Cell, Dash, Quantity, Quote, Several, Words

DASH = "—"


def front(cell: Cell) -> str:
    """What stands out in a cell.   Quantity(0.00123, SECONDS, (0.0012, 0.0013)) -> '1.23 ms'"""
    match cell:
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
    parts = [interval(cell)] if cell.interval else []
    return " ".join([*parts, f"({note})"] if note else parts)


def interval(cell: Quantity) -> str:
    """Both ends of a quantity's interval; empty where it has none.   -> '[1.20 ms, 1.30 ms]'"""
    return f"[{', '.join(map(cell.unit.end, cell.interval))}]" if cell.interval else ""


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


def reasons(cells: Iterable[Cell]) -> str:
    """Why those of the cells that are dashes are dashes, each reason once; empty without any.   -> '— no compiler; not in this run'"""
    singles = [one for cell in cells for one in (cell.cells if isinstance(cell, Several) else (cell,))]
    found = dict.fromkeys(cell.reason for cell in singles if isinstance(cell, Dash))
    return f"{DASH} {'; '.join(found)}" if found else ""


def is_figures(cells: Iterable[Cell]) -> bool:
    """Whether a column is one of numbers: more than half of the cells that are no dashes; or all are dashes."""
    there = [cell for cell in cells if not isinstance(cell, Dash)]
    return not there or 2 * sum(isinstance(cell, Quantity | Several) for cell in there) > len(there)
