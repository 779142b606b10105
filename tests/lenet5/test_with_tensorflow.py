"""What is particular to TensorFlow: what it declares, what it says where it or Keras is absent, and what a GPU is asked."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import lenet5
from lenet5 import cost
from lenet5.compression import factorize
from tests.support.copies import not_installed
from tests.support.mutations import Mutation, logits
from tests.support.networks import answers, problem

MUTATIONS = {
    "tensorflow-kernel-axes-swapped": Mutation(
        "channels_last.py",
        "return weight.transpose(2, 3, 1, 0)",
        "return weight.transpose(3, 2, 1, 0)",
        logits("tensorflow-eager"),
    ),
    "tensorflow-fc1-columns-not-permuted": Mutation(
        "channels_last.py",
        ".transpose(0, 2, 3, 1).reshape(units, -1)",
        ".reshape(units, -1)",
        logits("tensorflow-eager"),
    ),
    "tensorflow-adam-epsilon-before-the-correction": Mutation(
        "with_tensorflow.py",
        "ADAM_EPSILON * root",
        "ADAM_EPSILON",
        "lenet5/test_agreement.py::test_adam[tensorflow-eager]",
    ),
}


def test_declares():
    """A graph, XLA and Keras' own loops, which trace graphs too, are compared with eager execution."""
    assert "tensorflow" in lenet5.frameworks()
    assert lenet5.modes("tensorflow") == ("eager", "graph", "xla", "predict_on_batch", "predict")
    assert lenet5.variants("tensorflow") == ("predict_on_batch", "predict")
    assert lenet5.dynamic("tensorflow") == dict.fromkeys(("graph", "xla", "predict_on_batch", "predict"), "eager")
    assert lenet5.colour("tensorflow") == "orange"
    assert lenet5.ladder("tensorflow") == ()


@pytest.mark.parametrize("package", ["tensorflow", "keras"])
def test_not_installed(tmp_path, package):
    """Where TensorFlow or Keras is absent, the line says to install TensorFlow, which brings Keras; other frameworks can be used."""
    said = "tensorflow: the package 'tensorflow' is not installed; pip install tensorflow"
    assert not_installed(tmp_path, "tensorflow", package) == [said, "True"]


@pytest.mark.parametrize("framework", ["tensorflow"])
def test_every_mode_takes_a_factored_convolution(implementation, framework):
    """No mode refuses a factored conv2: the tests of factored layers leave it out where a mode does."""
    factored = factorize(problem()[0], {"conv2": 9})
    for mode in implementation.modes:
        assert set(implementation(factored, mode=mode).weights()) == set(factored)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_counted_state_is_its_own(optimizer):
    """Optimizer state as counted is the arrays that Keras keeps; its step counter and settings are single numbers."""
    pytest.importorskip("tensorflow")
    weights, images, labels = problem(batch=2)
    net = lenet5.implementation("tensorflow")(weights, optimizer=optimizer)
    net.train_step(net.tensor(images), net.tensor(labels))
    state = [variable.numpy() for variable in net._optimizer.variables if variable.shape.rank]
    assert sum(value.nbytes for value in state) == cost.optimizer_state_bytes(weights, optimizer)


# ------------------------------------------------------------------------------------------------------------------- GPU


@pytest.fixture
def gpu(monkeypatch):
    """A GPU that TensorFlow believes in: what is placed there is placed on the CPU and noted."""
    tf = pytest.importorskip("tensorflow")
    lenet5.implementation("tensorflow")  # before there is a GPU: importing it asks for the real ones
    seen, place = [], tf.device

    def noted(name):
        seen.append(name)
        return place("/CPU:0")

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    monkeypatch.setattr(tf, "device", noted)
    monkeypatch.setattr(tf.test.experimental, "sync_devices", lambda: seen.append("arrived"))
    return seen


def test_on_a_gpu(gpu):
    """Building, converting, predicting and training are placed on the GPU, and tensor() waits for the copy."""
    logits, losses = answers("tensorflow", device="cuda")
    there = "/GPU:0"
    assert gpu == [there, there, "arrived", there, "arrived", there, there, there]
    assert type(logits) is np.ndarray
    assert type(losses[0]) is float
    on_cpu = answers("tensorflow", device="cpu")
    assert set(gpu[8:]) == {"/CPU:0"}
    assert_allclose(logits, on_cpu[0], rtol=0, atol=1e-6)
    assert losses == pytest.approx(on_cpu[1], abs=1e-6)


def test_no_gpu(monkeypatch):
    """Where TensorFlow sees none, it says so."""
    tf = pytest.importorskip("tensorflow")
    lenet5.implementation("tensorflow")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    with pytest.raises(lenet5.NoDevice, match=r"^device: 'cuda' is asked for, but TensorFlow sees no GPU; use 'cpu'$"):
        answers("tensorflow", device="cuda")


def test_memory_is_asked_in_the_right_order(monkeypatch):
    """The peak is reset before the call and read after it."""
    tf = pytest.importorskip("tensorflow")
    net, seen = lenet5.implementation("tensorflow"), []
    monkeypatch.setattr(tf.config.experimental, "reset_memory_stats", lambda device: seen.append(f"reset {device}"))
    monkeypatch.setattr(tf.config.experimental, "get_memory_info", lambda device: seen.append(f"read {device}") or {"peak": 7})
    assert net.device_peak_bytes(lambda: seen.append("call")) == 7
    assert seen == ["reset GPU:0", "call", "read GPU:0"]


def test_float32_is_float32():
    """TF32 is off, and TensorFlow's own settings, not ours, are what says so."""
    pytest.importorskip("tensorflow")
    assert lenet5.implementation("tensorflow").describe()["tf32"] == "off"


def test_tf32_would_be_noticed():
    """TF32 that other code turns on after the import shows."""
    tf = pytest.importorskip("tensorflow")
    describe = lenet5.implementation("tensorflow").describe
    try:
        tf.config.experimental.enable_tensor_float_32_execution(True)
        assert describe()["tf32"] == "on"
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(False)
    assert describe()["tf32"] == "off"
