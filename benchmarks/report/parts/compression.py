"""What does compression do?  What each smaller network weighs, computes, gets right and takes, beside the dense one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from benchmarks.quantities import units
from benchmarks.quantities.statistics import CONFIDENCE, Ratio, paired_difference, ratio_interval, share_interval
from benchmarks.quantities.units import COUNT, EXACT_BYTES, POINTS
from benchmarks.report.disturbance import mark_of
from benchmarks.report.drawing import Axis, Line, draw
from benchmarks.report.estimates import ratio_cell
from benchmarks.report.lines import drawn, neutral, tick_percent
from benchmarks.report.records import Cell, Dash, Plot, Quantity, Section, Table, Words
from benchmarks.report.times import label, median
from benchmarks.saved.results import Case, Run

GROUP = "compression"

MARK_WEIGHTS = 6000
"""Weights that pruning leaves where networks of this class do best in the literature: near 99.2 % on MNIST."""

Mark = tuple[float, float, tuple[float, float]]
"""What a network costs, its accuracy, and the interval of that."""


def sections(run: Run) -> list[Section]:
    """Technique x implementation, if this run compressed anything."""
    cases = run.group(GROUP)
    return [_compressed_against_dense(run, cases)] if cases else []


# What is computed


def speed_up(case: Case) -> Ratio:
    """How many times longer the dense network takes than this one, timed interleaved in the same implementation."""
    return ratio_interval(case.values("dense_seconds"), case.medians)


def front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of points (cost, accuracy) those that no other beats: none is both at most as dear and more accurate, or cheaper and as accurate.

    In the order of their cost.
    """
    best: list[tuple[float, float]] = []
    for cost, accuracy in sorted(points, key=lambda point: (point[0], -point[1])):
        if not best or accuracy > best[-1][1]:
            best.append((cost, accuracy))
    return best


def accuracy(case: Case) -> float:
    return float(case.extra["correct"] / case.extra["test_images"])


# What is said


def _compressed_against_dense(run: Run, cases: list[Case]) -> Section:
    head = [
        "",
        "implementation",
        "weights left",
        "bytes of weights",
        "gzipped",
        "MACs executed per image",
        f"accuracy against dense, points [{CONFIDENCE:.0%} interval]",
        f"time, batch {cases[0].extra['batch']}",
        "dense takes",
    ]
    return Section(
        "Compressed against dense",
        before=[_how(cases[0])],
        table=Table(head, [_row(run, case) for case in cases], same=True),
        after=[
            "Bytes are of the arrays in the form that a technique is for: float32, compressed sparse rows (float32 values, uint16 columns, "
            "uint32 row pointers), or int8 with its scales and int32 biases; no file header.",
            "MACs are those executed: the implementations multiply by scattered zeros like by any other number, so that sparse networks "
            "save bytes and no time.",
            "Weights left are those that are not 0, biases too; int8 keeps as many as it was given.",
            "Accuracy is of the same test images for both: the interval is that of the difference of paired shares (Bonett and Price), from "
            "the images that only one of the two gets right. An interval that holds 0 does not tell the two apart. It is a property of the "
            "weights, the same in every implementation that runs them in float32.",
            "Dense takes: the time of the dense network divided by that of the compressed one. **Above 1, the compressed one is faster.**",
            _front_in_words(cases),
            *_mark_in_words(run, cases),
        ],
    )


def _how(case: Case) -> str:
    extra = case.extra
    return (
        f"One trained network ({units.count(extra['dense_bytes'])} bytes, {units.count(extra['dense_macs_per_image'])} multiply-accumulates (MACs) an image, "
        f"{units.percent(extra['dense_correct'] / extra['test_images'])} of {extra['test_images']} test images right), cut by one technique "
        f"and trained on for {units.counted(extra['epochs'], 'epoch')}; int8 is rounded only. The dense network is timed interleaved with each, by the same "
        "tool."
    )


def _row(run: Run, case: Case) -> list[Cell]:
    extra = case.extra
    difference, low, high = paired_difference(extra["gained"], extra["lost"], extra["test_images"])
    gzipped = extra["gzip_bytes"]
    return [
        Words(extra["point"]),
        Words(label(case)),
        Quantity(extra["weights_left"], COUNT),
        Quantity(extra["stored_bytes"], EXACT_BYTES),
        Dash("the tool keeps its own form of the weights") if gzipped is None else Quantity(gzipped, EXACT_BYTES),
        Quantity(extra["macs_per_image"], COUNT),
        Quantity(difference, POINTS, (low, high)),
        median(run, case),
        replace(ratio_cell(speed_up(case)), mark=mark_of(run, case)),
    ]


