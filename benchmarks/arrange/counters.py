"""Four counters of FLOPs beside the closed form of `lenet5.cost`, and what each counts differently, to the last one.

Two count while the network runs (`torch.utils.flop_counter`, and an array type that watches NumPy), two read its structure
(torchinfo, TensorFlow's v1 profiler).  All count one image.  Nothing here imports a framework before its counter is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lenet5
from lenet5 import cost
from lenet5.architecture import CONVOLUTION_SIDE, CONVOLUTIONS, DENSE, IMAGE_SIDE, LAYERS, POOL_SIDE, shapes_of

Parts = dict[str, int]
"""What a counter has more than the closed form: words -> how many."""


@dataclass(frozen=True)
class Counter:
    """One way to count.  A training step is counted without the optimizer's own arithmetic, as in the closed form."""

    name: str
    framework: str
    unit: str
    """What the counter itself speaks of: FLOPs, or MACs (FLOPs = 2 x MACs)."""
    forward: Callable[[lenet5.Weights], int]
    """Count of one image's forward pass."""
    forward_extra: Callable[[Mapping[str, Any]], Parts]
    """Why that is not the closed form's."""
    training: Callable[[lenet5.Weights], int] | None = None
    """Count of one image's training step; None where the counter cannot see one."""
    training_extra: Callable[[Mapping[str, Any]], Parts] = field(default=lambda weights: {})

    def closed_form(self, flops: int) -> int:
        """The closed form's FLOPs in this counter's unit."""
        return flops // 2 if self.unit == "MACs" else flops


def unexplained(counter: Counter, weights: lenet5.Weights) -> dict[str, int]:
    """For "forward" and "training" what is left of a count after the closed form and all that is known beside it.  It should be 0."""
    closed = counter.closed_form(cost.forward_flops(weights))
    left = {"forward": counter.forward(weights) - closed - sum(counter.forward_extra(weights).values())}
    if counter.training:
        closed = counter.closed_form(cost.training_flops(weights))
        left["training"] = counter.training(weights) - closed - sum(counter.training_extra(weights).values())
    return left


# What the closed form leaves out, for one image


def output_numbers(weights: Mapping[str, Any], layers: tuple[str, ...] = LAYERS) -> int:
    """Numbers that these layers put out: one addition each if biases are counted."""
    return sum(len(weights[f"{layer}.bias"]) * CONVOLUTION_SIDE.get(layer, 1) ** 2 for layer in layers)


def pooled_numbers(weights: Mapping[str, Any]) -> int:
    """Numbers that both poolings put out."""
    return output_numbers(weights, CONVOLUTIONS) // POOL_SIDE**2


