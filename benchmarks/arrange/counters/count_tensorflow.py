"""TensorFlow's v1 profiler, which reads FLOPs off a frozen graph: only there does every operation know its shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lenet5.with_tensorflow import model as model_of  # isort: skip  # first: it sets what TensorFlow reads when it is imported

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

import lenet5
from benchmarks.arrange.counters import Counter, Parts, output_numbers, pooled_numbers
from lenet5.architecture import CONVOLUTION_SIDE, CONVOLUTIONS, DENSE, IMAGE_SIDE, POOL_SIDE, shapes_of

TITLE = "TensorFlow's v1 profiler"
FRAMEWORK = "tensorflow"
PACKAGES = ("tensorflow", "keras")


def _profiled(function: Callable[..., Any], *specifications: Any) -> int:
    """FLOPs of a function's graph."""
    frozen = convert_variables_to_constants_v2(tf.function(function).get_concrete_function(*specifications)).graph
    options = tf.compat.v1.profiler.ProfileOptionBuilder(tf.compat.v1.profiler.ProfileOptionBuilder.float_operation())
    with frozen.as_default():
        profile = tf.compat.v1.profiler.profile(frozen, cmd="op", options=options.with_empty_output().build())
    return int(profile.total_float_ops)


def _model(weights: lenet5.Weights) -> tuple[Any, Any]:
    """The model, and the shape of a batch of one image."""
    shape = (1, IMAGE_SIDE, IMAGE_SIDE, weights["conv1.weight"].shape[1])
    return model_of(shapes_of(weights), "relu"), tf.TensorSpec(shape, tf.float32)


def _forward(weights: lenet5.Weights) -> int:
    model, images = _model(weights)
    return _profiled(lambda x: model(x, training=False), images)


def _forward_extra(weights: Mapping[str, Any]) -> Parts:
    return {
        "one for each bias and output": output_numbers(weights),
        "four for each pooled number": POOL_SIDE**2 * pooled_numbers(weights),
    }


def _training(weights: lenet5.Weights) -> int:
    model, images = _model(weights)

    def gradients(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=model(x, training=True))
            loss = tf.reduce_mean(loss)
        return tape.gradient(loss, model.trainable_variables)

    return _profiled(gradients, images, tf.TensorSpec((1,), tf.int64))


def _training_extra(weights: Mapping[str, Any]) -> Parts:
    first, second = CONVOLUTIONS
    return {
        **_forward_extra(weights),
        "gradients of the convolutions, counted for each pixel that goes in, not out": _same_padding_excess(weights, first)
        + 2 * _same_padding_excess(weights, second),
        "five for each pooled number, on the way back": (POOL_SIDE**2 + 1) * pooled_numbers(weights),
        # A dense layer's bias has one number of one image to sum: no addition.
        "gradients of the convolutions' biases": output_numbers(weights, CONVOLUTIONS)
        - sum(len(weights[f"{c}.bias"]) for c in CONVOLUTIONS),
        "gradient of the mean loss": len(weights[f"{DENSE[-1]}.bias"]) + 1,
    }


def _same_padding_excess(weights: Mapping[str, Any], layer: str) -> int:
    """FLOPs too many for a gradient of a convolution when one kernel is counted for each pixel that goes *in*."""
    pixels_in = {CONVOLUTIONS[0]: IMAGE_SIDE, CONVOLUTIONS[1]: CONVOLUTION_SIDE[CONVOLUTIONS[0]] // POOL_SIDE}[layer]
    return 2 * int(weights[f"{layer}.weight"].size) * (pixels_in**2 - CONVOLUTION_SIDE[layer] ** 2)


COUNTER = Counter("FLOPs", _forward, _forward_extra, _training, _training_extra)
