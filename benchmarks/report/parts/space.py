"""How much memory does each framework take?  For importing, building, predicting and training, and what is in each number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.quantities.units import BYTES
from benchmarks.report.drawing import Axis, draw
from benchmarks.report.lines import drawn, line_of
from benchmarks.report.reasons import dash
from benchmarks.report.records import Cell, Dash, Plot, Quantity, Section, Table, Words
from benchmarks.saved.results import Case, Run

PREDICT, TRAIN, EPOCH = "space predict", "space train step", "space epoch"
GROUPS = (PREDICT, TRAIN, EPOCH)
TRAINED = (TRAIN, EPOCH)
"""Those whose networks have gradients and an optimizer."""
CALLS = ((PREDICT, "predicting"), (TRAIN, "training step"))


@dataclass(frozen=True)
class Row:
    """One line of the table: which cases it is from, what is taken from them, and what is in it."""

    title: str
    groups: tuple[str, ...]
    find: Callable[[list[Case]], int | None]
    """The bytes, from a framework's cases of these groups; None if they hold none."""
    inside: str
    batch: int | None = None
    """Only of the cases with this batch size."""

    def cases(self, run: Run, framework: str) -> list[Case]:
        """The cases that the number of a framework comes from."""
        own = [case for group in self.groups for case in run.group(group) if case.framework == framework]
        return [case for case in own if self.batch is None or case.extra["batch"] == self.batch]


def sections(run: Run) -> list[Section]:
    """One section, if this run measured memory."""
    return [_space(run)] if any(run.group(group) for group in GROUPS) else []


# What is computed


def curves(run: Run) -> dict[tuple[str, str], list[tuple[float, int]]]:
    """(framework, mode) -> resident memory over one epoch: (seconds since its start, bytes above what was held then)."""
    return {(case.framework, case.mode): _above_level(case) for case in run.group(EPOCH)}


def _above_level(case: Case) -> list[tuple[float, int]]:
    return [(seconds, held - case.extra["level_rss_bytes"]) for seconds, held in case.extra["rss_over_time"]]


def _middle(key: str) -> Callable[[list[Case]], int | None]:
    """The median over the cases: each has measured it anew."""

    def find(cases: list[Case]) -> int | None:
        values = sorted(case.extra[key] for case in cases if case.extra[key] is not None)
        return values[len(values) // 2] if values else None

    return find


def _largest(key: str) -> Callable[[list[Case]], int | None]:
    return lambda cases: max((case.extra[key] for case in cases if case.extra[key] is not None), default=None)


def _largest_of_epoch(cases: list[Case]) -> int | None:
    return max((max(0, *(held for _, held in _above_level(case))) for case in cases), default=None)


# What is said


def _space(run: Run) -> Section:
    modes = {case.framework: case.mode for group in GROUPS for case in run.group(group)}
    pairs = sorted(modes.items())
    return Section(
        "Space",
        before=[
            "Each number from a fresh process of its own, in the framework's default mode. The kernel counts resident memory in batches: "
            "differences below some hundred KiB mean nothing."
        ],
        table=Table(
            ["", *(" ".join(pair) for pair in pairs), "what is in it"],
            [
                [Words(row.title), *(_cell(run, row, *pair) for pair in pairs), Words(row.inside)]
                for row in _rows(run)
                if any(row.find(row.cases(run, framework)) is not None for framework in modes)
            ],
        ),
    )


def _cell(run: Run, row: Row, framework: str, mode: str) -> Cell:
    cases = row.cases(run, framework)
    found = row.find(cases)
    if found is not None:
        return Quantity(found, BYTES)
    asked = next(filter(run.group, row.groups), "")  # the row is shown, so some framework has a case of it
    return Dash("not counted for this framework") if cases else dash(run, framework, mode, row.batch, asked)


def _rows(run: Run) -> Iterator[Row]:
    """All rows that there can be; the table leaves out those that no framework has."""
    whole = "all of the above with Python and the images, largest batch"
    yield Row("parameters", GROUPS, _middle("weight_bytes"), "float32 arrays; counted")
    yield Row("gradients", TRAINED, _middle("gradient_bytes"), "one float32 a parameter; counted")
    yield Row("optimizer state", TRAINED, _middle("optimizer_state_bytes"), "Adam: two float32 a parameter; counted")
    yield Row("importing", GROUPS, _middle("import_rss_bytes"), "the library, above Python and NumPy; whole process")
    build = _middle("build_rss_bytes")
    yield Row("building for inference", (PREDICT,), build, "weights, and what one call with one image leaves behind; whole process")
    yield Row("building for training", (TRAIN,), build, "the same with gradients and optimizer state")
    for group, title in CALLS:
        inside = "peak above the warm process: activations, and workspace kept or not"
        for batch in _batches(run, group):
            yield Row(f"{title}, batch {batch}", (group,), _largest("peak_above_level_bytes"), inside, batch)
    for group, title in CALLS:
        inside = "peak of NumPy arrays and Python objects only"
        for batch in _batches(run, group):
            yield Row(f"{title}, batch {batch}: by tracemalloc", (group,), _largest("traced_peak_bytes"), inside, batch)
    yield Row("whole process, predicting", (PREDICT,), _largest("peak_rss_bytes"), whole)
    yield Row("whole process, training", (TRAIN,), _largest("peak_rss_bytes"), whole)
    inside = "peak above its start, batch 64; whole process, sampled by memory-profiler"
    yield Row("one epoch", (EPOCH,), _largest_of_epoch, inside)
    for group, title in CALLS:
        inside = (
            f"peak of the allocator: weights, images, activations, workspace{', gradients, optimizer state' * (group == TRAIN)}"
        )
        for batch in _batches(run, group):
            yield Row(f"GPU, {title}, batch {batch}", (group,), _largest("device_peak_bytes"), inside, batch)


def _batches(run: Run, group: str) -> list[int]:
    return sorted({case.extra["batch"] for case in run.group(group)})


# What is drawn


def plots(run: Run) -> list[Plot]:
    return drawn(run, memory)


def memory(run: Run) -> Plot | None:
    """Memory of a process while it trains: each framework's ``rss_over_time``, pairs of seconds and bytes."""
    lines = []
    for case in run.group(EPOCH):
        seconds, held = zip(*case.extra["rss_over_time"], strict=True)
        lines.append(line_of(run, case.framework, case.mode, seconds, [size / 2**20 for size in held], markers=len(seconds) < 3))
    if not lines:
        return None
    caption = "Resident memory of a process of its own, imported library and the epoch's converted images included, while it trains one epoch."
    x, y = Axis("time since the epoch began (s)"), Axis("memory (MiB)", write="{:,.0f}".format, zero=True)
    return Plot("memory", "Memory over time: one training epoch", caption, draw("memory", lines, x, y))
