"""What a report is made of: plain records of numbers and words.  They become text once, in `markdown` and `page`, by way of `text`.

A cell is a quantity, words, a quote, several of these, or a dash with its reason.  Whatever the report decides (what sorts, what wins, what
to warn of) it decides on these numbers, never on a text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.quantities.statistics import Ratio
from benchmarks.quantities.units import Unit


@dataclass(frozen=True)
class Mark:
    """What makes a number doubtful that is shown all the same."""

    sign: str
    """Stands right behind the number."""
    what: str
    """Stands behind the sign below the table."""
    most: Quantity | None = None
    """How much of that there was; of several numbers the largest is told."""


@dataclass(frozen=True)
class Quantity:
    """A number with its unit."""

    value: float
    """In SI units: what a column sorts by."""
    unit: Unit
    interval: tuple[float, float] | None = None
    """Its low and its high end: of a confidence interval, of quartiles, or of a range; the section says which."""
    note: Quantity | str = ""
    """What stands behind it in brackets: the mode that it belongs to, or a second quantity, such as a ratio."""
    mark: Mark | None = None
    """What makes it doubtful."""


@dataclass(frozen=True)
class Words:
    """A cell that is no number."""

    text: str


@dataclass(frozen=True)
class Quote:
    """What the original report printed, to the letter."""

    text: str


@dataclass(frozen=True)
class Dash:
    """No number, and why there is none."""

    reason: str

    def __post_init__(self) -> None:
        if not self.reason:
            raise ValueError("a dash needs its reason")


@dataclass(frozen=True)
class Several:
    """Several values in one cell, in the order that its head names, such as the first calls at three batch sizes."""

    cells: Sequence[Quantity | Words | Dash]


@dataclass(frozen=True)
class Picture:
    """Something to look at: a PNG as base64, which a page alone shows."""

    png: str
    width: int
    """In pixels of the screen, as the height; a page makes it smaller where there is less room."""
    height: int
    alt: str
    """What is seen, in words."""


Cell = Quantity | Words | Quote | Dash | Several | Picture


@dataclass(frozen=True)
class Table:
    """A head and rows of cells; the first cell of a row names it."""

    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    same: bool = False
    """Whether all rows are the same quantity of different things: only then does sorting them say something."""
    square: bool = False
    """Whether the columns are the same things as the rows, so that the diagonal is what agrees: a page shades such a table."""


@dataclass(frozen=True)
class Alarm:
    """Something that makes numbers doubtful: what, by how much, the bound that it crossed, and what to do."""

    what: str
    measured: Quantity | None = None
    bound: Quantity | None = None
    advice: str = ""


Paragraph = str | Alarm
"""Prose, in which **bold** and `code` are marked as in Markdown; or a warning, which is shown at the top of the report instead."""


@dataclass(frozen=True)
class Section:
    """A heading, what to know before reading the table, the table, and what to know after."""

    title: str
    before: Sequence[Paragraph] = ()
    table: Table | None = None
    after: Sequence[Paragraph] = ()
    to_look_at: bool = False
    """Whether it says nothing without its pictures, so that a page alone has it."""


@dataclass(frozen=True)
class Plot:
    """A picture as an SVG element for a page, its title, and what to know in order to read it."""

    name: str
    """Begins every id in the SVG."""
    title: str
    caption: str
    svg: str


@dataclass(frozen=True)
class Contender:
    """A framework in its fastest mode, and how long that takes."""

    framework: str
    mode: str
    time: Quantity
    ratio: Quantity | None = None
    """How many times as long as the fastest it takes; the fastest itself has none."""

    @property
    def label(self) -> str:
        return f"{self.framework} {self.mode}"

    @property
    def even(self) -> bool:
        """Whether it cannot be told apart from the fastest."""
        return self.ratio is not None and Ratio(self.ratio.value, *(self.ratio.interval or (None, None))).even


@dataclass(frozen=True)
class Answer:
    """Which framework is fastest at one thing."""

    question: str
    contenders: Sequence[Contender]
    """The fastest first, at least one."""

    @property
    def fastest(self) -> Contender:
        return self.contenders[0]

    @property
    def undecided(self) -> list[Contender]:
        """The contenders that cannot be told apart from the fastest."""
        return [one for one in self.contenders[1:] if one.even]


@dataclass(frozen=True)
class Accuracy:
    """How many test images the network of one framework classifies correctly, and the interval of that share."""

    framework: str
    correct: int
    images: int
    interval: tuple[float, float]

    @property
    def share(self) -> float:
        return self.correct / self.images


@dataclass(frozen=True)
class Report:
    """All that a report says, in the order in which it is read.  What is empty is not shown."""

    title: str
    disturbed: str = ""
    """What the machine did beside the measurements, if that makes most figures doubtful: the very first line, even above the title."""
    facts: Sequence[str] = ()
    """What all figures depend on first of all, in a few words each."""
    alarms: Sequence[Alarm] = ()
    """What makes the figures of this run doubtful: above everything else."""
    summary: Sequence[str] = ()
    """The answer, in a few sentences."""
    answers: Sequence[Answer] = ()
    time_is: str = "median"
    """What the times of the answers are."""
    accuracies: Sequence[Accuracy] = ()
    notes: Sequence[Paragraph] = ()
    """How sure the answer is, and how to read it."""
    plots: Sequence[Plot] = ()
    sections: Sequence[Section] = ()
    colours: Mapping[str, str] = field(default_factory=dict)
    """Framework -> a word of the palette."""
