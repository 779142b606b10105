"""The report: from saved runs to sections of prose and tables, and from those to Markdown.

Pure functions in a line: `results.load_runs` reads, `sections` decides what is said, `markdown` and `page` how it looks, `write` puts
both on disk.
Nothing is measured here and every figure comes from the JSON; only the seed's own figures come from `seed`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from benchmarks.quantities import units
from benchmarks.quantities.statistics import CONFIDENCE, ratio_interval, share_interval, spread
from benchmarks.report import (
    markdown,
    page,
    report_by_hand,
    report_compression,
    report_flops,
    report_graphs,
    report_pruning,
    report_seed,
    report_space,
    report_versions,
    seed,
)
from benchmarks.report.document import DASH, Section, Table
from benchmarks.saved import results
from benchmarks.saved.files import write_whole
from benchmarks.saved.results import CONTROL, Case, Run

BATCHES = (1, 64, 450)

DRIFT = 1.10
"""How many times longer the control may take at one time than at another before the report warns.

A quiet machine stays inside; a neighbour on the same cores or a clock that throttles goes beyond.
"""


@dataclass(frozen=True)
class Written:
    """Where a report went, and what it says."""

    path: Path
    page: Path
    text: str


def write(paths: Sequence[str | os.PathLike[str]], output: Path) -> Written:
    """Render the processes of one run into ``output``/report.md and report.html; those of several versions, side by side.

    Raises InputError before anything is written if that cannot be.
    """
    runs = results.load_runs(paths)
    if len(runs) == 1:
        parts = sections(runs[0])
        html = page.render(runs[0], parts)
    else:
        parts = report_versions.sections(runs)
        html = report_versions.render(runs, parts)
    text = markdown.render(parts)
    written = Written(output / "report.md", output / "report.html", text)
    write_whole(written.path, text)
    write_whole(written.page, html)
    return written


def sections(run: Run) -> list[Section]:
    """What the report of one run says, from the answer to the small print; a group that the run does not hold has no section."""
    return [
        _headline(run),
        _comparison(run),
        *_optional(report_seed.section(run)),
        _seed_figures(run),
        _agreement(run),
        _predict(run),
        *_optional(_transfer(run)),
        _train(run),
        *report_by_hand.sections(run),
        *report_graphs.sections(run),
        *report_flops.sections(run),
        *report_space.sections(run),
        *_optional(report_pruning.section(run)),
        *_optional(report_compression.section(run)),
        _inside(run),
        _watchdogs(run),
        _circumstances(run),
        _not_measured(run),
    ]


def _optional(section: Section | None) -> list[Section]:
    return [] if section is None else [section]


# The answer


def _headline(run: Run) -> Section:
    """Who is fastest at what, and how sure that is."""
    questions = [(f"predict, batch {batch}", run.group("predict"), {"batch": batch}) for batch in BATCHES]
    questions += [(group, run.group(group), {}) for group in ("train step", "train epoch")]
    rows = []
    for question, cases, wanted in questions:
        best = sorted(_best_of_each(cases, wanted), key=lambda case: case.median)
        if best:
            slower = [f"{_ratio_cell(case, best[0])} ({_label(case)})" for case in best[1:]]
            rows.append([question, _label(best[0]), units.seconds(best[0].median), ", ".join(slower) or DASH])
    return Section(
        "LeNet-5: which framework is fastest, at equal accuracy?",
        before=[
            *(f"**Warning: {warning}. Measure again on a quiet machine before you believe a ratio.**" for warning in _drifts(run)),
            "Each framework in its fastest mode; the ratios are how many times longer the others take.",
        ],
        table=Table(["", "fastest", _median_of(run), "the others take"], rows),
        after=[_how_sure(run)],
    )


def _how_sure(run: Run) -> str:
    """What a ratio of this run is worth."""
    if run.processes == 1:
        return (
            "These ratios come from **one process** and carry no interval: they are good for orders of magnitude, not for a few per cent. "
            "On a shared machine the same case can be much slower a minute later. For intervals: python -m benchmarks run."
        )
    order = " in a random order of its own" if run.lenet5.get("shuffle") is not None else ""
    return (
        f"Ratio [{CONFIDENCE:.0%} interval] from **{run.processes} processes**, each of which measured every case{order}: "
        "the geometric mean of the ratios within the processes, and Student's t on their logarithms. An interval that holds 1 does not "
        "tell the two apart. Which mode is a framework's fastest was chosen by the same numbers."
    )


def _ratio_cell(slower: Case, faster: Case) -> str:
    """How many times longer one case takes than another, with its interval where the run has several processes."""
    return units.times(*ratio_interval(slower.medians, faster.medians))


def _best_of_each(cases: Sequence[Case], wanted: Mapping[str, Any]) -> list[Case]:
    """Each framework's fastest mode among the cases with the wanted parameters."""
    fitting = [case for case in cases if all(case.extra.get(key) == value for key, value in wanted.items())]
    frameworks = sorted({case.framework for case in fitting})
    return [min((case for case in fitting if case.framework == name), key=lambda case: case.median) for name in frameworks]


