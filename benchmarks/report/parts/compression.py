"""The report's part on compression: what each smaller network weighs, computes, gets right and takes, beside the dense one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.quantities import units
from benchmarks.quantities.statistics import CONFIDENCE, Ratio, paired_difference, ratio_interval, share_interval
from benchmarks.report.drawing import Axis, Line, draw
from benchmarks.report.plots import drawn, is_positive, tick_percent
from benchmarks.report.records import Plot, Section, Table
from benchmarks.report.text import DASH
from benchmarks.saved.results import Case, Run

GROUP = "compression"

MARK = 6000
"""Weights that pruning leaves where networks of this class do best in the literature: near 99.2 % on MNIST."""


def sections(run: Run) -> list[Section]:
    return [_section(run)] if run.group(GROUP) else []


def _section(run: Run) -> Section:
    """Technique x implementation."""
    cases = run.group(GROUP)
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
        table=Table(head, [_row(case) for case in cases]),
        after=[
            "Bytes are of the arrays in the form that a technique is for: float32, compressed sparse rows (float32 values, uint16 columns, "
            "uint32 row pointers), or int8 with its scales and int32 biases; no file header.",
            "MACs are those executed: the implementations multiply by scattered zeros like by any other number, so that sparse networks "
            "save bytes and no time.",
            "Weights left are those that are not 0, biases too; int8 keeps as many as it was given.",
            "Accuracy is of the same test images for both: the interval is that of the difference of paired shares (Bonett and Price), from "
            "the images that only one of the two gets right. An interval that holds 0 does not tell the two apart. It is a property of the "
            "weights, the same in every implementation that runs them in float32.",
            _front_in_words(cases),
            *_mark_in_words(run, cases),
        ],
    )


def speed_up(case: Case) -> Ratio:
    """How many times longer the dense network takes than this one, timed in turns in the same implementation."""
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


def _how(case: Case) -> str:
    extra = case.extra
    return (
        f"One trained network ({units.count(extra['dense_bytes'])} bytes, {units.count(extra['dense_macs_per_image'])} MACs an image, "
        f"{units.percent(extra['dense_correct'] / extra['test_images'])} of {extra['test_images']} test images right), cut by one technique and "
        f"trained on for {extra['epochs']} epochs; int8 is rounded only. The dense network is timed in turns with each, by the same tool."
    )


def _row(case: Case) -> list[str]:
    extra = case.extra
    difference, low, high = paired_difference(extra["gained"], extra["lost"], extra["test_images"])
    return [
        str(extra["point"]),
        f"{case.framework} {case.mode}",
        units.count(extra["weights_left"]),
        units.count(extra["stored_bytes"]),
        units.count(extra["gzip_bytes"]) if extra.get("gzip_bytes") is not None else DASH,
        units.count(extra["macs_per_image"]),
        f"{100 * difference:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]",
        units.seconds(case.median),
        units.times(*speed_up(case)),
    ]


def _front_in_words(cases: Sequence[Case]) -> str:
    """The points that no other beats in bytes and accuracy."""
    names = {(float(case.extra["stored_bytes"]), accuracy(case)): str(case.extra["point"]) for case in reversed(cases)}
    points = [f"{names[point]} ({units.count(point[0])} bytes, {units.percent(point[1])})" for point in front(list(names))]
    return f"Smaller and more accurate than all others, in the order of their bytes: {'; '.join(points)}."


def _mark_in_words(run: Run, cases: Sequence[Case]) -> list[str]:
    """The sparse network nearest to the mark of the literature, beside it; nothing if none was made, or on no known data."""
    sparse = [case for case in cases if case.extra["technique"] == "sparse"]
    data = run.lenet5.get("dataset") or {}
    if not sparse or not data.keys() >= {"name", "train_images", "classes"}:
        return []
    nearest = min(sparse, key=lambda case: abs(case.extra["weights_left"] - MARK))
    return [
        f"The mark for pruned networks of this class in the literature is about {units.count(MARK)} weights left and near 99.2 % right on "
        f"MNIST, learnt from its 60,000 images. Here, on {data['name']} ({units.count(data['train_images'])} images to learn from, "
        f"{data['classes']} classes), {nearest.extra['point']} leaves {units.count(nearest.extra['weights_left'])} and gets "
        f"{units.percent(accuracy(nearest))} of {nearest.extra['test_images']} right; on another data set it is no comparison."
    ]


# What is drawn


def plots(run: Run) -> list[Plot]:
    return drawn(run, compressed_bytes, compressed_time)


def compressed_bytes(run: Run) -> Plot | None:
    """Accuracy against the bytes of the weights, a mark a network: it is the same in every implementation that runs the weights."""
    cases = _compressed(run)
    marks: dict[str, dict[str, tuple[float, float, tuple[float, float]]]] = {}
    for case in cases:
        marks.setdefault(case.extra["technique"], {})[case.extra["point"]] = (
            case.extra["stored_bytes"] / 1000,
            *_share(case, "correct"),
        )
    for case in cases[:1]:
        marks = {"dense": {"dense": (case.extra["dense_bytes"] / 1000, *_share(case, "dense_correct"))}, **marks}
    caption = "Left is smaller, up is more accurate. The dashed line is the front: no network is both smaller and as accurate."
    axis = Axis("bytes of the weights (kB)", "log")
    return _trade_off("compressed-bytes", "Compression: accuracy against bytes", caption, marks, axis)


def compressed_time(run: Run) -> Plot | None:
    """Accuracy against the time of a batch in each implementation's fastest of the compared modes; the dense networks are marked."""
    marks: dict[str, dict[str, tuple[float, float, tuple[float, float]]]] = {}
    cases = _compressed(run)
    for case in cases:
        dense = marks.setdefault(f"{case.framework}, dense", {})
        dense[case.mode] = (case.extra["dense_seconds"] * 1e3, *_share(case, "dense_correct"))
        marks.setdefault(case.framework, {})[f"{case.mode} {case.extra['point']}"] = (case.median * 1e3, *_share(case, "correct"))
    batch = cases[0].extra["batch"] if cases else 0
    caption = f"Left is faster, up is more accurate; {batch} images a call. The dashed line is the front: no network is both faster and as accurate."
    return _trade_off("compressed-time", "Compression: accuracy against time", caption, marks, Axis("time of a call (ms)", "log"))


