"""LeNet-5 in ONNX Runtime, an engine that runs trained networks: a yardstick for predictions.  It does not train."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from lenet5 import threads
from lenet5.architecture import CONVOLUTIONS, DENSE, IMAGE_SIDE, LAYERS, POOL_SIDE, checked, shapes_of
from lenet5.contract import Weights, check_images, check_labels, check_options, is_labels
from lenet5.errors import NoDevice, NotSupported

# ONNX Runtime reads it when it is imported.  Without it, it keeps an identifier of this machine in the user's cache, and threads of its own
# look for a server in the network.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

THREADS = threads.asked() or 0
"""Of every session; with 0 ONNX Runtime takes as many as it likes, and does not say how many."""

OPSET, IR_VERSION = 17, 8
"""Of the model: old enough for any ONNX Runtime since 2022, whichever version of onnx writes it."""

OPERATIONS = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh"}
"""Activation -> the operation of ONNX."""


class Checked(np.ndarray):
    """An array that has passed tensor().  The type is all that tells it from any other array."""


class LeNet5:
    """LeNet-5 in ONNX Runtime, for predictions only.  Mode: optimized, a session with all of its graph optimizations."""

    modes = ("optimized",)
    colour = "olive"
    trains = False
    packages = ("onnxruntime", "onnx")

    def __init__(
        self,
        weights: Mapping[str, Any],
        mode: str = modes[0],
        activation: str = "relu",
        optimizer: str = "adam",
        learning_rate: float = 1e-3,
        device: str = "cpu",
    ) -> None:
        check_options(self.modes, mode, activation, optimizer, learning_rate, device)
        if device != "cpu":
            raise NoDevice(f"device: {device!r} is asked for, but ONNX Runtime is used on the CPU only here; use 'cpu'")
        arrays = checked(weights)
        self._shapes = shapes_of(arrays)
        self._activation = activation
        self.load(arrays)

    def tensor(self, array: NDArray[Any]) -> Checked:
        if is_labels(array):
            check_labels(array, classes=self._shapes["fc3.bias"][0])
            return np.array(array, np.int64).view(Checked)
        check_images(array, channels=self._shapes["conv1.weight"][1])
        return np.array(array, order="C").view(Checked)

    def predict(self, x: Any) -> NDArray[np.float32]:
        images = (x if type(x) is Checked else self.tensor(x)).view(np.ndarray)
        logits: NDArray[np.float32] = self._session.run(None, {"images": images})[0]
        return logits

    def train_step(self, x: Any, y: Any) -> float:
        raise NotSupported("train_step: ONNX Runtime only predicts; train the network in another framework and load its weights")

    def weights(self) -> Weights:
        return {name: array.copy() for name, array in self._weights.items()}

    def load(self, weights: Mapping[str, Any]) -> None:
        """As promised, by a new session: ONNX Runtime keeps the weights in the graph that it has optimized for them."""
        arrays = checked(weights, like=self._shapes)
        self._session = session(model(arrays, self._activation))
        self._weights = arrays

    @staticmethod
    def describe() -> dict[str, Any]:
        return {"version": onnxruntime.__version__, "threads": THREADS or None, "onnx": onnx.__version__}


def model(weights: Weights, activation: str) -> Any:
    """The network as an ONNX model for batches of any size: images (n, c, 32, 32) -> logits (n, classes)"""
    nodes, last = [], "images"

    def add(operation: str, output: str, *parameters: str, **attributes: Any) -> None:
        nonlocal last
        nodes.append(helper.make_node(operation, [last, *parameters], [output], **attributes))
        last = output

    for layer in LAYERS:
        operation, attributes = ("Conv", {}) if layer in CONVOLUTIONS else ("Gemm", {"transB": 1})
        if layer == DENSE[0]:
            add("Flatten", "features")
        if f"{layer}.basis" in weights:
            add(operation, f"{layer}.combined", f"{layer}.basis", **attributes)
        add(operation, layer, f"{layer}.weight", f"{layer}.bias", **attributes)
        if layer != DENSE[-1]:
            add(OPERATIONS[activation], f"{layer}.active")
        if layer in CONVOLUTIONS:
            add("MaxPool", f"{layer}.pooled", kernel_shape=[POOL_SIDE] * 2, strides=[POOL_SIDE] * 2)

    channels, classes = weights["conv1.weight"].shape[1], len(weights["fc3.bias"])
    images = helper.make_tensor_value_info("images", onnx.TensorProto.FLOAT, ["n", channels, IMAGE_SIDE, IMAGE_SIDE])
    logits = helper.make_tensor_value_info(last, onnx.TensorProto.FLOAT, ["n", classes])
    constants = [numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "LeNet-5", [images], [logits], constants)
    found = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(found, full_check=True)
    return found


def session(network: Any, **options: Any) -> Any:
    """A session that runs a model on the CPU; ``options`` are further attributes of ONNX Runtime's SessionOptions."""
    chosen = onnxruntime.SessionOptions()
    for name, value in {"intra_op_num_threads": THREADS, "inter_op_num_threads": 1, **options}.items():
        setattr(chosen, name, value)
    return onnxruntime.InferenceSession(network.SerializeToString(), chosen, providers=["CPUExecutionProvider"])
