"""How much is computed, and how fast?  What several counters see beside the closed form, and the speed that each implementation reaches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.quantities import units
from benchmarks.quantities.units import COUNT, SPEED, Unit
from benchmarks.report.disturbance import mark_of
from benchmarks.report.drawing import Axis, draw
from benchmarks.report.lines import batch_axis, drawn, line_of
from benchmarks.report.reasons import dash
from benchmarks.report.records import Cell, Dash, Plot, Quantity, Section, Table, Words
from benchmarks.saved.results import Case, Run

Pair = tuple[str, str]
"""Framework and mode."""


@dataclass(frozen=True)
class Work:
    """What a call of some groups computes."""

    groups: tuple[str, ...]
    """A batch that two of them measured counts by the first."""
    flops: str
    """The field that says how much that is for one image."""


FORWARD = Work(("predict", "graphs predict"), "flops_per_image")
TRAINING = Work(("train step", "graphs train step"), "training_flops_per_image")


def _share(share: float) -> str:
    """0.5 -> '50.0 %'; a share too small for one decimal keeps a digit that is not 0."""
    return units.percent(share) if share >= 0.001 else f"{units.significant(100 * share, 1)} %"


SHARE_OF_ROOF = Unit(_share, _share)


def sections(run: Run) -> list[Section]:
    """What was counted, and the speeds reached; either only if this run has it."""
    counted, reached = run.group("flops"), speeds(run) or speeds(run, TRAINING)
    return ([_counted(counted)] if counted else []) + ([_speeds(run)] if reached else [])


# What is computed


def speeds(run: Run, work: Work = FORWARD) -> dict[Pair, dict[int, float]]:
    """(framework, mode) -> batch -> FLOP/s: the closed form's FLOPs over the median.  The lines of a roofline-style plot."""
    return {
        pair: {batch: batch * case.extra[work.flops] / case.median for batch, case in at.items()}
        for pair, at in _timed(run, work).items()
    }


def _timed(run: Run, work: Work) -> dict[Pair, dict[int, Case]]:
    """(framework, mode) -> batch -> the case whose time a speed comes from."""
    found: dict[Pair, dict[int, Case]] = {}
    for case in (case for group in work.groups for case in run.group(group)):
        if case.extra[work.flops] is not None:
            found.setdefault((case.framework, case.mode), {}).setdefault(case.extra["batch"], case)
    return found


def sgemm_speed(run: Run) -> float | None:
    """FLOP/s of the fastest round of the fastest size: the roof.  None if this run did not measure it."""
    return max((case.extra["flops"] / case.stats["min"] for case in run.group("sgemm")), default=None)


# What is said


def _counted(cases: list[Case]) -> Section:
    return Section(
        "FLOPs: what counters see, and the closed form",
        before=[
            "One image. The closed form is multiplications and additions of the five layers, FLOPs = 2 x MACs (multiply-accumulates), "
            "with no biases, activations, pooling or optimizer. Each counter stands beside the closed form in its own unit."
        ],
        table=Table(
            ["counter", "its unit", "forward", "closed form, forward", "training step", "closed form, training step"],
            [_count_row(case) for case in cases],
        ),
        after=[
            *(_explained(case, "forward", "counted_per_image", "closed_form_per_image", "differences") for case in cases),
            *(
                _explained(
                    case, "training step", "counted_training_per_image", "closed_form_training_per_image", "training_differences"
                )
                for case in cases
                if case.extra["counted_training_per_image"] is not None
            ),
        ],
    )


def _count_row(case: Case) -> list[Cell]:
    training = case.extra["counted_training_per_image"]
    return [
        Words(case.mode),
        Words(case.extra["counter_unit"]),
        Quantity(case.extra["counted_per_image"], COUNT),
        Quantity(case.extra["closed_form_per_image"], COUNT),
        Dash("the counter sees no training step") if training is None else Quantity(training, COUNT),
        Quantity(case.extra["closed_form_training_per_image"], COUNT),
    ]