def _label(case: Case) -> str:
    return f"{case.framework} {case.mode}"


# The seed's table


def _comparison(run: Run) -> Section:
    """The seed's comparison, measured again, its own figures beside it."""
    rows: list[tuple[str, Callable[[Run, str], str], Mapping[str, str]]] = [
        (f"test accuracy [{CONFIDENCE:.0%} interval]", _accuracy, seed.ACCURACY),
        ("time for 450 test images, default mode", _predict_450(default=True), {}),
        ("time for 450 test images, fastest mode", _predict_450(default=False), seed.PREDICT_450),
        ("time per image of those 450, fastest mode", _per_image, {}),
        ("parameters", _extra("parameters"), seed.PARAMETERS),
        ("bytes of weights", _extra("weight_bytes"), seed.SPACE),
        ("MACs per image, forward", _extra("macs_per_image"), {}),
        ("FLOPs per image, forward", _extra("flops_per_image"), seed.FLOPS),
        ("FLOPs per image, training step", _extra("training_flops_per_image"), {}),
    ]
    quoted = [name for name in seed.TITLE if name in run.frameworks]
    return Section(
        "The seed's comparison",
        before=[
            "Left what this run measured or counted; right, in quotes, what the seed printed, most of which measured something else.",
            *(f"{framework} has no times here: {reason}." for framework, reason in run.out_of_reach.items()),
        ],
        table=Table(
            ["", *run.frameworks, *(f"seed: {seed.TITLE[name]}" for name in quoted)],
            [
                [
                    title,
                    *(measured(run, name) for name in run.frameworks),
                    *(f'"{printed[name]}"' if name in printed else DASH for name in quoted),
                ]
                for title, measured, printed in rows
            ],
        ),
    )


def _accuracy(run: Run, framework: str) -> str:
    for case in run.group("train"):
        if case.framework == framework:
            low, high = share_interval(case.extra["correct"], case.extra["test_images"])
            share = case.extra["correct"] / case.extra["test_images"]
            return f"{units.percent(share)} [{100 * low:.1f}, {100 * high:.1f}]"
    return DASH


def _predict_450(default: bool) -> Callable[[Run, str], str]:
    def cell(run: Run, framework: str) -> str:
        cases = [case for case in run.group("predict") if case.framework == framework and case.extra.get("batch") == BATCHES[-1]]
        if default:
            cases = [case for case in cases if case.mode == case.extra.get("default_mode")]
        if not cases:
            return DASH
        best = min(cases, key=lambda case: case.median)
        return f"{units.seconds(best.median)} ({best.mode})"

    return cell


def _per_image(run: Run, framework: str) -> str:
    best = [case for case in _best_of_each(run.group("predict"), {"batch": BATCHES[-1]}) if case.framework == framework]
    return units.seconds(best[0].median / BATCHES[-1]) if best else DASH


def _extra(key: str) -> Callable[[Run, str], str]:
    """A count that rides on every case of a framework."""

    def cell(run: Run, framework: str) -> str:
        whole = [case for case in run.cases if case.group != report_compression.GROUP]  # those are other networks
        values = {case.extra[key] for case in whole if case.framework == framework and key in case.extra}
        return " / ".join(units.count(value) for value in sorted(values)) or DASH

    return cell


