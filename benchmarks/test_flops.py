"""How many FLOPs four counters see, and how fast this machine multiplies: what a speed in FLOP/s is held against."""

# mypy: allow-untyped-defs
# pytest passes fixtures by name; their types stand where they are defined.

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import lenet5
from benchmarks.arrange.counters import BY_NAME, unexplained
from benchmarks.arrange.measuring import SEED
from lenet5 import cost


@pytest.mark.benchmark(group="flops")
@pytest.mark.parametrize("counter", BY_NAME)
def test_counter(benchmark, weights, counter):
    """One image counted, forward and where possible a training step.  The time is that of counting, not of computing."""
    counts = BY_NAME[counter]
    try:
        lenet5.implementation(counts.framework)
    except lenet5.NotInstalled as error:
        pytest.skip(str(error))

    assert not any(unexplained(counts, weights).values())

    benchmark.extra_info.update(
        framework=counts.framework,
        mode=counter,
        counter_unit=counts.unit,
        closed_form_per_image=counts.closed_form(cost.forward_flops(weights)),
        closed_form_training_per_image=counts.closed_form(cost.training_flops(weights)),
        differences=list(counts.forward_extra(weights).items()),
        training_differences=list(counts.training_extra(weights).items()),
    )
    if counts.training:
        benchmark.extra_info["counted_training_per_image"] = counts.training(weights)
    benchmark.extra_info["counted_per_image"] = benchmark.pedantic(counts.forward, (weights,))


@pytest.mark.usefixtures("cpu_only")  # this is no roof for what another device does
@pytest.mark.benchmark(group="sgemm")
@pytest.mark.parametrize("side", [512, 1024, 2048], ids="side{}".format)
def test_sgemm(benchmark, side):
    """The product of two square float32 matrices by NumPy's BLAS, with the run's threads: the speed that nothing here can beat."""
    a, b = np.random.RandomState(SEED).standard_normal((2, side, side)).astype(np.float32)
    out = np.empty_like(a)

    rows = slice(None, None, 97)
    assert_allclose(np.matmul(a, b, out=out)[rows], a[rows].astype(np.float64) @ b.astype(np.float64), atol=1e-2)

    benchmark.extra_info.update(framework="numpy", mode=f"sgemm {side}", side=side, flops=2 * side**3)
    benchmark(np.matmul, a, b, out=out)
