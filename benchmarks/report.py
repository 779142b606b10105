"""The report: from saved runs to sections of prose and tables, and from those to Markdown.

Pure functions in a line: `results.load` reads, `sections` decides what is said, `markdown` how it looks, `write` puts it on disk.
Nothing is measured here and every figure comes from the JSON; only the seed's own figures come from `seed`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import jinja2

from benchmarks import results, seed, units
from benchmarks.results import Case, Run
from benchmarks.statistics import CONFIDENCE, share_interval

DASH = "—"
BATCHES = (1, 64, 450)


@dataclass(frozen=True)
class Table:
    """A head and rows of finished text; the first column names the row."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Section:
    """A heading, what to know before reading the table, the table, and what to know after."""

    title: str
    before: Sequence[str] = ()
    table: Table | None = None
    after: Sequence[str] = ()


@dataclass(frozen=True)
class Written:
    """Where a report went, and what it says."""

    path: Path
    text: str


def write(paths: Sequence[str | os.PathLike[str]], output: Path) -> Written:
    """Render saved runs into ``output``/report.md.  Raises InputError before anything is written if a run cannot be read."""
    text = "\n".join(markdown(sections(results.load(path))) for path in paths)
    output.mkdir(parents=True, exist_ok=True)
    path = output / "report.md"
    with tempfile.NamedTemporaryFile("w", dir=output, prefix=".report.", encoding="utf-8", delete=False) as beside:
        beside.write(text)
    Path(beside.name).chmod(0o644)
    os.replace(beside.name, path)
    return Written(path, text)


def markdown(parts: Iterable[Section]) -> str:
    """Sections as Markdown whose tables are aligned, so that a terminal shows them as well as a browser."""
    environment = jinja2.Environment(  # no autoescape: Markdown has its own, `_escaped`
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"), trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["aligned"] = _aligned
    environment.filters["escaped"] = _escaped
    return environment.get_template("report.md.j2").render(sections=list(parts))


def sections(run: Run) -> list[Section]:
    """What the report of one run says, from the answer to the small print."""
    return [
        _headline(run),
        _comparison(run),
        _seed_figures(),
        _agreement(run),
        _predict(run),
        _train(run),
        _inside(run),
        _circumstances(run),
        _not_measured(run),
    ]


# The answer


def _headline(run: Run) -> Section:
    """Who is fastest at what, and how sure that is."""
    questions = [(f"predict, batch {batch}", run.group("predict"), {"batch": batch}) for batch in BATCHES]
    questions += [(group, run.group(group), {}) for group in ("train step", "train epoch")]
    rows = []
    for question, cases, wanted in questions:
        best = sorted(_best_of_each(cases, wanted), key=lambda case: case.median)
        if best:
            slower = [f"{units.times(case.median / best[0].median)} ({_label(case)})" for case in best[1:]]
            rows.append([question, _label(best[0]), units.seconds(best[0].median), ", ".join(slower) or DASH])
    return Section(
        "LeNet-5: which framework is fastest, at equal accuracy?",
        before=["Each framework in its fastest mode; the last column is how many times longer the others take."],
        table=Table(["", "fastest", "median", "the others take"], rows),
        after=[
            "These ratios come from **one process** and carry no interval: they are good for orders of magnitude, not for a few per cent. "
            "On a shared machine the same case can be 40 % slower a minute later.",
        ],
    )


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
            "Left what this run measured or counted; right, in quotes, what the seed printed, most of which measured something else."
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
        values = {case.extra[key] for case in run.cases if case.framework == framework and key in case.extra}
        return " / ".join(units.count(value) for value in sorted(values)) or DASH

    return cell


def _seed_figures() -> Section:
    return Section(
        "What the seed's figures really were",
        table=Table(["figure", "what was timed or counted"], [[figure, truth] for figure, truth in seed.REALLY.items()]),
    )


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
    batches = sorted({case.extra["batch"] for case in cases})
    by_batch = {batch: [case for case in cases if case.extra["batch"] == batch] for batch in batches}
    rows = [
        [_label_of(pair), *(_time_cell(_find(by_batch[batch], pair)) for batch in batches), _first_calls(by_batch, pair)]
        for pair in _pairs(cases)
    ]
    first = ", ".join(str(batch) for batch in batches)
    return Section(
        "Inference",
        before=["Images already converted, to logits on the host. Median [quartiles] of the rounds of one process."],
        table=Table(["", *(f"batch {batch}" for batch in batches), f"first call, batch {first}"], rows),
    )


def _train(run: Run) -> Section:
    step, epoch, full = (run.group(name) for name in ("train step", "train epoch", "train"))
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
        before=["Batch 64, Adam, batches already converted. Median [quartiles] of the rounds of one process."],
        table=Table(["", "one step", "images per second", "first step", "one epoch", "all epochs with validation"], rows),
    )


def _pairs(cases: Iterable[Case]) -> list[tuple[str, str]]:
    """(framework, mode) of the cases, each once, in the order of their appearance."""
    return list(dict.fromkeys((case.framework, case.mode) for case in cases))


def _label_of(pair: tuple[str, str]) -> str:
    return " ".join(pair)


def _find(cases: Iterable[Case], pair: tuple[str, str]) -> Case | None:
    return next((case for case in cases if (case.framework, case.mode) == pair), None)


def _time_cell(case: Case | None) -> str:
    if case is None:
        return DASH
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


def _circumstances(run: Run) -> Section:
    cpu = run.machine.get("cpu") or {}
    data, ours = run.lenet5.get("dataset") or {}, run.lenet5
    rows = [
        ["CPU", f"{cpu.get('brand_raw', 'unknown')}, {cpu.get('count', '?')} logical CPUs"],
        ["threads", f"{ours['threads']} for every framework"],
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
    rows.append(["measured", f"{run.datetime}, pytest-benchmark {run.version}, {len(run.cases)} cases"])
    return Section("Circumstances", table=Table(["", ""], rows))


def _not_measured(run: Run) -> Section:
    missing = run.lenet5["not_measured"]
    if not missing:
        return Section("What is missing", before=["Nothing: every case that was asked for has its number."])
    rows = [[name, str(reason)] for name, reason in missing.items()]
    return Section("What is missing", before=["Cases without a number, and why:"], table=Table(["case", "reason"], rows))


# Markdown


def _escaped(text: str) -> str:
    """Text from a JSON as text in Markdown: no table, line or tag of its own."""
    for character, harmless in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "\\|")):
        text = text.replace(character, harmless)
    return " ".join(text.split())


def _aligned(table: Table) -> str:
    """A Markdown table whose columns line up: the first to the left, the others to the right."""
    cells = [[_escaped(cell) for cell in row] for row in (table.head, *table.rows)]
    widths = [max(3, *(len(row[column]) for row in cells)) for column in range(len(table.head))]
    prose = any(len(cell) > 60 for row in cells for cell in row)

    def line(row: Sequence[str]) -> str:
        padded = [
            cell.ljust(width) if prose or not column else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return f"| {' | '.join(padded)} |"

    rule = [("-" * width) if prose or not column else "-" * (width - 1) + ":" for column, width in enumerate(widths)]
    return "\n".join([line(cells[0]), f"| {' | '.join(rule)} |", *(line(row) for row in cells[1:])])
