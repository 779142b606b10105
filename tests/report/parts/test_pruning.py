"""The report's part on pruning, from cases small enough to check by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from benchmarks.report.parts import pruning
from benchmarks.saved import fields
from benchmarks.saved.results import Case, Run

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
    "framework": "numpy",
    "mode": "dense",
    "correct": 405,
    "sparsity_kernels": 0.0,
    "sparsity_all": 0.0,
    **{f"sparsity_{layer}": 0.0 for layer in ("conv1", "conv2", "fc1", "fc2", "fc3")},
    "negative_zeros": 0,
    "gzip_bytes": 242_000,
    "sparse_bytes": 393_008,
    "nonzero_macs_per_image": 655_080,
}
PRUNED = {
    **COMMON,
    "framework": "tensorflow",
    "mode": "tfmot, sgd",
    "epochs": 20,
    "correct": 360,
    "sparsity_kernels": 0.9,
    "sparsity_all": 58_617 / 65_406,
    **{f"sparsity_{layer}": 0.9 for layer in ("conv1", "conv2", "fc1", "fc2", "fc3")},
    "negative_zeros": 29_000,
    "gzip_bytes": 36_000,
    "sparse_bytes": 41_306,
    "nonzero_macs_per_image": 65_508,
    "dense_seconds": 0.002,
    "unstripped_seconds": 0.004,
}


DENSE_CELLS = ["261,624", "242,000", "393,008", "3.00 ms", "nothing to strip", "nothing to strip"]
PRUNED_CELLS = ["261,624", "36,000", "41,306", "2.00 ms (0.800 x)", "2.50 ms", "4.00 ms (1.60 x)"]


def run_of(*extras):
    cases = tuple(Case(pruning.GROUP, extra["mode"], {"median": seconds}, extra, (seconds,)) for extra, seconds in extras)
    return Run((Path("run.json"),), cases, {}, {}, {}, "", "")


def test_nothing_pruned():
    """A run without the group has no section."""
    assert pruning.sections(run_of()) == []


def test_the_table():
    """Every column from the case, units and intervals as elsewhere; where there is nothing to strip the cell says so."""
    section = pruning._section(run_of((DENSE, 0.003), (PRUNED, 0.0025)))

    assert section.table.rows == [
        ["numpy: dense", "0.0 %", "0.0, 0.0, 0.0, 0.0, 0.0 %", "0.0 %", "90.0 % [86.9, 92.4]", *DENSE_CELLS],
        ["tensorflow: tfmot, sgd", "90.0 %", "90.0, 90.0, 90.0, 90.0, 90.0 %", "89.6 %", "80.0 % [76.1, 83.4]", *PRUNED_CELLS],
    ]
    assert len(section.table.head) == 11
    assert "trained for 30 epochs. It is pruned from 50.0 % to 90.0 % of each kernel" in section.before[0]
    assert "trains on for 20 epochs" in section.before[0]
    assert section.before[1].endswith("from one process, so without an interval.")
    assert section.after[2] == "Not stripped, the masks are applied again at every call: 1.60 x the time of the stripped one."
    assert "up to 29,000 times here" in section.after[4]
    assert "Only 65,508 of 655,080 multiply-accumulates" in section.after[0]
    assert "10.0 x the time of the pruned one if zeros cost nothing. Measured, pruned and stripped: 0.800 x." in section.after[0]


def test_only_dense():
    """Without a pruned case nothing is said about one."""
    section = pruning._section(run_of((DENSE, 0.003)))
    assert section.before == [
        "All start from one network, trained for 30 epochs. Times are medians for a batch of 64, taken in turns; "
        "each library has a process of its own."
    ]
    assert not any("Measured" in line or "-0.0" in line for line in section.after)


def test_speedups():
    """Dense over stripped, dense cases left out; one process gives no interval."""
    assert pruning.speedups(run_of((DENSE, 0.003), (PRUNED, 0.0025))) == {"tfmot, sgd": (pytest.approx(0.8), None, None)}


def test_several_processes():
    """Each process has its own pair of times: ratios of 0.5 and 2 have the mean 1, whatever the medians of either are."""
    pair = ({**PRUNED, "dense_seconds": 0.001}, {**PRUNED, "dense_seconds": 0.006})
    case = Case(pruning.GROUP, "tfmot", {"median": 0.0025}, {**PRUNED, "dense_seconds": 0.0035}, (0.002, 0.003), pair)
    run = Run((Path("one.json"), Path("other.json")), (case,), {}, {}, {}, "", "")

    ratio, low, high = pruning.speedups(run)["tfmot, sgd"]
    margin = 12.706 * math.log(2)  # Student's t for one degree of freedom x the standard error of -ln 2 and ln 2
    assert (ratio, low, high) == pytest.approx((1, math.exp(-margin), math.exp(margin)), rel=1e-3)

    section = pruning._section(run)
    assert section.before[1].endswith("[95% interval from 2 processes].")
    assert section.table.rows[0][8].startswith("3.50 ms (1.00 x [0.000")


def test_what_it_relies_on_is_declared():
    """The cases of these tests are such as a file can hold."""
    assert fields.checked("pruning", DENSE)