def _seed_figures(run: Run) -> Section:
    """What the seed really measured, beside what this run shows by a pair of figures: that is said there."""
    shown = report_seed.figures(run)
    rows = [[truth.figure, truth.really] for truth in seed.REALLY if truth.shown_by not in shown]
    title = f"What the seed's {'other ' if shown else ''}figures really were"
    return Section(title, table=Table(["figure", "what was timed or counted"], rows))


# Equal numbers


def _agreement(run: Run) -> Section:
    """How closely the learning curves lie on each other."""
    cases = run.group("train")
    if not cases:
        return Section("Do they learn the same?", before=["Not measured in this run: it trained no network to the end."])
    epochs = min(len(case.extra["validation_accuracy"]) for case in cases)
    shown = sorted({epoch for epoch in (1, 2, 5, 10, 20, 30, epochs) if epoch <= epochs})
    rows = [
        [_label(case), *(units.percent(case.extra["validation_accuracy"][epoch - 1]) for epoch in shown), _loss(case, epochs)]
        for case in cases
    ]
    return Section(
        "Do they learn the same?",
        before=[
            "Same initial weights, same batches in the same order, Adam 1e-3, batch 64. Validation accuracy after so many epochs, and the "
            "training loss of the last one:"
        ],
        table=Table(["", *(str(epoch) for epoch in shown), "last loss"], rows),
        after=[_difference(one, other, epochs) for one, other in combinations(cases, 2)]
        + (
            [
                "They part because rounding differs, and training amplifies the last digit from step to step; see the tests for one step."
            ]
            if len(cases) > 1
            else []
        ),
    )


def _loss(case: Case, epochs: int) -> str:
    return f"{units.significant(case.extra['train_loss_nats'][epochs - 1])} nats"


def _difference(one: Case, other: Case, epochs: int) -> str:
    """One sentence on how far two training runs are apart."""

    def gaps(curve: str) -> list[float]:
        pairs = zip(one.extra[curve][:epochs], other.extra[curve][:epochs], strict=True)
        return [abs(a - b) for a, b in pairs]

    loss, accuracy = gaps("train_loss_nats"), gaps("validation_accuracy")
    predictions = list(zip(one.extra["test_predictions"], other.extra["test_predictions"], strict=True))
    same = sum(a == b for a, b in predictions)
    return (
        f"{one.framework} and {other.framework}: training loss {loss[0]:.1e} nats apart in the first epoch, {max(loss):.1e} at most; "
        f"validation accuracy {100 * max(accuracy):.1f} points at most; {same} of {len(predictions)} test images classified alike."
    )


# Times


def _predict(run: Run) -> Section:
    cases = run.group("predict")
    if not cases:
        return Section("Inference", before=["Not measured in this run."])
    batches = sorted({case.extra["batch"] for case in cases})
    by_batch = {batch: [case for case in cases if case.extra["batch"] == batch] for batch in batches}
    rows = [
        [_label_of(pair), *(_time_cell(_find(by_batch[batch], pair)) for batch in batches), _first_calls(by_batch, pair)]
        for pair in _pairs(cases)
    ]
    first = ", ".join(str(batch) for batch in batches)
    return Section(
        "Inference",
        before=[f"Images already converted, to logits on the host. {_what_a_cell_is(run)}"],
        table=Table(["", *(f"batch {batch}" for batch in batches), f"first call, batch {first}"], rows),
    )


def _transfer(run: Run) -> Section | None:
    """What it takes to bring images to where they are computed; None if this run did not measure it."""
    cases = run.group("transfer")
    if not cases:
        return None
    batches = sorted({case.extra["batch"] for case in cases})
    rows = [
        [_label_of(pair), *(_time_cell(_find([case for case in cases if case.extra["batch"] == batch], pair)) for batch in batches)]
        for pair in _pairs(cases)
    ]
    return Section(
        "Bringing the images there",
        before=[
            f"From a NumPy array to what the network eats, on the device ({run.device}): checked, laid out as the framework wants it, "
            'copied; the clock stops when the copy has finished. No other time but "all epochs" has this in it. '
            f"{_what_a_cell_is(run)}"
        ],
        table=Table(["", *(f"batch {batch}" for batch in batches)], rows),
    )


