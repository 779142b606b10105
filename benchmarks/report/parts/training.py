"""How long training takes: a step, an epoch, and all epochs with validation."""

from __future__ import annotations

from benchmarks.quantities import units
from benchmarks.report.records import Plot, Section, Table
from benchmarks.report.text import DASH
from benchmarks.report.times import find, first_call, label_of, pairs, time_cell, what_a_cell_is
from benchmarks.saved.results import Case, Run


def sections(run: Run) -> list[Section]:
    return [_train(run)]


def plots(run: Run) -> list[Plot]:
    return []


def _train(run: Run) -> Section:
    step, epoch, full = (run.group(name) for name in ("train step", "train epoch", "train"))
    if not (step or epoch or full):
        return Section("Training", before=["Not measured in this run."])
    rows = [
        [
            label_of(pair),
            time_cell(find(step, pair)),
            _images_per_second(find(step, pair)),
            first_call(find(step, pair)),
            time_cell(find(epoch, pair)),
            time_cell(find(full, pair)),
        ]
        for pair in pairs([*step, *epoch, *full])
    ]
    return Section(
        "Training",
        before=[f"Batch 64, Adam, batches already converted. {what_a_cell_is(run)}"],
        table=Table(["", "one step", "images per second", "first step", "one epoch", "all epochs with validation"], rows),
    )


def _images_per_second(case: Case | None) -> str:
    return units.significant(case.extra["batch"] / case.median) if case else DASH
