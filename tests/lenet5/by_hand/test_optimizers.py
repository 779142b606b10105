"""The optimizers by hand: the first steps worked out on paper, the next ones against torch.optim."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lenet5.by_hand.optimizers import OPTIMIZERS, Adam, GradientDescent

SHAPES = {"kernel": (5, 3, 2), "bias": (7,)}
STEPS = 10


def arrays(seed, dtype=np.float64):
    random = np.random.RandomState(seed)
    return {name: random.standard_normal(shape).astype(dtype) for name, shape in SHAPES.items()}


def run(optimizer, steps=STEPS, dtype=np.float64):
    """The weights after each of some steps along random gradients of very different sizes."""
    weights, trace = arrays(0, dtype), []
    for step in range(steps):
        gradients = {name: array * 10.0 ** (3 - step) for name, array in arrays(1 + step, dtype).items()}
        optimizer.update(weights, gradients)
        trace.append({name: array.copy() for name, array in weights.items()})
    return trace


def test_sgd_on_paper():
    """Each step takes the learning rate's share of the gradient away, and remembers nothing."""
    weights = {"w": np.array([1.0, -2.0])}
    optimizer = GradientDescent(0.1)

    optimizer.update(weights, {"w": np.array([0.5, -4.0])})
    assert_allclose(weights["w"], [0.95, -1.6], rtol=1e-15)
    optimizer.update(weights, {"w": np.array([1.0, 1.0])})
    assert_allclose(weights["w"], [0.85, -1.7], rtol=1e-15)


def test_adam_on_paper():
    """Two steps of Kingma and Ba's algorithm 1: mean over root of mean square, both unbiased.

    Gradients 0.5, then 1:   m = 0.05, 0.145;   v = 0.00025, 0.00124975;   unbiased by 0.1 and 0.001, then by 0.19 and 0.001999.
    """
    weights = {"w": np.array([1.0])}
    optimizer = Adam(0.1)

    optimizer.update(weights, {"w": np.array([0.5])})
    first = 1 - 0.1 * 0.5 / (0.5 + 1e-8)
    assert_allclose(weights["w"], [first], rtol=1e-14)

    optimizer.update(weights, {"w": np.array([1.0])})
    second = first - 0.1 * (0.145 / 0.19) / ((0.00124975 / 0.001999) ** 0.5 + 1e-8)
    assert_allclose(weights["w"], [second], rtol=1e-14)


def test_adams_epsilon_is_added_to_the_unbiased_root():
    """A first gradient of just epsilon moves its weight by half a learning rate; a gradient of zero moves nothing."""
    weights = {"w": np.array([0.0, 0.0])}
    Adam(0.1).update(weights, {"w": np.array([1e-8, 0.0])})
    assert_allclose(weights["w"], [-0.05, 0], rtol=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_ten_steps_are_those_of_torch(name):
    """Ten steps in float64 are those of torch.optim to 1e-12, for gradients from 1e3 down to 1e-6."""
    torch = pytest.importorskip("torch", reason="torch: the package 'torch' is not installed; pip install torch")
    parameters = {key: torch.tensor(array, requires_grad=True) for key, array in arrays(0).items()}
    theirs = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[name](parameters.values(), lr=0.01)

    for step, ours in enumerate(run(OPTIMIZERS[name](0.01))):
        for key, gradient in arrays(1 + step).items():
            parameters[key].grad = torch.tensor(gradient * 10.0 ** (3 - step))
        theirs.step()
        for key, array in ours.items():
            assert_allclose(array, parameters[key].detach().numpy(), rtol=0, atol=1e-12, err_msg=f"{key}, step {step + 1}")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_update_is_in_place(name, dtype):
    """The arrays themselves are changed and stay of their precision; the gradients are only read."""
    weights, gradients = arrays(0, dtype), arrays(1, dtype)
    held, read = dict(weights), arrays(1, dtype)

    OPTIMIZERS[name](0.01).update(weights, gradients)

    for key in SHAPES:
        assert weights[key] is held[key]
        assert weights[key].dtype == dtype
        assert (weights[key] != arrays(0, dtype)[key]).all()
        assert_array_equal(gradients[key], read[key])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_reset_forgets(name):
    """After reset() the same gradients lead to the same weights as with a new optimizer."""
    optimizer = OPTIMIZERS[name](0.01)
    first = run(optimizer)

    optimizer.reset()

    for again, before in zip(run(optimizer), first, strict=True):
        for key in SHAPES:
            assert_array_equal(again[key], before[key])


def test_reset_keeps_adams_memory():
    """reset() zeroes the running means where they are: the next step allocates no more than any other."""
    optimizer = Adam(0.01)
    run(optimizer, steps=2)
    held = [*optimizer.mean.values(), *optimizer.square.values()]
    assert all(array.any() for array in held)

    optimizer.reset()
    assert not any(array.any() for array in held)

    run(optimizer, steps=1)
    assert all(after is before for after, before in zip([*optimizer.mean.values(), *optimizer.square.values()], held, strict=True))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_adam_keeps_a_memory_of_its_own(dtype):
    """The running means are copies in the gradients' precision: a caller may write over its gradients."""
    optimizer = Adam(0.01)
    gradients = {"w": np.ones(3, dtype)}
    optimizer.update({"w": np.zeros(3, dtype)}, gradients)
    gradients["w"][...] = 7

    assert optimizer.mean["w"].dtype == optimizer.square["w"].dtype == dtype
    assert_allclose(optimizer.mean["w"], 0.1, rtol=1e-6)
    assert_allclose(optimizer.square["w"], 0.001, rtol=1e-6)
