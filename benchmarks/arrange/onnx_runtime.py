"""The network as ONNX Runtime computes it: a yardstick beside the frameworks, not one of them, since it only predicts."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from lenet5.architecture import CONVOLUTIONS, DENSE, IMAGE_SIDE, POOL_SIDE
from lenet5.contract import Weights

TITLE = "ONNX Runtime"
FRAMEWORK = "ONNX Runtime"
PACKAGES = ("onnx", "onnxruntime")
EXTRA = "beside"

VERSION = str(onnxruntime.__version__)

OPSET, IR_VERSION = 17, 8
"""Of the model: old enough for any ONNX Runtime since 2022, whichever version of onnx writes it."""


def model(weights: Weights, batch: int) -> Any:
    """LeNet-5 with ReLU as an ONNX model of one batch size, so that nothing is left for the runtime to find out in a call.

    images (batch, c, 32, 32) -> logits (batch, classes)
    """
    nodes, last = [], "images"

    def add(operation: str, output: str, *parameters: str, **attributes: Any) -> None:
        nonlocal last
        nodes.append(helper.make_node(operation, [last, *parameters], [output], **attributes))
        last = output

    for layer in CONVOLUTIONS:
        add("Conv", layer, f"{layer}.weight", f"{layer}.bias")
        add("Relu", f"{layer}.relu")
        add("MaxPool", f"{layer}.pool", kernel_shape=[POOL_SIDE] * 2, strides=[POOL_SIDE] * 2)
    add("Flatten", "features")
    for layer in DENSE:
        add("Gemm", layer, f"{layer}.weight", f"{layer}.bias", transB=1)
        if layer != DENSE[-1]:
            add("Relu", f"{layer}.relu")

    channels, classes = weights["conv1.weight"].shape[1], len(weights["fc3.bias"])
    images = helper.make_tensor_value_info("images", onnx.TensorProto.FLOAT, [batch, channels, IMAGE_SIDE, IMAGE_SIDE])
    logits = helper.make_tensor_value_info(last, onnx.TensorProto.FLOAT, [batch, classes])
    constants = [numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "LeNet-5", [images], [logits], constants)
    found = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(found, full_check=True)
    return found


class Network:
    """LeNet-5 for one batch size on the CPU, with all of ONNX Runtime's graph optimizations."""

    def __init__(self, weights: Weights, batch: int, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        serialized = model(weights, batch).SerializeToString()
        self._session = onnxruntime.InferenceSession(serialized, options, providers=["CPUExecutionProvider"])

    def predict(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits.   images float32 (batch, c, 32, 32), contiguous -> float32 (batch, classes)"""
        logits: NDArray[np.float32] = self._session.run(None, {"images": images})[0]
        return logits
