"""How long training takes: a step, an epoch, and all epochs with validation."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks.quantities.statistics import spread
from benchmarks.quantities.units import RATIO, SECONDS
from benchmarks.report.parts.machine import ADVICE
from benchmarks.report.records import Alarm, Cell, Paragraph, Plot, Quantity, Section, Table, Words
from benchmarks.report.times import Pair, find, first_call, images_per_second, pairs, time_cell, what_a_cell_is
from benchmarks.saved.results import Run

COLUMNS: tuple[tuple[str, str, Callable[[Run, str, Pair], Cell]], ...] = (
    ("one step", "train step", time_cell),
    ("images per second", "train step", images_per_second),
    ("first step", "train step", first_call),
    ("one epoch", "train epoch", time_cell),
    ("all epochs with validation", "train", time_cell),
)
"""Head, the group that it is about, and what stands there."""

AGREE = 1.5
"""How many times as long the updates of all epochs may take as one epoch times their number, or the other way round.

It is the same work, seen twice: what is between them is what the machine did meanwhile.
"""


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
    alarms: list[Paragraph] = [*_disagreements(run)]
    return Section(
        "Training",
        before=[f"Batch 64, Adam, batches already converted. {what_a_cell_is(run)}"],
        table=Table(["", *(head for head, _, _ in columns)], rows, same=True),
        after=alarms,
    )


def _disagreements(run: Run) -> Iterator[Alarm]:
    """Where all epochs, without validation and converting, and one epoch do not agree in some process: by most, where that is beyond AGREE."""
    for whole in run.group("train"):
        one = find(run.group("train epoch"), (whole.framework, whole.mode))
        if one is None or whole.extra["epoch_seconds"] is None:
            continue
        epochs = [extra["epoch_seconds"] for extra in whole.extras or (whole.extra,)]
        found = [(sum(seconds), len(seconds) * median) for seconds, median in zip(epochs, one.medians, strict=True)]
        together, expected = max(found, key=spread)
        if spread((together, expected)) > AGREE:
            what = (
                f"The machine was not the same for two views of the same work: the updates of all epochs of {whole.framework} {whole.mode} took "
                f"{SECONDS.show(together)}, and one epoch times their number {SECONDS.show(expected)}; the longer, as a multiple of the other"
            )
            yield Alarm(what, Quantity(spread((together, expected)), RATIO), Quantity(AGREE, RATIO), ADVICE)
