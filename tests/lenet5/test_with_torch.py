"""What is particular to PyTorch: what it declares, and what it says where it is absent."""

from __future__ import annotations

import pytest

import lenet5
from lenet5.compression import factorize
from tests.support.copies import not_installed
from tests.support.networks import problem


def test_declares():
    """Each compiled mode is compared with the eager one of its own layout."""
    assert "torch" in lenet5.frameworks()
    assert lenet5.modes("torch") == ("eager", "compile", "eager-channels_last", "compile-channels_last")
    assert lenet5.variants("torch") == ("eager-channels_last", "compile-channels_last")
    assert lenet5.dynamic("torch") == {"compile": "eager", "compile-channels_last": "eager-channels_last"}
    assert lenet5.colour("torch") == "green"
    assert lenet5.ladder("torch") == ()


def test_not_installed(tmp_path):
    """Where PyTorch is absent, the line says what to install, and other frameworks can be used."""
    assert not_installed(tmp_path, "torch", "torch") == ["torch: the package 'torch' is not installed; pip install torch", "True"]


@pytest.mark.parametrize("framework", ["torch"])
def test_every_mode_takes_a_factored_convolution(implementation, framework):
    """No mode refuses a factored conv2: the tests of factored layers leave it out where a mode does."""
    factored = factorize(problem()[0], {"conv2": 9})
    for mode in implementation.modes:
        try:
            assert set(implementation(factored, mode=mode).weights()) == set(factored)
        except lenet5.NotInstalled as error:  # a compiler
            pytest.skip(str(error))
