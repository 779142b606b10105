"""The operations by hand: their values against SciPy's, their pullbacks against finite differences."""

from __future__ import annotations

import warnings
from functools import partial

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
import scipy.special
from numpy.testing import assert_allclose, assert_array_equal

from lenet5.by_hand import check_pullback, layers

# Nothing is as long as anything else, so that no exchange of axes can pass.
N, C, F, H, W, K, D, U = 2, 3, 5, 7, 9, 3, 11, 4

CONVOLUTIONS = [layers.convolution_by_loops, layers.convolution]
POOLS = [layers.max_pool_by_loops, layers.max_pool]
ACTIVATIONS = [layers.relu, layers.sigmoid, layers.tanh]
IMAGES = {2: (N, C, 6, 10), 3: (N, C, 6, 15)}  # pool side -> images that it divides

LABELS = np.array([3, 0, 5, 3, 6])


def name(value):
    return value.__name__ if callable(value) else f"s={value}"


def normal(*shape, seed=0):
    return np.random.RandomState(seed).standard_normal(shape)


def convolution_inputs():
    return normal(N, C, H, W), normal(F, C, K, K, seed=1), normal(F, seed=2)


def cross_entropy_of_labels(logits):
    return layers.cross_entropy(logits, LABELS)


def case(operation, *inputs, id=None):
    return pytest.param(operation, inputs, id=id or operation.__name__)


# Every operation that has a pullback, with inputs for it: x first, then the parameters.
OPERATIONS = [
    *(case(convolution, *convolution_inputs()) for convolution in CONVOLUTIONS),
    *(case(partial(pool, s=s), normal(*IMAGES[s]), id=f"{pool.__name__}-s={s}") for pool in POOLS for s in IMAGES),
    case(layers.dense, normal(N, D), normal(U, D, seed=1), normal(U, seed=2)),
    case(layers.flatten, normal(N, C, H, W)),
    *(case(activation, normal(N, C, H, W)) for activation in ACTIVATIONS),
    case(cross_entropy_of_labels, normal(len(LABELS), 7), id="cross_entropy"),
]


@pytest.mark.parametrize(("operation", "inputs"), OPERATIONS)
def test_pullback(operation, inputs):
    """A random cotangent, pulled back, predicts how the value moves when any one input moves in a random direction."""
    check_pullback(operation, *inputs)


@pytest.mark.parametrize(("operation", "inputs"), OPERATIONS)
def test_pullback_can_be_called_again(operation, inputs):
    """A pullback remembers nothing of its earlier calls and writes neither to its argument nor to the operation's inputs."""
    kept = [array.copy() for array in inputs]
    y, pullback = operation(*inputs)
    value = y.copy()
    dy = normal(*np.shape(y), seed=4)
    first = [array.copy() for array in pullback(dy)]

    pullback(np.ones_like(dy))

    for again, array in zip(pullback(dy), first, strict=True):
        assert_array_equal(again, array)
    assert_array_equal(dy, normal(*np.shape(y), seed=4))
    assert_array_equal(y, value)
    for array, before in zip(inputs, kept, strict=True):
        assert_array_equal(array, before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("operation", "inputs"), OPERATIONS)
def test_precision_stays(operation, inputs, dtype):
    """Values and derivatives have the precision of the inputs: no constant in the code makes float64 of float32."""
    y, pullback = operation(*(array.astype(dtype) for array in inputs))
    assert y.dtype == dtype
    for derivative in pullback(np.ones(np.shape(y), dtype)):
        assert derivative.dtype == dtype


@pytest.mark.parametrize(("operation", "inputs"), OPERATIONS)
def test_order_in_memory_does_not_matter(operation, inputs):
    """Arrays whose axes lie in memory the other way round, as after a transposition, give the same numbers."""
    y, pullback = operation(*inputs)
    dy = normal(*np.shape(y), seed=4)
    turned_y, turned_pullback = operation(*(np.asfortranarray(array) for array in inputs))

    assert_allclose(turned_y, y, rtol=0, atol=1e-12)
    for turned, array in zip(turned_pullback(np.asfortranarray(dy)), pullback(dy), strict=True):
        assert_allclose(turned, array, rtol=0, atol=1e-12)


# ----------------------------------------------------------------------------------------------------------- convolution


@pytest.mark.parametrize("convolution", CONVOLUTIONS, ids=name)
def test_convolution_is_scipys_correlation(convolution):
    """Value: image and kernel correlated over all channels, the kernel not flipped, and the bias."""
    x, weight, bias = convolution_inputs()
    y, _ = convolution(x, weight, bias)

    assert y.shape == (N, F, H - K + 1, W - K + 1)
    for n in range(N):
        for f in range(F):
            (expected,) = scipy.signal.correlate(x[n], weight[f], mode="valid", method="direct")
            assert_allclose(y[n, f], expected + bias[f], rtol=0, atol=1e-12)


