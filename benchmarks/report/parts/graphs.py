"""Is a static graph faster than dynamic computing, and from which batch size on?

Static is a mode that traces or compiles once and calls the result; dynamic is the mode of the same framework that does the same
operation by operation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby

from benchmarks.quantities.statistics import CONFIDENCE, Ratio, ratio_interval
from benchmarks.report.drawing import Axis, draw
from benchmarks.report.estimates import ratio_cell
from benchmarks.report.lines import bars, batch_axis, drawn, intervals_of, line_of, time_per_image_of
from benchmarks.report.reasons import dash
from benchmarks.report.records import Cell, Plot, Section, Table, Words
from benchmarks.report.times import median
from benchmarks.saved.results import Case, Run

GROUPS = {"graphs predict": "inference", "graphs train step": "training step"}

Pair = tuple[str, str]
"""Framework and mode."""

ByPair = Mapping[Pair, Mapping[int, Case]]
"""(framework, mode) -> batch -> case."""


def sections(run: Run) -> list[Section]:
    """One section for each of inference and training that this run measured."""
    return [_times(run, group) for group in GROUPS if run.group(group)]


# What is computed


def by_pair(run: Run, group: str) -> dict[Pair, dict[int, Case]]:
    """(framework, mode) -> batch -> case, in the order of the cases."""
    found: dict[Pair, dict[int, Case]] = {}
    for case in run.group(group):
        found.setdefault((case.framework, case.mode), {})[case.extra["batch"]] = case
    return found


def dynamic_mode(run: Run, case: Case) -> str | None:
    """The mode of the same framework that does operation by operation what this one does as a graph; None if this is no graph.

    Files that do not name the reference are of commit 67fa1dc or older and do not name this mode either.  There it was the framework's
    default mode, except by hand, where there are no graphs.
    """
    if "reference" in run.lenet5:
        found = case.extra["dynamic_mode"]
    else:
        found = case.extra["default_mode"] if case.framework != run.by_hand else None
    return found if found != case.mode else None


def dynamic_pairs(run: Run, group: str) -> dict[Pair, Pair]:
    """(framework, mode) of each graph -> that of the dynamic mode that it is compared with."""
    found = {(case.framework, case.mode): dynamic_mode(run, case) for case in run.group(group)}
    return {pair: (pair[0], mode) for pair, mode in found.items() if mode}


def speedups(run: Run, group: str) -> dict[Pair, dict[int, Ratio]]:
    """(framework, mode) of each graph -> batch -> how many times longer the dynamic mode takes: the curves against batch size.

    A batch is left out that the dynamic mode has no time for.
    """
    cases = by_pair(run, group)
    curves = {}
    for pair, dynamic in dynamic_pairs(run, group).items():
        at, slow = cases[pair], cases.get(dynamic, {})
        curves[pair] = {batch: ratio_interval(slow[batch].medians, at[batch].medians) for batch in at if batch in slow}
    return curves


def sides(curve: Mapping[int, Ratio]) -> str:
    """On which side of which batch size a mode wins, in words.   {1: 2.0, 64: 0.5} -> 'faster up to batch 1, slower from 64 on'

    Where there are intervals, one that holds 1 is 'no different', and so is a ratio without one that is 1 to three digits.
    """
    stretches = [(verdict, list(batches)) for verdict, batches in groupby(sorted(curve), key=lambda batch: _verdict(curve[batch]))]
    if len(stretches) == 1:
        return f"{stretches[0][0]} at every batch size"
    words = []
    for index, (verdict, batches) in enumerate(stretches):
        if index == 0:
            words.append(f"{verdict} up to batch {batches[-1]}")
        elif index == len(stretches) - 1:
            words.append(f"{verdict} from {batches[0]} on")
        else:
            words.append(f"{verdict} at {_range(batches)}" if len(batches) == 1 else f"{verdict} from {_range(batches)}")
    return ", ".join(words)


def _verdict(ratio: Ratio) -> str:
    if ratio.even:
        return "no different"
    return "faster" if ratio.ratio > 1 else "slower"


def batches_of(cases: ByPair) -> list[int]:
    """The batch sizes that any mode has, from the smallest up."""
    return sorted({batch for at in cases.values() for batch in at})


# What is said


def _times(run: Run, group: str) -> Section:
    cases, curves = by_pair(run, group), speedups(run, group)
    batches = batches_of(cases)
    rows = []
    for pair, at in cases.items():
        curve = curves.get(pair, {})
        cells = [_cell(run, at[batch], curve.get(batch)) if batch in at else dash(run, *pair, batch, group) for batch in batches]
        rows.append([Words(" ".join(pair)), *cells])
    return Section(
        f"Static graph against dynamic: {GROUPS[group]}",
        before=[
            "A static graph is traced or compiled once and then called; dynamic is the mode of the same framework that does the same "
            f"operation by operation{dynamic_in_words(run, group)}. Times are of one call once warm{_what_a_ratio_is(run) if curves else '.'}"
        ],
        table=Table(["", *(f"batch {batch}" for batch in batches)], rows, same=True),
        after=[*_against_dynamic(curves), *_fastest(cases)],
    )


def dynamic_in_words(run: Run, group: str) -> str:
    """' (tensorflow eager, torch eager)': which modes are meant by dynamic; empty where no graph was measured."""
    pairs = dict.fromkeys(" ".join(pair) for pair in dynamic_pairs(run, group).values())
    return f" ({', '.join(pairs)})" if pairs else ""


def _what_a_ratio_is(run: Run) -> str:
    sure = f" [{CONFIDENCE:.0%} interval]" if run.processes > 1 else ", from one process and so without an interval"
    return f"; in brackets the dynamic mode's time divided by the graph's{sure}. **Above 1, the graph is faster.**"


def _cell(run: Run, case: Case, speedup: Ratio | None) -> Cell:
    return median(run, case, note=ratio_cell(speedup) if speedup else "")


def _against_dynamic(curves: Mapping[Pair, Mapping[int, Ratio]]) -> Iterator[str]:
    """Who wins where, mode by mode."""
    verdicts = [f"{' '.join(pair)} is {sides(curve)}" for pair, curve in curves.items() if curve]
    if verdicts:
        yield f"Against the dynamic mode: {'; '.join(verdicts)}."


def _fastest(cases: ByPair) -> Iterator[str]:
    """For each framework with several modes, which mode is fastest over which batch sizes."""
    words = []
    for framework in dict.fromkeys(framework for framework, _ in cases):
        modes = {mode: at for (name, mode), at in cases.items() if name == framework}
        batches = batches_of({(framework, mode): at for mode, at in modes.items()})
        best = {batch: min((at[batch].typical, mode) for mode, at in modes.items() if batch in at)[1] for batch in batches}
        if len(modes) > 1:
            stretches = [(mode, list(group)) for mode, group in groupby(batches, key=best.__getitem__)]
            words.append(f"{framework} " + ", ".join(f"{mode} at {_range(group)}" for mode, group in stretches))
    if words:
        yield f"Fastest of each framework: {'; '.join(words)}."


def _range(batches: list[int]) -> str:
    return str(batches[0]) if len(batches) == 1 else f"{batches[0]} to {batches[-1]}"


# What is drawn


def plots(run: Run) -> list[Plot]:
    return drawn(run, graph_time_per_image, speed_up_predict, speed_up_train)


def graph_time_per_image(run: Run) -> Plot | None:
    """Inference at more batch sizes than the default run has."""
    return time_per_image_of(run, "graphs predict", "graph-time-per-image", "Inference: time per image, more batch sizes")


def speed_up_predict(run: Run) -> Plot | None:
    """Static graphs against dynamic ones, inference."""
    return _speed_up(run, "graphs predict", "speed-up-predict")


def speed_up_train(run: Run) -> Plot | None:
    """Static graphs against dynamic ones, a training step."""
    return _speed_up(run, "graphs train step", "speed-up-train")


def _speed_up(run: Run, group: str, name: str) -> Plot | None:
    """How many times longer the dynamic mode takes than each graph, batch by batch: the report's own ratios."""
    lines = []
    for pair, curve in speedups(run, group).items():
        if curve:
            ratios = [curve[batch] for batch in sorted(curve)]
            lines.append(line_of(run, *pair, sorted(curve), [one.ratio for one in ratios], intervals=intervals_of(ratios)))
    if not lines:
        return None
    caption = (
        f"Above the dashed line the graph is faster than the dynamic mode of the same framework{dynamic_in_words(run, group)}, below it "
        f"slower. Warm calls; the first call is not in it.{bars(run)}"
    )
    y = Axis("times as fast as dynamic", "log", 2, write=lambda value: f"{value:g} x")
    title = f"Static graph against dynamic: {GROUPS[group]}"
    return Plot(name, title, caption, draw(name, lines, batch_axis(lines), y, level=(1, "")))