def _front_in_words(cases: Sequence[Case]) -> str:
    """The points that no other beats in bytes and accuracy."""
    names = {(float(case.extra["stored_bytes"]), accuracy(case)): case.extra["point"] for case in reversed(cases)}
    points = [f"{names[point]} ({units.count(point[0])} bytes, {units.percent(point[1])})" for point in front(list(names))]
    return f"The front, which no other network beats in both bytes and accuracy, in the order of bytes: {'; '.join(points)}."


def _mark_in_words(run: Run, cases: Sequence[Case]) -> list[str]:
    """The sparse network nearest to the mark of the literature, beside it; nothing if none was made, or on no known data."""
    sparse = [case for case in cases if case.extra["technique"] == "sparse"]
    data = run.lenet5.get("dataset", {})
    if not sparse or not data.keys() >= {"name", "train_images", "classes"}:
        return []
    nearest = min(sparse, key=lambda case: abs(case.extra["weights_left"] - MARK_WEIGHTS))
    return [
        f"The mark for pruned networks of this class in the literature is about {units.count(MARK_WEIGHTS)} weights left and near 99.2 % "
        f"right on MNIST, learnt from its 60,000 images. Here, on {data['name']} ({units.count(data['train_images'])} images to learn from, "
        f"{data['classes']} classes), {nearest.extra['point']} leaves {units.count(nearest.extra['weights_left'])} and gets "
        f"{units.percent(accuracy(nearest))} of {nearest.extra['test_images']} right; on another data set it is no comparison."
    ]


# What is drawn


def plots(run: Run) -> list[Plot]:
    return drawn(run, compressed_bytes, compressed_time)


def compressed_bytes(run: Run) -> Plot | None:
    """Accuracy against the bytes of the weights, a mark a network: it is the same in every implementation that runs the weights."""
    clouds: dict[str, dict[str, Mark]] = {}
    for case in run.group(GROUP):
        bytes_of = case.extra["dense_bytes"], case.extra["stored_bytes"]
        clouds.setdefault("dense", {}).setdefault("dense", (bytes_of[0] / 1000, *_share(case, "dense_correct")))
        clouds.setdefault(case.extra["technique"], {})[case.extra["point"]] = (bytes_of[1] / 1000, *_share(case, "correct"))
    lines = [_cloud(technique, marks, **neutral(index)) for index, (technique, marks) in enumerate(clouds.items())]
    caption = "Left is smaller, up is more accurate. The dashed line is the front: no network is both smaller and as accurate."
    axis = Axis("bytes of the weights (kB)", "log")
    return _trade_off("compressed-bytes", "Compression: accuracy against bytes", caption, lines, axis)


def compressed_time(run: Run) -> Plot | None:
    """Accuracy against the time of a batch in each implementation, in the colour of its framework; the dense networks are marked."""
    cases = run.group(GROUP)
    clouds: dict[tuple[str, str], dict[str, Mark]] = {}
    for case in cases:
        dense, small = (clouds.setdefault((case.framework, which), {}) for which in (", dense", ""))
        dense[case.mode] = (case.extra["dense_seconds"] * 1e3, *_share(case, "dense_correct"))
        small[f"{case.mode} {case.extra['point']}"] = (case.median * 1e3, *_share(case, "correct"))
    lines = [
        _cloud(f"{framework}{which}", marks, colour=run.colours[framework], style=1 if which else 0)
        for (framework, which), marks in clouds.items()
    ]
    images = f"; {cases[0].extra['batch']} images a call" if cases else ""
    caption = (
        f"Left is faster, up is more accurate{images}. The dashed line is the front: no network is both faster and as accurate."
    )
    axis = Axis("time of a call (ms)", "log")
    return _trade_off("compressed-time", "Compression: accuracy against time", caption, lines, axis)


def _share(case: Case, key: str) -> tuple[float, tuple[float, float]]:
    """A share of the test images and its interval."""
    images = case.extra["test_images"]
    return case.extra[key] / images, share_interval(case.extra[key], images)


def _cloud(name: str, marks: Mapping[str, Mark], **how: Any) -> Line:
    """Points of one look, each with the interval of its accuracy."""
    costs, shares, intervals = zip(*marks.values(), strict=True)
    return Line(name, costs, shares, joined=False, intervals=intervals, **how)


def _trade_off(name: str, title: str, caption: str, lines: list[Line], x: Axis) -> Plot | None:
    """Clouds of marks, and the line of those that no other beats."""
    if not lines:
        return None
    best = front([point for line in lines for point in zip(line.x, line.y, strict=True)])
    costs, shares = zip(*best, strict=True)
    along = Line("front", costs, shares, width=1.2, markers=False, **{**neutral(len(lines)), "style": 1})
    caption += f" Bars are {CONFIDENCE:.0%} intervals over the test images."
    return Plot(name, title, caption, draw(name, [*lines, along], x, Axis("test accuracy", write=tick_percent)))
