"""The report's part on pruning: what became zero, what that did to the accuracy and to the bytes, and why it did nothing to the time."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.quantities import units
from benchmarks.quantities.statistics import CONFIDENCE, Ratio, ratio_interval, share_interval
from benchmarks.report.drawing import Axis, Line, draw
from benchmarks.report.plots import drawn, is_number, is_positive, layer, line_of, tick_percent
from benchmarks.report.records import Plot, Section, Table
from benchmarks.report.text import DASH
from benchmarks.saved.results import LAYERS, Case, Run

GROUP = "pruning"
NOTHING = "nothing to strip"
"""What stands where a network that was not pruned has no time."""


def sections(run: Run) -> list[Section]:
    return [_section(run)] if run.group(GROUP) else []


def _section(run: Run) -> Section:
    """Every way to prune beside the dense network."""
    cases = run.group(GROUP)
    head = [
        "",
        "zeros in kernels",
        f"zeros in {', '.join(LAYERS)}",
        "zeros in all weights",
        f"test accuracy [{CONFIDENCE:.0%} interval]",
        "bytes dense",
        "gzipped",
        "sparse (CSR)",
        "predict: dense",
        "pruned, stripped",
        "pruned, not stripped",
    ]
    return Section(
        "Pruned against dense",
        before=[_how(cases), *_what_a_ratio_is(run, cases)],
        table=Table(head, [_row(case) for case in cases]),
        after=[
            *_why_no_faster(cases),
            "Sparse bytes are the five kernels as compressed sparse rows (float32 values, uint16 columns, uint32 row pointers) and the "
            "five biases; gzipped is all ten arrays in one stream at level 9, without a header.",
            *_two_zeros(cases),
            'The seed printed "22.44 %" for its pruned network. Nothing was pruned: what prune_low_magnitude returns was thrown away, '
            "and the saved model has not one zero weight.",
        ],
    )


def speedups(run: Run) -> dict[str, Ratio]:
    """Mode -> how many times longer the dense network takes than the pruned and stripped one, which are timed in turns."""
    return {case.mode: _against(case, "dense_seconds") for case in run.group(GROUP) if case.extra.get("dense_seconds") is not None}


def _against(case: Case, key: str) -> Ratio:
    """How many times longer this other time of a pruned case is than that of its stripped network."""
    return ratio_interval(case.values(key), case.medians)


def _what_a_ratio_is(run: Run, cases: list[Case]) -> list[str]:
    """What stands in brackets behind a time."""
    if not any(case.extra.get("dense_seconds") is not None for case in cases):
        return []
    text = "In brackets how many times as long that is as the stripped network of the same row takes"
    if run.processes == 1:
        return [f"{text}; from one process, so without an interval."]
    return [f"{text} [{CONFIDENCE:.0%} interval from {run.processes} processes]."]


def _how(cases: list[Case]) -> str:
    pruned = [case for case in cases if case.extra.get("epochs") is not None]
    first = pruned[0] if pruned else cases[0]
    text = f"All start from one network, trained for {first.extra['dense_epochs']} epochs. "
    if pruned:
        text += (
            f"It is pruned from {units.percent(first.extra['sparsity_initial'])} to {units.percent(first.extra['sparsity_wanted'])} of "
            f"each kernel, smallest weights first, by tfmot's PolynomialDecay while it trains on for {first.extra['epochs']} epochs on the "
            "same batches; biases are left alone. By hand: regrow is tfmot's rule (a masked weight may come back), nested is PyTorch's "
            "(it may not); not stripped then means that the masks are applied and the weights loaded before every call. "
        )
    return text + f"Times are medians for a batch of {first.extra['batch']}, taken in turns; each library has a process of its own."


def _row(case: Case) -> list[str]:
    extra = case.extra
    low, high = share_interval(extra["correct"], extra["test_images"])
    is_pruned = extra.get("dense_seconds") is not None
    return [
        f"{case.framework}: {case.mode}",
        units.percent(extra["sparsity_kernels"]),
        ", ".join(f"{100 * extra[f'sparsity_{layer}']:.1f}" for layer in LAYERS) + " %",
        units.percent(extra["sparsity_all"]),
        f"{units.percent(extra['correct'] / extra['test_images'])} [{100 * low:.1f}, {100 * high:.1f}]",
        units.count(extra["dense_bytes"]),
        units.count(extra["gzip_bytes"]),
        units.count(extra["sparse_bytes"]),
        _time_cell(case, "dense_seconds") if is_pruned else units.seconds(case.median),
        units.seconds(case.median) if is_pruned else NOTHING,
        _time_cell(case, "unstripped_seconds") if is_pruned else NOTHING,
    ]


def _time_cell(case: Case, key: str) -> str:
    """A time beside that of the stripped network, and how many times longer it is."""
    if case.extra.get(key) is None:
        return DASH
    return f"{units.seconds(case.extra[key])} ({units.times(*_against(case, key))})"


def _two_zeros(cases: list[Case]) -> list[str]:
    """Why equal sparsity does not gzip to equal bytes, if it does not."""
    count = max(case.extra["negative_zeros"] for case in cases)
    if not count:
        return []
    return [
        f"Equal zeros gzip to unequal bytes where a library multiplies by its mask: that makes -0.0 of a negative weight, up to "
        f"{units.count(count)} times here, and gzip has two kinds of zero to tell apart. Adding 0.0 before saving makes them one."
    ]


def _range(ratios: list[float]) -> str:
    low, high = units.significant(min(ratios)), units.significant(max(ratios))
    return f"{low} x" if low == high else f"{low} to {high} x"


def _why_no_faster(cases: list[Case]) -> list[str]:
    """What the zeros could save, what they did save, and why."""
    pruned = [case for case in cases if case.extra.get("dense_seconds") is not None]
    if not pruned:
        return []
    ratios = [_against(case, "dense_seconds").ratio for case in pruned]
    unstripped = [_against(case, "unstripped_seconds").ratio for case in pruned if case.extra.get("unstripped_seconds") is not None]
    macs, left = pruned[0].extra["macs_per_image"], pruned[0].extra["nonzero_macs_per_image"]
    return [
        f"Only {units.count(left)} of {units.count(macs)} multiply-accumulates an image have a weight other than zero: the dense network "
        f"would take {units.times(macs / left)} the time of the pruned one if zeros cost nothing. Measured, pruned and stripped: "
        f"{_range(ratios)}.",
        "The time does not move because the zeros lie scattered in dense arrays, and a dense kernel multiplies by a zero like by any "
        "other number: the same loads, the same instructions. Skipping them takes kernels of their own and an index a value. Time is saved "
        "by structure: fewer filters and units, rebuilt smaller. What scattered zeros save is bytes, and only once those are compressed "
        "or stored sparse.",
        *(
            [f"Not stripped, the masks are applied again at every call: {_range(unstripped)} the time of the stripped one."]
            if unstripped
            else []
        ),
    ]


# What is drawn


def plots(run: Run) -> list[Plot]:
    return drawn(run, pruned_accuracy, pruned_bytes, pruned_time)


def pruned_accuracy(run: Run) -> Plot | None:
    """Test accuracy of the dense and the pruned networks, each with its interval over the test images."""
    cases = _pruned(run, "correct", "test_images")
    lines = []
    for row, case in enumerate(cases):
        correct, images = case.extra["correct"], case.extra["test_images"]
        interval = share_interval(correct, images)
        lines.append(line_of(run, case.framework, case.mode, [correct / images], [row], style=0, intervals=[interval], rows=True))
    caption = (
        f"Bars are {CONFIDENCE:.0%} intervals over the test images. Behind each name the share of zeros counted in its kernels."
    )
    return _in_rows("pruned-accuracy", "Pruning: accuracy", caption, cases, lines, Axis("test accuracy", write=tick_percent))


def pruned_bytes(run: Run) -> Plot | None:
    """What the same networks weigh in three forms."""
    forms = {"dense_bytes": "as arrays", "gzip_bytes": "gzipped", "sparse_bytes": "sparse rows"}
    cases = _pruned(run, *forms)
    lines = _compared(cases, {label: [case.extra[key] / 1024 for case in cases] for key, label in forms.items()})
    caption = "Left is smaller. Zeros save bytes only in a form that leaves them out."
    axis = Axis("size of the weights (KiB)", write="{:,.0f}".format, zero=True)
    return _in_rows("pruned-bytes", "Pruning: bytes", caption, cases, lines, axis)


def pruned_time(run: Run) -> Plot | None:
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
        if is_number(case.extra.get("sparsity_kernels")) and all(is_positive(case.extra.get(key)) for key in keys)
    ]


def _compared(cases: Sequence[Case], series: dict[str, list[float]]) -> list[Line]:
    """A point in each case's row for each series; the colours are no framework's."""
    rows = range(len(cases))
    return [
        Line(label, values, rows, 3 + index, index, joined=False, rows=True, **layer(index, len(series), step=3.0))
        for index, (label, values) in enumerate(series.items())
    ]


def _in_rows(name: str, title: str, caption: str, cases: Sequence[Case], lines: Sequence[Line], x: Axis) -> Plot | None:
    """Points in rows, a row a case.  Where each row is one line, its name is legend enough."""
    if not cases:
        return None
    names = [f"{case.mode} ({tick_percent(case.extra['sparsity_kernels'])})" for case in cases]
    legend = not any(line.intervals for line in lines)
    return Plot(name, title, caption, draw(name, lines, x, Axis("", names=names), legend=legend))
