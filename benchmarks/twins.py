"""Identical cases under different names: the difference between two copies is noise, so the true ratio of their times is 1.

No part of the ordinary run (the name does not begin with ``test_``): ``python -m benchmarks coverage`` measures these, and a gate with
``--cases benchmarks/twins.py`` compares many of them at once.
"""

# mypy: allow-untyped-defs
# pytest passes fixtures by name; their types stand where they are defined.

from __future__ import annotations

import pytest
from numpy.testing import assert_allclose

from benchmarks.arrange.problem import ATOL, first_images
from benchmarks.saved.fields import CONTROL
from benchmarks.test_control import product_case


def pytest_generate_tests(metafunc):
    """``--copies``.  They are compared in pairs: the first with the second, the third with the fourth, and so on."""
    copies = metafunc.config.getoption("copies")
    if copies < 1:
        raise pytest.UsageError(f"--copies {copies}: use a whole number of at least 1")
    metafunc.parametrize("copy", range(1, copies + 1), ids="copy{}".format)


@pytest.mark.benchmark(group="twins")
def test_product(benchmark, record, copy):
    """The control's matrix product."""
    record(framework=CONTROL, mode="product", copy=copy)
    product_case(benchmark)


@pytest.mark.benchmark(group="twins")
@pytest.mark.default_mode
@pytest.mark.parametrize("batch", [1, 64], ids="batch{}".format)
def test_predict(benchmark, build, record, subject, weights, dataset, expected_logits, batch, copy):
    """One batch, already converted, to logits on the host: a network of its own for every copy."""
    net = build(weights)
    images = net.tensor(first_images(dataset, batch))

    assert_allclose(net.predict(images), expected_logits(batch), atol=ATOL)

    record(**subject, batch=batch, copy=copy)
    benchmark(net.predict, images)
