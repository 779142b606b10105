"""The report's part on compression, from cases small enough to check by hand."""

from __future__ import annotations

import pytest

from benchmarks.quantities.units import COUNT
from benchmarks.report.parts import comparison, compression
from benchmarks.report.text import DASH, whole
from benchmarks.saved import fields
from tests.support.runs import case, run_of, several

COMMON = {
    "batch": 64,
    "epochs": 12,
    "test_images": 450,
    "dense_correct": 426,
    "dense_bytes": 261_624,
    "dense_macs_per_image": 655_080,
}
HALF = {
    **COMMON,
    "technique": "structured",
    "point": "structured, 50 % of the MACs",
    "form": "float32",
    "correct": 428,
    "gained": 10,
    "lost": 8,
    "stored_bytes": 74_156,
    "gzip_bytes": 68_000,
    "weights_left": 18_539,
    "macs_per_image": 253_942,
    "dense_seconds": 0.0008,
}
SPARSE = {
    **COMMON,
    "technique": "sparse",
    "point": "sparse, 90 % zeros",
    "form": "sparse rows",
    "correct": 420,
    "gained": 4,
    "lost": 10,
    "stored_bytes": 41_306,
    "gzip_bytes": 36_000,
    "weights_left": 6_789,
    "macs_per_image": 655_080,
    "dense_seconds": 0.001,
}


def half(*seconds, **extra):
    return case("compression", "numpy", "fused", *(seconds or (0.0004,)), **{**HALF, **extra})


def sparse(**extra):
    return case("compression", "torch", "eager", 0.001, **{**SPARSE, **extra})


def section_of(*cases, **dataset):
    data = {"name": "digits", "train_images": 4100, "classes": 10, **dataset}
    (section,) = compression.sections(run_of(*cases, dataset={key: value for key, value in data.items() if value}))
    return section


def test_nothing_compressed():
    """A run without the group has no section."""
    assert compression.sections(run_of()) == []


def test_the_table():
    """Bytes, MACs, paired difference and time of every point; the dense network in words."""
    section = section_of(half(), sparse(gzip_bytes=None))

    assert [[whole(cell) for cell in row] for row in section.table.rows] == [
        [
            "structured, 50 % of the MACs",
            "numpy fused",
            "18,539",
            "74,156",
            "68,000",
            "253,942",
            "+0.4 [-1.5, +2.4]",
            "400 µs",
            "2.00 x",
        ],
        ["sparse, 90 % zeros", "torch eager", "6,789", "41,306", "—", "655,080", "-1.3 [-3.1, +0.4]", "1.00 ms", "1.00 x"],
    ]
    assert section.table.rows[1][4].reason == "the tool keeps its own form of the weights"
    assert "(261,624 bytes, 655,080 multiply-accumulates (MACs) an image, 94.7 % of 450 test images right)" in section.before[0]
    assert section.after[-2].endswith(
        "beats in both bytes and accuracy, in the order of bytes: sparse, 90 % zeros (41,306 bytes, 93.3 %); structured, 50 % of the MACs (74,156 bytes, 95.1 %)."
    )


def test_the_mark_of_the_literature():
    """The sparse point nearest to it, with the data that it was got on; without a sparse point there is nothing to set beside it."""
    further = sparse(point="sparse, 98 % zeros", weights_left=1_579)
    said = section_of(half(), sparse(), further).after[-1]
    assert "about 6,000 weights left and near 99.2 % right on MNIST" in said
    assert (
        "Here, on digits (4,100 images to learn from, 10 classes), sparse, 90 % zeros leaves 6,789 and gets 93.3 % of 450 right"
        in said
    )
    assert "literature" not in section_of(half()).after[-1]


def test_a_file_that_does_not_say_its_data():
    """On data without a name or a size nothing is set beside the mark."""
    for fact in ("name", "train_images", "classes"):
        assert "literature" not in section_of(sparse(), **{fact: None}).after[-1]


def test_its_counts_are_of_other_networks():
    """The comparison of the frameworks counts the network that they share, and none that was made smaller."""
    assert whole(comparison._extra("macs_per_image", COUNT)(run_of(half()), "numpy")) == DASH


def test_ratios_of_several_processes_have_intervals():
    """The dense network of each process is compared with the compressed one of the same."""
    one = several(half(0.0004, 0.0004, 0.0004), "dense_seconds", [0.0004, 0.0008, 0.0016])
    ratio, low, high = compression.speed_up(one)
    assert ratio == pytest.approx(2)
    assert low < 1 < 2 < high
    assert whole(section_of(one).table.rows[0][-1]).startswith("2.00 x [")


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([], []),
        ([(1, 0.5)], [(1, 0.5)]),
        ([(3, 0.9), (1, 0.5), (2, 0.4), (2, 0.7)], [(1, 0.5), (2, 0.7), (3, 0.9)]),
        ([(1, 0.5), (2, 0.5)], [(1, 0.5)]),
        ([(1, 0.9), (2, 0.8), (3, 0.7)], [(1, 0.9)]),
    ],
    ids=["none", "one", "beaten in the middle", "dearer and no better", "one beats all"],
)
def test_front(points, expected):
    """A point is in front if none is cheaper and at least as accurate."""
    assert compression.front(points) == expected


def test_its_cases_hold_what_the_table_of_fields_demands():
    """The cases above are such as the report can meet."""
    for one in (half(), sparse()):
        fields.read("here", "compression", {name: value for name, value in one.extra.items() if value is not None})
