"""How long a prediction takes, in every framework, mode and batch size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.report.plots import drawn, time_per_image_of
from benchmarks.report.records import Plot, Section, Table
from benchmarks.report.times import find, first_call, label_of, pairs, time_cell, what_a_cell_is
from benchmarks.saved.results import Case, Run


def sections(run: Run) -> list[Section]:
    return [_predict(run)]


def _predict(run: Run) -> Section:
    cases = run.group("predict")
    if not cases:
        return Section("Inference", before=["Not measured in this run."])
    batches = sorted({case.extra["batch"] for case in cases})
    by_batch = {batch: [case for case in cases if case.extra["batch"] == batch] for batch in batches}
    rows = [
        [label_of(pair), *(time_cell(find(by_batch[batch], pair)) for batch in batches), _first_calls(by_batch, pair)]
        for pair in pairs(cases)
    ]
    first = ", ".join(str(batch) for batch in batches)
    return Section(
        "Inference",
        before=[f"Images already converted, to logits on the host. {what_a_cell_is(run)}"],
        table=Table(["", *(f"batch {batch}" for batch in batches), f"first call, batch {first}"], rows),
    )


def _first_calls(by_batch: Mapping[int, Sequence[Case]], pair: tuple[str, str]) -> str:
    return ", ".join(first_call(find(cases, pair)) for cases in by_batch.values())


# What is drawn


def plots(run: Run) -> list[Plot]:
    return drawn(run, time_per_image)


def time_per_image(run: Run) -> Plot | None:
    """The default run's inference, every framework in every mode."""
    return time_per_image_of(run, "predict", "time-per-image", "Inference: time per image")
