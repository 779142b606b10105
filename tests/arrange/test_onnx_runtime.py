"""ONNX Runtime computes the same network as every framework.  Skipped where it is not installed: it is optional."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from numpy.testing import assert_allclose

import lenet5
from benchmarks.arrange import problem

for package in ("onnx", "onnxruntime"):
    pytest.importorskip(package, reason="optional: pip install -e '.[beside]'")
onnx_runtime = importlib.import_module("benchmarks.arrange.onnx_runtime")


@pytest.mark.parametrize("threads", [1, 2], ids="threads{}".format)
@pytest.mark.parametrize(("channels", "classes", "batch"), [(3, 50, 1), (1, 10, 7), (2, 3, 33)])
def test_agrees_with_the_reference(channels, classes, batch, threads):
    """The logits are those of the textbook loops to 1e-5, for any channels, classes and batch, biases that are not zero included."""
    random = np.random.RandomState(batch)
    weights = lenet5.initial_weights(lenet5.Architecture(channels, classes), seed=batch)
    weights = {name: array + 0.01 * random.standard_normal(array.shape).astype(np.float32) for name, array in weights.items()}
    images = random.standard_normal((batch, channels, 32, 32)).astype(np.float32)

    logits = onnx_runtime.Network(weights, batch, threads).predict(images)

    assert logits.dtype == np.float32
    assert_allclose(logits, problem.reference(weights).predict(images), rtol=0, atol=1e-5)


def test_is_no_framework():
    """What only predicts is not compared as a framework."""
    assert not [name for name in lenet5.frameworks() if "onnx" in name]
