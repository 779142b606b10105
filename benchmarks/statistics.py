"""Intervals for what the report says.  The mathematics is scipy's; which interval belongs to which figure is decided here."""

from __future__ import annotations

from scipy import stats

CONFIDENCE = 0.95


def share_interval(successes: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval of a share: for an accuracy, successes are the images classified correctly.   -> (low, high) in 0..1

    It holds its confidence near 0 and 1, where the textbook +/- 1.96 standard errors leaves the unit interval.
    """
    interval = stats.binomtest(successes, trials).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)
