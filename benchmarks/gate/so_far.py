"""What a gate says while it measures: how long it takes, the smallest change that it can find, and each slower case once it is known."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Sequence

from benchmarks.gate.forecast import smallest_change
from benchmarks.gate.rows import Row, short
from benchmarks.gate.rules import Rules
from benchmarks.gate.verdicts import SLOWER, Judgement
from benchmarks.quantities import units
from benchmarks.quantities.units import counted


def pairs_that_fit(done: int, seconds_each: float, seconds_left: float, most: int) -> int:
    """How many pairs there will be at the end, if each takes as long as the last ones: no more than ``most``."""
    return min(most, done + max(int(seconds_left / seconds_each), 0))


def pace(fit: int, done: int, seconds_each: float, rules: Rules, asked: int | None = None) -> str:
    """How long a pair takes, what that makes of the budget, and when the first verdicts come.

    Where a number of pairs is ``asked`` for they need not be for a verdict of their own.
    """
    first = rules.looks[0]
    takes = f"a pair takes about {units.seconds(seconds_each)}"
    if asked and fit >= asked:
        return takes
    said = f"{takes}; the budget is enough for about {counted(fit, 'pair')}"
    if asked:
        return f"{said} of {asked}: use a larger --budget, or fewer cases (-k)"
    if fit < first + rules.confirm:
        few = "a verdict" if fit < first else "'slower'"
        each = f"{first} for 'same' and {first + rules.confirm} for 'slower'"
        return f"{said}, too few for {few}: it takes {each}; use a larger --budget, or fewer cases (-k)"
    if done >= first:
        return said
    return f"{said}; the first verdicts come after {first}, in about {_duration((first - done) * seconds_each)}"


def _duration(seconds: float) -> str:
    """Whole minutes, rounded up, where there are at least two.   330 -> '6 minutes'; 90 -> '90.0 s'"""
    return f"{math.ceil(seconds / 60)} minutes" if seconds >= 120 else units.seconds(seconds)


def reach(rows: Sequence[Row], rules: Rules, fit: int) -> str:
    """The smallest slow-down that so many pairs are likely to find, in a middling case and in the least steady one; empty if unknown."""
    timed = [row for row in rows if row.metric.threshold is None]
    found = [(smallest_change(row.log_ratios, row.threshold(rules), rules, len(rows), fit), row) for row in timed]
    known = [(change, row) for change, row in found if change is not None]
    if not known:
        return ""
    most, of = max(known, key=lambda one: one[0])
    half = statistics.median_high(change for change, _ in known)
    likely = f"in {counted(fit, 'pair')} a slow-down of {units.percent(half)} is likely to be found"
    if len(timed) == 1:
        return likely
    return f"{likely} in half of the cases, and one of {units.percent(most)} in the least steady, {short(of.case)}"


def newly_slower(rows: Sequence[Row], judgement: Judgement, rules: Rules, said: Collection[str]) -> dict[str, str]:
    """A line for each row that is slower and whose key is not among those that were ``said``.   -> key: line"""
    lines = {}
    for row in rows:
        verdict = judgement.verdicts[row.key]
        if verdict.verdict == SLOWER and row.key not in said:
            ratio, low, high = map(units.fine_ratio(row.threshold(rules)).show, (verdict.ratio, verdict.low, verdict.high))
            what = f"{short(row.case)}, {row.metric.name}"
            lines[row.key] = f"SLOWER after {counted(verdict.pairs, 'pair')}: {what}: head / base {ratio} [{low}, {high}]"
    return lines
