"""What the parts share that show images: the trainings that kept some, what a class is called, and a picture as a cell of a table.

The report reads no data set and runs no network: labels, answers and pixels are those that the cases saved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.report.records import Dash, Picture
from benchmarks.saved.pictures import size
from benchmarks.saved.results import Case, Run

NOT_KEPT = Dash("the run kept no picture of this image: of many mistakes it keeps the surest and the narrowest")

MOST_LETTERS = 24
"""Of the name of a class."""


@dataclass(frozen=True)
class Classes:
    """What the classes of a data set say of an image: an aspect or several, each with the names of its values; empty where they say a number."""

    aspects: Sequence[tuple[str, Sequence[str]]]

    def parts(self, number: int) -> tuple[int, ...]:
        """Which value of each aspect a class is: the last aspect changes from each class to the next.  Raises ValueError for a class beyond the last."""
        found = []
        left = number
        for _, values in reversed(self.aspects):
            left, part = divmod(left, len(values))
            found.append(part)
        if left or not found:
            raise ValueError(f"class {number} has no name")
        return tuple(reversed(found))

    def name(self, number: int) -> str:
        """17 -> '3 blue', or 'class 17' where the data set declares no names."""
        try:
            return " ".join(values[part] for part, (_, values) in zip(self.parts(number), self.aspects, strict=True))
        except ValueError:
            return f"class {number}"


def classes_of(case: Case) -> Classes:
    """The classes as a training saved them; without names if not all that it met have one."""
    found = Classes([(_short(name), [*map(_short, values)]) for name, values in case.extra["aspects"] or ()])
    try:
        for number in {*case.extra["test_labels"], *case.extra["test_predictions"]}:
            found.parts(number)
    except ValueError:
        return Classes([])
    return found


def _short(name: str) -> str:
    """A name that has room in a heading."""
    return name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 1]}…"


def trainings(run: Run) -> list[Case]:
    """The trainings that say of each test image what it is, what the network said and how sure it was; those of the same images only.

    The network by hand comes first: what is shown of one network is shown of the first.
    """
    told = [case for case in run.group("train") if case.extra["test_labels"] and case.extra["test_probabilities"]]
    told.sort(key=lambda case: case.framework != run.by_hand)
    return [case for case in told if case.extra["test_labels"] == told[0].extra["test_labels"]]


def picture(case: Case, name: str, alt: str, scale: int) -> Picture | None:
    """The picture that a training kept under a name, so many times as large; None if it kept none.

    ``alt`` says in words what is seen.
    """
    for kept, png in case.extra["pictures"] or ():
        if kept == name and (found := size(png)):
            return Picture(png, found[0] * scale, found[1] * scale, alt)
    return None


def image_of(cases: Sequence[Case], number: int, alt: str, scale: int) -> Picture | Dash:
    """The picture of a test image from the first training that kept it; a dash if none did."""
    found = (picture(case, f"image {number}", alt, scale) for case in cases)
    return next((one for one in found if one), NOT_KEPT)
