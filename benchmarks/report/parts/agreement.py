"""Do the frameworks learn the same? How closely their learning curves lie on each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from benchmarks.quantities.units import NATS, SHARE
from benchmarks.report import yardstick
from benchmarks.report.drawing import Axis, Line, draw
from benchmarks.report.lines import drawn, layer, line_of, neutral, tick_percent
from benchmarks.report.records import Cell, Plot, Quantity, Section, Table, Words
from benchmarks.report.times import label
from benchmarks.saved.results import Case, Run

APART = "How far the training losses lie apart"
Y_TRAIN, Y_VALIDATION, Y_ACCURACY = "train_loss_nats", "validation_loss_nats", "validation_accuracy"


def sections(run: Run) -> list[Section]:
    cases = run.group("train")
    return [_learned(run, cases)] if cases else []


def _learned(run: Run, cases: Sequence[Case]) -> Section:
    """How closely the learning curves lie on each other."""
    epochs = min(len(case.extra[Y_ACCURACY]) for case in cases)
    shown = sorted({epoch for epoch in (1, 2, 5, 10, 20, 30, epochs) if epoch <= epochs})
    rows: list[list[Cell]] = [
        [
            Words(label(case)),
            *(Quantity(case.extra[Y_ACCURACY][epoch - 1], SHARE) for epoch in shown),
            Quantity(case.extra[Y_TRAIN][epochs - 1], NATS),
        ]
        for case in cases
    ]
    apart = [_difference(one, other, epochs) for one, other in combinations(cases, 2)]
    if apart:
        apart += yardstick.sentences(run, cases)
    return Section(
        "Do they learn the same?" if apart else "What it learned",
        before=[
            "Same initial weights, same batches in the same order, Adam 1e-3, batch 64. Validation accuracy after so many epochs, and the "
            "training loss of the last one:"
        ],
        table=Table(["", *(f"epoch {epoch}" for epoch in shown), "last loss"], rows, same=True),
        after=apart,
    )


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


# What is drawn


def plots(run: Run) -> list[Plot]:
    return drawn(run, training_loss, validation_loss, validation_accuracy, apart)


def training_loss(run: Run) -> Plot | None:
    return _learning(run, Y_TRAIN, "training-loss", "Training loss", Axis("mean loss of the epoch (nats)", zero=True))


def validation_loss(run: Run) -> Plot | None:
    return _learning(run, Y_VALIDATION, "validation-loss", "Validation loss", Axis("loss after the epoch (nats)", zero=True))


def validation_accuracy(run: Run) -> Plot | None:
    axis = Axis("accuracy after the epoch", write=tick_percent, zero=True)
    return _learning(run, Y_ACCURACY, "validation-accuracy", "Validation accuracy", axis)


def _learning(run: Run, curve: str, name: str, title: str, y: Axis) -> Plot | None:
    """One curve a framework, the first broad and pale and the last thin, so that all are seen where they lie on each other."""
    cases = _trained(run, curve)
    if not cases:
        return None
    if all(len(case.extra[curve]) == 1 for case in cases):
        points = [line_of(run, case.framework, case.mode, case.extra[curve], []) for case in cases]
        caption = "One epoch: a row a framework. Same weights to start from, same batches in the same order."
        return _one_epoch(name, title, caption, points, y)
    lines = [
        line_of(
            run,
            case.framework,
            case.mode,
            range(1, len(case.extra[curve]) + 1),
            case.extra[curve],
            markers=len(case.extra[curve]) == 1,
            style=0,
            **layer(index, len(cases)),
        )
        for index, case in enumerate(cases)
    ]
    caption = (
        "Same weights to start from, same batches in the same order. The lines differ in breadth so that those beneath can be seen."
    )
    return Plot(name, title, caption, draw(name, lines, Axis("epoch", whole=True), y))


def _one_epoch(name: str, title: str, caption: str, points: Sequence[Line], measured: Axis) -> Plot:
    """A row for each of some lines that are one value each: as curves of one epoch they would be points that hide each other."""
    lines = [
        replace(point, y=[row], style=0, width=6.0, strength=1.0, markers=True, joined=False, rows=True)
        for row, point in enumerate(points)
    ]
    return Plot(name, title, caption, draw(name, lines, measured, Axis("", names=[point.label for point in points]), legend=False))


def apart(run: Run) -> Plot | None:
    """How far the training losses of each two frameworks are apart, epoch by epoch."""
    lines = []
    pairs = list(combinations(_trained(run, Y_TRAIN), 2))
    for index, (one, other) in enumerate(pairs):
        losses = zip(one.extra[Y_TRAIN], other.extra[Y_TRAIN], strict=False)
        gaps = [(epoch, abs(a - b)) for epoch, (a, b) in enumerate(losses, start=1) if a != b]
        if gaps:
            epochs, values = zip(*gaps, strict=True)
            # Where one framework parts from two others that are equal, two curves lie on each other.
            how = {**neutral(index), **layer(index, len(pairs), step=2.5), "markers": len(values) == 1}
            lines.append(Line(f"{one.framework} and {other.framework}", epochs, values, **how))
    if not lines:
        return None
    x, y = Axis("epoch", whole=True), Axis("apart (nats)", "log", write=lambda value: f"{value:.0e}".replace("e-0", "e-"))
    if all(line.x == (1,) for line in lines):
        caption = "One epoch: absolute difference of the training losses, on a logarithmic axis. Two that are equal to the last bit have no row."
        return _one_epoch("apart", APART, caption, [replace(line, x=line.y) for line in lines], y)
    caption = (
        "Absolute difference of the training losses, on a logarithmic axis. It begins at float32's rounding, which training then "
        "amplifies; where two are equal to the last bit there is no mark."
    )
    return Plot("apart", APART, caption, draw("apart", lines, x, y))


def _trained(run: Run, curve: str) -> list[Case]:
    return [case for case in run.group("train") if case.extra[curve]]
