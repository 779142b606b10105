"""The report's part on pruning, from cases small enough to check by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from benchmarks.report.parts import pruning
from benchmarks.report.text import whole
from benchmarks.saved import fields
from tests.support.runs import case, run_of, several

COMMON = {
    "batch": 64,
    "dense_epochs": 30,
    "test_images": 450,
    "sparsity_initial": 0.5,
    "sparsity_wanted": 0.9,
    "dense_bytes": 261_624,
    "macs_per_image": 655_080,
}
DENSE = {
    **COMMON,
    "correct": 405,
    "sparsity_kernels": 0.0,
    "sparsity_all": 0.0,
    **{f"sparsity_{layer}": 0.0 for layer in fields.LAYERS},
    "negative_zeros": 0,
    "gzip_bytes": 242_000,
    "sparse_bytes": 393_008,
    "nonzero_macs_per_image": 655_080,
}
PRUNED = {
    **COMMON,
    "epochs": 20,
    "correct": 360,
    "sparsity_kernels": 0.9,
    "sparsity_all": 58_617 / 65_406,
    **{f"sparsity_{layer}": 0.9 for layer in fields.LAYERS},
    "negative_zeros": 29_000,
    "gzip_bytes": 36_000,
    "sparse_bytes": 41_306,
    "nonzero_macs_per_image": 65_508,
    "dense_seconds": 0.002,
    "unstripped_seconds": 0.004,
}


def dense(**extra):
    return case("pruning", "numpy", "dense", 0.003, **{**DENSE, **extra})


def pruned(*seconds, **extra):
    return case("pruning", "tensorflow", "tfmot, sgd", *(seconds or (0.0025,)), **{**PRUNED, **extra})


DENSE_CELLS = ["261,624", "242,000", "393,008", "3.00 ms", "nothing to strip", "nothing to strip"]
PRUNED_CELLS = ["261,624", "36,000", "41,306", "2.00 ms (0.800 x)", "2.50 ms", "4.00 ms (1.60 x)"]


def section_of(*cases):
    (section,) = pruning.sections(run_of(*cases))
    return section


def test_nothing_pruned():
    """A run without the group has no section."""
    assert pruning.sections(run_of()) == []


def test_the_table():
    """Every column from the case, units and intervals as elsewhere; where there is nothing to strip the cell says so."""
    section = section_of(dense(), pruned())

    assert [[whole(cell) for cell in row] for row in section.table.rows] == [
        ["numpy: dense", "0.0 %", ", ".join(["0.0 %"] * 5), "0.0 %", "90.0 % [86.9, 92.4]", *DENSE_CELLS],
        ["tensorflow: tfmot, sgd", "90.0 %", ", ".join(["90.0 %"] * 5), "89.6 %", "80.0 % [76.1, 83.4]", *PRUNED_CELLS],
    ]
    assert len(section.table.head) == 11
    assert "trained for 30 epochs. It is pruned from 50.0 % to 90.0 % of each kernel" in section.before[0]
    assert "trains on for 20 epochs" in section.before[0]
    assert section.before[1].endswith("from one process, so without an interval.")
    assert section.after[2] == "Not stripped, the masks are applied again at every call: 1.60 x the time of the stripped one."
    assert "up to 29,000 times here" in section.after[4]
    assert "Only 65,508 of 655,080 multiply-accumulates" in section.after[0]
    assert "10.0 x the time of the pruned one if zeros cost nothing. Measured, the dense network takes 0.800 x" in section.after[0]
    assert 'The original report printed "22.44 %"' in section.after[-1]


@pytest.mark.parametrize(
    ("dense_seconds", "begin"),
    [
        (0.00251, "The time does not move because the zeros"),
        (0.00228, "The time does not move because the zeros"),
        (0.0075, "That is not what zeros do, so something else moved the time, such as another program: the zeros"),
        (0.0010, "That is not what zeros do, so something else moved the time, such as another program: the zeros"),
    ],
)
def test_only_what_was_seen_is_explained(dense_seconds, begin):
    """That zeros save no time is the reason for a time that did not move, and for no other."""
    assert section_of(pruned(dense_seconds=dense_seconds)).after[1].startswith(begin)


def test_only_dense():
    """Without a pruned case nothing is said about one."""
    section = section_of(dense())
    assert section.before == [
        "All start from one network, trained for 30 epochs. Times are medians for a batch of 64, interleaved; "
        "each library has a process of its own."
    ]
    assert not any("Measured" in line or "-0.0" in line for line in section.after)


def test_nothing_left():
    """A network of zeros alone has no time that it could take if zeros cost nothing: nothing is divided by its work."""
    assert section_of(pruned(nonzero_macs_per_image=0)).after[0].startswith("Measured, the dense network takes 0.800 x")


def test_what_a_file_need_not_hold():
    """Without the sparsities wanted, or the time of the network as the tool wraps it, the sentences and the cell do without."""
    section = section_of(pruned(sparsity_wanted=None, unstripped_seconds=None))
    assert "It is pruned, smallest weights first" in section.before[0]
    assert section.table.rows[0][-1].reason == "this file does not hold that time"
    assert not any("Not stripped" in line for line in section.after)


def test_speedups():
    """Dense over stripped, dense cases left out; one process gives no interval."""
    assert pruning.speedups(run_of(dense(), pruned())) == {"tfmot, sgd": (pytest.approx(0.8), None, None)}


def test_several_processes():
    """Each process has its own pair of times: ratios of 0.5 and 2 have the mean 1, whatever the medians of either are."""
    run = run_of(several(replace(pruned(), medians=(0.002, 0.003)), "dense_seconds", [0.001, 0.006]))

    ratio, low, high = pruning.speedups(run)["tfmot, sgd"]
    margin = 12.706 * math.log(2)  # Student's t for one degree of freedom x the standard error of -ln 2 and ln 2
    assert (ratio, low, high) == pytest.approx((1, math.exp(-margin), math.exp(margin)), rel=1e-3)

    (section,) = pruning.sections(run)
    assert section.before[1].endswith("[95% interval from 2 processes].")
    assert whole(section.table.rows[0][8]).startswith("3.50 ms (1.00 x [0.000")


def test_its_cases_hold_what_the_table_of_fields_demands():
    """The cases above are such as the report can meet."""
    for one in (dense(), pruned()):
        fields.read("here", "pruning", {name: value for name, value in one.extra.items() if value is not None})