def _same_padding_excess(weights: Mapping[str, Any], layer: str) -> int:
    """FLOPs by which a gradient of a convolution is overstated by whoever counts one kernel for each pixel that goes *in*."""
    pixels_in = {CONVOLUTIONS[0]: IMAGE_SIDE, CONVOLUTIONS[1]: CONVOLUTION_SIDE[CONVOLUTIONS[0]] // POOL_SIDE}[layer]
    return 2 * int(weights[f"{layer}.weight"].size) * (pixels_in**2 - CONVOLUTION_SIDE[layer] ** 2)


def _no_extra(weights: Mapping[str, Any]) -> Parts:
    return {}


# PyTorch


def _by_flop_counter_mode(call: Callable[..., Any], *arguments: Any) -> int:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        call(*arguments)
    return int(counter.get_total_flops())


def _torch_forward(weights: lenet5.Weights) -> int:
    images, _ = _one_image(weights)
    return _by_flop_counter_mode(_torch(weights).predict, images)


def _torch_training(weights: lenet5.Weights) -> int:
    return _by_flop_counter_mode(_torch(weights).train_step, *_one_image(weights))


def _torch(weights: lenet5.Weights) -> Any:
    """The network in eager mode: a compilation inside the counter would stay slow for ever."""
    return lenet5.implementation("torch")(weights, mode="eager")


def _torchinfo_forward(weights: lenet5.Weights) -> int:
    import torchinfo

    from lenet5.with_torch import Module

    module = Module(shapes_of(weights), "relu")
    size = (1, weights["conv1.weight"].shape[1], IMAGE_SIDE, IMAGE_SIDE)
    return int(torchinfo.summary(module, size, verbose=0).total_mult_adds)


def _torchinfo_forward_extra(weights: Mapping[str, Any]) -> Parts:
    return {"one for each bias and output": output_numbers(weights)}


# TensorFlow


def _by_v1_profiler(function: Callable[..., Any], *specifications: Any) -> int:
    """FLOPs of a frozen graph: only there does every operation know its shapes."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    frozen = convert_variables_to_constants_v2(tf.function(function).get_concrete_function(*specifications)).graph
    options = tf.compat.v1.profiler.ProfileOptionBuilder(tf.compat.v1.profiler.ProfileOptionBuilder.float_operation())
    with frozen.as_default():
        profile = tf.compat.v1.profiler.profile(frozen, cmd="op", options=options.with_empty_output().build())
    return int(profile.total_float_ops)


def _keras(weights: lenet5.Weights) -> tuple[Any, Any]:
    """The model, and the shape of a batch of one image."""
    import tensorflow as tf

    from lenet5.with_tensorflow import model

    shape = (1, IMAGE_SIDE, IMAGE_SIDE, weights["conv1.weight"].shape[1])
    return model(shapes_of(weights), "relu"), tf.TensorSpec(shape, tf.float32)


def _tensorflow_forward(weights: lenet5.Weights) -> int:
    model, images = _keras(weights)
    return _by_v1_profiler(lambda x: model(x, training=False), images)


def _tensorflow_forward_extra(weights: Mapping[str, Any]) -> Parts:
    return {
        "one for each bias and output": output_numbers(weights),
        "four for each pooled number": POOL_SIDE**2 * pooled_numbers(weights),
    }


def _tensorflow_training(weights: lenet5.Weights) -> int:
    import tensorflow as tf

    model, images = _keras(weights)

    def gradients(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=model(x, training=True))
            loss = tf.reduce_mean(loss)
        return tape.gradient(loss, model.trainable_variables)

    return _by_v1_profiler(gradients, images, tf.TensorSpec((1,), tf.int64))


def _tensorflow_training_extra(weights: Mapping[str, Any]) -> Parts:
    first, second = CONVOLUTIONS
    return {
        **_tensorflow_forward_extra(weights),
        "gradients of the convolutions, counted for each pixel that goes in, not out": _same_padding_excess(weights, first)
        + 2 * _same_padding_excess(weights, second),
        "five for each pooled number, on the way back": (POOL_SIDE**2 + 1) * pooled_numbers(weights),
        # A dense layer's bias has one number of one image to sum: no addition.
        "gradients of the convolutions' biases": output_numbers(weights, CONVOLUTIONS)
        - sum(len(weights[f"{c}.bias"]) for c in CONVOLUTIONS),
        "gradient of the mean loss": len(weights[f"{DENSE[-1]}.bias"]) + 1,
    }


# NumPy


class Counting(np.ndarray):
    """An array that counts, in ``tally``, the multiplications of every matrix product that it or its descendants are in.

    Whatever is computed from a counting array is one.  Products that go past the @ operator (einsum, dot, tensordot) would
    go uncounted, so they are refused.
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


def _numpy(call: str) -> Callable[[lenet5.Weights], int]:
    """Counts MACs by running the real operations: the weights count, and so does all that is computed from them."""

    def count(weights: lenet5.Weights) -> int:
        from lenet5.by_hand.numpy_plain import PlainLeNet5

        images, labels = _one_image(weights)
        net = PlainLeNet5(weights, "im2col", "relu", "sgd", learning_rate=1e-3)
        tally: list[int] = []
        net._weights = {name: watched(array, tally) for name, array in net._weights.items()}
        getattr(net, call)(images, *([labels] if call == "train_step" else []))
        return sum(tally)

    return count


def _numpy_training_extra(weights: Mapping[str, Any]) -> Parts:
    return {"gradients of the convolutions' biases, by a product with ones": output_numbers(weights, CONVOLUTIONS)}


def _one_image(weights: lenet5.Weights) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """One image and its label.  What they hold does not matter for a count."""
    return np.zeros((1, weights["conv1.weight"].shape[1], IMAGE_SIDE, IMAGE_SIDE), np.float32), np.zeros(1, np.int64)


COUNTERS = (
    Counter("products in the NumPy layers", "numpy", "MACs", _numpy("predict"), _no_extra, _numpy("train_step"), _numpy_training_extra),
    Counter(
        "TensorFlow's v1 profiler", "tensorflow", "FLOPs",
        _tensorflow_forward, _tensorflow_forward_extra, _tensorflow_training, _tensorflow_training_extra,
    ),
    Counter("PyTorch's FlopCounterMode", "torch", "FLOPs", _torch_forward, _no_extra, _torch_training, _no_extra),
    Counter("torchinfo's mult-adds", "torch", "MACs", _torchinfo_forward, _torchinfo_forward_extra),
)  # fmt: skip
BY_NAME = {counter.name: counter for counter in COUNTERS}
