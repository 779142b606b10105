"""Two cases that measure no framework: one watches the machine, the other the harness."""

# mypy: allow-untyped-defs
# pytest passes fixtures by name; their types stand where they are defined.

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from benchmarks.arrange.problem import SEED, first_images
from benchmarks.saved.fields import CONTROL

SIDE = 256
"""Rows and columns of the product: large enough for BLAS to use its threads, small enough to stay in a core's own cache."""


class NoNetwork:
    """Answers with logits that it was given: a network without a network."""

    def __init__(self, logits: NDArray[np.float32]) -> None:
        self._logits = logits

    def predict(self, x: Any) -> NDArray[np.float32]:
        return self._logits


def product_case(benchmark: Any) -> None:
    """Check and measure the control: one product of two fixed float32 matrices, SIDE x SIDE."""
    random = np.random.RandomState(SEED)
    a, b = random.standard_normal((2, SIDE, SIDE)).astype(np.float32)

    assert_allclose(np.matmul(a, b), np.matmul(a.astype(np.float64), b.astype(np.float64)), atol=1e-3)

    benchmark(np.matmul, a, b)


@pytest.mark.benchmark(group=CONTROL)
@pytest.mark.parametrize("when", [pytest.param(when, marks=pytest.mark.place(when)) for when in ("first", "last")])
def test_product(benchmark, record, when):
    """The same work before and after everything else: if its time moved, the machine did."""
    record(framework=CONTROL, mode=f"product {when}", side=SIDE)
    product_case(benchmark)


@pytest.mark.benchmark(group=CONTROL)
def test_no_network(benchmark, record, dataset, expected_logits):
    """What the harness itself costs: one call that computes nothing."""
    net = NoNetwork(expected_logits(1))
    images = first_images(dataset, 1)

    assert_array_equal(net.predict(images), expected_logits(1))

    record(framework=CONTROL, mode="no network", batch=1)
    benchmark.pedantic(net.predict, (images,), rounds=200, iterations=1000)
