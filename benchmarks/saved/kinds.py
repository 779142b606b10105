"""What a saved value can be: a whole number, a number, a text, or a list or an object of these; and the error line for any other value.

A kind knows which values are right.  Its ``fault`` gives the sentence about a wrong value, or None for a right one; ``place`` is where the
value stands in its file, such as "benchmarks[3].stats.median".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

MOST_COUNT = 10**15
"""The largest whole number that a file may hold: as a float it is still exact."""

PLAUSIBLE = (1e-12, 1e12)
"""What a time can be, in seconds.  It also keeps a damaged file from overflowing the arithmetic of the report."""

SHOWN_CHARACTERS = 60
"""How much of a wrong value an error line shows."""


class Kind(Protocol):
    """A description of the values that are right at some place."""

    @property
    def right(self) -> str:
        """What would be right, after the word "expected"."""

    def fault(self, place: str, value: Any) -> str | None:
        """The sentence about a wrong value: 'batch is 0; expected a whole number from 1 to ...'; None for a right one."""


@dataclass(frozen=True)
class Whole:
    """An integer in a range, both ends included; True and False, which Python counts as integers, are wrong."""

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
    """An integer or a float in a range, both ends included; True, False, NaN and infinity are wrong."""

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
    """A text; one of spaces only is empty."""

    empty: bool = False
    """Whether it can be empty."""

    @property
    def right(self) -> str:
        return "a text" if self.empty else "a text that is not empty"

    def fault(self, place: str, value: Any) -> str | None:
        return None if isinstance(value, str) and (self.empty or value.strip()) else wrong(place, value, self.right)


@dataclass(frozen=True)
class OneOf:
    """One of a few values, such as words, True and False, or None."""

    values: tuple[str | bool | None, ...]

    @property
    def right(self) -> str:
        return f"one of {', '.join(map(repr, self.values))}"

    def fault(self, place: str, value: Any) -> str | None:
        fits = any(value == one and type(value) is type(one) for one in self.values)
        return None if fits else wrong(place, value, self.right)


@dataclass(frozen=True)
class Either:
    """A value that is right for at least one of two kinds."""

    one: Kind
    other: Kind

    @property
    def right(self) -> str:
        return f"{self.one.right} or {self.other.right}"

    def fault(self, place: str, value: Any) -> str | None:
        return self.one.fault(place, value) and self.other.fault(place, value) and wrong(place, value, self.right)


@dataclass(frozen=True)
class ListOf:
    """A list of values of one kind; or a tuple, which JSON turns into a list."""

    each: Kind
    least: int = 1
    """The smallest number of values."""

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


@dataclass(frozen=True)
class Anything:
    """Any value."""

    right: str = "anything"

    def fault(self, place: str, value: Any) -> str | None:
        return None


@dataclass(frozen=True)
class MapOf:
    """An object, as JSON calls a mapping: any names, each with a value of one kind."""

    each: Kind = Anything()

    @property
    def right(self) -> str:
        return "an object" if isinstance(self.each, Anything) else f"an object, each of its values {self.each.right}"

    def fault(self, place: str, value: Any) -> str | None:
        if not isinstance(value, Mapping):
            return wrong(place, value, self.right)
        found = (self.each.fault(f"{place}.{str(name)[:SHOWN_CHARACTERS]}", one) for name, one in value.items())
        return next((fault for fault in found if fault), None)


@dataclass(frozen=True)
class Finite:
    """Any value without NaN and infinity in it, at any depth: Python writes these two, although JSON has no way to."""

    right: str = "anything but NaN and infinity"

    def fault(self, place: str, value: Any) -> str | None:
        left = [(place, value)]  # a list, not a recursion: a file may be nested more deeply than Python's calls
        while left:
            place, value = left.pop()
            if isinstance(value, Mapping):
                left += reversed([(f"{place}.{str(name)[:SHOWN_CHARACTERS]}", one) for name, one in value.items()])
            elif isinstance(value, (list, tuple)):
                left += reversed([(f"{place}[{index}]", one) for index, one in enumerate(value)])
            elif isinstance(value, float) and not math.isfinite(value):
                return wrong(place, value, self.right)
        return None


def wrong(place: str, value: Any, right: str) -> str:
    """The sentence about a wrong value.   -> "batch is '1'; expected a whole number from 1 to 10" """
    return f"{place} is {shown(value)}; expected {right}"


def shown(value: Any) -> str:
    """A value in an error line: cut where it is long, and its type alone where it is nested too deeply to be written."""
    try:
        return repr(value)[:SHOWN_CHARACTERS]
    except RecursionError:
        return f"a {type(value).__name__} that is nested too deeply"


def fault_in(values: Mapping[str, Any], name: str, kind: Kind, needed: bool = True) -> str | None:
    """The sentence about the value of that name if it is wrong, or missing although it is ``needed``; else None."""
    if name in values:
        return kind.fault(name, values[name])
    return f"{name} is missing; expected {kind.right}" if needed else None


def _first_fault(place: str, values: Sequence[Any], kinds: Sequence[Kind]) -> str | None:
    for index, (value, kind) in enumerate(zip(values, kinds, strict=True)):
        if fault := kind.fault(f"{place}[{index}]", value):
            return fault
    return None


SECONDS = Number(*PLAUSIBLE)
NATS = Number(0, PLAUSIBLE[1])
SHARE = Number(0, 1)
COUNT, AT_LEAST_ONE, DIFFERENCE = Whole(0), Whole(1), Whole(-MOST_COUNT)
TEXT, WORDS = Text(), Text(empty=True)
OBJECT = MapOf()
