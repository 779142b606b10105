"""Where the time of a prediction goes, kernel by kernel, by each framework's own profiler, in a process of its own."""

# mypy: allow-untyped-defs
# pytest passes fixtures by name; their types stand where they are defined.

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.arrange import problem, tools
from benchmarks.arrange.clock import enter, recorded_time
from benchmarks.isolated import program

PROFILED = {
    f"{tool.framework}-{mode}": (tool, mode) for tool in tools.found("benchmarks.isolated", "where_") for mode in tool.kinds
}
"""Framework and mode -> the program that profiles that mode."""


@pytest.mark.heavy
@pytest.mark.usefixtures("cpu_only")
@pytest.mark.benchmark(group="where", timer=recorded_time)
@pytest.mark.parametrize("batch", [64, 450], ids="batch{}".format)
@pytest.mark.parametrize("profiled", PROFILED)
def test_where(benchmark, require, record, weights, dataset, expected_logits, seconds_a_case, tmp_path, profiled, batch):
    """The times are those of the profiled calls.  A profile that lacks calls, or that slows them, gives no number."""
    tool, mode = PROFILED[profiled]
    require(tool)
    images, labels = problem.first_images(dataset, batch), problem.first_labels(dataset, batch)
    path = problem.save(tmp_path / "problem.npz", weights, images, labels, expected_logits(batch))

    found = program.call(tool.module, mode, path, "--seconds", seconds_a_case)
    if "no_number" in found:
        pytest.skip(found["no_number"])

    plain_seconds = float(np.median(found["plain_seconds"]))
    record(
        framework=tool.framework,
        mode=mode,
        batch=batch,
        profiler=tool.title,
        plain_seconds=plain_seconds,
        kernels=found["parts"],
    )
    enter(benchmark, found["whole_seconds"])
