"""What it takes to bring images to where they are computed."""

from __future__ import annotations

from benchmarks.report.records import Plot, Section, Table
from benchmarks.report.times import find, label_of, pairs, time_cell, what_a_cell_is
from benchmarks.saved.results import Run


def sections(run: Run) -> list[Section]:
    return [_transfer(run)] if run.group("transfer") else []


def plots(run: Run) -> list[Plot]:
    return []


def _transfer(run: Run) -> Section:
    """What it takes to bring images to where they are computed."""
    cases = run.group("transfer")
    batches = sorted({case.extra["batch"] for case in cases})
    rows = [
        [label_of(pair), *(time_cell(find([case for case in cases if case.extra["batch"] == batch], pair)) for batch in batches)]
        for pair in pairs(cases)
    ]
    return Section(
        "Bringing the images there",
        before=[
            f"From a NumPy array to what the network eats, on the device ({run.device}): checked, laid out as the framework wants it, "
            'copied; the clock stops when the copy has finished. No other time but "all epochs" has this in it. '
            f"{what_a_cell_is(run)}"
        ],
        table=Table(["", *(f"batch {batch}" for batch in batches)], rows),
    )
