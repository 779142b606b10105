"""The report's part on FLOPs: what four counters see beside the closed form, and how fast each implementation gets through them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from benchmarks.quantities import units
from benchmarks.report.drawing import Axis, draw
from benchmarks.report.plots import batches_of, drawn, is_positive, line_of, with_batch
from benchmarks.report.records import Plot, Section, Table
from benchmarks.report.text import DASH
from benchmarks.saved.results import Case, Run

FORWARD = ("predict", "graphs predict")
TRAINING = ("train step", "graphs train step")

Pair = tuple[str, str]
"""Framework and mode."""


def sections(run: Run) -> list[Section]:
    """What was counted, and the speeds reached; either only if this run has it."""
    found = [_counted(run)] if run.group("flops") else []
    return found + ([_speeds(run)] if speeds(run, FORWARD) else [])


# What is computed


def speeds(run: Run, groups: Sequence[str] = FORWARD) -> dict[Pair, dict[int, float]]:
    """(framework, mode) -> batch -> FLOP/s: the closed form's FLOPs over the median.  The lines of a roofline-style plot.

    A batch that two groups measured counts by its first.  A case that does not say its FLOPs has no speed.
    """
    per_image = "training_flops_per_image" if groups == TRAINING else "flops_per_image"
    found: dict[Pair, dict[int, float]] = {}
    for case in (case for group in groups for case in run.group(group) if case.extra.get(per_image) is not None):
        batch = case.extra["batch"]
        found.setdefault((case.framework, case.mode), {}).setdefault(batch, batch * case.extra[per_image] / case.median)
    return found


def sgemm_speed(run: Run) -> float | None:
    """FLOP/s of the fastest round of the fastest size: the roof.  None if this run did not measure it."""
    return max((case.extra["flops"] / case.stats["min"] for case in run.group("sgemm")), default=None)


# What is said


def _counted(run: Run) -> Section:

    cases = run.group("flops")
    rows = [
        [
            case.mode,
            case.extra["counter_unit"],
            units.count(case.extra["counted_per_image"]),
            units.count(case.extra["closed_form_per_image"]),
            _count(case.extra, "counted_training_per_image"),
            units.count(case.extra["closed_form_training_per_image"]),
        ]
        for case in cases
    ]
    return Section(
        "FLOPs: four counters and the closed form",
        before=[
            "One image. The closed form is multiplications and additions of the five layers, FLOPs = 2 x MACs, with no biases, "
            "activations, pooling or optimizer. Each counter stands beside the closed form in its own unit."
        ],
        table=Table(
            ["counter", "its unit", "forward", "closed form, forward", "training step", "closed form, training step"], rows
        ),
        after=[
            *(_explained(case, "forward", "counted_per_image", "closed_form_per_image", "differences") for case in cases),
            *(
                _explained(
                    case, "training step", "counted_training_per_image", "closed_form_training_per_image", "training_differences"
                )
                for case in cases
                if case.extra.get("counted_training_per_image") is not None
            ),
        ],
    )


def _count(extra: Mapping[str, Any], key: str) -> str:
    return units.count(extra[key]) if extra.get(key) is not None else DASH


def _explained(case: Case, what: str, counted: str, closed: str, parts: str) -> str:
    """A count as a sum of which every term has a name; what is left over is said, not hidden."""
    extra = case.extra
    terms = [f"{units.count(number)} ({words})" for words, number in extra[parts]]
    left = extra[counted] - extra[closed] - sum(number for _, number in extra[parts])
    terms += [f"{units.count(left)} (unexplained)"] if left else []
    return f"{case.mode}, {what}: {units.count(extra[counted])} = {' + '.join([units.count(extra[closed]), *terms])}."


def _speeds(run: Run) -> Section:

    forward, training, roof = speeds(run, FORWARD), speeds(run, TRAINING), sgemm_speed(run)
    batches, steps = ({batch for at in found.values() for batch in at} for found in (forward, training))
    columns = [(f"predict, batch {batch}", forward, batch) for batch in sorted(batches)]
    columns += [(f"train step, batch {batch}", training, batch) for batch in sorted(steps)]
    pairs = dict.fromkeys((*forward, *training))
    return Section(
        "Speed reached, and its share of what the machine can",
        before=[
            "The closed form's FLOPs divided by the median time."
            + (
                f" In brackets the share of the {units.flops_per_second(roof)} that NumPy's BLAS reached in this run, with as many "
                "threads, in its fastest product of two square float32 matrices."
                if roof
                else " This run did not measure how fast the machine multiplies matrices, so there is no share."
            )
        ],
        table=Table(
            ["", *(title for title, _, _ in columns)],
            [
                [" ".join(pair), *(_speed_cell(found.get(pair, {}).get(batch), roof) for _, found, batch in columns)]
                for pair in pairs
            ],
        ),
        after=["FLOPs that the closed form does not count, such as those of Adam, take time all the same."],
    )


def _speed_cell(speed: float | None, roof: float | None) -> str:
    if speed is None:
        return DASH
    return units.flops_per_second(speed) + (f" ({_share(speed / roof)})" if roof else "")


def _share(share: float) -> str:
    """0.5 -> '50.0 %'; a share too small for one decimal keeps a digit that is not 0."""
    return units.percent(share) if share >= 0.001 else f"{units.significant(100 * share, 1)} %"


# What is drawn


def plots(run: Run) -> list[Plot]:
    return drawn(run, roofline)


def roofline(run: Run) -> Plot | None:
    """The arithmetic done per second against the batch, and the speed of a large matrix product as the roof: the report's own."""
    cases = [case for group in FORWARD for case in with_batch(run, group) if is_positive(case.extra.get("flops_per_image"))]
    products = [case for case in run.group("sgemm") if is_positive(case.extra.get("flops"))]
    lines = [
        line_of(run, *pair, sorted(found), [found[batch] / 1e9 for batch in sorted(found)])
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
    x = Axis("images in one call", "log", 2, ticks=batches_of(lines))
    y = Axis("GFLOP/s", "log", write=lambda value: f"{value:g}")
    return Plot("roofline", "Inference: speed reached", caption, draw("roofline", lines, x, y, level))
