"""How many FLOPs several counters see, and how fast this machine multiplies: the roof over every speed in FLOP/s."""

# mypy: allow-untyped-defs
# pytest passes fixtures by name; their types stand where they are defined.

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import lenet5
from benchmarks.arrange import counters, executed
from benchmarks.arrange.problem import SEED, first_images
from lenet5 import cost

COUNTERS = counters.found()

TELLING = {f"{tool.framework}-{mode}": (tool, mode) for tool in executed.found() for mode in tool.kinds}
"""Framework and mode -> what tells the work of that mode."""


@pytest.mark.benchmark(group="flops")
@pytest.mark.parametrize("counter", COUNTERS)
def test_counter(benchmark, require, record, weights, counter):
    """One image counted, forward and where possible a training step.  The time is that of counting, not of computing."""
    tool = COUNTERS[counter]
    require(tool)
    lenet5.implementation(tool.framework)  # first, since it sets the threads and what else a framework takes only once
    counts = counters.counter_of(tool)

    assert not any(counters.unexplained(counts, weights).values())

    trained = {"counted_training_per_image": counts.training(weights)} if counts.training else {}
    forward = benchmark.pedantic(counts.forward, (weights,))
    record(
        framework=tool.framework,
        mode=counter,
        counter_unit=counts.unit,
        counted_per_image=forward,
        closed_form_per_image=counts.closed_form(cost.forward_flops(weights)),
        closed_form_training_per_image=counts.closed_form(cost.training_flops(weights)),
        differences=list(counts.forward_extra(weights).items()),
        training_differences=list(counts.training_extra(weights).items()),
        **trained,
    )


@pytest.mark.usefixtures("cpu_only")
@pytest.mark.benchmark(group="executed")
@pytest.mark.parametrize("batch", [1, 64], ids="batch{}".format)
@pytest.mark.parametrize(
    "telling",
    [
        pytest.param(name, marks=[pytest.mark.heavy] * (mode in lenet5.variants(tool.framework)))
        for name, (tool, mode) in TELLING.items()
    ],
)
def test_executed(benchmark, require, record, weights, dataset, telling, batch):
    """What a prediction multiplies, calls and copies in fact.  The time is that of counting, not of computing."""
    tool, mode = TELLING[telling]
    require(tool)
    lenet5.implementation(tool.framework)  # first, since it sets the threads and what else a framework takes only once
    images = first_images(dataset, batch)

    found = executed.predicting(tool, mode, weights, images)
    assert found.macs is None or found.macs >= batch * cost.forward_macs(weights)

    known = {"executed_macs": found.macs, "copied_bytes": found.copied_bytes, "unknown": found.unknown or None}
    record(
        framework=tool.framework,
        mode=mode,
        batch=batch,
        flops=batch * cost.forward_flops(weights),
        calls=found.calls,
        a_call=tool.kinds[mode],
        **{name: value for name, value in known.items() if value is not None},
    )
    benchmark.pedantic(executed.predicting, (tool, mode, weights, images))


@pytest.mark.usefixtures("cpu_only")  # this is no roof for what another device does
@pytest.mark.benchmark(group="sgemm")
@pytest.mark.parametrize("side", [512, 1024, 2048], ids="side{}".format)
def test_sgemm(benchmark, record, side):
    """The product of two square float32 matrices by NumPy's BLAS, with the run's threads: the speed that nothing here can beat."""
    a, b = np.random.RandomState(SEED).standard_normal((2, side, side)).astype(np.float32)
    out = np.empty_like(a)

    rows = slice(None, None, 97)
    assert_allclose(np.matmul(a, b, out=out)[rows], a[rows].astype(np.float64) @ b.astype(np.float64), atol=1e-2)

    record(framework=np.__name__, mode=f"sgemm {side}", side=side, flops=2 * side**3)
    benchmark(np.matmul, a, b, out=out)
