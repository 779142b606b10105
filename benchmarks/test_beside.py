"""How long ONNX Runtime takes for the same predictions: beside the frameworks, and of no interest to whoever has not installed it."""

# mypy: allow-untyped-defs
# pytest passes fixtures by name; their types stand where they are defined.

from __future__ import annotations

import importlib

import pytest
from numpy.testing import assert_allclose

from benchmarks.arrange.measuring import first_images, timed
from benchmarks.saved.results import BESIDE


@pytest.fixture(scope="session")
def onnx_runtime():
    """The module that knows ONNX Runtime, or a skip where that is not installed."""
    for package in ("onnx", "onnxruntime"):
        pytest.importorskip(package, reason=f"the package {package!r} is not installed; pip install -e '.[beside]'")
    return importlib.import_module("benchmarks.arrange.onnx_runtime")


@pytest.mark.heavy
@pytest.mark.usefixtures("cpu_only")
@pytest.mark.benchmark(group=BESIDE)
@pytest.mark.parametrize("batch", [1, 64, 450], ids="batch{}".format)
def test_beside(benchmark, onnx_runtime, weights, dataset, expected_logits, pytestconfig, batch):
    """One batch, already converted, to logits on the host."""
    threads = pytestconfig.getoption("threads")
    net = onnx_runtime.Network(weights, batch, threads)
    images = first_images(dataset, batch)

    logits, first_call_seconds = timed(net.predict, images)
    assert_allclose(logits, expected_logits(batch), atol=1e-5)

    about = {"framework": "ONNX Runtime", "mode": "default", "version": onnx_runtime.VERSION, "threads": threads}
    benchmark.extra_info.update(**about, batch=batch, first_call_seconds=first_call_seconds)
    benchmark(net.predict, images)
