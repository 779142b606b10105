"""What was tried for the network by hand and did not pay: each function changes a copy of it (`copies`).

Other algorithms replace the convolution of the plain network, where im2col is; they only predict.

Letters: n images, c channels in, f filters, h x w pixels in, i x j pixels out, k kernel side.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from benchmarks.arrange.worklog.copies import Copy

Array = NDArray[Any]

# Other algorithms for a convolution.   x (n, c, h, w), weight (f, c, k, k), bias (f,) -> (n, f, h-k+1, w-k+1)


def by_fft(x: Array, weight: Array, bias: Array) -> Array:
    """Multiply in the frequency domain: for each frequency one product over the channels."""
    k, size = weight.shape[-1], x.shape[2:]
    spectrum = np.fft.rfft2(x).transpose(2, 3, 0, 1)
    kernels = np.fft.rfft2(weight, s=size).conj().transpose(2, 3, 1, 0)
    whole: Array = np.fft.irfft2((spectrum @ kernels).transpose(2, 3, 0, 1), s=size)
    y: Array = whole[:, :, : size[0] - k + 1, : size[1] - k + 1] + bias[:, None, None]
    return y


def by_winograd(x: Array, weight: Array, bias: Array) -> Array:
    """F(2 x 2, 5 x 5) of Winograd (Lavin & Gray 2016): 36 multiplications for 4 outputs and a channel, not 100; the rest is transforms."""
    at, g, bt = (matrix.astype(np.float32) for matrix in winograd_matrices(2, 5))
    n, c, h, w = x.shape
    f, i, j = len(weight), (h - 4) // 2, (w - 4) // 2
    tiles = sliding_window_view(x, (6, 6), axis=(2, 3), subok=True)[:, :, ::2, ::2]  # (n, c, i, j, 6, 6)
    tiles = (bt @ tiles @ bt.T).transpose(4, 5, 1, 0, 2, 3).reshape(6, 6, c, n * i * j)
    kernels = (g @ weight @ g.T).transpose(2, 3, 0, 1)
    products = (kernels @ tiles).reshape(6, 6, f, n, i, j).transpose(3, 2, 4, 5, 0, 1)
    y: Array = (at @ products @ at.T).transpose(0, 1, 2, 4, 3, 5).reshape(n, f, 2 * i, 2 * j)
    y += bias[:, None, None]
    return y


@cache
def winograd_matrices(outputs: int, taps: int) -> tuple[Array, Array, Array]:
    """A^T (outputs, t), G (t, taps) and B^T (t, t) of Toom and Cook's algorithm at 0, 1, -1, 2, -2, ... and infinity; t = outputs + taps - 1.

    y = A^T [(G g) * (B^T d)] are the outputs of taps g over inputs d.
    """
    points = [0.0, *(sign * size for size in range(1, outputs + taps) for sign in (1.0, -1.0))][: outputs + taps - 2]
    at = np.array([[*(point**row for point in points), float(row == outputs - 1)] for row in range(outputs)])
    g = np.zeros((len(points) + 1, taps))
    bt = np.zeros((len(points) + 1,) * 2)
    for row, point in enumerate(points):
        others = [other for other in points if other != point]
        g[row] = [point**tap / np.prod([point - other for other in others]) for tap in range(taps)]
        bt[row, :-1] = np.poly(others)[::-1]
    g[-1, -1] = 1
    bt[-1] = np.poly(points)[::-1]
    return at, g, bt


def by_shifted_maps(x: Array, weight: Array, bias: Array) -> Array:
    """One product without any window gives 25 maps of each filter; their sum, each shifted by its tap, is the output (kn2row)."""
    n, c, h, w = x.shape
    f, _, k, _ = weight.shape
    i, j = h - k + 1, w - k + 1
    maps = (weight.transpose(2, 3, 0, 1).reshape(k * k * f, c) @ x.reshape(n, c, h * w)).reshape(n, k, k, f, h, w)
    first, *others = [maps[:, a, b, :, a : a + i, b : b + j] for a in range(k) for b in range(k)]
    y: Array = first + bias[:, None, None]
    for shifted in others:
        y += shifted
    return y


def convolution(way: Callable[[Array, Array, Array], Array]) -> Callable[[Copy], None]:
    """The plain network with another convolution."""

    def changed(copy: Copy) -> None:
        def convolve(x: Array, weight: Array, bias: Array, wants_dx: bool = True) -> tuple[Array, None]:
            return way(x, weight, bias), None

        for name, rung in copy.plain.RUNGS.items():
            copy.plain.RUNGS[name] = copy.plain.Rung(convolve, rung.max_pool, rung.dtype)

    return changed


# Other calls of NumPy in the fast network


def one_maximum(copy: Copy) -> None:
    """Pooling is one maximum.reduce over the four places, which is also relu where the bias is in the product already (initial=0)."""

    StripConvolution: Any = copy.strips.StripConvolution

    class OneMaximum(StripConvolution):  # type: ignore[misc]
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            rows, _, *others = self.z.shape
            self.places = self.z.reshape(rows // 2, 2, 2, *others)

        def forward(self) -> None:
            np.copyto(self.strips, self.source)
            np.matmul(self.matrix, self.windows, out=self.z_by_row)
            np.maximum.reduce(self.places, axis=(1, 2), out=self.pooled)
            np.add(self.pooled, self.bias, out=self.pooled)
            self.activate(self.pooled_like_out, self.zeros, self.out)

    PatchConvolution: Any = copy.patches.PatchConvolution

    class OneMaximumOfPatches(PatchConvolution):  # type: ignore[misc]
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self.places = self.z.reshape(len(self.rows), 4, -1)

        def forward(self) -> None:
            np.copyto(self.patches, self.source)
            np.dot(self.rows, self.matrix, out=self.z)
            np.maximum.reduce(self.places, axis=1, out=self.pooled_rows, initial=0)
            np.copyto(self.out, self.pooled)

    copy.replace("StripConvolution", OneMaximum)
    copy.replace("PatchConvolution", OneMaximumOfPatches)
