"""The report's part on static graphs against dynamic ones: how much faster, from which batch size, and after how many calls it pays.

Every mode is compared with its own framework's default: eager mode, in a framework that knows graphs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from math import ceil

from benchmarks.quantities import units
from benchmarks.quantities.statistics import CONFIDENCE, Ratio, ratio_interval
from benchmarks.report.drawing import Axis, draw
from benchmarks.report.plots import batches_of, drawn, intervals_of, line_of, time_per_image_of, with_batch
from benchmarks.report.records import Plot, Section, Table
from benchmarks.report.text import DASH
from benchmarks.saved.results import Case, Run

GROUPS = {"graphs predict": "inference", "graphs train step": "training step"}

DYNAMIC = "eager"
"""How a framework's mode is called that runs operation by operation; the other modes are compared with it."""

Pair = tuple[str, str]
"""Framework and mode."""


def sections(run: Run) -> list[Section]:
    """Two sections for each of inference and training that this run measured: times with speed-ups, and what the first call costs."""
    groups = [group for group in GROUPS if run.group(group)]
    return [section for group in groups for section in (_times(run, group), _first_calls(run, group))]


# What is computed


def by_pair(run: Run, group: str) -> dict[Pair, dict[int, Case]]:
    """(framework, mode) -> batch -> case, in the order of the cases."""
    found: dict[Pair, dict[int, Case]] = {}
    for case in run.group(group):
        found.setdefault((case.framework, case.mode), {})[case.extra["batch"]] = case
    return found


def speedups(run: Run, group: str) -> dict[Pair, dict[int, Ratio]]:
    """(framework, mode) -> batch -> how many times longer the framework's default mode takes: the curves against batch size.

    The default modes themselves are left out, and so is a batch that the default mode has no time for.
    """
    cases = by_pair(run, group)
    curves = {}
    for pair, at in cases.items():
        reference = _reference(cases, pair)
        if reference is not at:
            curves[pair] = {
                batch: ratio_interval(reference[batch].medians, at[batch].medians) for batch in at if batch in reference
            }
    return curves


def break_even_calls(graph: Case, default: Case) -> int | None:
    """After how many calls a graph has taken no longer in all than the default mode, both from a fresh process; None for never.

    n calls take F + (n - 1) s, where F is building and the first call in a fresh process and s a call once warm.  The graph's sum is the
    smaller one from n = 1 + ceil((F_graph - F_default) / (s_default - s_graph)) on.  Importing is the same for both and left out.
    """
    ahead = _until_first_answer(graph) - _until_first_answer(default)
    saved = default.median - graph.median
    if saved < 0 or (saved == 0 and ahead > 0):
        return None
    return 1 if ahead <= 0 else 1 + ceil(ahead / saved)


def sides(curve: Mapping[int, Ratio]) -> str:
    """On which side of which batch size a mode wins, in words.   {1: 2.0, 64: 0.5} -> 'faster up to batch 1, slower from 64 on'

    Where there are intervals, one that holds 1 is 'no different'.
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
            words.append(f"{verdict} at {batches[0]}" if len(batches) == 1 else f"{verdict} from {batches[0]} to {batches[-1]}")
    return ", ".join(words)


def _verdict(ratio: Ratio) -> str:
    if ratio.low is not None and ratio.high is not None and ratio.low <= 1 <= ratio.high:
        return "no different"
    return "faster" if ratio.ratio > 1 else "slower"


def _until_first_answer(case: Case) -> float:
    """Seconds from the imported framework to the first answer, in a fresh process."""
    return float(case.extra["build_fresh_seconds"] + case.extra["first_call_fresh_seconds"])


def _reference(cases: Mapping[Pair, Mapping[int, Case]], pair: Pair) -> Mapping[int, Case]:
    """The cases of the framework's default mode; none if they were not measured."""
    return cases.get((pair[0], _default_mode(cases[pair])), {})


def _default_mode(at: Mapping[int, Case]) -> str:
    return next((str(case.extra["default_mode"]) for case in at.values() if case.extra.get("default_mode") is not None), "")


def _defaults(cases: Mapping[Pair, Mapping[int, Case]]) -> str:
    """What "the default mode" means, framework by framework."""
    names = dict.fromkeys(f"{framework} {_default_mode(at)}" for (framework, _), at in cases.items() if _default_mode(at))
    return ", ".join(names)


# What is said


def _times(run: Run, group: str) -> Section:
    cases, curves = by_pair(run, group), speedups(run, group)
    batches = _batches(cases)
    rows = [
        [" ".join(pair), *(_time_cell(at.get(batch), curves.get(pair, {}).get(batch)) for batch in batches)]
        for pair, at in cases.items()
    ]
    return Section(
        f"Static graph against dynamic: {GROUPS[group]}",
        before=[
            f"Time of one call once warm, and in brackets how many times longer the framework's default mode takes ({_defaults(cases)})"
            + (" [with its 95 % interval]." if run.processes > 1 else "; from one process, so without an interval."),
            *_keras_calls(cases),
        ],
        table=Table(["", *(f"batch {batch}" for batch in batches)], rows),
        after=[
            f"Against the default mode: {'; '.join(' '.join(pair) + ' is ' + sides(curve) for pair, curve in curves.items() if curve)}.",
            f"Fastest of each framework: {'; '.join(_fastest(cases))}.",
        ]
        if any(curves.values())
        else [],
    )


