"""The operations of LeNet-5 by hand.  Each returns its value and the pullback of that value.

A pullback takes dy, the derivative of the loss with respect to the value, and gives the derivatives with respect to the
operation's inputs: parameters first, x last.  It keeps what it needs in its closure and nowhere else: drop it and the memory
is free.

Dimensions: n images, c channels in, f filters, h x w pixels in, i x j pixels out, k kernel side, d features, u units, s pool side.
The operations compute in the precision of their inputs: float64 in, float64 out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Pullback = Callable[[Array], tuple[Any, ...]]


def convolution_by_loops(x: Array, weight: Array, bias: Array, wants_dx: bool = True) -> tuple[Array, Pullback]:
    """Slide the kernel over the image, one output pixel at a time: the definition, written down.

    x (n, c, h, w), weight (f, c, k, k), bias (f,) -> y (n, f, h-k+1, w-k+1);  dy -> (dweight, dbias, dx)

    y[n, f, i, j] = bias[f] + sum over c, a, b of x[n, c, i+a, j+b] weight[f, c, a, b]

    This is what every framework calls a convolution and mathematics a cross-correlation: the kernel is not flipped.  Without
    wants_dx, as in the first layer, dx is None.
    """
    n, _, h, w = x.shape
    f, _, k, _ = weight.shape
    pixels = [(i, j) for i in range(h - k + 1) for j in range(w - k + 1)]
    y = np.empty((n, f, h - k + 1, w - k + 1), x.dtype)
    for i, j in pixels:
        window = x[:, :, i : i + k, j : j + k]
        y[:, :, i, j] = (window[:, None] * weight).sum((2, 3, 4)) + bias

    def pullback(dy: Array) -> tuple[Array, Array, Array | None]:
        dweight = np.zeros_like(weight)
        for i, j in pixels:
            window = x[:, :, i : i + k, j : j + k]
            dweight += (dy[:, :, i, j, None, None, None] * window[:, None]).sum(0)
        dx = np.zeros_like(x) if wants_dx else None
        if dx is not None:
            for i, j in pixels:
                dx[:, :, i : i + k, j : j + k] += (dy[:, :, i, j, None, None, None] * weight).sum(1)
        return dweight, dy.sum((0, 2, 3)), dx

    return y, pullback


def convolution(x: Array, weight: Array, bias: Array, wants_dx: bool = True) -> tuple[Array, Pullback]:
    """The same convolution as one matrix product: copy every window into a row ("im2col"), multiply once.

    x (n, c, h, w), weight (f, c, k, k), bias (f,) -> y (n, f, h-k+1, w-k+1);  dy -> (dweight, dbias, dx)

    Windows overlap, so the copy is k*k times the image; what it buys is that all multiplications are one call of BLAS.  y and dx
    are channels last in memory (views with the axes in order): that is how the product leaves them.
    """
    n, c, h, w = x.shape
    f, _, k, _ = weight.shape
    i, j = h - k + 1, w - k + 1
    windows = sliding_window_view(x, (k, k), axis=(2, 3))  # (n, c, i, j, k, k), no copy yet
    rows = windows.transpose(0, 2, 3, 1, 4, 5).reshape(n * i * j, c * k * k)
    matrix = weight.reshape(f, c * k * k)
    y = rows @ matrix.T + bias

    def pullback(dy: Array) -> tuple[Array, Array, Array | None]:
        drows_out = dy.transpose(0, 2, 3, 1).reshape(n * i * j, f)
        dweight = (drows_out.T @ rows).reshape(weight.shape)
        dbias = np.ones(len(rows), x.dtype) @ drows_out  # a product again: sum(0) of so narrow an array is far slower
        return dweight, dbias, spread(drows_out) if wants_dx else None

    def spread(drows_out: Array) -> Array:
        """Add each window's derivative back onto the pixels that it was copied from."""
        dwindows = (drows_out @ matrix).reshape(n, i, j, c, k, k)
        dx = np.zeros((n, h, w, c), x.dtype)
        for a in range(k):
            for b in range(k):
                dx[:, a : a + i, b : b + j] += dwindows[..., a, b]
        return dx.transpose(0, 3, 1, 2)

    return y.reshape(n, i, j, f).transpose(0, 3, 1, 2), pullback


