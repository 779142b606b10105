"""How much memory a network takes, in a process that does nothing else.

    python -m benchmarks.isolated.memory FRAMEWORK MODE KIND PROBLEM.npz [--device cuda]      # KIND is predict, train_step or epoch

Resident memory is read from /proc/self/status: VmRSS is what the process holds now, VmHWM the most that it held since that mark
was last reset.  (``ru_maxrss`` would be the caller's: Linux hands it down to a new process.)  The kernel counts in batches, so that a
difference below some hundred KiB says nothing.
"""

from __future__ import annotations

import re
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from memory_profiler import memory_usage
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from benchmarks.arrange import honest
from benchmarks.arrange.problem import ATOL, LEARNING_RATE, weights_in
from benchmarks.isolated import network
from lenet5.training import BATCH

KINDS = ("predict", "train_step", "epoch")
SAMPLE_SECONDS = 0.02
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def why_not() -> str | None:
    """Why resident memory cannot be measured on this machine; None where it can."""
    if not STATUS.exists():
        return f"resident memory is read from {STATUS}, which only Linux has"
    try:
        reset_peak()
    except OSError as error:
        return f"{CLEAR} cannot be written ({error.strerror}), so that a peak cannot be told from that of importing"
    return None


def resident_bytes(field: str = "VmRSS", status: str | None = None) -> int:
    """A field of /proc/self/status in bytes.  Raises OSError where there is no such field."""
    match = re.search(rf"^{field}:\s+(\d+) kB$", STATUS.read_text() if status is None else status, re.MULTILINE)
    if not match:
        raise OSError(f"{STATUS} has no {field}")
    return 1024 * int(match[1])


def reset_peak() -> None:
    """Let VmHWM start again from what the process holds now."""
    CLEAR.write_text("5")


def peak_above(function: Callable[[], Any]) -> tuple[int, int]:
    """Bytes that the process holds before a call, and how many more it held at most during it."""
    reset_peak()
    level = resident_bytes()
    function()
    return level, max(resident_bytes("VmHWM") - level, 0)


def traced_peak(function: Callable[[], Any]) -> int:
    """Largest number of bytes that a call holds in Python objects and NumPy arrays; memory that libraries allocate themselves is not seen."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def over_time(function: Callable[[], Any], interval_seconds: float = SAMPLE_SECONDS) -> list[tuple[float, int]]:
    """Resident memory while a call runs, by memory-profiler: (seconds since the start, bytes)."""
    start = time.time()
    samples = memory_usage((function, (), {}), interval=interval_seconds, timestamps=True, max_iterations=1)
    return [(max(at - start, 0.0), round(mebibytes * 2**20)) for mebibytes, at in samples]


def measure(
    load: Callable[[], Any],
    mode: str,
    kind: str,
    problem: Mapping[str, NDArray[Any]],
    device: str = "cpu",
) -> dict[str, Any]:
    """Import by ``load``, build, warm up with one image, and measure; bytes.  Raises AssertionError, and gives no number, for a wrong answer.

    Raises NotHonoured for a network that is not what its mode's name says.  An epoch's images come in the order of its batches;
    ``expected`` holds the losses before its first updates.
    """
    weights = weights_in(problem)
    start = resident_bytes()
    implementation = load()
    imported = resident_bytes()
    inputs = ("images",) if kind == "predict" else ("images", "labels")

    def warm_network() -> tuple[Any, Callable[..., Any]]:
        net = implementation(weights, mode=mode, optimizer="adam", learning_rate=LEARNING_RATE, device=device)
        call = net.predict if kind == "predict" else net.train_step
        call(*(net.tensor(problem[name][:1]) for name in inputs))
        net.load(weights)
        return net, call

    net, call = warm_network()
    warm = resident_bytes()
    size = BATCH if kind == "epoch" else len(problem["images"])
    starts = range(0, len(problem["images"]), size)
    batches = [tuple(net.tensor(problem[name][start : start + size]) for name in inputs) for start in starts]
    batch = batches[0]

    answers: list[Any] = []
    found: dict[str, Any] = {"import_rss_bytes": imported - start, "build_rss_bytes": warm - imported}
    if kind == "epoch":
        call(*batch)
        net.load(weights)
        found["level_rss_bytes"] = resident_bytes()
        found["rss_over_time"] = over_time(lambda: answers.extend(call(*batch) for batch in batches))
    else:
        level, peak = peak_above(lambda: answers.extend(call(*batch) for _ in range(2)))
        found |= {"level_rss_bytes": level, "peak_above_level_bytes": peak, "peak_rss_bytes": level + peak}
        if device != "cpu" and hasattr(implementation, "device_peak_bytes"):
            found["device_peak_bytes"] = implementation.device_peak_bytes(lambda: call(*batch))
        _, another = warm_network()  # a new one, since the first has made what it keeps for calls of this size
        found["traced_peak_bytes"] = traced_peak(lambda: another(*batch))
    assert_allclose(
        answers[0] if kind == "predict" else answers[: len(problem["expected"])], problem["expected"], rtol=0, atol=ATOL
    )
    honest.check_call(net, mode, answers[0])
    return found


if __name__ == "__main__":
    sys.exit(network.main(measure, KINDS))
