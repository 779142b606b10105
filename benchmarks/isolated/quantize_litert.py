"""TensorFlow's converter and LiteRT's interpreter in a process of its own.  Arguments and JSON: see `quantize`.

dynamic   int8 weights; activations stay float32 and are rounded inside each product.  Kernels of under 1,024 weights stay float32
full      int8 throughout, the input and the logits too; training images tell the ranges
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5.packages import importing_keras

with importing_keras():
    import tensorflow as tf

from benchmarks.isolated.quantize import Int8, Task, main
from lenet5 import channels_last
from lenet5.architecture import CONVOLUTIONS, DENSE, IMAGE_SIDE, LAYERS, POOL_SIDE
from lenet5.threads import asked, usable_cpus
from lenet5.training import BATCH

TITLE = "LiteRT"
FRAMEWORK = "tensorflow"
PACKAGES = ("tensorflow",)
KINDS = {"dynamic": "dynamic", "full": "full integer"}


def quantize(task: Task) -> Int8:
    """Both networks as LiteRT runs them: float32 against int8 on the same interpreter."""
    dense, small = interpreter(converted(task, "float32")), interpreter(converted(task, task.kind))
    constants = [detail for detail in small.get_tensor_details() if is_constant(small, detail)]
    arrays = [small.get_tensor(detail["index"]) for detail in constants]
    scales = [detail["quantization_parameters"]["scales"] for detail in constants]
    return Int8(
        tensor=channels_last.images,
        dense=predictor(dense),
        predict=predictor(small),
        weight_bytes=sum(array.nbytes for array in arrays) + sum(scale.nbytes for scale in scales),
        int8_weights=sum(array.size for array in arrays if array.dtype == np.int8),
    )


def converted(task: Task, kind: str) -> bytes:
    """The network as a LiteRT model of one batch size."""
    channels = task.weights["conv1.weight"].shape[1]
    signature = [tf.TensorSpec((BATCH, IMAGE_SIDE, IMAGE_SIDE, channels), tf.float32)]
    traced = tf.function(forward(task.weights), input_signature=signature)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced.get_concrete_function()], traced)
    if kind != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "full":
        converter.representative_dataset = lambda: calibration(task)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    model: bytes = converter.convert()
    return model


def forward(weights: Any) -> Callable[[tf.Tensor], tf.Tensor]:
    """The network with its weights as constants: images (BATCH, 32, 32, c) -> logits (BATCH, classes)"""
    kernels = {layer: tf.constant(channels_last.from_canonical(layer, weights[f"{layer}.weight"])) for layer in LAYERS}

    def predict(x: tf.Tensor) -> tf.Tensor:
        for layer in CONVOLUTIONS:
            x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, kernels[layer], 1, "VALID"), weights[f"{layer}.bias"]))
            x = tf.nn.max_pool2d(x, POOL_SIDE, POOL_SIDE, "VALID")
        x = tf.reshape(x, (BATCH, -1))
        for layer in DENSE:
            x = tf.nn.bias_add(tf.matmul(x, kernels[layer]), weights[f"{layer}.bias"])
            x = x if layer == DENSE[-1] else tf.nn.relu(x)
        return x

    return predict


def calibration(task: Task) -> Iterator[list[NDArray[np.float32]]]:
    """The calibration images in batches, as the converter asks for them."""
    for start in range(0, len(task.calibration), BATCH):
        yield [channels_last.images(task.calibration[start : start + BATCH])]


def interpreter(model: bytes) -> Any:
    """LiteRT's interpreter of a model, on the run's threads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorFlow announces that LiteRT will be a package of its own
        found = tf.lite.Interpreter(model_content=model, num_threads=asked() or usable_cpus())
    found.allocate_tensors()
    return found


def is_constant(model: Any, detail: Any) -> bool:
    """Whether a tensor is part of the model's file, not computed: only those can be read before the first call."""
    computed = {index for operation in model._get_ops_details() for index in operation["outputs"]}
    inputs = {one["index"] for one in model.get_input_details()}
    return detail["index"] not in computed | inputs and detail["shape"].size > 0 and detail["dtype"] != np.bytes_


def predictor(model: Any) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Images to logits on one interpreter, rounding both ways included where it wants whole numbers."""
    (source,), (target,) = model.get_input_details(), model.get_output_details()

    def predict(images: NDArray[np.float32]) -> NDArray[np.float32]:
        model.set_tensor(source["index"], to_model(images, source))
        model.invoke()
        return from_model(model.get_tensor(target["index"]), target)

    return predict


def to_model(images: NDArray[np.float32], detail: Any) -> NDArray[Any]:
    if detail["dtype"] == np.float32:
        return images
    scale, zero = detail["quantization"]
    steps: NDArray[Any] = np.rint(images / np.float32(scale)) + zero
    return steps.clip(-128, 127).astype(np.int8)


def from_model(logits: NDArray[Any], detail: Any) -> NDArray[np.float32]:
    if detail["dtype"] == np.float32:
        return logits
    scale, zero = detail["quantization"]
    real: NDArray[np.float32] = np.float32(scale) * (logits.astype(np.float32) - zero)
    return real


if __name__ == "__main__":
    sys.exit(main(quantize, tuple(KINDS)))
