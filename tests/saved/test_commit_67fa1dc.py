"""Runs that commit 67fa1dc really saved are read, under the names of today.

``tests/data/commit-67fa1dc`` holds what that commit's ``pytest benchmarks --heavy --dataset=digits --epochs 1 --benchmark-max-time 0.02``
saved of 36 cases of all its groups but the one that needs ONNX Runtime, and the like of its ``twins.py``, without the raw rounds.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.saved import fields
from benchmarks.saved.results import load

FOLDER = Path(__file__).parents[1] / "data" / "commit-67fa1dc"
OF_TODAY = {
    "benchmarks/test_predict.py::test_predict[numpy-fused-batch64]",
    "benchmarks/test_training.py::test_train_step[numpy-fused]",
    "benchmarks/test_training.py::test_train_step[numpy-fused-sgd]",
    "benchmarks/test_flops.py::test_sgemm[side512]",
    "benchmarks/test_ladder.py::test_ladder_predict[batch64-loops-numpy]",
    "benchmarks/test_pruning.py::test_dense[as trained]",
    "benchmarks/test_compression.py::test_point[numpy-fused-structured-0.5]",
    "benchmarks/test_original_protocol.py::test_tensorflow[dynamic-inference]",
}


@pytest.mark.parametrize("name", ["run.json", "twins.json"])
def test_everything_is_there(name):
    """Every case is read, and every value that it saved, in a field of today."""
    saved = json.loads((FOLDER / name).read_text(encoding="utf-8"))["benchmarks"]
    run = load(FOLDER / name)

    assert [case.id for case in run.cases] == [case["fullname"] for case in saved]
    for case, old in zip(run.cases, saved, strict=True):
        expected = {field.replace("as_seed_", "as_original_"): value for field, value in old["extra_info"].items()}
        assert {field: value for field, value in case.extra.items() if value is not None} == expected
        assert "=" not in case.name


LATER = (fields.INITIAL_WEIGHTS, fields.LAST_DIGIT, *fields.WORKLOG, *fields.PRICE, *fields.EXECUTED, *fields.WHERE)
"""Groups that there were none of."""


def test_names():
    """Cases, groups, and reasons have the names of today."""
    run = load(FOLDER / "run.json")

    assert {case.name for case in run.cases} >= OF_TODAY
    assert {case.group for case in run.cases} == set(fields.GROUPS) - {fields.BESIDE, fields.TWINS, *LATER}
    assert "benchmarks/test_beside.py::test_beside[batch1]" in run.not_measured
    (network,) = (case for case in run.group("original") if case.extra["figure"] == "softmax twice")
    assert network.extra["as_original_correct"] <= network.extra["test_images"] == 450


def test_what_it_did_not_say():
    """Colours and reference are those that it had."""
    run = load(FOLDER / "run.json")

    assert run.colours == {"numpy": "blue", "tensorflow": "orange", "torch": "green"}
    assert run.reference == ("numpy", "loops")
