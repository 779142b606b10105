"""The report's part on memory: what each framework holds for importing, building, predicting and training, and what is in each figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.quantities import units
from benchmarks.report.drawing import Axis, draw
from benchmarks.report.plots import are_numbers, drawn, line_of
from benchmarks.report.records import Plot, Section, Table
from benchmarks.report.text import DASH
from benchmarks.saved.results import Run

PREDICT, TRAIN, EPOCH = "space predict", "space train step", "space epoch"

Row = tuple[str, Callable[[Run, str], Any], str]
"""What the figure is, how to find a framework's bytes (None if there are none), and what is in it."""


def sections(run: Run) -> list[Section]:
    """One section, if this run measured memory."""
    return [_space(run)] if any(run.group(group) for group in (PREDICT, TRAIN, EPOCH)) else []


def curves(run: Run) -> dict[tuple[str, str], list[tuple[float, int]]]:
    """(framework, mode) -> resident memory over one epoch, for a plot: (seconds since its start, bytes above what was held then)."""
    found = {}
    for case in run.group(EPOCH):
        level = case.extra["level_rss_bytes"]
        found[case.framework, case.mode] = [(seconds, held - level) for seconds, held in case.extra["rss_over_time"]]
    return found


def _space(run: Run) -> Section:
    cases = [case for group in (PREDICT, TRAIN, EPOCH) for case in run.group(group)]
    modes = {case.framework: case.mode for case in cases}
    return Section(
        "Space",
        before=[
            "Each figure from a fresh process of its own, in the framework's default mode. The kernel counts resident memory in batches: "
            "differences below some hundred KiB mean nothing."
        ],
        table=Table(
            ["", *(f"{framework} {mode}" for framework, mode in sorted(modes.items())), "what is in it"],
            [[title, *(_cell(find(run, framework)) for framework in sorted(modes)), inside] for title, find, inside in _rows(run)],
        ),
    )


def _rows(run: Run) -> list[Row]:
    """The rows for which any framework has a figure."""
    rows: list[Row] = [
        ("parameters", _any("weight_bytes"), "float32 arrays; counted"),
        ("gradients", _any("gradient_bytes"), "one float32 a parameter; counted"),
        ("optimizer state", _any("optimizer_state_bytes"), "Adam: two float32 a parameter; counted"),
        ("importing", _any("import_rss_bytes"), "the library, above Python and NumPy; whole process"),
        (
            "building for inference",
            _any("build_rss_bytes", PREDICT),
            "weights, and what one call with one image leaves behind; whole process",
        ),
        ("building for training", _any("build_rss_bytes", TRAIN), "the same with gradients and optimizer state"),
    ]
    for group, title in ((PREDICT, "predicting"), (TRAIN, "training step")):
        rows += [
            (
                f"{title}, batch {batch}",
                _at(group, batch, "peak_above_level_bytes"),
                "peak above the warm process: activations, and workspace kept or not",
            )
            for batch in _batches(run, group)
        ]
    for group, title in ((PREDICT, "predicting"), (TRAIN, "training step")):
        rows += [
            (
                f"{title}, batch {batch}: by tracemalloc",
                _at(group, batch, "traced_peak_bytes"),
                "peak of NumPy arrays and Python objects only",
            )
            for batch in _batches(run, group)
        ]
    rows += [
        (
            "whole process, predicting",
            _largest(PREDICT, "peak_rss_bytes"),
            "all of the above with Python and the images, largest batch",
        ),
        (
            "whole process, training",
            _largest(TRAIN, "peak_rss_bytes"),
            "all of the above with Python and the images, largest batch",
        ),
        ("one epoch", _epoch, "peak above its start, batch 64; whole process, sampled by memory-profiler"),
        (
            "GPU, predicting",
            _largest(PREDICT, "device_peak_bytes"),
            "peak of the allocator: weights, images, activations, workspace",
        ),
        ("GPU, training", _largest(TRAIN, "device_peak_bytes"), "the same with gradients and optimizer state"),
    ]
    frameworks = {case.framework for group in (PREDICT, TRAIN, EPOCH) for case in run.group(group)}
    return [row for row in rows if any(row[1](run, framework) is not None for framework in frameworks)]


def _any(key: str, *groups: str) -> Callable[[Run, str], Any]:
    """The median over a framework's cases: each has measured it anew."""

    def find(run: Run, framework: str) -> Any:
        cases = (case for group in groups or (PREDICT, TRAIN, EPOCH) for case in run.group(group))
        values = sorted(case.extra[key] for case in cases if case.framework == framework and case.extra.get(key) is not None)
        return values[len(values) // 2] if values else None

    return find


def _at(group: str, batch: int, key: str) -> Callable[[Run, str], Any]:
    def find(run: Run, framework: str) -> Any:
        return next(
            (extra[key] for extra in _extras(run, group, framework) if extra["batch"] == batch and extra.get(key) is not None), None
        )

    return find


def _largest(group: str, key: str) -> Callable[[Run, str], Any]:
    def find(run: Run, framework: str) -> Any:
        return max((extra[key] for extra in _extras(run, group, framework) if extra.get(key) is not None), default=None)

    return find


def _epoch(run: Run, framework: str) -> Any:
    held = [max(held for _, held in curve) for (name, _), curve in curves(run).items() if name == framework and curve]
    return max(held[0], 0) if held else None


def _extras(run: Run, group: str, framework: str) -> list[Mapping[str, Any]]:
    return [case.extra for case in run.group(group) if case.framework == framework]


def _batches(run: Run, group: str) -> list[int]:
    return sorted({case.extra["batch"] for case in run.group(group)})


def _cell(value: float | None) -> str:
    return DASH if value is None else units.size(value)


# What is drawn


def plots(run: Run) -> list[Plot]:
    return drawn(run, memory)


def memory(run: Run) -> Plot | None:
    """Memory of a process while it trains: each framework's ``rss_over_time``, pairs of seconds and bytes."""
    lines = []
    for case in run.group("space epoch"):
        samples = case.extra.get("rss_over_time")
        if isinstance(samples, list) and samples and all(are_numbers(pair) and len(pair) == 2 for pair in samples):
            seconds, sizes = zip(*samples, strict=True)
            mebibytes = [size / 2**20 for size in sizes]
            lines.append(line_of(run, case.framework, case.mode, seconds, mebibytes, markers=len(samples) < 3))
    if not lines:
        return None
    caption = "Resident memory of a process of its own, imported library and the epoch's converted images included, while it trains one epoch."
    x, y = Axis("time since the epoch began (s)"), Axis("memory (MiB)", write="{:,.0f}".format, zero=True)
    return Plot("memory", "Memory over time: one training epoch", caption, draw("memory", lines, x, y))
