"""Where JAX spends a prediction, by its own profiler.  Arguments and JSON: see `where`."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import jax

from benchmarks.isolated.where import Profile, Span, kind_by, main

TITLE = "JAX's profiler"
FRAMEWORK = "jax"
PACKAGES = ("jax",)
KINDS = {"jit": "jit"}

KIND = {
    r"conv": "convolution",
    r"reduce.window": "pooling",
    r"dot": "dense",
    r"copy|transpose|reshape|bitcast": "copies",
    r"fusion": "fused",
}
"""Of the instructions of a program of XLA; a fusion holds whatever XLA has put into it."""

CALL = "lenet5 call"

RUNS_XLA = "tf_XLAPjRtCpuClient"
"""How the threads are called that run the instructions of a program; Eigen's, which share one among them, bear another name."""

NO_KERNEL = re.compile(r"^(end: |\$)|::")
"""Names that are no instruction's: the end of one, a line of Python, what XLA says of its own threads and of waiting for them."""


def profile(net: Any, x: Any, rounds: int) -> Profile:
    """Predict under the profiler."""
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            for _ in range(rounds):
                with jax.profiler.TraceAnnotation(CALL):
                    net.predict(x)
        (written,) = Path(folder).glob("**/*.xplane.pb")
        seen = jax.profiler.ProfileData.from_file(str(written))
    calls, kernels = [], []
    for line in (line for plane in seen.planes for line in plane.lines):
        for event in line.events:
            span = Span(event.name, event.start_ns / 1e9, (event.start_ns + event.duration_ns) / 1e9, line.name)
            if event.name == CALL:
                calls.append(span)
            elif line.name.startswith(RUNS_XLA) and not NO_KERNEL.search(event.name):
                kernels.append(span)
    return Profile(calls, kernels)


if __name__ == "__main__":
    sys.exit(main(FRAMEWORK, profile, kind_by(KIND)))
