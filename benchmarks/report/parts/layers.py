"""What does a network see?  Its first layer's filters before and after training, and one image after each of its layers."""

from __future__ import annotations

from benchmarks.quantities.units import SHARE
from benchmarks.report.records import Cell, Picture, Plot, Section, Table, Words
from benchmarks.report.sight import classes_of, picture, trainings
from benchmarks.report.times import label
from benchmarks.saved.results import Case, Run

LOOKED_AT = 0
"""The test image of which a training keeps what it is after each layer."""

FILTERS = (("filters before", "before training"), ("filters after", "after training"))

LAYERS = (
    ("image 0", "input", "the image itself, 32 x 32 pixels"),
    ("after conv1", "convolution 1", "6 maps of 28 x 28: a map is bright where one of the filters above fits what lies under it"),
    ("after pool1", "pooling 1", "the largest of each 2 x 2: 14 x 14 are left, and a shift by a pixel changes less"),
    ("after conv2", "convolution 2", "16 maps of 10 x 10: combinations of what the 6 maps show"),
    ("after pool2", "pooling 2", "5 x 5 are left of each: 400 numbers, which the next layer reads in one row"),
    ("after fc1", "dense 1", "120 units, each a weighted sum of the 400: what was where can no longer be seen"),
    ("after fc2", "dense 2", "84 units, weighted sums of the 120"),
    ("after fc3", "dense 3", "a number a class, the logits; the largest wins"),
    ("after probabilities", "probabilities", "the same as shares of 1, by softmax"),
)
"""Under which name a training keeps the picture, the layer, and what is to be seen."""

WIDTH, HEIGHT = 270, 180
"""Screen pixels that a picture may have: a phone has room for it."""

LARGEST_SCALE = 12


def sections(run: Run) -> list[Section]:
    found = trainings(run)
    return [section for section in (_filters(found[0]), _layers(found[0])) if section] if found else []


def plots(run: Run) -> list[Plot]:
    return []


def _filters(case: Case) -> Section | None:
    rows: list[list[Cell]] = [
        [Words(when), one] for name, when in FILTERS if (one := _picture(case, name, f"The first layer's filters {when}"))
    ]
    before = (
        f"The filters of 5 x 5 pixels that the first layer of {label(case)} slides over an image, each scaled by its own largest weight; medium "
        "grey is a weight of 0. A filter answers most where the image looks like it. They begin as noise."
    )
    return Section("The first layer, before and after", [before], Table(["", "filters"], rows), to_look_at=True) if rows else None


def _layers(case: Case) -> Section | None:
    """What one test image is after each layer, if the case kept that."""
    classes = classes_of(case)
    actual, said = (classes.name(case.extra[name][LOOKED_AT]) for name in ("test_labels", "test_predictions"))
    rows: list[list[Cell]] = [
        [Words(layer), one, Words(words)]
        for name, layer, words in LAYERS
        if (one := _picture(case, name, f"Test image {LOOKED_AT}, which is {actual}: {layer}"))
    ]
    sure = SHARE.show(case.extra["test_probabilities"][LOOKED_AT])
    before = f"Test image {LOOKED_AT} is {actual}; {label(case)} said {said} with a probability of {sure}. From each layer on black is its least value and white its largest."
    order = "in their order"
    if len(classes.aspects) == 2:
        (across, _), (down, _) = classes.aspects
        order = f"{across} by {across} from left to right, {down} by {down} from top to bottom"
    before += f" In the last two rows a square is a class, {order}."
    return (
        Section("One image after each layer", [before], Table(["", "values", "what they are"], rows), to_look_at=True)
        if rows
        else None
    )


def _picture(case: Case, name: str, alt: str) -> Picture | None:
    """A picture as large as fits a phone."""
    small = picture(case, name, alt, 1)
    return small and picture(case, name, alt, max(1, min(LARGEST_SCALE, WIDTH // small.width, HEIGHT // small.height)))
