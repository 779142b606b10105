"""Estimates as cells of a table: a ratio of times and an accuracy, each with its interval."""

from __future__ import annotations

from benchmarks.quantities.statistics import Ratio, share_interval
from benchmarks.quantities.units import RATIO, SHARE
from benchmarks.report.records import Quantity
from benchmarks.saved.results import Case


def ratio_cell(found: Ratio, note: str = "") -> Quantity:
    """Ratio(2.0, 1.9, 2.1) -> '2.00 x [1.90, 2.10]'; from one process there is no interval."""
    ends = None if found.low is None or found.high is None else (found.low, found.high)
    return Quantity(found.ratio, RATIO, ends, note)


def accuracy_cell(case: Case) -> Quantity:
    """The share of the test images that a case's network gets right.   -> '95.3 % [93.0, 96.9]'"""
    correct, images = case.extra["correct"], case.extra["test_images"]
    return Quantity(correct / images, SHARE, share_interval(correct, images))
