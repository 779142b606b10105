"""Pruning and weighing, against numbers that can be worked out on paper."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

import lenet5
from lenet5.architecture import LAYERS, NAMES
from lenet5.compression import compression

KERNELS = {"conv1": 450, "conv2": 2400, "fc1": 48_000, "fc2": 10_080, "fc3": 4_200}


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

    pruned = compression.prune(weights, sparsity)

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
    compression.check_sparsity(pruned, sparsity, tolerance=0)


def test_nine_tenths_of_the_kernels_are_58617_weights(weights):
    """0.9 of 65,130 kernel weights; over all 65,406 the share is a little smaller, since biases stay."""
    pruned = compression.prune(weights, 0.9)
    assert compression.sparsity(pruned) == pytest.approx(58_617 / 65_130)
    assert compression.sparsity(pruned, biases=True) == pytest.approx(58_617 / 65_406)
    assert compression.sparsity_by_layer(pruned) == pytest.approx(dict.fromkeys(LAYERS, 0.9))
    assert compression.sparsity(weights) == compression.sparsity(weights, biases=True) == 0


def test_only_the_layers_named_are_pruned(weights):
    """The others are as they were."""
    found = compression.sparsity_by_layer(compression.prune(weights, 0.5, layers=["conv2", "fc3"]))
    assert found == {"conv1": 0, "conv2": 0.5, "fc1": 0, "fc2": 0, "fc3": 0.5}


@pytest.mark.parametrize(("count", "sparsity", "stay"), [(5, 0.5, 2), (7, 0.5, 4), (10, 0.99, 1), (450, 0.9, 45), (1, 0, 1)])
def test_kept_rounds_like_tfmot(count, sparsity, stay):
    """What stays is rounded, half to even, and is never nothing."""
    assert compression.kept(count, sparsity) == stay


def test_the_sign_does_not_count_and_of_equals_the_first_go():
    """Magnitude decides; where it cannot, the order in memory."""
    kernel = np.tile([3.0, -2.0, 2.0, -1.0], (2, 21))
    mask = compression.magnitude_mask(small(kernel), 0.5, ["fc3"])["fc3.weight"]
    assert_array_equal(mask[:, ::4], True)  # the 3s
    assert_array_equal(mask[:, 3::4], False)  # the 1s
    twos = mask.reshape(2, 21, 4)[:, :, 1:3].ravel()
    assert_array_equal(twos, np.arange(84) >= 42)


def test_pruned_weights_stay_pruned(weights):
    """Zeros are the smallest of all: pruning further only adds to them, and pruning less changes nothing."""
    half = compression.prune(weights, 0.5)
    more = compression.prune(half, 0.8)
    for name in NAMES:
        assert not (more[name][half[name] == 0]).any()
        assert_array_equal(compression.prune(half, 0.3)[name], half[name])


@pytest.mark.parametrize("sparsity", [1, 1.0, -0.1, float("nan"), float("inf"), True, "0.5", None])
def test_no_share(weights, sparsity):
    """A sparsity that is none is refused in one line that names it."""
    with pytest.raises(lenet5.InputError, match=r"^sparsity: .* is no share; use a number of at least 0 and below 1$"):
        compression.prune(weights, sparsity)


def test_no_layer(weights):
    """So is a layer that LeNet-5 does not have."""
    with pytest.raises(lenet5.InputError, match="layer: 'conv3' is not known; choose one of conv1"):
        compression.magnitude_mask(weights, 0.5, ["conv3"])


@pytest.mark.parametrize("off", [0, 1, -1, 2, -2])
def test_check_sparsity(weights, off):
    """One weight too many or too few in a layer passes, two do not."""
    pruned = compression.prune(weights, 0.9)
    kernel = pruned["conv1.weight"].reshape(-1)
    if off > 0:
        kernel[np.flatnonzero(kernel == 0)[:off]] = 1
    else:
        kernel[np.flatnonzero(kernel)[: abs(off)]] = 0
    if abs(off) <= 1:
        compression.check_sparsity(pruned, 0.9)
    else:
        with pytest.raises(lenet5.InputError, match=f"conv1: {405 - off} of 450 weights are zero; a sparsity of 0.9 is 405"):
            compression.check_sparsity(pruned, 0.9)


def test_bytes(weights):
    """Dense: 4 a weight, zeros or not.  Sparse: 6 a weight that is left, 4 a row pointer, 4 a bias."""
    pruned = compression.prune(weights, 0.9)
    assert compression.dense_bytes(weights) == compression.dense_bytes(pruned) == 261_624
    rows = 6 + 16 + 120 + 84 + 50
    assert compression.sparse_bytes(pruned) == 6 * 6_513 + 4 * (rows + 5) + 4 * 276 == 41_306
    assert compression.sparse_bytes(weights) == 6 * 65_130 + 4 * (rows + 5) + 4 * 276


def test_weights_left(weights):
    """All numbers but zeros, of either sign."""
    filled = {name: np.ones_like(array) for name, array in weights.items()}
    everything = sum(array.size for array in weights.values())
    assert compression.weights_left(filled) == everything
    filled["fc3.weight"][...] = -0.0
    assert compression.weights_left(filled) == everything - KERNELS["fc3"]


def test_sparse_is_smaller_only_above_a_third(weights):
    """An index costs half a value."""
    assert (
        compression.sparse_bytes(compression.prune(weights, 0.32))
        > 261_624
        > compression.sparse_bytes(compression.prune(weights, 0.35))
    )


def test_gzip_is_of_the_canonical_bytes_and_repeats(weights):
    """The same weights weigh the same twice; the stream holds all ten arrays; zeros compress, random mantissas hardly."""
    packed = gzip.compress(compression.canonical_bytes(weights), 9, mtime=0)
    assert compression.gzip_bytes(weights) == compression.gzip_bytes(dict(reversed(weights.items()))) == len(packed)
    numbers = np.frombuffer(gzip.decompress(packed), "<f4")
    assert_array_equal(numbers, np.concatenate([weights[name].ravel() for name in NAMES]))
    assert compression.gzip_bytes(weights) > 0.9 * 261_624
    zero = {name: np.zeros_like(array) for name, array in weights.items()}
    assert compression.gzip_bytes(zero) < 400


def test_a_mask_that_is_multiplied_leaves_two_kinds_of_zero(weights):
    """They count as zeros, are told apart, and gzip worse than one kind; prune() leaves none."""
    masks = compression.magnitude_mask(weights, 0.9)
    product = {name: array * masks.get(name, np.float32(1)) for name, array in weights.items()}
    pruned = compression.prune(weights, 0.9)
    negative = sum(int((weights[name][~mask] < 0).sum()) for name, mask in masks.items())
    assert compression.sparsity(product) == compression.sparsity(pruned)
    assert compression.negative_zeros(product) == negative > 20_000
    assert compression.negative_zeros(pruned) == compression.negative_zeros(weights) == 0
    assert compression.gzip_bytes(product) > compression.gzip_bytes(pruned) + 5_000


@pytest.mark.parametrize("layer", LAYERS)
def test_csr_is_what_scipy_makes_of_it(weights, layer):
    """Values, columns and row pointers are scipy's, and give the kernel back; no row is lost, an empty one neither."""
    kernel = compression.prune(weights, 0.9)[f"{layer}.weight"]
    kernel[1] = 0
    values, columns, pointers = compression.csr(kernel)
    flat = kernel.reshape(len(kernel), -1)
    theirs = sparse.csr_matrix(flat)
    assert_array_equal(values, theirs.data)
    assert_array_equal(columns, theirs.indices)
    assert_array_equal(pointers, theirs.indptr)
    assert (values.dtype, columns.dtype, pointers.dtype) == (np.float32, np.uint16, np.uint32)
    assert_array_equal(sparse.csr_matrix((values, columns.astype(int), pointers.astype(int)), flat.shape).toarray(), flat)


def test_csr_takes_wider_columns_where_it_must():
    """65,536 columns fit uint16, one more does not."""
    assert compression.csr(np.ones((1, 2**16)))[1].dtype == np.uint16
    wide = compression.csr(np.ones((1, 2**16 + 1)))[1]
    assert wide.dtype == np.uint32
    assert wide[-1] == 2**16
