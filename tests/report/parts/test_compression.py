"""The report's part on compression, from cases small enough to check by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.quantities.units import COUNT
from benchmarks.report.parts import comparison, compression
from benchmarks.report.records import Dash
from benchmarks.saved import fields
from benchmarks.saved.results import Case, Run

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
    "framework": "numpy",
    "mode": "fused",
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
    "framework": "torch",
    "mode": "eager",
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


def run_of(*extras, medians=((0.0004,), (0.001,))):
    cases = tuple(
        Case(compression.GROUP, extra["point"], {"median": seconds[0]}, extra, seconds)
        for extra, seconds in zip(extras, medians, strict=False)
    )
    ours = {"dataset": {"name": "digits", "train_images": 4100, "classes": 10}}
    return Run((Path("run.json"),), cases, {}, ours, {}, "", "")


def test_nothing_compressed():
    """A run without the group has no section."""
    assert compression.sections(run_of()) == []


def test_the_table():
    """Bytes, MACs, paired difference and time of every point; the dense network in words."""
    section = compression._section(run_of(HALF, SPARSE))

    assert section.table.rows == [
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
        ["sparse, 90 % zeros", "torch eager", "6,789", "41,306", "36,000", "655,080", "-1.3 [-3.1, +0.4]", "1.00 ms", "1.00 x"],
    ]
    assert "(261,624 bytes, 655,080 MACs an image, 94.7 % of 450 test images right)" in section.before[0]
    assert section.after[-2].endswith(
        "in the order of their bytes: sparse, 90 % zeros (41,306 bytes, 93.3 %); structured, 50 % of the MACs (74,156 bytes, 95.1 %)."
    )


def test_the_mark_of_the_literature():
    """The sparse point nearest to it, with the data that it was got on; without a sparse point there is nothing to set beside it."""
    further = {**SPARSE, "point": "sparse, 98 % zeros", "weights_left": 1_579}
    said = compression._section(run_of(HALF, SPARSE, further, medians=((0.0004,), (0.001,), (0.001,)))).after[-1]
    assert "about 6,000 weights left and near 99.2 % right on MNIST" in said
    assert (
        "Here, on digits (4,100 images to learn from, 10 classes), sparse, 90 % zeros leaves 6,789 and gets 93.3 % of 450 right"
        in said
    )
    assert "literature" not in compression._section(run_of(HALF)).after[-1]


def test_its_counts_are_of_other_networks():
    """The comparison of the frameworks counts the network that they share, and none that was made smaller."""
    assert isinstance(comparison._extra("macs_per_image", COUNT)(run_of(HALF), "numpy"), Dash)


def test_ratios_of_several_processes_have_intervals():
    """The dense network of each process is compared with the compressed one of the same."""
    extras = tuple({**HALF, "dense_seconds": seconds} for seconds in (0.0004, 0.0008, 0.0016))
    case = Case("compression", "half", {"median": 0.0004}, HALF, (0.0004,) * 3, extras)
    ratio, low, high = compression.speed_up(case)
    assert ratio == pytest.approx(2)
    assert low < 1 < 2 < high
    row = compression._row(case)
    assert row[-1].startswith("2.00 x [")


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


def test_what_it_relies_on_is_declared():
    """The cases of these tests are such as a file can hold."""
    for extra in (HALF, SPARSE):
        assert fields.checked("compression", extra)
