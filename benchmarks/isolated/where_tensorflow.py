"""Where TensorFlow spends a prediction, by its own profiler.  Arguments and JSON: see `where`."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from lenet5.with_tensorflow import CPU  # isort: skip  # first: it sets what TensorFlow reads when it is imported

import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from benchmarks.isolated.where import Profile, Span, kind_by, main

TITLE = "TensorFlow's profiler"
FRAMEWORK = "tensorflow"
PACKAGES = ("tensorflow", "keras")
KINDS = {"graph": "graph"}

KIND = {
    r":.*Conv": "convolution",
    r":.*Pool": "pooling",
    r":.*MatMul": "dense",
    r":.*(Relu|Sigmoid|Tanh)": "activation",
    r":.*(Transpose|Reshape|Copy|Cast|Identity)": "copies",
}
"""Of the operations of a graph, after the colon of a name such as conv1/Relu:_FusedConv2D."""

OPERATION = re.compile(r"^[^$:]+:[A-Za-z0-9_]+$")
"""What the profiler calls an operation: its name in the graph, and its kind."""

CALL = "lenet5 call"


def profile(net: Any, x: Any, rounds: int) -> Profile:
    """Predict under the profiler."""
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        for _ in range(rounds):
            with tf.profiler.experimental.Trace(CALL), tf.device(CPU):
                net.predict(x)
        tf.profiler.experimental.stop()
        (written,) = Path(folder).glob("**/*.xplane.pb")
        seen = xplane_pb2.XSpace.FromString(written.read_bytes())
    calls, kernels = [], []
    for plane in seen.planes:
        for line in plane.lines:
            for event in line.events:
                name = plane.event_metadata[event.metadata_id].name
                start = line.timestamp_ns / 1e9 + event.offset_ps / 1e12
                span = Span(name, start, start + event.duration_ps / 1e12, line.id)
                if name.startswith(CALL):
                    calls.append(span)
                elif OPERATION.match(name) and not name.startswith("EagerLocalExecute"):
                    kernels.append(span)
    return Profile(calls, kernels)


if __name__ == "__main__":
    sys.exit(main(FRAMEWORK, profile, kind_by(KIND)))
