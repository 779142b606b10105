"""What a saved value can be, in data: whole numbers, numbers, texts, lists and pairs of these, and the words for a value that is none.

A kind answers with the sentence that an error line ends with, or with None for a value that is right.  ``place`` says where the value
stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

MOST_COUNT = 10**15
"""The largest whole number that a file may hold: as a float it is still exact."""

PLAUSIBLE = (1e-12, 1e12)
"""What a time can be, in seconds.  It also keeps a damaged file from overflowing the arithmetic of the report."""

SHOWN_CHARACTERS = 60
"""How much of a wrong value an error line shows."""


class Kind(Protocol):
    """Something that a saved value has to be."""

    @property
    def right(self) -> str:
        """What would be right, after the word "expected"."""

    def fault(self, place: str, value: Any) -> str | None:
        """What is wrong with the value at this place: 'batch is 0; expected a whole number from 1 to ...'; None if nothing is."""


@dataclass(frozen=True)
class Whole:
    """An integer; True and False are none."""

    low: int = 0
    high: int = MOST_COUNT

    @property
    def right(self) -> str:
        return f"a whole number from {self.low:,} to {self.high:,}"

    def fault(self, place: str, value: Any) -> str | None:
        fits = isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high
        return None if fits else wrong(place, value, self.right)


@dataclass(frozen=True)
class Number:
    """An integer or a float in a range; True, False, NaN and infinity are none."""

    low: float
    high: float

    @property
    def right(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}"

    def fault(self, place: str, value: Any) -> str | None:
        fits = isinstance(value, (int, float)) and not isinstance(value, bool) and self.low <= value <= self.high
        return None if fits else wrong(place, value, self.right)


@dataclass(frozen=True)
class Text:
    """A text that is not blank."""

    @property
    def right(self) -> str:
        return "a text that is not empty"

    def fault(self, place: str, value: Any) -> str | None:
        return None if isinstance(value, str) and value.strip() else wrong(place, value, self.right)


@dataclass(frozen=True)
class ListOf:
    """Values of one kind in a row; a tuple, which JSON makes a list of, is one too."""

    each: Kind
    least: int = 1
    """How many values at least."""

    @property
    def right(self) -> str:
        return f"a list of at least {self.least} values, each {self.each.right}"

    def fault(self, place: str, value: Any) -> str | None:
        if not isinstance(value, (list, tuple)) or len(value) < self.least:
            return wrong(place, value, self.right)
        return _first_fault(place, value, [self.each] * len(value))


@dataclass(frozen=True)
class PairOf:
    """Two values, each of a kind of its own, as a list or a tuple."""

    first: Kind
    second: Kind

    @property
    def right(self) -> str:
        return f"a pair of {self.first.right} and {self.second.right}"

    def fault(self, place: str, value: Any) -> str | None:
        if not isinstance(value, (list, tuple)) or len(value) != 2:
            return wrong(place, value, self.right)
        return _first_fault(place, value, [self.first, self.second])


def wrong(place: str, value: Any, right: str) -> str:
    """The sentence about a wrong value.   -> "batch is '1'; expected a whole number from 1 to 10" """
    return f"{place} is {repr(value)[:SHOWN_CHARACTERS]}; expected {right}"


def _first_fault(place: str, values: Sequence[Any], kinds: Sequence[Kind]) -> str | None:
    faults = (kind.fault(f"{place}[{index}]", value) for index, (value, kind) in enumerate(zip(values, kinds, strict=True)))
    return next((fault for fault in faults if fault), None)


SECONDS = Number(*PLAUSIBLE)
NATS = Number(0, PLAUSIBLE[1])
SHARE = Number(0, 1)
COUNT, AT_LEAST_ONE, DIFFERENCE = Whole(0), Whole(1), Whole(-MOST_COUNT)
TEXT = Text()
