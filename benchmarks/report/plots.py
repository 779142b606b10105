"""The plots of the report: from a run to figures, one function a figure, None where the run holds nothing to draw.

Nothing is measured here; every mark is a value of the JSON or a ratio of two.  A colour is a framework and a dash is a mode in all
of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from benchmarks.quantities import units
from benchmarks.quantities.statistics import CONFIDENCE, Ratio, ratio_interval, share_interval
from benchmarks.report.drawing import Axis, Line, draw
from benchmarks.report.report_by_hand import ladder, lowest
from benchmarks.report.report_compression import front
from benchmarks.report.report_flops import FORWARD, sgemm_speed, speeds
from benchmarks.report.report_graphs import speedups
from benchmarks.saved.results import CONTROL, Case, Run

DYNAMIC = "eager"
"""How a framework's mode is called that runs operation by operation; the other modes are compared with it."""

Y_TRAIN, Y_VALIDATION, Y_ACCURACY = "train_loss_nats", "validation_loss_nats", "validation_accuracy"


@dataclass(frozen=True)
class Figure:
    """A plot as an SVG element for a page, its title, and what to know in order to read it."""

    name: str
    """Begins every id in the SVG."""
    title: str
    caption: str
    svg: str


def colours(run: Run) -> list[str]:
    """The frameworks in the order of their colours."""
    return [name for name in run.frameworks if name != CONTROL]


def figures(run: Run) -> list[Figure]:
    """All that there is to draw, in the order of the page."""
    return [figure for plot in PLOTS if (figure := plot(run)) is not None]


# Time against batch


def time_per_image(run: Run) -> Figure | None:
    """The default run's inference, every framework in every mode."""
    return _time_per_image(run, "predict", "time-per-image", "Inference: time per image")


def graph_time_per_image(run: Run) -> Figure | None:
    """Inference at six batch sizes."""
    return _time_per_image(run, "graphs predict", "graph-time-per-image", "Inference: time per image, more batch sizes")


def _time_per_image(run: Run, group: str, name: str, title: str) -> Figure | None:
    lines = [
        _line(run, *pair, [case.extra["batch"] for case in cases], [case.median / case.extra["batch"] for case in cases])
        for pair, cases in _by_mode(_with_batch(run, group)).items()
    ]
    if not lines:
        return None
    caption = "Lower is faster. Median time of a call divided by the images in it; both axes are logarithmic."
    batches = _batches(lines)
    x, y = Axis("images in one call", "log", 2, ticks=batches), Axis("time per image", "log", write=_tick_seconds)
    return Figure(name, title, caption, draw(name, lines, x, y))


def speed_up_predict(run: Run) -> Figure | None:
    """Static graphs against dynamic ones, inference."""
    return _speed_up(run, "graphs predict", "speed-up-predict", "Static graph against dynamic: inference")


def speed_up_train(run: Run) -> Figure | None:
    """Static graphs against dynamic ones, a training step."""
    return _speed_up(run, "graphs train step", "speed-up-train", "Static graph against dynamic: training step")


def _speed_up(run: Run, group: str, name: str, title: str) -> Figure | None:
    """How many times longer each framework's dynamic mode takes than its other modes, batch by batch: the report's own ratios."""
    cases = [case for case in _with_batch(run, group) if case.extra.get("default_mode") == DYNAMIC]
    lines = [
        _line(run, *pair, list(curve), [one.ratio for one in curve.values()], intervals=_intervals(curve.values()))
        for pair, curve in speedups(replace(run, cases=tuple(cases)), group).items()
        if curve
    ]
    if not lines:
        return None
    caption = (
        f"Above the dashed line the mode is faster than {DYNAMIC} of the same framework, below it slower. Warm calls; the first call is "
        "not in it."
    )
    if run.processes > 1:
        caption += f" Bars are {CONFIDENCE:.0%} intervals over {run.processes} processes."
    x = Axis("images in one call", "log", 2, ticks=_batches(lines))
    y = Axis(f"times as fast as {DYNAMIC}", "log", 2, write=lambda value: f"{value:g} x")
    return Figure(name, title, caption, draw(name, lines, x, y, level=(1, "")))


def _intervals(ratios: Iterable[Ratio]) -> list[tuple[float, float]]:
    return [(one.low, one.high) for one in ratios if one.low is not None and one.high is not None]


