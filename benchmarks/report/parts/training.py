"""How long training takes: a step, an epoch, and all epochs with validation."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.report.records import Cell, Plot, Section, Table, Words
from benchmarks.report.times import Pair, first_call, images_per_second, pairs, time_cell, what_a_cell_is
from benchmarks.saved.results import Run

COLUMNS: tuple[tuple[str, str, Callable[[Run, str, Pair], Cell]], ...] = (
    ("one step", "train step", time_cell),
    ("images per second", "train step", images_per_second),
    ("first step", "train step", first_call),
    ("one epoch", "train epoch", time_cell),
    ("all epochs with validation", "train", time_cell),
)
"""Head, the group that it is about, and what stands there."""


def sections(run: Run) -> list[Section]:
    columns = [column for column in COLUMNS if run.group(column[1])]
    return [_section(run, columns)] if columns else []


def plots(run: Run) -> list[Plot]:
    return []


def _section(run: Run, columns: list[tuple[str, str, Callable[[Run, str, Pair], Cell]]]) -> Section:
    groups = dict.fromkeys(group for _, group, _ in columns)
    rows: list[list[Cell]] = [
        [Words(" ".join(pair)), *(cell(run, group, pair) for _, group, cell in columns)]
        for pair in pairs(case for group in groups for case in run.group(group))
    ]
    return Section(
        "Training",
        before=[f"Batch 64, Adam, batches already converted. {what_a_cell_is(run)}"],
        table=Table(["", *(head for head, _, _ in columns)], rows, same=True),
    )
