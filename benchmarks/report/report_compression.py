"""The report's part on compression: what each smaller network weighs, computes, gets right and takes, beside the dense one."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.quantities import units
from benchmarks.quantities.statistics import CONFIDENCE, Ratio, paired_difference, ratio_interval
from benchmarks.report.document import DASH, Section, Table
from benchmarks.saved.results import Case, Run

GROUP = "compression"

MARK = 6000
"""Weights that pruning leaves where networks of this class do best in the literature: near 99.2 % on MNIST."""


def section(run: Run) -> Section | None:
    """Technique x implementation; None if this run compressed nothing."""
    cases = run.group(GROUP)
    if not cases:
        return None
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
        units.count(extra["gzip_bytes"]) if "gzip_bytes" in extra else DASH,
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
    """The sparse network nearest to the mark of the literature, beside it; nothing if none was made."""
    sparse = [case for case in cases if case.extra["technique"] == "sparse"]
    if not sparse:
        return []
    nearest = min(sparse, key=lambda case: abs(case.extra["weights_left"] - MARK))
    data = run.lenet5["dataset"]
    return [
        f"The mark for pruned networks of this class in the literature is about {units.count(MARK)} weights left and near 99.2 % right on "
        f"MNIST, learnt from its 60,000 images. Here, on {data['name']} ({units.count(data['train_images'])} images to learn from, "
        f"{data['classes']} classes), {nearest.extra['point']} leaves {units.count(nearest.extra['weights_left'])} and gets "
        f"{units.percent(accuracy(nearest))} of {nearest.extra['test_images']} right; on another data set it is no comparison."
    ]
