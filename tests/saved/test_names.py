"""Old spellings of ids, groups and fields become those of today."""

from __future__ import annotations

import pytest

from benchmarks.saved import names

FILE = "benchmarks/test_x.py"


@pytest.mark.parametrize(
    ("saved", "name"),
    [
        (f"{FILE}::test_predict[numpy-fused-batch=64]", f"{FILE}::test_predict[numpy-fused-batch64]"),
        (f"{FILE}::test_train_step[numpy-fused-optimizer=sgd]", f"{FILE}::test_train_step[numpy-fused-sgd]"),
        (f"{FILE}::test_sgemm[side=512]", f"{FILE}::test_sgemm[side512]"),
        (f"{FILE}::test_predict[torch-eager-batch=1-copy=3]", f"{FILE}::test_predict[torch-eager-batch1-copy3]"),
        (f"{FILE}::test_ladder_predict[batch=450-loops-numpy]", f"{FILE}::test_ladder_predict[batch450-loops-numpy]"),
        (f"{FILE}::test_of_my_own[alpha=0.5-1=2]", f"{FILE}::test_of_my_own[alpha0.5-1=2]"),
        ("benchmarks/test_seed_protocol.py::test_x[a=1]", "benchmarks/test_original_protocol.py::test_x[a1]"),
        ("benchmarks/test_seed_protocol.py", "benchmarks/test_original_protocol.py"),
        ("a=b/test_x.py::test_y", "a=b/test_x.py::test_y"),
    ],
)
def test_canonical(saved, name):
    """What stands between the brackets loses its equals signs; a name of today stays as it is."""
    assert names.canonical(saved) == name
    assert names.canonical(name) == name


def test_fields():
    """A field under its old name is the one of today; where a case has both, today's counts."""
    assert names.fields({"as_seed_images": 1, "batch": 2}) == {"as_original_images": 1, "batch": 2}
    assert names.fields({"as_seed_images": 1, "as_original_images": 2}) == {"as_original_images": 2}
    assert names.fields({"as_original_images": 2, "as_seed_images": 1}) == {"as_original_images": 2}


def test_groups():
    """One group has another name today."""
    assert (names.group("seed"), names.group("predict")) == ("original", "predict")
