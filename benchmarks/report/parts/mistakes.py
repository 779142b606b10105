"""What do the trained networks get wrong?  What is taken for what, the surest mistakes, and the images that implementations disagree on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from benchmarks.quantities.units import COUNT, SHARE, counted
from benchmarks.report.records import Cell, Picture, Plot, Quantity, Section, Several, Table, Words
from benchmarks.report.sight import Classes, classes_of, image_of, trainings
from benchmarks.report.times import label
from benchmarks.saved.results import Case, Run

MOST_COLUMNS = 20
"""Of a table of what is taken for what; of more values the most frequent mistakes are listed instead."""

MOST_FREQUENT = 10
MOST_IMAGES = 8

SCALE = 2
"""Screen pixels for a pixel of a test image."""

RIGHT = "\u00a0✓"
"""Stands behind an answer that is right."""

HOW_TO_READ = (
    "Images are numbered from 0. Behind what a network said stands how sure it was: the probability that it gave this class."
)


def sections(run: Run) -> list[Section]:
    cases = trainings(run)
    if not cases:
        return []
    classes = classes_of(cases[0])
    return [*_confusions(cases[0], classes), *_surest(cases, classes), *_disagreements(cases, classes)]


def plots(run: Run) -> list[Plot]:
    return []


# What is taken for what


def _confusions(case: Case, classes: Classes) -> Iterator[Section]:
    """A section for each aspect of the classes, or one for classes that are numbers."""
    pairs = list(zip(case.extra["test_labels"], case.extra["test_predictions"], strict=True))
    if not classes.aspects:
        yield _confusion(case, "class", pairs, sorted({number for pair in pairs for number in pair}), str)
    for index, (name, values) in enumerate(classes.aspects):
        parts = [(classes.parts(actual)[index], classes.parts(said)[index]) for actual, said in pairs]
        yield _confusion(case, name, parts, range(len(values)), values.__getitem__)


def _confusion(
    case: Case, what: str, pairs: Sequence[tuple[int, int]], values: Sequence[int], name: Callable[[int], str]
) -> Section:
    """How often each value was taken for each: pairs of what an image is and what the network said."""
    right = sum(actual == said for actual, said in pairs)
    title = f"Which {what} is taken for which?"
    before = f"{label(case)} has the {what} right in {right:,} of {counted(len(pairs), 'test image')}."
    if right == len(pairs):
        return Section(title, [before])
    counts = Counter(pairs)
    rows: list[list[Cell]]
    if len(values) <= MOST_COLUMNS:
        rows = [[Words(name(actual)), *(Quantity(counts[actual, said], COUNT) for said in values)] for actual in values]
        before += " A row is what the image is, a column what the network said."
        table = Table([what, *map(name, values)], rows, square=True)
    else:
        wrong = [(pair, count) for pair, count in counts.most_common() if pair[0] != pair[1]]
        rows = [[Words(name(actual)), Words(name(said)), Quantity(count, COUNT)] for (actual, said), count in wrong[:MOST_FREQUENT]]
        before += " What is confused most often:"
        table = Table([what, "taken for", "images"], rows)
    return Section(title, [before], table)


# Images


def _surest(cases: Sequence[Case], classes: Classes) -> Iterator[Section]:
    """The images that the first network gets wrong with the highest probability."""
    first = cases[0].extra
    answers = list(zip(first["test_labels"], first["test_predictions"], first["test_probabilities"], strict=True))
    wrong = [number for number, (actual, said, _) in enumerate(answers) if actual != said]
    wrong.sort(key=lambda number: -answers[number][2])
    if wrong:
        before = (
            f"{label(cases[0])} gets {counted(len(wrong), 'test image')} wrong. Here are those of whose wrong class it was surest, and what "
            "the others say of them."
        )
        yield Section("Most surely wrong", [before, HOW_TO_READ], _images(cases, classes, wrong[:MOST_IMAGES]))


def _disagreements(cases: Sequence[Case], classes: Classes) -> Iterator[Section]:
    """The images of which not all implementations say the same, in the order of the test split."""
    if len(cases) == 1:
        return
    said = list(zip(*(case.extra["test_predictions"] for case in cases), strict=True))
    differing = [number for number, answers in enumerate(said) if len(set(answers)) > 1]
    title = "Where implementations differ"
    if not differing:
        yield Section(title, [f"Nowhere: all {len(cases)} say the same of each of the {counted(len(said), 'test image')}."])
        return
    first = f" Here are the first {MOST_IMAGES}." if len(differing) > MOST_IMAGES else ""
    before = (
        "The networks began with the same weights and saw the same batches. They do not all say the same of "
        f"{len(differing):,} of {counted(len(said), 'test image')}.{first}"
    )
    yield Section(title, [before, HOW_TO_READ], _images(cases, classes, differing[:MOST_IMAGES]))


def _images(cases: Sequence[Case], classes: Classes, numbers: Sequence[int]) -> Table:
    """A row an image: its picture, if the run kept any, what it is, and what each network says with which probability."""
    labels = cases[0].extra["test_labels"]
    actual = {number: classes.name(labels[number]) for number in numbers}
    pictures = {number: image_of(cases, number, f"Test image {number}, which is {actual[number]}", SCALE) for number in numbers}
    seen = any(isinstance(one, Picture) for one in pictures.values())
    rows = [
        [
            Words(f"image {number}"),
            *([pictures[number]] if seen else []),
            Words(actual[number]),
            *(_answer(case, number, labels[number], classes) for case in cases),
        ]
        for number in numbers
    ]
    return Table(["", *([""] if seen else []), "is", *map(label, cases)], rows)


def _answer(case: Case, number: int, actual: int, classes: Classes) -> Cell:
    said, sure = (case.extra[name][number] for name in ("test_predictions", "test_probabilities"))
    return Several([Words(f"{classes.name(said)}{RIGHT * (said == actual)}"), Quantity(sure, SHARE)])
