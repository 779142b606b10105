"""The multiplications of the NumPy layers, counted by an array type that watches every matrix product while the network runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lenet5
from benchmarks.arrange.counters import Counter, Parts, no_extra, one_image, output_numbers
from lenet5.architecture import CONVOLUTIONS
from lenet5.by_hand.plain import PlainLeNet5

TITLE = "products in the NumPy layers"
FRAMEWORK = "numpy"
PACKAGES = ("numpy",)


class Counting(np.ndarray):
    """An array that counts, in ``tally``, the multiplications of every matrix product that it or its descendants are in.

    An array that is computed from a counting array is one too.  Products that go past the @ operator (einsum, dot, tensordot) would
    stay uncounted, so they are refused.
    """

    tally: list[int]

    def __array_finalize__(self, parent: Any) -> None:
        self.tally = getattr(parent, "tally", [])

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        plain = [value.view(np.ndarray) if isinstance(value, Counting) else value for value in inputs]
        if options.get("out"):
            options["out"] = tuple(value.view(np.ndarray) if isinstance(value, Counting) else value for value in options["out"])
        result = getattr(ufunc, method)(*plain, **options)
        if ufunc is np.matmul:
            self.tally.append(np.size(result) * np.shape(plain[0])[-1])
        return watched(result, self.tally) if isinstance(result, np.ndarray) else result

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        if function in (np.dot, np.vdot, np.inner, np.outer, np.einsum, np.tensordot, np.kron):
            raise NotImplementedError(f"{function.__name__}: its multiplications are not counted; use @")
        return super().__array_function__(function, types, arguments, options)


def watched(array: NDArray[Any], tally: list[int]) -> Counting:
    """The same array, counting."""
    view = array.view(Counting)
    view.tally = tally
    return view


def _macs(call: str) -> Callable[[lenet5.Weights], int]:
    """A function that counts the MACs of a call by running its real operations on counting weights."""

    def count(weights: lenet5.Weights) -> int:
        images, labels = one_image(weights)
        net = PlainLeNet5(weights, "im2col", "relu", "sgd", learning_rate=1e-3)
        tally: list[int] = []
        net._weights = {name: watched(array, tally) for name, array in net._weights.items()}
        getattr(net, call)(images, *([labels] if call == "train_step" else []))
        return sum(tally)

    return count


def _training_extra(weights: Mapping[str, Any]) -> Parts:
    return {"gradients of the convolutions' biases, by a product with ones": output_numbers(weights, CONVOLUTIONS)}


COUNTER = Counter("MACs", _macs("predict"), no_extra, _macs("train_step"), _training_extra)
