"""How long images take to get from a NumPy array to where they are computed: what every other case does before its clock starts."""

# mypy: allow-untyped-defs
# pytest passes fixtures by name; their types stand where they are defined.

from __future__ import annotations

import pytest
from numpy.testing import assert_allclose

from benchmarks.arrange.problem import ATOL, first_images


@pytest.mark.benchmark(group="transfer")
@pytest.mark.default_mode
@pytest.mark.parametrize("batch", [1, 64, 450, pytest.param(4096, marks=pytest.mark.gpu)], ids="batch{}".format)
def test_transfer(benchmark, build, record, subject, weights, dataset, expected_logits, batch):
    """One batch checked, converted to the framework's layout and copied to the device; the copy has finished."""
    net = build(weights)
    images = first_images(dataset, batch)

    assert_allclose(net.predict(net.tensor(images)), expected_logits(batch), atol=ATOL)

    record(**subject, batch=batch)
    benchmark(net.tensor, images)