def max_pool_by_loops(x: Array, s: int = 2) -> tuple[Array, Pullback]:
    """Largest of each s x s tile, one tile at a time; of equals the first, reading left to right and down.

    x (n, f, h, w) -> y (n, f, h/s, w/s);  dy -> (dx,)
    """
    n, f, h, w = x.shape
    tiles = [(i, j) for i in range(h // s) for j in range(w // s)]
    y = np.empty((n, f, h // s, w // s), x.dtype)
    largest = np.empty(y.shape, np.intp)
    for i, j in tiles:
        tile = x[:, :, s * i : s * (i + 1), s * j : s * (j + 1)].reshape(n, f, s * s)
        largest[:, :, i, j] = tile.argmax(2)
        y[:, :, i, j] = tile.max(2)

    def pullback(dy: Array) -> tuple[Array]:
        dx = np.zeros_like(x)
        for i, j in tiles:
            dtile = np.zeros((n, f, s * s), x.dtype)
            np.put_along_axis(dtile, largest[:, :, i, j, None], dy[:, :, i, j, None], 2)
            dx[:, :, s * i : s * (i + 1), s * j : s * (j + 1)] = dtile.reshape(n, f, s, s)
        return (dx,)

    return y, pullback


def max_pool(x: Array, s: int = 2) -> tuple[Array, Pullback]:
    """The same pooling on whole arrays: each of the s*s corners of all tiles at once.

    x (n, f, h, w) -> y (n, f, h/s, w/s);  dy -> (dx,)
    """
    corners = [(slice(None), slice(None), slice(a, None, s), slice(b, None, s)) for a in range(s) for b in range(s)]
    y = reduce(np.maximum, (x[corner] for corner in corners))

    def pullback(dy: Array) -> tuple[Array]:
        dx = np.zeros_like(x)
        open_tiles = np.ones_like(y, bool)  # no corner has taken this tile's derivative yet
        for corner in corners:
            takes = open_tiles & (x[corner] == y)
            dx[corner] = dy * takes
            open_tiles &= ~takes
        return (dx,)

    return y, pullback


def dense(x: Array, weight: Array, bias: Array) -> tuple[Array, Pullback]:
    """Every unit a weighted sum of every feature.   x (n, d), weight (u, d), bias (u,) -> y (n, u);  dy -> (dweight, dbias, dx)"""
    y = x @ weight.T + bias

    def pullback(dy: Array) -> tuple[Array, Array, Array]:
        return dy.T @ x, dy.sum(0), dy @ weight

    return y, pullback


def flatten(x: Array) -> tuple[Array, Pullback]:
    """All features of an image in one row, channel first.   x (n, c, h, w) -> y (n, c*h*w);  dy -> (dx,)"""

    def pullback(dy: Array) -> tuple[Array]:
        return (dy.reshape(x.shape),)

    return x.reshape(len(x), -1), pullback


def relu(x: Array) -> tuple[Array, Pullback]:
    """The positive part.   x -> y of the same shape;  dy -> (dx,)"""
    y = np.maximum(x, 0)

    def pullback(dy: Array) -> tuple[Array]:
        return (dy * (y > 0),)

    return y, pullback


def sigmoid(x: Array) -> tuple[Array, Pullback]:
    """1 / (1 + exp(-x)), by way of tanh, which cannot overflow.   x -> y of the same shape;  dy -> (dx,)"""
    y = 0.5 * (1 + np.tanh(0.5 * x))

    def pullback(dy: Array) -> tuple[Array]:
        return (dy * (y * (1 - y)),)

    return y, pullback


def tanh(x: Array) -> tuple[Array, Pullback]:
    """The hyperbolic tangent.   x -> y of the same shape;  dy -> (dx,)"""
    y = np.tanh(x)

    def pullback(dy: Array) -> tuple[Array]:
        return (dy * (1 - y * y),)

    return y, pullback


def cross_entropy(logits: Array, labels: NDArray[np.integer[Any]]) -> tuple[np.floating[Any], Pullback]:
    """Mean negative log-likelihood of the labels under softmax(logits), in nats.

    logits (n, classes), labels (n,) -> loss ();  dloss -> (dlogits,)
    """
    shifted = logits - logits.max(1, keepdims=True)  # softmax does not change, exp cannot overflow
    log_likelihood = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    own_class = np.arange(len(labels)), labels

    def pullback(dloss: Any) -> tuple[Array]:
        dlogits = np.exp(log_likelihood)
        dlogits[own_class] -= 1
        dlogits *= dloss / len(labels)
        return (dlogits,)

    return -log_likelihood[own_class].mean(), pullback
