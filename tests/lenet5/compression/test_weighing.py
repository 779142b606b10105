"""Weighing, against numbers that can be worked out on paper."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

import lenet5
from lenet5.architecture import LAYERS, NAMES
from lenet5.compression import weighing, zeros

KERNELS = {"conv1": 450, "conv2": 2400, "fc1": 48_000, "fc2": 10_080, "fc3": 4_200}


@pytest.fixture
def weights():
    return lenet5.initial_weights(lenet5.Architecture(), seed=3)


def test_nine_tenths_of_the_kernels_are_58617_weights(weights):
    """0.9 of 65,130 kernel weights; over all 65,406 the share is a little smaller, since biases stay."""
    pruned = zeros.prune(weights, 0.9)
    assert weighing.sparsity(pruned) == pytest.approx(58_617 / 65_130)
    assert weighing.sparsity(pruned, biases=True) == pytest.approx(58_617 / 65_406)
    assert weighing.sparsity_by_layer(pruned) == pytest.approx(dict.fromkeys(LAYERS, 0.9))
    assert weighing.sparsity(weights) == weighing.sparsity(weights, biases=True) == 0


@pytest.mark.parametrize("off", [0, 1, -1, 2, -2])
def test_check_sparsity(weights, off):
    """One weight too many or too few in a layer passes, two do not."""
    pruned = zeros.prune(weights, 0.9)
    kernel = pruned["conv1.weight"].reshape(-1)
    if off > 0:
        kernel[np.flatnonzero(kernel == 0)[:off]] = 1
    else:
        kernel[np.flatnonzero(kernel)[: abs(off)]] = 0
    if abs(off) <= 1:
        weighing.check_sparsity(pruned, 0.9)
    else:
        with pytest.raises(lenet5.InputError, match=f"conv1: {405 - off} of 450 weights are zero; a sparsity of 0.9 is 405"):
            weighing.check_sparsity(pruned, 0.9)


def test_bytes(weights):
    """Dense: 4 a weight, zeros or not.  Sparse: 6 a weight that is left, 4 a row pointer, 4 a bias."""
    pruned = zeros.prune(weights, 0.9)
    assert weighing.dense_bytes(weights) == weighing.dense_bytes(pruned) == 261_624
    rows = 6 + 16 + 120 + 84 + 50
    assert weighing.sparse_bytes(pruned) == 6 * 6_513 + 4 * (rows + 5) + 4 * 276 == 41_306
    assert weighing.sparse_bytes(weights) == 6 * 65_130 + 4 * (rows + 5) + 4 * 276


def test_weights_left(weights):
    """All numbers but zeros, of either sign."""
    filled = {name: np.ones_like(array) for name, array in weights.items()}
    everything = sum(array.size for array in weights.values())
    assert weighing.weights_left(filled) == everything
    filled["fc3.weight"][...] = -0.0
    assert weighing.weights_left(filled) == everything - KERNELS["fc3"]


def test_sparse_is_smaller_only_above_a_third(weights):
    """An index costs half a value."""
    assert weighing.sparse_bytes(zeros.prune(weights, 0.32)) > 261_624 > weighing.sparse_bytes(zeros.prune(weights, 0.35))


def test_gzip_is_of_the_canonical_bytes_and_repeats(weights):
    """The same weights weigh the same twice; the stream holds all ten arrays; zeros compress, random mantissas hardly."""
    packed = gzip.compress(weighing.canonical_bytes(weights), 9, mtime=0)
    assert weighing.gzip_bytes(weights) == weighing.gzip_bytes(dict(reversed(weights.items()))) == len(packed)
    numbers = np.frombuffer(gzip.decompress(packed), "<f4")
    assert_array_equal(numbers, np.concatenate([weights[name].ravel() for name in NAMES]))
    assert weighing.gzip_bytes(weights) > 0.9 * 261_624
    zero = {name: np.zeros_like(array) for name, array in weights.items()}
    assert weighing.gzip_bytes(zero) < 400


def test_a_mask_that_is_multiplied_leaves_two_kinds_of_zero(weights):
    """They count as zeros, are told apart, and gzip worse than one kind; prune() leaves none."""
    masks = zeros.magnitude_mask(weights, 0.9)
    product = {name: array * masks.get(name, np.float32(1)) for name, array in weights.items()}
    pruned = zeros.prune(weights, 0.9)
    negative = sum(int((weights[name][~mask] < 0).sum()) for name, mask in masks.items())
    assert weighing.sparsity(product) == weighing.sparsity(pruned)
    assert weighing.negative_zeros(product) == negative > 20_000
    assert weighing.negative_zeros(pruned) == weighing.negative_zeros(weights) == 0
    assert weighing.gzip_bytes(product) > weighing.gzip_bytes(pruned) + 5_000


@pytest.mark.parametrize("layer", LAYERS)
def test_csr_is_what_scipy_makes_of_it(weights, layer):
    """Values, columns and row pointers are scipy's, and give the kernel back; no row is lost, an empty one neither."""
    kernel = zeros.prune(weights, 0.9)[f"{layer}.weight"]
    kernel[1] = 0
    values, columns, pointers = weighing.csr(kernel)
    flat = kernel.reshape(len(kernel), -1)
    theirs = sparse.csr_matrix(flat)
    assert_array_equal(values, theirs.data)
    assert_array_equal(columns, theirs.indices)
    assert_array_equal(pointers, theirs.indptr)
    assert (values.dtype, columns.dtype, pointers.dtype) == (np.float32, np.uint16, np.uint32)
    assert_array_equal(sparse.csr_matrix((values, columns.astype(int), pointers.astype(int)), flat.shape).toarray(), flat)


def test_csr_takes_wider_columns_where_it_must():
    """65,536 columns fit uint16, one more does not."""
    assert weighing.csr(np.ones((1, 2**16)))[1].dtype == np.uint16
    wide = weighing.csr(np.ones((1, 2**16 + 1)))[1]
    assert wide.dtype == np.uint32
    assert wide[-1] == 2**16