def _first_calls(run: Run, group: str) -> Section:
    cases = by_pair(run, group)
    batches = _batches(cases)
    rows = [
        [
            " ".join(pair),
            _median_import(at),
            *(_first_call_cell(at.get(batch), _reference(cases, pair).get(batch)) for batch in batches),
        ]
        for pair, at in cases.items()
    ]
    return Section(
        f"What a graph costs first: {GROUPS[group]}",
        before=[
            f"The first call in a fresh process, tracing and compiling included, with no compiled code on disk{_how_often(run)}; after the "
            f"comma the number of calls after which the graph has paid for itself against the default mode ({_defaults(cases)}).",
        ],
        table=Table(["", "import", *(f"batch {batch}" for batch in batches)], rows),
        after=[
            "With F for building the network and its first call in a fresh process and s for a call once warm, n calls take F + (n - 1) s; "
            "a graph has paid for itself from n = 1 + ceil((F_graph - F_default) / (s_default - s_graph)) calls on, and never where its "
            "call is the slower one. Importing is the same for both and not in F.",
        ],
    )


def _keras_calls(cases: Mapping[Pair, object]) -> Iterator[str]:
    """What a reader who meets the names of Keras' methods as modes has to know."""
    if any(mode in ("predict_on_batch", "predict") for _, mode in cases):
        yield (
            "predict_on_batch and predict are Keras' own methods around a graph; where they train, it is by train_on_batch and by fit on "
            "the one batch."
        )


def _fastest(cases: Mapping[Pair, Mapping[int, Case]]) -> Iterator[str]:
    """For each framework with several modes, which mode is fastest over which batch sizes."""
    for framework in dict.fromkeys(framework for framework, _ in cases):
        modes = {mode: at for (name, mode), at in cases.items() if name == framework}
        batches = sorted({batch for at in modes.values() for batch in at})
        best = {batch: min((at[batch].median, mode) for mode, at in modes.items() if batch in at)[1] for batch in batches}
        if len(modes) > 1:
            stretches = [(mode, list(group)) for mode, group in groupby(batches, key=best.__getitem__)]
            yield f"{framework} " + ", ".join(f"{mode} at {_range(group)}" for mode, group in stretches)


def _range(batches: list[int]) -> str:
    return str(batches[0]) if len(batches) == 1 else f"{batches[0]} to {batches[-1]}"


def _batches(cases: Mapping[Pair, Mapping[int, Case]]) -> list[int]:
    return sorted({batch for at in cases.values() for batch in at})


def _time_cell(case: Case | None, speedup: Ratio | None) -> str:
    if case is None:
        return DASH
    if speedup is None:
        return units.seconds(case.median)
    return f"{units.seconds(case.median)} ({units.times(*speedup)})"


def _median_import(at: Mapping[int, Case]) -> str:
    """Each batch size has its own fresh process, and each of those imports."""
    seconds = sorted(case.extra["import_fresh_seconds"] for case in at.values())
    return units.seconds(seconds[len(seconds) // 2])


def _how_often(run: Run) -> str:
    """How many first calls a figure comes from."""
    if run.processes == 1:
        return ", a single sample each, so without a spread"
    return f", median [lowest, highest] of {run.processes}"


def _first_call_cell(case: Case | None, default: Case | None) -> str:
    if case is None:
        return DASH
    taken = case.values("first_call_fresh_seconds")
    first = units.seconds(case.extra["first_call_fresh_seconds"])
    if len(taken) > 1:
        first += f" [{units.seconds(min(taken))}, {units.seconds(max(taken))}]"
    if default is None or default is case:
        return first
    calls = break_even_calls(case, default)
    return f"{first}, {'never' if calls is None else units.count(calls)}"


# What is drawn


def plots(run: Run) -> list[Plot]:
    return drawn(run, graph_time_per_image, speed_up_predict, speed_up_train)


def graph_time_per_image(run: Run) -> Plot | None:
    """Inference at six batch sizes."""
    return time_per_image_of(run, "graphs predict", "graph-time-per-image", "Inference: time per image, more batch sizes")


def speed_up_predict(run: Run) -> Plot | None:
    """Static graphs against dynamic ones, inference."""
    return _speed_up(run, "graphs predict", "speed-up-predict", "Static graph against dynamic: inference")


def speed_up_train(run: Run) -> Plot | None:
    """Static graphs against dynamic ones, a training step."""
    return _speed_up(run, "graphs train step", "speed-up-train", "Static graph against dynamic: training step")


def _speed_up(run: Run, group: str, name: str, title: str) -> Plot | None:
    """How many times longer each framework's dynamic mode takes than its other modes, batch by batch: the report's own ratios."""
    cases = [case for case in with_batch(run, group) if case.extra.get("default_mode") == DYNAMIC]
    lines = [
        line_of(run, *pair, list(curve), [one.ratio for one in curve.values()], intervals=intervals_of(curve.values()))
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
    x = Axis("images in one call", "log", 2, ticks=batches_of(lines))
    y = Axis(f"times as fast as {DYNAMIC}", "log", 2, write=lambda value: f"{value:g} x")
    return Plot(name, title, caption, draw(name, lines, x, y, level=(1, "")))
