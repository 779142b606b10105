"""The comparison that the original report made, measured again, with its own figures beside."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks.quantities import units
from benchmarks.quantities.statistics import CONFIDENCE, share_interval
from benchmarks.report import original_report
from benchmarks.report.parts import compression
from benchmarks.report.records import Plot, Section, Table
from benchmarks.report.text import DASH
from benchmarks.report.times import best_of_each
from benchmarks.saved.results import Run

LARGEST_BATCH = 450


def sections(run: Run) -> list[Section]:
    return [_comparison(run)]


def plots(run: Run) -> list[Plot]:
    return []


def _comparison(run: Run) -> Section:
    """The seed's comparison, measured again, its own figures beside it."""
    rows: list[tuple[str, Callable[[Run, str], str], Mapping[str, str]]] = [
        (f"test accuracy [{CONFIDENCE:.0%} interval]", _accuracy, original_report.ACCURACY),
        ("time for 450 test images, default mode", _predict_450(default=True), {}),
        ("time for 450 test images, fastest mode", _predict_450(default=False), original_report.PREDICT_450),
        ("time per image of those 450, fastest mode", _per_image, {}),
        ("parameters", _extra("parameters"), original_report.PARAMETERS),
        ("bytes of weights", _extra("weight_bytes"), original_report.SPACE),
        ("MACs per image, forward", _extra("macs_per_image"), {}),
        ("FLOPs per image, forward", _extra("flops_per_image"), original_report.FLOPS),
        ("FLOPs per image, training step", _extra("training_flops_per_image"), {}),
    ]
    quoted = [name for name in original_report.TITLE if name in run.frameworks]
    return Section(
        "The seed's comparison",
        before=[
            "Left what this run measured or counted; right, in quotes, what the seed printed, most of which measured something else.",
            *(f"{framework} has no times here: {reason}." for framework, reason in run.out_of_reach.items()),
        ],
        table=Table(
            ["", *run.frameworks, *(f"seed: {original_report.TITLE[name]}" for name in quoted)],
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
        cases = [case for case in run.group("predict") if case.framework == framework and case.extra.get("batch") == LARGEST_BATCH]
        if default:
            cases = [case for case in cases if case.mode == case.extra.get("default_mode")]
        if not cases:
            return DASH
        best = min(cases, key=lambda case: case.median)
        return f"{units.seconds(best.median)} ({best.mode})"

    return cell


def _per_image(run: Run, framework: str) -> str:
    best = [case for case in best_of_each(run.group("predict"), {"batch": LARGEST_BATCH}) if case.framework == framework]
    return units.seconds(best[0].median / LARGEST_BATCH) if best else DASH


def _extra(key: str) -> Callable[[Run, str], str]:
    """A count that rides on every case of a framework."""

    def cell(run: Run, framework: str) -> str:
        whole = [case for case in run.cases if case.group != compression.GROUP]  # those are other networks
        values = {case.extra[key] for case in whole if case.framework == framework and case.extra.get(key) is not None}
        return " / ".join(units.count(value) for value in sorted(values)) or DASH

    return cell
