"""What it takes to bring images to where they are computed."""

from __future__ import annotations

from benchmarks.report.records import Plot, Section
from benchmarks.report.times import by_batch, what_a_cell_is
from benchmarks.saved.results import Run


def sections(run: Run) -> list[Section]:
    if not run.group("transfer"):
        return []
    before = [
        f"From a NumPy array to what the network eats, on the device ({run.device}): checked, laid out as the framework wants it, "
        'copied; the clock stops when the copy has finished. No other time but "all epochs" has this in it. '
        f"{what_a_cell_is(run)}"
    ]
    return [Section("Bringing the images there", before, by_batch(run, "transfer"))]


def plots(run: Run) -> list[Plot]:
    return []
