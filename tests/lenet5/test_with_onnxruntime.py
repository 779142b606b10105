"""What is particular to ONNX Runtime: that it only predicts, what it says where a package is absent, and the model that it is given."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from numpy.testing import assert_allclose, assert_array_equal

import lenet5
from lenet5.compression import factorize
from tests.support.copies import PROJECT, not_installed
from tests.support.mutations import Mutation, logits
from tests.support.networks import problem, reference_network

pytestmark = pytest.mark.skipif(bool(lenet5.missing("onnxruntime")), reason=lenet5.missing("onnxruntime"))

MUTATIONS = {
    "onnxruntime-activation-of-the-logits": Mutation(
        "with_onnxruntime.py",
        'if layer != DENSE[-1]:\n            add(OPERATIONS[activation], f"{layer}.active")',
        'if layer != DENSE[0]:\n            add(OPERATIONS[activation], f"{layer}.active")',
        logits("onnxruntime-optimized"),
    ),
}


def test_declares():
    """It has one mode, which compiles nothing, and it does not train."""
    assert lenet5.modes("onnxruntime") == ("optimized",)
    assert lenet5.dynamic("onnxruntime") == {}
    assert lenet5.colour("onnxruntime") == "olive"
    assert not lenet5.trains("onnxruntime")


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_not_installed(tmp_path, package):
    """Where one of its packages is absent, the line says what to install, and other frameworks can be used."""
    said = f"onnxruntime: the package '{package}' is not installed; pip install {package}"
    assert not_installed(tmp_path, "onnxruntime", package) == [said, "True"]


def test_nothing_is_reported(tmp_path):
    """ONNX Runtime leaves nothing in the user's folders, where it would keep an identifier of the machine and what it reports to its makers."""
    usual = {name: value for name, value in os.environ.items() if name not in ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")}
    words = [sys.executable, "-c", "import lenet5; lenet5.implementation('onnxruntime')"]

    subprocess.run(words, env={**usual, "HOME": str(tmp_path)}, cwd=PROJECT, check=True)

    assert list(tmp_path.iterdir()) == []


def test_every_layer_can_be_factored():
    """No layer is refused as a product of two: the tests of factored layers leave out what a mode refuses."""
    factored = factorize(problem()[0], {"conv2": 9, "fc1": 30, "fc2": 20, "fc3": 10})
    assert set(lenet5.implementation("onnxruntime")(factored).weights()) == set(factored)


def test_load():
    """Other weights of the same shapes take the place of the first ones; the first can be had again."""
    (first, images, _), (second, _, _) = problem(batch=3), problem(seed=5)
    net = lenet5.implementation("onnxruntime")(first)
    before = net.predict(images)

    net.load(second)
    assert_allclose(net.predict(images), reference_network(second).predict(images), rtol=0, atol=1e-5)
    for name, array in net.weights().items():
        assert_array_equal(array, second[name], err_msg=name)

    net.load(first)
    assert_array_equal(net.predict(images), before)


def test_executed_multiplications():
    """Six filters are padded to the lanes of the processor's registers: to 16 with AVX-512, else to 8 (and not at all where they have none)."""
    from benchmarks.arrange.executed import executed_onnxruntime

    weights, images, _ = problem(batch=3)
    found = executed_onnxruntime.predicting("optimized", weights, images)
    assert found.macs in (3 * 1_243_080, 3 * 772_680, 3 * 655_080)
