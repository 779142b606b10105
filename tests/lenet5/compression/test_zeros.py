"""Pruning, against numbers that can be worked out on paper."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import lenet5
from lenet5.architecture import NAMES
from lenet5.compression import weighing, zeros
from tests.lenet5.compression.test_weighing import KERNELS


@pytest.fixture
def weights():
    return lenet5.initial_weights(lenet5.Architecture(), seed=3)


def small(kernel):
    """Weights of a LeNet-5 that is all ones but for the kernel of fc3, (classes, 84)."""
    shapes = lenet5.Architecture(classes=len(kernel)).shapes
    ones = {name: np.ones(shape, np.float32) for name, shape in shapes.items()}
    ones["fc3.weight"][...] = kernel
    return ones


@pytest.mark.parametrize("sparsity", [0, 0.1, 0.5, 0.9, 0.999])
def test_each_kernel_loses_its_share(weights, sparsity):
    """Each kernel has the zeros asked for, to the weight; they were its smallest, the others are untouched, and so are biases."""
    before = {name: array.copy() for name, array in weights.items()}

    pruned = zeros.prune(weights, sparsity)

    for layer, size in KERNELS.items():
        old, new = weights[f"{layer}.weight"], pruned[f"{layer}.weight"]
        gone = new == 0
        assert gone.sum() == size - max(1, round(size * (1 - sparsity)))
        assert_array_equal(new[~gone], old[~gone])
        assert abs(old[gone]).max(initial=0) <= abs(old[~gone]).min()
        assert_array_equal(pruned[f"{layer}.bias"], weights[f"{layer}.bias"])
        assert new.dtype == np.float32
    for name, array in before.items():
        assert_array_equal(weights[name], array, err_msg="prune() must not change its argument")
        assert pruned[name] is not weights[name]
    weighing.check_sparsity(pruned, sparsity, tolerance=0)


def test_only_the_layers_named_are_pruned(weights):
    """The others are as they were."""
    found = weighing.sparsity_by_layer(zeros.prune(weights, 0.5, layers=["conv2", "fc3"]))
    assert found == {"conv1": 0, "conv2": 0.5, "fc1": 0, "fc2": 0, "fc3": 0.5}


@pytest.mark.parametrize(("count", "sparsity", "stay"), [(5, 0.5, 2), (7, 0.5, 4), (10, 0.99, 1), (450, 0.9, 45), (1, 0, 1)])
def test_kept_rounds_like_tfmot(count, sparsity, stay):
    """What stays is rounded, half to even, and is never nothing."""
    assert zeros.kept(count, sparsity) == stay


def test_the_sign_does_not_count_and_of_equals_the_first_go():
    """Magnitude decides; where it cannot, the order in memory."""
    kernel = np.tile([3.0, -2.0, 2.0, -1.0], (2, 21))
    mask = zeros.magnitude_mask(small(kernel), 0.5, ["fc3"])["fc3.weight"]
    assert_array_equal(mask[:, ::4], True)  # the 3s
    assert_array_equal(mask[:, 3::4], False)  # the 1s
    twos = mask.reshape(2, 21, 4)[:, :, 1:3].ravel()
    assert_array_equal(twos, np.arange(84) >= 42)


def test_pruned_weights_stay_pruned(weights):
    """Zeros are the smallest of all: pruning further only adds to them, and pruning less changes nothing."""
    half = zeros.prune(weights, 0.5)
    more = zeros.prune(half, 0.8)
    for name in NAMES:
        assert not (more[name][half[name] == 0]).any()
        assert_array_equal(zeros.prune(half, 0.3)[name], half[name])


@pytest.mark.parametrize("sparsity", [1, 1.0, -0.1, float("nan"), float("inf"), True, np.True_, "0.5", None])
def test_no_share(weights, sparsity):
    """A sparsity outside [0, 1) is refused in one line that names it."""
    with pytest.raises(lenet5.InputError, match=r"^sparsity: .* is not a share; use a number of at least 0 and below 1$"):
        zeros.prune(weights, sparsity)


def test_numpys_numbers_are_shares(weights):
    """A share may be of NumPy's type."""
    for one, other in zip(zeros.prune(weights, np.float32(0.5)).values(), zeros.prune(weights, 0.5).values(), strict=True):
        assert_array_equal(one, other)


def test_no_layer(weights):
    """A layer that LeNet-5 does not have is refused."""
    with pytest.raises(lenet5.InputError, match="layer: 'conv3' is not known; choose one of conv1"):
        zeros.magnitude_mask(weights, 0.5, ["conv3"])
