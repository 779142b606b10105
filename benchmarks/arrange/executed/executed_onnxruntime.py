"""ONNX Runtime: read off the graph that it has optimized for this processor, in which filters are padded to the lanes of its registers."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import onnx
from numpy.typing import NDArray

from benchmarks.arrange.executed import Executed
from lenet5.architecture import CONVOLUTION_SIDE, CONVOLUTIONS
from lenet5.with_onnxruntime import model, session

TITLE = "ONNX Runtime's optimized graph"
FRAMEWORK = "onnxruntime"
PACKAGES = ("onnxruntime", "onnx")
KINDS = {"optimized": "nodes of the graph"}

VIEWS = ("Flatten",)
"""Operations that move nothing."""

ERRORS_ONLY = 3
"""A graph for this processor alone is what is wanted; ONNX Runtime warns of it."""


def predicting(mode: str, weights: Mapping[str, Any], images: NDArray[Any]) -> Executed:
    """Every node of the graph is one call; a product takes as many multiplications as its weight has numbers, at each place of its output."""
    graph = optimized(weights)
    shapes = {constant.name: tuple(constant.dims) for constant in graph.initializer}
    places = iter(CONVOLUTION_SIDE[layer] ** 2 for layer in CONVOLUTIONS)
    macs = 0
    for node in graph.node:
        if node.op_type in ("Conv", "Gemm", "FusedConv", "FusedGemm"):
            macs += prod(shapes[node.input[1]]) * (next(places) if "Conv" in node.op_type else 1)
    calls = len([node for node in graph.node if node.op_type not in VIEWS])
    return Executed(calls, macs * len(images), unknown="ONNX Runtime does not say what its nodes copy")


def optimized(weights: Mapping[str, Any]) -> Any:
    """The graph of a session that predicts by these weights."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "optimized.onnx")
        session(model(dict(weights), "relu"), optimized_model_filepath=str(file), log_severity_level=ERRORS_ONLY)
        return onnx.load(file).graph
