"""What does pruning do?  How many weights became zero, what that did to accuracy and bytes, and why it did nothing to the time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.quantities import units
from benchmarks.quantities.statistics import CONFIDENCE, Ratio, ratio_interval, share_interval
from benchmarks.quantities.units import EXACT_BYTES, SECONDS, SHARE
from benchmarks.report import original_report
from benchmarks.report.drawing import Axis, Line, draw
from benchmarks.report.estimates import accuracy_cell, ratio_cell
from benchmarks.report.lines import drawn, layer, line_of, neutral, tick_percent
from benchmarks.report.records import Cell, Dash, Mark, Plot, Quantity, Section, Several, Table, Words
from benchmarks.report.times import median
from benchmarks.saved.results import LAYERS, Case, Run

GROUP = "pruning"
HEAD = (
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
)

STEADY = 0.1
"""By what share a time may differ from that of the dense network and still count as not moved.  Chosen, not measured."""

NOTHING = Words("nothing to strip")
"""What stands where a network that was not pruned has no time."""


def sections(run: Run) -> list[Section]:
    """Every way to prune beside the dense network, if this run pruned."""
    cases = run.group(GROUP)
    return [_pruned_against_dense(run, cases)] if cases else []


# What is computed


def speedups(run: Run) -> dict[str, Ratio]:
    """Mode -> how many times longer the dense network takes than the pruned and stripped one, which are timed interleaved."""
    return {case.mode: _against(case, "dense_seconds") for case in run.group(GROUP) if case.extra["dense_seconds"] is not None}


def _against(case: Case, key: str) -> Ratio:
    """How many times longer this other time of a pruned case is than that of its stripped network."""
    return ratio_interval(case.values(key), case.medians)


# What is said


def _pruned_against_dense(run: Run, cases: list[Case]) -> Section:
    return Section(
        "Pruned against dense",
        before=[_how(cases), *_what_a_ratio_is(run, cases)],
        table=Table(HEAD, [_row(run, case) for case in cases], same=True),
        after=[
            *_why_no_faster(cases),
            "Sparse bytes are the five kernels as compressed sparse rows (float32 values, uint16 columns, uint32 row pointers) and the "
            "five biases; gzipped is all ten arrays in one stream at level 9, without a header.",
            *_two_zeros(cases),
            f'The original report printed "{original_report.PRUNED_ACCURACY}" for its pruned network. Nothing was pruned: what '
            "prune_low_magnitude returns was thrown away, and the saved model has not one zero weight.",
        ],
    )


def _what_a_ratio_is(run: Run, cases: list[Case]) -> list[str]:
    """What stands in brackets behind a time."""
    if all(case.extra["dense_seconds"] is None for case in cases):
        return []
    text = "In brackets: that time divided by the time of the stripped network of the same row"
    if run.processes == 1:
        return [f"{text}; from one process, so without an interval."]
    return [f"{text} [{CONFIDENCE:.0%} interval from {run.processes} processes]."]


def _how(cases: list[Case]) -> str:
    pruned = [case for case in cases if case.extra["epochs"] is not None]
    first = pruned[0] if pruned else cases[0]
    text = f"All start from one network, trained for {units.counted(first.extra['dense_epochs'], 'epoch')}. "
    if pruned:
        text += (
            f"It is pruned{_from_to(first)}, smallest weights first, on the schedule of tfmot (TensorFlow's model optimization toolkit), "
            f"while it trains on for {units.counted(first.extra['epochs'], 'epoch')} on the same batches; biases are left alone. By hand "
            "there are two rules: regrow lets a masked weight come back, as tfmot does, and nested does not, as PyTorch does. Stripped is "
            "the finished network; not stripped, the tool still applies its masks at every call (by hand: and loads the weights). "
        )
    return f"{text}Times are medians for a batch of {first.extra['batch']}, interleaved; each library has a process of its own."


def _from_to(case: Case) -> str:
    """' from 50.0 % to 90.0 % of each kernel'; empty for a file that does not say."""
    low, high = case.extra["sparsity_initial"], case.extra["sparsity_wanted"]
    return "" if low is None or high is None else f" from {units.percent(low)} to {units.percent(high)} of each kernel"


def _row(run: Run, case: Case) -> list[Cell]:
    extra = case.extra
    taken = median(run, case)
    is_pruned = extra["dense_seconds"] is not None
    return [
        Words(f"{case.framework}: {case.mode}"),
        Quantity(extra["sparsity_kernels"], SHARE),
        Several([Quantity(extra[f"sparsity_{layer}"], SHARE) for layer in LAYERS]),
        Quantity(extra["sparsity_all"], SHARE),
        accuracy_cell(case),
        *(Quantity(extra[f"{form}_bytes"], EXACT_BYTES) for form in ("dense", "gzip", "sparse")),
        *(
            [_time_cell(case, "dense_seconds", taken.mark), taken, _time_cell(case, "unstripped_seconds", taken.mark)]
            if is_pruned
            else [taken, NOTHING, NOTHING]
        ),
    ]


def _time_cell(case: Case, key: str, mark: Mark | None) -> Cell:
    """A time beside that of the stripped network, and how many times longer it is."""
    if case.extra[key] is None:
        return Dash("this file does not hold that time")
    return Quantity(case.extra[key], SECONDS, note=ratio_cell(_against(case, key)), mark=mark)


def _two_zeros(cases: list[Case]) -> list[str]:
    """Why equal sparsity does not gzip to equal bytes, if it does not."""
    count = max(case.extra["negative_zeros"] for case in cases)
    if not count:
        return []
    return [
        f"Equal zeros gzip to unequal bytes where a library multiplies by its mask: that makes -0.0 of a negative weight, up to "
        f"{units.count(count)} times here, and gzip has two kinds of zero to tell apart. Adding 0.0 before saving makes them one."
    ]


def _why_no_faster(cases: list[Case]) -> list[str]:
    """What the zeros could save, what they did save, and why."""
    pruned = [case for case in cases if case.extra["dense_seconds"] is not None]
    if not pruned:
        return []
    ratios = [_against(case, "dense_seconds").ratio for case in pruned]
    unstripped = [_against(case, "unstripped_seconds").ratio for case in pruned if case.extra["unstripped_seconds"] is not None]
    return [
        f"{_possible(pruned[0])}Measured, the dense network takes {_range(ratios)} the time of the pruned and stripped one.",
        f"{_moved(ratios)} the zeros lie scattered in dense arrays, and a dense kernel multiplies by a zero like by any "
        "other number: the same loads, the same instructions. Skipping them takes kernels of their own and an index a value. Time is saved "
        "by structure: fewer filters and units, rebuilt smaller. What scattered zeros save is bytes, and only once those are compressed "
        "or stored sparse.",
        *(
            [f"Not stripped, the masks are applied again at every call: {_range(unstripped)} the time of the stripped one."]
            if unstripped
            else []
        ),
    ]


def _moved(ratios: list[float]) -> str:
    """How the explanation begins: of what it explains, or, where a time moved all the same, of what it does not."""
    if all(1 / (1 + STEADY) <= ratio <= 1 + STEADY for ratio in ratios):
        return "The time does not move because"
    return "That is not what zeros do, so something else moved the time, such as another program:"


def _possible(case: Case) -> str:
    """What the zeros could save if they cost nothing; empty where every weight is zero."""
    macs, left = case.extra["macs_per_image"], case.extra["nonzero_macs_per_image"]
    if not left:
        return ""
    return (
        f"Only {units.count(left)} of {units.count(macs)} multiply-accumulates an image have a weight other than zero: the dense network "
        f"would take {units.times(macs / left)} the time of the pruned one if zeros cost nothing. "
    )


def _range(ratios: list[float]) -> str:
    low, high = units.significant(min(ratios)), units.significant(max(ratios))
    return f"{low} x" if low == high else f"{low} to {high} x"


# What is drawn


def plots(run: Run) -> list[Plot]:
    return drawn(run, pruned_accuracy, pruned_bytes, pruned_time)


def pruned_accuracy(run: Run) -> Plot | None:
    """Test accuracy of the dense and the pruned networks, each with its interval over the test images."""
    cases = run.group(GROUP)
    lines = []
    for row, case in enumerate(cases):
        correct, images = case.extra["correct"], case.extra["test_images"]
        how = {"style": 0, "intervals": [share_interval(correct, images)], "rows": True}
        lines.append(line_of(run, case.framework, case.mode, [correct / images], [row], **how))
    caption = (
        f"Bars are {CONFIDENCE:.0%} intervals over the test images. Behind each name the share of zeros counted in its kernels."
    )
    return _in_rows("pruned-accuracy", "Pruning: accuracy", caption, cases, lines, Axis("test accuracy", write=tick_percent))


def pruned_bytes(run: Run) -> Plot | None:
    """What the same networks weigh in three forms."""
    forms = {"dense_bytes": "as arrays", "gzip_bytes": "gzipped", "sparse_bytes": "sparse rows"}
    cases = run.group(GROUP)
    lines = _compared({label: [case.extra[key] / 1024 for case in cases] for key, label in forms.items()})
    caption = "Left is smaller. Zeros save bytes only in a form that leaves them out."
    axis = Axis("size of the weights (KiB)", write="{:,.0f}".format, zero=True)
    return _in_rows("pruned-bytes", "Pruning: bytes", caption, cases, lines, axis)


def pruned_time(run: Run) -> Plot | None:
    """What a prediction costs before pruning, after it, and if the tool's wrapping is left on."""
    kinds = {"dense_seconds": "dense", "stripped_seconds": "pruned", "unstripped_seconds": "pruned, not stripped"}
    cases = [case for case in run.group(GROUP) if all(case.extra[key] is not None for key in kinds)]
    lines = _compared({label: [case.extra[key] / case.extra["dense_seconds"] for case in cases] for key, label in kinds.items()})
    caption = "Left is faster. Time of a prediction as a multiple of the dense network's by the same tool, interleaved."
    axis = Axis("times as long as dense", write=lambda value: f"{value:g} x", zero=True)
    return _in_rows("pruned-time", "Pruning: time", caption, cases, lines, axis)


def _compared(series: Mapping[str, Sequence[float]]) -> list[Line]:
    """A point in each case's row for each series, the first the largest, so that all are seen where they lie on each other."""
    lines = []
    for index, (label, values) in enumerate(series.items()):
        how = {**neutral(index), **layer(index, len(series), step=3.0), "strength": 1.0}
        lines.append(Line(label, values, range(len(values)), joined=False, rows=True, **how))
    return lines


def _in_rows(name: str, title: str, caption: str, cases: Sequence[Case], lines: Sequence[Line], x: Axis) -> Plot | None:
    """Points in rows, a row a case.  Where each row is one line, its name is legend enough."""
    if not cases:
        return None
    names = [f"{case.mode} ({tick_percent(case.extra['sparsity_kernels'])})" for case in cases]
    legend = not any(line.intervals for line in lines)
    return Plot(name, title, caption, draw(name, lines, x, Axis("", names=names), legend=legend))
