"""The comparison that the original report made, measured again, with its own figures beside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from benchmarks.quantities.statistics import CONFIDENCE
from benchmarks.quantities.units import COUNT, EXACT_BYTES, Unit
from benchmarks.report import original_report
from benchmarks.report.estimates import accuracy_cell
from benchmarks.report.parts import compression
from benchmarks.report.reasons import dash
from benchmarks.report.records import Cell, Dash, Plot, Quantity, Quote, Section, Several, Table, Words
from benchmarks.report.times import best_of_each, median
from benchmarks.saved.results import Case, Run

IMAGES = 450
"""How many the original report predicted."""

INTRODUCTION = (
    "This project redoes a homework report, called the original report here: LeNet-5 in NumPy, TensorFlow and PyTorch. Most of its figures "
    "measured something else."
)
NOT_PRINTED = Dash("the original report printed no such figure")


@dataclass(frozen=True)
class Row:
    """One line of the comparison: what each framework has, and what the original report printed."""

    title: str
    short: str
    """The title where there is room for 17 characters only."""
    measured: Mapping[str, Cell]
    printed: Mapping[str, Quote]


def sections(run: Run) -> list[Section]:
    found = rows(run)
    return [_section(run, found)] if found else []


def plots(run: Run) -> list[Plot]:
    return []


def rows(run: Run) -> list[Row]:
    """The lines for which any framework of this run has a figure."""
    original = original_report
    asked: list[tuple[str, str, Callable[[Run, str], Cell], Mapping[str, str]]] = [
        ("test accuracy", "test accuracy", _accuracy, original.ACCURACY),
        (f"{IMAGES} images, default mode", f"{IMAGES} images", _default_mode, {}),
        (f"{IMAGES} images, fastest mode", f"{IMAGES} images, best", _fastest_mode, original.PREDICT_450),
        (f"one image of those {IMAGES}", f"one of {IMAGES} images", _per_image, {}),
        ("parameters", "parameters", _extra("parameters", COUNT), original.PARAMETERS),
        ("bytes of weights", "bytes of weights", _extra("weight_bytes", EXACT_BYTES), original.SPACE),
        ("MACs per image", "MACs per image", _extra("macs_per_image", COUNT), {}),
        ("FLOPs per image", "FLOPs per image", _extra("flops_per_image", COUNT), original.FLOPS),
        ("training FLOPs per image", "training FLOPs", _extra("training_flops_per_image", COUNT), {}),
    ]
    found = []
    for title, short, cell, printed in asked:
        measured = {framework: cell(run, framework) for framework in run.frameworks}
        if not all(isinstance(one, Dash) for one in measured.values()):
            found.append(
                Row(title, short, measured, {name: Quote(text) for name, text in printed.items() if name in run.frameworks})
            )
    return found


def _section(run: Run, found: list[Row]) -> Section:
    quoted = [name for name in original_report.TITLE if name in run.frameworks]
    return Section(
        "The original report's comparison, measured again",
        before=[
            f"Left what this run measured or counted, in brackets the mode or a {CONFIDENCE:.0%} interval; right, in quotes, what the "
            "original report printed.",
            *(f"{framework} has no times here: {reason}." for framework, reason in run.out_of_reach.items()),
        ],
        table=Table(
            ["", *run.frameworks, *(f"original report: {original_report.TITLE[name]}" for name in quoted)],
            [[Words(row.title), *row.measured.values(), *(row.printed.get(name, NOT_PRINTED) for name in quoted)] for row in found],
        ),
    )


def _accuracy(run: Run, framework: str) -> Cell:
    for case in run.group("train"):
        if case.framework == framework:
            return accuracy_cell(case)
    return dash(run, framework, group="train")


def _default_mode(run: Run, framework: str) -> Cell:
    cases = [case for case in _all_images(run) if case.framework == framework and case.mode == case.extra.get("default_mode")]
    return _time(run, cases[0]) if cases else dash(run, framework, batch=IMAGES, group="predict")


def _fastest_mode(run: Run, framework: str) -> Cell:
    best = _best(run, framework)
    return _time(run, best) if best else dash(run, framework, batch=IMAGES, group="predict")


def _per_image(run: Run, framework: str) -> Cell:
    best = _best(run, framework)
    if not best:
        return dash(run, framework, batch=IMAGES, group="predict")
    return replace(_time(run, best), value=best.median / IMAGES)


def _all_images(run: Run) -> list[Case]:
    return [case for case in run.group("predict") if case.extra["batch"] == IMAGES]


def _best(run: Run, framework: str) -> Case | None:
    """The framework's fastest mode; where its time was disturbed it has its mark."""
    return next((case for case in best_of_each(_all_images(run), {}) if case.framework == framework), None)


def _time(run: Run, case: Case) -> Quantity:
    return median(run, case, note=case.mode)


def _extra(key: str, unit: Unit) -> Callable[[Run, str], Cell]:
    """A count that rides on every case of a framework."""

    def cell(run: Run, framework: str) -> Cell:
        whole = [
            case for case in run.cases if case.group != compression.GROUP and case.framework == framework
        ]  # those are other networks
        values = sorted({case.extra[key] for case in whole if case.extra.get(key) is not None})
        if not values:
            return dash(run, framework)
        return Quantity(values[0], unit) if len(values) == 1 else Several([Quantity(value, unit) for value in values])

    return cell