def _explained(case: Case, what: str, counted: str, closed: str, parts: str) -> str:
    """A count as a sum of which every term has a name; what is left over is said, not hidden."""
    extra = case.extra
    terms = [f"{units.count(number)} ({words})" for words, number in extra[parts]]
    left = extra[counted] - extra[closed] - sum(number for _, number in extra[parts])
    terms += [f"{units.count(left)} (unexplained)"] if left else []
    return f"{case.mode}, {what}: {units.count(extra[counted])} = {' + '.join([units.count(extra[closed]), *terms])}."


def _speeds(run: Run) -> Section:
    roof = sgemm_speed(run)
    columns = [(f"predict, batch {batch}", batch, FORWARD) for batch in _batches(speeds(run, FORWARD))]
    columns += [(f"train step, batch {batch}", batch, TRAINING) for batch in _batches(speeds(run, TRAINING))]
    pairs = dict.fromkeys((*speeds(run, FORWARD), *speeds(run, TRAINING)))
    return Section(
        "Speed reached, and its share of what the machine can",
        before=[
            "The closed form's FLOPs divided by the median time."
            + (
                f" In brackets the share of {units.flops_per_second(roof)}: the speed of the fastest product of two square float32 "
                "matrices (sgemm) in this run, with as many threads."
                if roof
                else " This run did not measure how fast the machine multiplies matrices, so there is no share."
            )
        ],
        table=Table(
            ["", *(title for title, _, _ in columns)],
            [[Words(" ".join(pair)), *(_speed_cell(run, pair, batch, work, roof) for _, batch, work in columns)] for pair in pairs],
            same=True,
        ),
        after=[
            "FLOPs that the closed form does not count, such as those of Adam, take time all the same.",
            *_above_the_roof(run, roof),
        ],
    )


def _above_the_roof(run: Run, roof: float | None) -> Iterator[str]:
    """What a share above 100 % means, if there is one."""
    shares = (
        [speed / roof for work in (FORWARD, TRAINING) for at in speeds(run, work).values() for speed in at.values()] if roof else []
    )
    if max(shares, default=0) > 1:
        yield (
            "A share above 100 % says that the matrix product was measured too slow, as beside other programs: it is no measure of what the "
            "machine can."
        )


def _batches(found: Mapping[Pair, Mapping[int, float]]) -> list[int]:
    return sorted({batch for at in found.values() for batch in at})


def _speed_cell(run: Run, pair: Pair, batch: int, work: Work, roof: float | None) -> Cell:
    speed = speeds(run, work).get(pair, {}).get(batch)
    if speed is None:
        group = next(group for group in work.groups if any(case.extra["batch"] == batch for case in run.group(group)))
        return dash(run, *pair, batch, group)
    mark = mark_of(run, _timed(run, work)[pair][batch])
    return Quantity(speed, SPEED, note=Quantity(speed / roof, SHARE_OF_ROOF) if roof else "", mark=mark)


# What is drawn


def plots(run: Run) -> list[Plot]:
    return drawn(run, roofline)


def roofline(run: Run) -> Plot | None:
    """The arithmetic done per second against the batch, and the speed of a large matrix product as the roof: the report's own."""
    lines = [
        line_of(run, *pair, sorted(found), [found[batch] / 1e9 for batch in sorted(found)])
        for pair, found in sorted(speeds(run).items(), key=lambda item: item[0][0])
    ]
    if not lines:
        return None
    caption = (
        "Higher is better. Multiplications and additions of the five layers (closed form) divided by the median time of a call."
    )
    level = None
    if roof := sgemm_speed(run):
        level = roof / 1e9, f"large matrix product (sgemm): {units.flops_per_second(roof)}"
        caption += " The dashed line is what this machine reached in the same run on one large matrix product."
    y = Axis("GFLOP/s", "log", write=lambda value: f"{value:g}")
    return Plot("roofline", "Inference: speed reached", caption, draw("roofline", lines, batch_axis(lines), y, level))
