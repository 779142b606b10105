"""What is particular to NumPy: its ladder of modes, the reference among them, and what the fast one refuses."""

from __future__ import annotations

import numpy as np
import pytest

import lenet5
from lenet5.compression import factorization
from tests.lenet5.test_agreement import problem


def test_declares():
    """The fast mode is the default; the textbook loops are the reference and the foot of the ladder."""
    assert lenet5.modes("numpy") == ("fused", "im2col", "loops")
    assert lenet5.ladder("numpy") == ("loops", "im2col", "fused")
    assert lenet5.reference() == ("numpy", "loops")
    assert lenet5.colour("numpy") == "blue"
    assert lenet5.variants("numpy") == ()
    assert lenet5.dynamic("numpy") == {}


def test_the_reference_computes_in_float64():
    """A loss of the reference has more digits than float32 holds; that of the fast mode differs from it, and rounds to it."""
    weights, images, labels = problem()
    exact, fast = (lenet5.implementation("numpy")(weights, mode=mode).train_step(images, labels) for mode in ("loops", "fused"))
    assert exact != float(np.float32(exact))
    assert fast == pytest.approx(exact, abs=1e-5)


def test_fused_refuses_a_factored_convolution():
    """What one mode cannot do it says, with those that can."""
    weights = lenet5.initial_weights(lenet5.Architecture(classes=11), seed=2)
    with pytest.raises(lenet5.NotSupported) as error:
        lenet5.implementation("numpy")(factorization.factorize(weights, {"conv2": 3}), mode="fused")
    expected = "mode: 'fused' convolves with whole kernels only; use 'im2col' or 'loops' for a factored conv2"
    assert str(error.value) == expected
