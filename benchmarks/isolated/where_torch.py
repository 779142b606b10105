"""Where PyTorch spends a prediction, by torch.profiler.  Arguments and JSON: see `where`."""

from __future__ import annotations

import sys
from typing import Any

import torch

from benchmarks.arrange import onednn
from benchmarks.isolated.where import Profile, Span, kind_by, main

TITLE = "torch.profiler"
FRAMEWORK = "torch"
PACKAGES = ("torch",)
KINDS = {"eager": "eager", "eager-channels_last": "eager with channels last"}

KIND = {
    r"conv(?!ert)": "convolution",
    r"max_pool": "pooling",
    r"addmm|linear|matmul|::mm": "dense",
    r"relu|clamp|sigmoid|tanh": "activation",
    r"copy_|clone|contiguous|::to$": "copies",
}

CALL = "lenet5 call"


CONVOLVES = "aten::mkldnn_convolution"
"""The operation of PyTorch's that oneDNN computes."""


def profile(net: Any, x: Any, rounds: int) -> Profile:
    """Predict under the profiler.  The kernel of oneDNN's that convolves is named behind the operation."""
    kernels = {one.implementation for one in onednn.executed(lambda: net.predict(x)) if one.kind == "convolution"}
    names = {CONVOLVES: " ".join([CONVOLVES, *sorted(kernels)])}
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as seen:
        for _ in range(rounds):
            with torch.profiler.record_function(CALL):
                net.predict(x)
    spans = [
        Span(names.get(event.name, event.name), event.time_range.start / 1e6, event.time_range.end / 1e6, event.thread)
        for event in seen.events()
    ]
    return Profile(
        [span for span in spans if span.name == CALL], [span for span in spans if span.name.startswith(("aten::", "mkldnn"))]
    )


if __name__ == "__main__":
    sys.exit(main(FRAMEWORK, profile, kind_by(KIND)))
