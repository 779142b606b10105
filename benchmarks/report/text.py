"""From records to text: how a cell, a warning and the signs below a table are written, for every form that a report takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from benchmarks.report.records import Alarm, Cell, Dash, Mark, Picture, Quantity, Quote, Several, Words

DASH = "—"

UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Characters that have no shape of their own: they steer a terminal, or hide or turn round the letters beside them."""


def visible(words: str) -> str:
    """Text for a file that somebody reads: what cannot be seen becomes U+FFFD, and half a surrogate pair, which JSON can hold, a question mark."""
    return UNSEEN.sub("\ufffd", words).encode("utf-8", "replace").decode()


def printable(words: str) -> str:
    """Text as one line for a terminal or a drawing: without what would steer a terminal, or what an XML file cannot hold."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in " ".join(words.split()))


def front(cell: Cell) -> str:
    """What stands out in a cell.   Quantity(0.00123, SECONDS, (0.0012, 0.0013)) -> '1.23 ms'; with a mark '1.23 ms†'"""
    match cell:
        case Quantity():
            within = cell.unit.within
            value = within(cell.value, *cell.interval) if within and cell.interval else cell.unit.show(cell.value)
            return f"{value}{cell.mark.sign if cell.mark else ''}"
        case Words() | Quote():
            return cell.text
        case Dash():
            return DASH
        case Several():
            return ", ".join(whole(one) for one in cell.cells)
        case Picture():
            return cell.alt


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
    measured, bound = (whole(one) if one else "" for one in (found.measured, found.bound))
    sentence = found.what
    if measured and measured == bound:
        sentence += f": just beyond the bound, {bound}"  # three digits do not show by how little
    else:
        sentence += (f": {measured}" if measured else "") + (f"; the bound is {bound}" if bound else "")
    return f"{sentence}. {found.advice}".strip()


def below(cells: Iterable[Cell]) -> list[str]:
    """The lines below a table that explain its signs: why cells are dashes, each reason once, and what the marks of numbers mean.

    -> ['— no compiler; not in this run', '† other programs ran on the CPUs while this was measured, on up to 0.93 CPUs']
    """
    singles = [part for cell in cells for one in (cell.cells if isinstance(cell, Several) else (cell,)) for part in _with_note(one)]
    reasons = dict.fromkeys(cell.reason for cell in singles if isinstance(cell, Dash))
    marks: dict[tuple[str, str], list[Mark]] = {}
    for mark in (cell.mark for cell in singles if isinstance(cell, Quantity) and cell.mark):
        marks.setdefault((mark.sign, mark.what), []).append(mark)
    return [*([f"{DASH} {'; '.join(reasons)}"] if reasons else []), *(_marks(*said, found) for said, found in marks.items())]


def _with_note(cell: Cell) -> tuple[Cell, ...]:
    """A cell, and the number in its brackets where there is one."""
    return (cell, cell.note) if isinstance(cell, Quantity) and isinstance(cell.note, Quantity) else (cell,)


def _marks(sign: str, what: str, marks: Sequence[Mark]) -> str:
    most = max((mark.most for mark in marks if mark.most), key=lambda one: one.value, default=None)
    return f"{sign} {what}{f', on up to {whole(most)}' if most else ''}"


def is_figures(cells: Iterable[Cell]) -> bool:
    """Whether a column is one of numbers: more than half of the cells that are no dashes; or all are dashes."""
    there = [cell for cell in cells if not isinstance(cell, Dash)]
    return not there or 2 * sum(isinstance(cell, Quantity | Several) for cell in there) > len(there)
