"""Are the frameworks equally accurate? Mean and spread over many initial weights, and each pair within a margin or not."""

from __future__ import annotations

from statistics import fmean, stdev

from benchmarks.quantities.equivalence import INTERVAL
from benchmarks.quantities.units import FINE_POINTS, NATS, SHARE, counted
from benchmarks.report.equal_accuracy import POINT, Compared, by_initial_weights, margin_in_words
from benchmarks.report.records import Cell, Plot, Quantity, Section, Table, Words
from benchmarks.report.times import label
from benchmarks.saved.results import INITIAL_WEIGHTS, Case, Run


def sections(run: Run) -> list[Section]:
    cases = run.group(INITIAL_WEIGHTS)
    compared = by_initial_weights(run)
    return [*([_spread(cases)] if cases else []), *([_pairs(compared)] if compared else [])]


def plots(run: Run) -> list[Plot]:
    return []


def _spread(cases: list[Case]) -> Section:
    """How accurate each framework is from many initial weights, and how much that depends on them."""
    extra = cases[0].extra
    return Section(
        "Accuracy from many initial weights",
        before=[
            f"{counted(len(extra['seeds']), 'training')} of each, {counted(extra['epochs'], 'epoch')}, on {extra['test_images']} test images: mean [lowest, highest]. The "
            "initial weights and the order of the batches are another seed's each time, and the same in every framework. The spread is the standard deviation "
            "over these seeds."
        ],
        table=Table(["", "test accuracy", "its spread", "last training loss"], [_row(case) for case in cases], same=True),
    )


def _row(case: Case) -> list[Cell]:
    images = case.extra["test_images"]
    shares = [correct / images for correct in case.extra["correct_by_seed"]]
    losses = case.extra["last_loss_nats_by_seed"]
    return [
        Words(label(case)),
        Quantity(fmean(shares), SHARE, (min(shares), max(shares))),
        Quantity(stdev(shares), FINE_POINTS),
        Quantity(fmean(losses), NATS, (min(losses), max(losses))),
    ]


def _pairs(compared: list[Compared]) -> Section:
    rows: list[list[Cell]] = [
        [
            Words(one.label),
            Quantity(one.found.difference, FINE_POINTS, (one.found.low, one.found.high)),
            Words("yes" if one.found.shown else "not shown"),
        ]
        for one in compared
    ]
    return Section(
        "Equally accurate?",
        before=[margin_in_words()],
        table=Table(["", f"the first minus the second [{INTERVAL:.0%} interval]", f"the same within {POINT}"], rows),
        after=[
            "The intervals are over initial weights and shuffles. The test images are the same in all trainings: of other images they say nothing."
        ],
    )