def roofline(run: Run) -> Figure | None:
    """The arithmetic done per second against the batch, and the speed of a large matrix product as the roof: the report's own."""
    cases = [case for group in FORWARD for case in _with_batch(run, group) if _positive(case.extra.get("flops_per_image"))]
    products = [case for case in run.group("sgemm") if _positive(case.extra.get("flops"))]
    lines = [
        _line(run, *pair, sorted(found), [found[batch] / 1e9 for batch in sorted(found)])
        for pair, found in sorted(speeds(replace(run, cases=tuple(cases))).items(), key=lambda item: item[0][0])
    ]
    if not lines:
        return None
    caption = (
        "Higher is better. Multiplications and additions of the five layers (closed form) divided by the median time of a call."
    )
    level = None
    if roof := sgemm_speed(replace(run, cases=tuple(products))):
        level = roof / 1e9, f"large matrix product (sgemm): {units.flops_per_second(roof)}"
        caption += " The dashed line is what this machine's BLAS reached in the same run on one large matrix product."
    x = Axis("images in one call", "log", 2, ticks=_batches(lines))
    y = Axis("GFLOP/s", "log", write=lambda value: f"{value:g}")
    return Figure("roofline", "Inference: speed reached", caption, draw("roofline", lines, x, y, level))


# The network by hand


def ladder_time(run: Run) -> Figure | None:
    """How many times as fast as the textbook loops each rung is, question by question."""
    questions = {question: rungs for question, rungs in _ladders(run).items() if lowest(rungs)}
    rows = _rows(questions.values())
    lines = []
    for index, (question, rungs) in enumerate(questions.items()):
        loops = lowest(rungs) or rungs[0]
        ratios = [ratio_interval(loops.medians, case.medians) for case in rungs]
        at = [rows.index(case.mode) for case in rungs]
        faster = [one.ratio for one in ratios]
        lines.append(Line(question, faster, at, 3 + index, index, intervals=_intervals(ratios), rows=True))
    if not lines:
        return None
    caption = "Right is faster. The same network by hand from the textbook loops down to threads; the axis is logarithmic."
    if run.processes > 1:
        caption += f" Bars are {CONFIDENCE:.0%} intervals over {run.processes} processes."
    x = Axis("times as fast as the loops", "log")
    return Figure("ladder-time", "By hand: time, rung by rung", caption, draw("ladder-time", lines, x, Axis("", names=rows)))


def ladder_memory(run: Run) -> Figure | None:
    """The most memory that a call holds on each rung, question by question."""
    questions = _ladders(run)
    rows = _rows(questions.values())
    lines = []
    for index, (question, rungs) in enumerate(questions.items()):
        mebibytes = [case.extra["traced_peak_bytes"] / 2**20 for case in rungs]
        at = [rows.index(case.mode) for case in rungs]
        lines.append(Line(question, mebibytes, at, 3 + index, index, rows=True))
    if not lines:
        return None
    caption = "Left is smaller. The most that a first call holds at a time in arrays and Python objects, its workspace included."
    x = Axis("memory of a call (MiB)", "log")
    return Figure("ladder-memory", "By hand: memory, rung by rung", caption, draw("ladder-memory", lines, x, Axis("", names=rows)))


def _ladders(run: Run) -> dict[str, list[Case]]:
    """Question -> the rungs that are whole enough to be drawn."""
    cases = [case for case in _with_batch(run, "ladder") if isinstance(case.extra.get("kind"), str)]
    return ladder(replace(run, cases=tuple(case for case in cases if _positive(case.extra.get("traced_peak_bytes")))))


def _rows(ladders: Iterable[Sequence[Case]]) -> list[str]:
    """The rungs, each once, from the lowest up."""
    return list(dict.fromkeys(case.mode for rungs in ladders for case in rungs))


# Learning


def training_loss(run: Run) -> Figure | None:
    return _learning(run, Y_TRAIN, "training-loss", "Training loss", Axis("mean loss of the epoch (nats)", zero=True))


def validation_loss(run: Run) -> Figure | None:
    return _learning(run, Y_VALIDATION, "validation-loss", "Validation loss", Axis("loss after the epoch (nats)", zero=True))


def validation_accuracy(run: Run) -> Figure | None:
    axis = Axis("accuracy after the epoch", write=_tick_percent, zero=True)
    return _learning(run, Y_ACCURACY, "validation-accuracy", "Validation accuracy", axis)


def _learning(run: Run, curve: str, name: str, title: str, y: Axis) -> Figure | None:
    """One curve a framework, the first broad and pale and the last thin, so that all are seen where they lie on each other."""
    cases = _trained(run, curve)
    if not cases:
        return None
    lines = [
        _line(
            run,
            case.framework,
            case.mode,
            range(1, len(case.extra[curve]) + 1),
            case.extra[curve],
            markers=len(case.extra[curve]) == 1,
            style=0,
            **_layer(index, len(cases)),
        )
        for index, case in enumerate(cases)
    ]
    caption = (
        "Same weights to start from, same batches in the same order. The lines differ in breadth so that those beneath can be seen."
    )
    return Figure(name, title, caption, draw(name, lines, Axis("epoch", whole=True), y))


