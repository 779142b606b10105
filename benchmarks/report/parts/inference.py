"""How long a prediction takes, in every framework, mode and batch size."""

from __future__ import annotations

from benchmarks.report.lines import drawn, time_per_image_of
from benchmarks.report.records import Plot, Section
from benchmarks.report.times import by_batch, what_a_cell_is
from benchmarks.saved.results import Run


def sections(run: Run) -> list[Section]:
    if not run.group("predict"):
        return []
    before = [f"Images already converted, to logits on the host. {what_a_cell_is(run)}"]
    return [Section("Inference", before, by_batch(run, "predict", first_calls=True))]


def plots(run: Run) -> list[Plot]:
    return drawn(run, time_per_image)


def time_per_image(run: Run) -> Plot | None:
    """The default run's inference, every framework in every mode."""
    return time_per_image_of(run, "predict", "time-per-image", "Inference: time per image")