@pytest.mark.parametrize("convolution", CONVOLUTIONS, ids=name)
def test_convolution_pullback_is_scipys(convolution):
    """Derivatives: image correlated with dy for the kernel, dy convolved with the kernel for the image, sums of dy for the bias."""
    x, weight, bias = convolution_inputs()
    y, pullback = convolution(x, weight, bias)
    dy = normal(*y.shape, seed=4)
    dweight, dbias, dx = pullback(dy)

    for f in range(F):
        assert_allclose(dbias[f], dy[:, f].sum(), rtol=0, atol=1e-12)
        for c in range(C):
            expected = sum(scipy.signal.correlate(x[n, c], dy[n, f], mode="valid", method="direct") for n in range(N))
            assert_allclose(dweight[f, c], expected, rtol=0, atol=1e-12)
    for n in range(N):
        for c in range(C):
            expected = sum(scipy.signal.convolve(dy[n, f], weight[f, c], mode="full", method="direct") for f in range(F))
            assert_allclose(dx[n, c], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("wants_dx", [True, False])
def test_convolutions_are_one(wants_dx):
    """The matrix product and the loops give the same value and derivatives; without wants_dx, dx is None."""
    (slow, slow_pullback), (fast, fast_pullback) = (convolution(*convolution_inputs(), wants_dx) for convolution in CONVOLUTIONS)
    dy = normal(*slow.shape, seed=4)

    assert_allclose(fast, slow, rtol=0, atol=1e-12)
    *fast_parameters, fast_dx = fast_pullback(dy)
    *slow_parameters, slow_dx = slow_pullback(dy)
    for one, other in zip(fast_parameters, slow_parameters, strict=True):
        assert_allclose(one, other, rtol=0, atol=1e-12)
    if wants_dx:
        assert_allclose(fast_dx, slow_dx, rtol=0, atol=1e-12)
    else:
        assert fast_dx is None
        assert slow_dx is None


@pytest.mark.parametrize("convolution", CONVOLUTIONS, ids=name)
def test_convolution_of_the_kernels_own_size(convolution):
    """An image as large as the kernel has one window: a dense layer over all its pixels."""
    x, weight, bias = normal(N, C, K, K), normal(F, C, K, K, seed=1), normal(F, seed=2)
    y, _ = convolution(x, weight, bias)
    expected, _ = layers.dense(x.reshape(N, -1), weight.reshape(F, -1), bias)
    assert_allclose(y[:, :, 0, 0], expected, rtol=0, atol=1e-12)


# --------------------------------------------------------------------------------------------------------------- pooling


@pytest.mark.parametrize("s", IMAGES, ids=name)
@pytest.mark.parametrize("pool", POOLS, ids=name)
def test_max_pool_is_scipys_filter(pool, s):
    """Value: every s-th of what a sliding maximum over s x s pixels gives."""
    x = normal(*IMAGES[s])
    y, _ = pool(x, s)
    expected = scipy.ndimage.maximum_filter(x, size=(1, 1, s, s))[:, :, s // 2 :: s, s // 2 :: s]
    assert_array_equal(y, expected)


@pytest.mark.parametrize("s", IMAGES, ids=name)
@pytest.mark.parametrize("values", [2, 3, 1000], ids="values={}".format)
def test_max_pools_are_one(values, s):
    """Both poolings agree to the last bit in value and derivative, however many pixels are equal."""
    x = np.random.RandomState(5).randint(-1, values - 1, IMAGES[s]).astype(float)
    (slow, slow_pullback), (fast, fast_pullback) = (pool(x, s) for pool in POOLS)
    dy = normal(*slow.shape, seed=4)

    assert_array_equal(fast, slow)
    assert_array_equal(fast_pullback(dy)[0], slow_pullback(dy)[0])


@pytest.mark.parametrize("pool", POOLS, ids=name)
def test_ties_go_to_the_first_in_reading_order(pool):
    """Of equal pixels the first, left to right and then down, takes the whole derivative of its tile."""
    tiles = [
        ([[7, 7], [7, 7]], [[1, 0], [0, 0]]),
        ([[0, 7], [7, 7]], [[0, 1], [0, 0]]),
        ([[0, 0], [7, 7]], [[0, 0], [1, 0]]),
        ([[0, 7], [0, 7]], [[0, 1], [0, 0]]),
        ([[7, 0], [0, 7]], [[1, 0], [0, 0]]),
        ([[0, 0], [0, 7]], [[0, 0], [0, 1]]),
    ]
    x = np.concatenate([tile for tile, _ in tiles], axis=1)[None, None].astype(float)
    takes = np.concatenate([taken for _, taken in tiles], axis=1)[None, None]
    dy = np.arange(1.0, 1 + len(tiles))[None, None, None]

    _, pullback = pool(x)

    assert_array_equal(pullback(dy)[0], takes * np.repeat(np.repeat(dy, 2, 2), 2, 3))


# -------------------------------------------------------------------------------------------------------- dense, flatten


def test_dense_is_a_sum_of_products():
    """Value and derivatives are the sums that the indices say."""
    x, weight, bias = normal(N, D), normal(U, D, seed=1), normal(U, seed=2)
    y, pullback = layers.dense(x, weight, bias)
    dy = normal(N, U, seed=4)
    dweight, dbias, dx = pullback(dy)

    assert_allclose(y, np.einsum("nd,ud->nu", x, weight) + bias, rtol=0, atol=1e-12)
    assert_allclose(dweight, np.einsum("nu,nd->ud", dy, x), rtol=0, atol=1e-12)
    assert_allclose(dbias, np.einsum("nu->u", dy), rtol=0, atol=1e-12)
    assert_allclose(dx, np.einsum("nu,ud->nd", dy, weight), rtol=0, atol=1e-12)


def test_flatten_is_channel_first():
    """The pixel of channel c, row i, column j becomes feature (c h + i) w + j; the way back is the same."""
    x = normal(N, C, H, W)
    y, pullback = layers.flatten(x)

    assert y.shape == (N, C * H * W)
    assert y[1, (2 * H + 3) * W + 4] == x[1, 2, 3, 4]
    assert_array_equal(pullback(y)[0], x)


# ----------------------------------------------------------------------------------------------------------- activations


def test_relu_at_zero():
    """The positive part has derivative 1 above zero and 0 from zero down, at either zero."""
    y, pullback = layers.relu(np.array([-2.0, -0.0, 0.0, 3.0]))
    assert_array_equal(y, [0, 0, 0, 3])
    assert_array_equal(pullback(np.full(4, 5.0))[0], [0, 0, 0, 5])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_does_not_overflow(dtype):
    """The sigmoid is scipy's from -1e4 to 1e4, without a warning, and flat at either end."""
    x = np.array([-1e4, -88.0, -3.0, 0.0, 0.5, 20.0, 1e4], dtype)
    with np.errstate(all="raise", under="ignore"), warnings.catch_warnings():
        warnings.simplefilter("error")
        y, pullback = layers.sigmoid(x)
        (dx,) = pullback(np.ones_like(x))

    assert_allclose(y, scipy.special.expit(x), rtol=0, atol=np.finfo(dtype).eps)
    assert y[0] == 0
    assert y[-1] == 1
    assert dx[0] == dx[-1] == 0
    assert dx[3] == 0.25


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_tanh_is_flat_at_either_end(dtype):
    """The hyperbolic tangent is +/-1 with derivative 0 at +/-1e4."""
    y, pullback = layers.tanh(np.array([-1e4, 0, 1e4], dtype))
    assert_array_equal(y, [-1, 0, 1])
    assert_array_equal(pullback(np.ones_like(y))[0], [0, 1, 0])


# --------------------------------------------------------------------------------------------------------- cross-entropy


@pytest.mark.parametrize("size", [1, 1e4], ids="size={:g}".format)
def test_cross_entropy_is_scipys(size):
    """The loss is the mean of logsumexp less the label's logit, its derivative softmax less one-hot: small logits or huge."""
    logits = size * normal(len(LABELS), 7)
    kept = logits.copy()
    with np.errstate(all="raise", under="ignore"):
        loss, pullback = layers.cross_entropy(logits, LABELS)
        (dlogits,) = pullback(1.0)

    rows = np.arange(len(LABELS))
    assert_allclose(loss, np.mean(scipy.special.logsumexp(logits, axis=1) - logits[rows, LABELS]), rtol=1e-12)
    expected = (scipy.special.softmax(logits, axis=1) - np.eye(7)[LABELS]) / len(LABELS)
    assert_allclose(dlogits, expected, rtol=0, atol=1e-12)
    assert_allclose(dlogits.sum(1), 0, atol=1e-15)
    assert_array_equal(logits, kept)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cross_entropy_of_a_hopeless_logit(dtype):
    """A label whose logit is 2e4 below another costs 2e4 nats, not infinity; a certain one costs nothing."""
    logits = np.array([[1e4, -1e4], [1e4, -1e4]], dtype)
    assert layers.cross_entropy(logits, np.array([1, 1]))[0] == 2e4
    assert layers.cross_entropy(logits, np.array([0, 0]))[0] == 0


def test_cross_entropy_is_in_nats():
    """Equal logits cost the logarithm of the number of classes, whatever they are."""
    assert_allclose(layers.cross_entropy(np.full((4, 50), -3.0), np.array([0, 49, 7, 7]))[0], np.log(50), rtol=1e-15)
