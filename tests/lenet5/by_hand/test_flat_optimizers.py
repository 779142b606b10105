"""The optimizers of the fast network: the same steps as those of the plain one, on all weights in one array."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lenet5.by_hand.flat_optimizers import FLAT_OPTIMIZERS
from lenet5.by_hand.optimizers import OPTIMIZERS

SIZE, STEPS = 37, 10


def gradients():
    """Random ones, from 1e3 down to 1e-6."""
    random = np.random.RandomState(1)
    return [(random.standard_normal(SIZE) * 10.0 ** (3 - step)).astype(np.float32) for step in range(STEPS)]


def trace(optimizer, flat):
    """The weights after each step."""
    w = np.random.RandomState(0).standard_normal(SIZE).astype(np.float32 if flat else np.float64)
    steps = []
    for gradient in gradients():
        if flat:
            optimizer.update(w, gradient)
        else:
            optimizer.update({"w": w}, {"w": gradient.astype(np.float64)})
        steps.append(w.copy())
    return steps


def test_names():
    """Both networks know the same optimizers."""
    assert set(FLAT_OPTIMIZERS) == set(OPTIMIZERS)


@pytest.mark.parametrize("name", FLAT_OPTIMIZERS)
def test_steps_are_those_of_the_plain_optimizer(name):
    """Ten steps in float32 stay with ten in float64."""
    ours, plain = trace(FLAT_OPTIMIZERS[name](SIZE, 0.01), flat=True), trace(OPTIMIZERS[name](0.01), flat=False)
    for one, other in zip(ours, plain, strict=True):
        assert_allclose(one, other, rtol=1e-5, atol=1e-5)
    assert abs(ours[-1] - ours[0]).max() > 0.01


@pytest.mark.parametrize("name", FLAT_OPTIMIZERS)
def test_reset_forgets(name):
    """After reset() the same gradients lead to the same weights as with a new optimizer, to the last bit."""
    optimizer = FLAT_OPTIMIZERS[name](SIZE, 0.01)
    first = trace(optimizer, flat=True)
    optimizer.reset()
    for again, before in zip(trace(optimizer, flat=True), first, strict=True):
        assert_array_equal(again, before)
