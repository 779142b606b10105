"""What is particular to TensorFlow: what it declares, and what it says where it or Keras is absent."""

from __future__ import annotations

import pytest

import lenet5
from lenet5.compression import factorize
from tests.support.copies import not_installed
from tests.support.networks import problem


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
    """Where TensorFlow or Keras is absent, the line says what to install, and other frameworks can be used."""
    said = f"tensorflow: the package '{package}' is not installed; pip install {package}"
    assert not_installed(tmp_path, "tensorflow", package) == [said, "True"]


@pytest.mark.parametrize("framework", ["tensorflow"])
def test_every_mode_takes_a_factored_convolution(implementation, framework):
    """No mode refuses a factored conv2: the tests of factored layers leave it out where a mode does."""
    factored = factorize(problem()[0], {"conv2": 9})
    for mode in implementation.modes:
        assert set(implementation(factored, mode=mode).weights()) == set(factored)