def apart(run: Run) -> Figure | None:
    """How far the training losses of each two frameworks are apart, epoch by epoch."""
    lines = []
    pairs = list(combinations(_trained(run, Y_TRAIN), 2))
    for index, (one, other) in enumerate(pairs):
        losses = zip(one.extra[Y_TRAIN], other.extra[Y_TRAIN], strict=False)
        gaps = [(epoch, abs(a - b)) for epoch, (a, b) in enumerate(losses, start=1) if a != b]
        if gaps:
            epochs, values = zip(*gaps, strict=True)
            # Not the colour of either: this is neither's curve.
            # Of three that are two apart from the third, two curves lie on each other as well.
            label = f"{one.framework} and {other.framework}"
            how = _layer(index, len(pairs), step=2.5)
            lines.append(Line(label, epochs, values, colour=3 + index, markers=len(values) == 1, **how))
    if not lines:
        return None
    caption = (
        "Absolute difference of the training losses, on a logarithmic axis. It begins at float32's rounding, which training then "
        "amplifies; where two are equal to the last bit there is no mark."
    )
    x, y = Axis("epoch", whole=True), Axis("apart (nats)", "log", write=lambda value: f"{value:.0e}".replace("e-0", "e-"))
    return Figure("apart", "How far the training losses lie apart", caption, draw("apart", lines, x, y))


# Space


def memory(run: Run) -> Figure | None:
    """Memory of a process while it trains: each framework's ``rss_over_time``, pairs of seconds and bytes."""
    lines = []
    for case in run.group("space epoch"):
        samples = case.extra.get("rss_over_time")
        if isinstance(samples, list) and samples and all(_numbers(pair) and len(pair) == 2 for pair in samples):
            seconds, sizes = zip(*samples, strict=True)
            mebibytes = [size / 2**20 for size in sizes]
            lines.append(_line(run, case.framework, case.mode, seconds, mebibytes, markers=len(samples) < 3))
    if not lines:
        return None
    caption = "Resident memory of a process of its own, imported library and the epoch's converted images included, while it trains one epoch."
    x, y = Axis("time since the epoch began (s)"), Axis("memory (MiB)", write="{:,.0f}".format, zero=True)
    return Figure("memory", "Memory over time: one training epoch", caption, draw("memory", lines, x, y))


# Pruning


def pruned_accuracy(run: Run) -> Figure | None:
    """Test accuracy of the dense and the pruned networks, each with its interval over the test images."""
    cases = _pruned(run, "correct", "test_images")
    lines = []
    for row, case in enumerate(cases):
        correct, images = case.extra["correct"], case.extra["test_images"]
        interval = share_interval(correct, images)
        lines.append(_line(run, case.framework, case.mode, [correct / images], [row], style=0, intervals=[interval], rows=True))
    caption = (
        f"Bars are {CONFIDENCE:.0%} intervals over the test images. Behind each name the share of zeros counted in its kernels."
    )
    return _in_rows("pruned-accuracy", "Pruning: accuracy", caption, cases, lines, Axis("test accuracy", write=_tick_percent))


def pruned_bytes(run: Run) -> Figure | None:
    """What the same networks weigh in three forms."""
    forms = {"dense_bytes": "as arrays", "gzip_bytes": "gzipped", "sparse_bytes": "sparse rows"}
    cases = _pruned(run, *forms)
    lines = _compared(cases, {label: [case.extra[key] / 1024 for case in cases] for key, label in forms.items()})
    caption = "Left is smaller. Zeros save bytes only in a form that leaves them out."
    axis = Axis("size of the weights (KiB)", write="{:,.0f}".format, zero=True)
    return _in_rows("pruned-bytes", "Pruning: bytes", caption, cases, lines, axis)


def pruned_time(run: Run) -> Figure | None:
    """What a prediction costs before pruning, after it, and if the tool's wrapping is left on."""
    kinds = {"dense_seconds": "dense", "stripped_seconds": "pruned", "unstripped_seconds": "pruned, not stripped"}
    cases = _pruned(run, *kinds)
    lines = _compared(
        cases, {label: [case.extra[key] / case.extra["dense_seconds"] for case in cases] for key, label in kinds.items()}
    )
    caption = "Left is faster. Time of a prediction as a multiple of the dense network's by the same tool, taken in turns."
    axis = Axis("times as long as dense", write=lambda value: f"{value:g} x", zero=True)
    return _in_rows("pruned-time", "Pruning: time", caption, cases, lines, axis)