def _compressed(run: Run) -> list[Case]:
    return [
        case for case in run.group("compression") if is_positive(case.extra.get("stored_bytes")) and case.extra["test_images"] > 0
    ]


def _share(case: Case, key: str) -> tuple[float, tuple[float, float]]:
    """A share of the test images and its interval."""
    images = case.extra["test_images"]
    return case.extra[key] / images, share_interval(case.extra[key], images)


def _trade_off(
    name: str, title: str, caption: str, marks: Mapping[str, Mapping[str, tuple[float, float, tuple[float, float]]]], x: Axis
) -> Plot | None:
    """One cloud of marks (cost, accuracy, interval) a name, and the line of those that no other beats."""
    if not marks:
        return None
    lines = [
        Line(label, costs, shares, index, index, joined=False, intervals=intervals)
        for index, (label, cloud) in enumerate(marks.items())
        for costs, shares, intervals in [tuple(zip(*cloud.values(), strict=True))]
    ]
    best = front([(cost, share) for cloud in marks.values() for cost, share, _ in cloud.values()])
    costs, shares = zip(*best, strict=True)
    lines.append(Line("front", costs, shares, len(lines), 1, width=1.2, markers=False))
    caption += f" Bars are {CONFIDENCE:.0%} intervals over the test images."
    return Plot(name, title, caption, draw(name, lines, x, Axis("test accuracy", write=tick_percent)))
