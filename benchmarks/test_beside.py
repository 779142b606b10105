"""How long ONNX Runtime takes for the same predictions: a yardstick beside the frameworks, measured where it is installed."""

# mypy: allow-untyped-defs
# pytest passes fixtures by name; their types stand where they are defined.

from __future__ import annotations

import importlib

import pytest
from numpy.testing import assert_allclose

from benchmarks.arrange import tools
from benchmarks.arrange.clock import timed
from benchmarks.arrange.problem import ATOL, first_images
from benchmarks.saved.fields import BESIDE

ONNX_RUNTIME = tools.read("benchmarks.arrange.onnx_runtime")


@pytest.mark.heavy
@pytest.mark.usefixtures("cpu_only")
@pytest.mark.benchmark(group=BESIDE)
@pytest.mark.parametrize("batch", [1, 64, 450], ids="batch{}".format)
def test_beside(benchmark, require, record, weights, dataset, expected_logits, pytestconfig, batch):
    """One batch, already converted, to logits on the host."""
    require(ONNX_RUNTIME)
    onnx_runtime = importlib.import_module(ONNX_RUNTIME.module)
    threads = pytestconfig.getoption("threads")
    net = onnx_runtime.Network(weights, batch, threads)
    images = first_images(dataset, batch)

    logits, first_call_seconds = timed(net.predict, images)
    assert_allclose(logits, expected_logits(batch), atol=ATOL)

    about = {"framework": ONNX_RUNTIME.framework, "mode": "default", "version": onnx_runtime.VERSION, "threads": threads}
    record(**about, batch=batch, first_call_seconds=first_call_seconds)
    benchmark(net.predict, images)
