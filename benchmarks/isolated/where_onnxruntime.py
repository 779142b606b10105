"""Where ONNX Runtime spends a prediction, by the profile that a session writes.  Arguments and JSON: see `where`."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.isolated.where import Profile, Span, kind_by, main
from lenet5.with_onnxruntime import model, session

TITLE = "ONNX Runtime's profile"
FRAMEWORK = "onnxruntime"
PACKAGES = ("onnxruntime", "onnx")
KINDS = {"optimized": "optimized"}

KIND = {
    r"^(Fused)?Conv": "convolution",
    r"Pool": "pooling",
    r"Gemm|MatMul": "dense",
    r"Reorder|Transpose|Flatten|Reshape": "copies",
    r"Relu|Sigmoid|Tanh": "activation",
}
"""Of the operations of a graph; an activation that is fused into one belongs to it."""


def profile(net: Any, x: Any, rounds: int) -> Profile:
    """Predict by a session of the same model that writes a profile."""
    with tempfile.TemporaryDirectory() as folder:
        watched = session(model(net.weights(), "relu"), enable_profiling=True, profile_file_prefix=str(Path(folder, "profile")))
        for _ in range(rounds + 1):
            watched.run(None, {"images": np.asarray(x)})
        events = json.loads(Path(watched.end_profiling()).read_text(encoding="utf-8"))
    runs = [_span("call", event) for event in events if event["name"] == "model_run"]
    nodes = [event for event in events if event["name"].endswith("_kernel_time")]
    kernels = [_span(f"{event['args']['op_name']} {event['name'].removesuffix('_kernel_time')}", event) for event in nodes]
    return Profile(runs[1:], kernels)


def _span(name: str, event: Any) -> Span:
    return Span(name, event["ts"] / 1e6, (event["ts"] + event["dur"]) / 1e6)


if __name__ == "__main__":
    sys.exit(main(FRAMEWORK, profile, kind_by(KIND)))