def _pruned(run: Run, *keys: str) -> list[Case]:
    """The cases of group pruning that have these figures, all above zero, and their ``sparsity_kernels``."""
    return [
        case
        for case in run.group("pruning")
        if _number(case.extra.get("sparsity_kernels")) and all(_positive(case.extra.get(key)) for key in keys)
    ]


def _compared(cases: Sequence[Case], series: dict[str, list[float]]) -> list[Line]:
    """A point in each case's row for each series; the colours are no framework's."""
    rows = range(len(cases))
    return [
        Line(label, values, rows, 3 + index, index, joined=False, rows=True, **_layer(index, len(series), step=3.0))
        for index, (label, values) in enumerate(series.items())
    ]


def _in_rows(name: str, title: str, caption: str, cases: Sequence[Case], lines: Sequence[Line], x: Axis) -> Figure | None:
    """Points in rows, a row a case.  Where each row is one line, its name is legend enough."""
    if not cases:
        return None
    names = [f"{case.mode} ({_tick_percent(case.extra['sparsity_kernels'])})" for case in cases]
    legend = not any(line.intervals for line in lines)
    return Figure(name, title, caption, draw(name, lines, x, Axis("", names=names), legend=legend))


# Compression


def compressed_bytes(run: Run) -> Figure | None:
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


def compressed_time(run: Run) -> Figure | None:
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
        case for case in run.group("compression") if _positive(case.extra.get("stored_bytes")) and case.extra["test_images"] > 0
    ]


def _share(case: Case, key: str) -> tuple[float, tuple[float, float]]:
    """A share of the test images and its interval."""
    images = case.extra["test_images"]
    return case.extra[key] / images, share_interval(case.extra[key], images)


def _trade_off(
    name: str, title: str, caption: str, marks: Mapping[str, Mapping[str, tuple[float, float, tuple[float, float]]]], x: Axis
) -> Figure | None:
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
    return Figure(name, title, caption, draw(name, lines, x, Axis("test accuracy", write=_tick_percent)))


PLOTS: Sequence[Callable[[Run], Figure | None]] = (
    time_per_image,
    roofline,
    graph_time_per_image,
    speed_up_predict,
    speed_up_train,
    ladder_time,
    ladder_memory,
    training_loss,
    validation_loss,
    validation_accuracy,
    apart,
    memory,
    pruned_accuracy,
    pruned_bytes,
    pruned_time,
    compressed_bytes,
    compressed_time,
)


# What they share


def _with_batch(run: Run, group: str) -> list[Case]:
    cases = [case for case in run.group(group) if _positive(case.extra.get("batch"))]
    return sorted(cases, key=lambda case: case.extra["batch"])


def _trained(run: Run, curve: str) -> list[Case]:
    return [case for case in run.group("train") if _numbers(case.extra.get(curve))]


def _by_mode(cases: Iterable[Case]) -> dict[tuple[str, str], list[Case]]:
    """(framework, mode) -> its cases; the modes of a framework stand together."""
    found: dict[tuple[str, str], list[Case]] = {}
    for case in sorted(cases, key=lambda case: case.framework):
        found.setdefault((case.framework, case.mode), []).append(case)
    return found


def _batches(lines: Iterable[Line]) -> list[float]:
    return sorted({x for line in lines for x in line.x})


def _line(run: Run, framework: str, mode: str, x: Sequence[float], y: Sequence[float], **how: Any) -> Line:
    """A line in the colour of its framework and the dash of its mode."""
    own = [case for case in run.cases if case.framework == framework]
    own.sort(key=lambda case: "default_mode" not in case.extra)  # ways to run the network before tools that merely use it
    modes = list(dict.fromkeys(case.mode for case in own))
    how = {"colour": [*colours(run), framework].index(framework), "style": modes.index(mode), **how}
    return Line(f"{framework} {mode}", list(x), list(y), **how)


def _layer(index: int, count: int, step: float = 4.0) -> dict[str, Any]:
    """How to draw one of several lines or points that may lie on each other: the first large and pale, the last small and opaque."""
    return {"width": 1.4 + step * (count - 1 - index), "strength": 1.0 if index == count - 1 else 0.45}


def _tick_seconds(value: float) -> str:
    """0.01 -> '10 ms': a tick is a round number and needs no digits to say so."""
    return re.sub(r"\.0+(?= )", "", units.seconds(value))


def _tick_percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _positive(value: Any) -> bool:
    return _number(value) and value > 0


def _numbers(values: Any) -> bool:
    """Is it a list of numbers, at least one?"""
    return isinstance(values, list) and bool(values) and all(map(_number, values))
