"""How long a network takes to turn images into logits."""

# mypy: allow-untyped-defs
# pytest passes fixtures by name; their types stand where they are defined.

from __future__ import annotations

import pytest
from numpy.testing import assert_allclose

from benchmarks.arrange.problem import ATOL, first_images


@pytest.mark.benchmark(group="predict")
@pytest.mark.parametrize("batch", [1, 64, 450, pytest.param(4096, marks=pytest.mark.gpu)], ids="batch{}".format)
def test_predict(benchmark, in_use, build, first_call, record, subject, weights, dataset, expected_logits, batch):
    """One batch, already converted, to logits on the host."""
    net = build(weights)
    images = net.tensor(first_images(dataset, batch))

    logits, first = first_call(net.predict, images)
    assert_allclose(logits, expected_logits(batch), atol=ATOL)

    record(**subject, batch=batch, **first)
    benchmark(net.predict, images)