def _train(run: Run) -> Section:
    step, epoch, full = (run.group(name) for name in ("train step", "train epoch", "train"))
    if not (step or epoch or full):
        return Section("Training", before=["Not measured in this run."])
    rows = [
        [
            _label_of(pair),
            _time_cell(_find(step, pair)),
            _images_per_second(_find(step, pair)),
            _first_call(_find(step, pair)),
            _time_cell(_find(epoch, pair)),
            _time_cell(_find(full, pair)),
        ]
        for pair in _pairs([*step, *epoch, *full])
    ]
    return Section(
        "Training",
        before=[f"Batch 64, Adam, batches already converted. {_what_a_cell_is(run)}"],
        table=Table(["", "one step", "images per second", "first step", "one epoch", "all epochs with validation"], rows),
    )


def _pairs(cases: Iterable[Case]) -> list[tuple[str, str]]:
    """(framework, mode) of the cases, each once, in the order of their appearance."""
    return list(dict.fromkeys((case.framework, case.mode) for case in cases))


def _label_of(pair: tuple[str, str]) -> str:
    return " ".join(pair)


def _find(cases: Iterable[Case], pair: tuple[str, str]) -> Case | None:
    return next((case for case in cases if (case.framework, case.mode) == pair), None)


def _median_of(run: Run) -> str:
    return "median" if run.processes == 1 else f"median of {run.processes} processes"


def _what_a_cell_is(run: Run) -> str:
    if run.processes == 1:
        return "Median [quartiles] of the rounds of one process."
    return f"Median [lowest, highest] of the medians of {run.processes} processes."


def _time_cell(case: Case | None) -> str:
    if case is None:
        return DASH
    if len(case.medians) > 1:
        return f"{units.seconds(case.median)} [{units.seconds(min(case.medians))}, {units.seconds(max(case.medians))}]"
    if case.stats["rounds"] == 1:
        return f"{units.seconds(case.median)} [one round]"
    return f"{units.seconds(case.median)} [{units.seconds(case.stats['q1'])}, {units.seconds(case.stats['q3'])}]"


def _first_call(case: Case | None) -> str:
    return units.seconds(case.extra["first_call_seconds"]) if case and "first_call_seconds" in case.extra else DASH


def _first_calls(by_batch: Mapping[int, Sequence[Case]], pair: tuple[str, str]) -> str:
    return ", ".join(_first_call(_find(cases, pair)) for cases in by_batch.values())


def _images_per_second(case: Case | None) -> str:
    return units.significant(case.extra["batch"] / case.median) if case else DASH


# The small print


def _inside(run: Run) -> Section:
    return Section(
        "What is inside each number",
        table=Table(
            ["number", "in", "not in"],
            [
                [
                    "inference",
                    "the call, Python included, until the logits are a NumPy array",
                    "converting the images, building, first call",
                ],
                [
                    "one step",
                    "forward, loss, gradients, Adam's update, the loss as a Python float",
                    "converting, first call, loading weights",
                ],
                ["one epoch", "one step for each full batch of the training split", "shuffling, converting, validation"],
                ["all epochs", "shuffling, converting, steps, validation after each epoch", "building, first two steps, test"],
                [
                    "first call",
                    "tracing, compiling, allocating, and one call",
                    "importing and building; other cases ran before in this process",
                ],
                [
                    "accuracy",
                    "share of the test images; Wilson interval over images",
                    "the spread over initial weights and shuffles",
                ],
                [
                    "MACs, FLOPs",
                    "multiplications and additions of the five layers, FLOPs = 2 x MACs",
                    "biases, activations, pooling",
                ],
                [
                    "bytes of weights",
                    "float32 arrays as they lie in memory",
                    "gradients, optimizer state, activations, the library",
                ],
            ],
        ),
    )


def _controls(run: Run) -> list[Case]:
    """The cases of the same fixed work, in the order in which every process ran them."""
    return [case for case in run.group(CONTROL) if "side" in case.extra]


def _change(run: Run) -> float:
    """How many times longer the slower of a process's controls took, in the process where that is most; 1 without controls."""
    return max((spread(times) for times in zip(*(case.medians for case in _controls(run)), strict=True)), default=1)


def _drifts(run: Run) -> list[str]:
    """What moved by more than DRIFT, each in one clause; nothing where the machine held still or was not watched."""
    found = []
    for case in _controls(run):
        if spread(case.medians) > DRIFT:
            found.append(
                f"the machine was not the same for every process: the control ({case.mode}) took {units.times(spread(case.medians))} "
                f"as long in one as in another; the bound is {units.times(DRIFT)}"
            )
    if _change(run) > DRIFT:
        found.append(
            f"the machine drifted within a process: of the control's first and last time one is {units.times(_change(run))} "
            f"the other; the bound is {units.times(DRIFT)}"
        )
    return found


def _watchdogs(run: Run) -> Section:
    """Whether the machine held still, and what the harness itself costs."""
    title, cases = "Did the machine hold still?", run.group(CONTROL)
    if not _controls(run):
        return Section(title, before=["Nobody knows: this run measured no control case."])
    rows = [[case.mode, _time_cell(case), units.times(spread(case.medians)) if run.processes > 1 else DASH] for case in cases]
    return Section(
        title,
        before=[
            "One fixed matrix product in NumPy, before all other cases and after them, and a network that only hands out stored logits: "
            f"what the harness adds to every time. {_what_a_cell_is(run)}"
        ],
        table=Table(["", "time", "slowest / fastest process"], rows),
        after=[
            f"First and last product of a process: the slower took at most {units.times(_change(run))} as long.",
            *(f"{drift[0].upper()}{drift[1:]}." for drift in _drifts(run)),
            *([] if _drifts(run) else [f"The control stayed within the bound of {units.times(DRIFT)}."]),
        ],
    )


def _circumstances(run: Run) -> Section:
    cpu = run.machine.get("cpu") or {}
    data, ours = run.lenet5.get("dataset") or {}, run.lenet5
    rows = [
        ["CPU", f"{cpu.get('brand_raw', 'unknown')}, {cpu.get('count', '?')} logical CPUs"],
        ["threads", f"{ours['threads']} for every framework"],
        ["device", run.device],
        ["system", f"{run.machine.get('system', '?')} {run.machine.get('release', '?')}, {run.machine.get('machine', '?')}"],
        ["Python", f"{run.machine.get('python_implementation', '?')} {run.machine.get('python_version', '?')}"],
    ]
    rows += [
        [name, ", ".join(f"{key} {value}" for key, value in facts.items() if value)] for name, facts in ours["frameworks"].items()
    ]
    if data:
        sizes = " / ".join(str(data.get(f"{split}_images", "?")) for split in ("train", "validation", "test"))
        rows.append(["data", f"{data.get('name')}: {data.get('classes')} classes, {data.get('channels')} channels, {sizes} images"])
    rows.append(["epochs", str(ours.get("epochs", "?"))])
    rows.append(["commit", f"{run.commit.get('id', 'unknown')}{' with uncommitted changes' if run.commit.get('dirty') else ''}"])
    order = "shuffled anew in each" if ours.get("shuffle") is not None else "in the order of the files"
    rows.append(["processes", f"{run.processes}, cases {order}"])
    rows.append(["measured", f"{run.datetime}, pytest-benchmark {run.version}, {len(run.cases)} cases"])
    return Section("Circumstances", table=Table(["", ""], rows))


def _not_measured(run: Run) -> Section:
    missing = run.not_measured
    if not missing:
        return Section("What is missing", before=["Nothing: every case that was asked for has its number."])
    rows = [[name, reason] for name, reason in missing.items()]
    return Section("What is missing", before=["Cases without a number, and why:"], table=Table(["case", "reason"], rows))
