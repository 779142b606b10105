"""What a gate says while it measures is what its pairs so far say."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from benchmarks.gate import so_far
from benchmarks.gate.forecast import smallest_change
from benchmarks.gate.rows import METRICS, Row, judged
from benchmarks.gate.rules import Rules

RULES = Rules()
TIME, MEMORY = (next(metric for metric in METRICS if metric.name == name) for name in ("time", "peak memory"))


def row(name, ratios, metric=TIME):
    return Row(f"benchmarks/test_x.py::{name}", metric, (1.0,) * len(ratios), tuple(ratios))


@pytest.mark.parametrize(
    ("done", "each", "left", "expected"),
    [(1, 30, 870, 30), (1, 30, 869, 29), (1, 30, 9000, 44), (20, 30, 0, 20), (20, 30, -5, 20), (44, 1, 9, 44)],
)
def test_pairs_that_fit(done, each, left, expected):
    """Those that are done and those that the time that is left is enough for, and no more than there can be."""
    assert so_far.pairs_that_fit(done, each, left, 44) == expected


@pytest.mark.parametrize(
    ("fit", "done", "rest"),
    [
        (29, 1, "; the first verdicts come after 12, in about 6 minutes"),
        (29, 10, "; the first verdicts come after 12, in about 60.0 s"),
        (29, 13, ""),
        (11, 1, ", too few for a verdict: it takes 12 for 'same' and 20 for 'slower'; use a larger --budget, or fewer cases (-k)"),
        (19, 1, ", too few for 'slower': it takes 12 for 'same' and 20 for 'slower'; use a larger --budget, or fewer cases (-k)"),
        (20, 1, "; the first verdicts come after 12, in about 6 minutes"),
    ],
)
def test_pace(fit, done, rest):
    """How long a pair takes, how many there will be, and when the first verdicts come, or that none will."""
    assert so_far.pace(fit, done, 30.0, RULES) == f"a pair takes about 30.0 s; the budget is enough for about {fit} pairs{rest}"


@pytest.mark.parametrize(
    ("fit", "rest"),
    [(13, ""), (12, "; the budget is enough for about 12 pairs of 13: use a larger --budget, or fewer cases (-k)")],
)
def test_pace_of_a_recording(fit, rest):
    """Pairs of which a number is asked for may be judged with those of other machines: they are not called too few for a verdict."""
    assert so_far.pace(fit, 1, 30.0, RULES, 13) == f"a pair takes about 30.0 s{rest}"


def test_reach():
    """The middling and the least steady of the times, each by its own spread; what has a threshold of its own is not among them."""
    rows = [
        row("test_a", [1.0, 1.01, 0.99, 1.0]),
        row("test_b", [1.0, 1.1, 0.9, 1.0]),
        row("test_c", [1.0, 1.02, 0.98, 1.0]),
        row("test_m", [1.0, 2.0, 0.5, 1.0], MEMORY),
    ]
    half, most = (100 * smallest_change(rows[index].log_ratios, 0.02, RULES, 4, 30) for index in (2, 1))
    assert so_far.reach(rows, RULES, 30) == (
        f"in 30 pairs a slow-down of {half:.1f} % is likely to be found in half of the cases, and one of {most:.1f} % in the least steady, test_b"
    )
    assert so_far.reach(rows[3:], RULES, 30) == ""
    only = 100 * smallest_change(rows[1].log_ratios, 0.02, RULES, 2, 30)
    assert so_far.reach(rows[1::2], RULES, 30) == f"in 30 pairs a slow-down of {only:.1f} % is likely to be found"
    assert so_far.reach(rows, RULES, 19) == ""


def test_newly_slower():
    """Each row that is slower is said once, at the look that decided it."""
    rows = [row("test_a", [1.1] * 20), row("test_b", [1.0] * 20), row("test_c", [0.9] * 20)]
    judgement = judged(rows, RULES)
    lines = so_far.newly_slower(rows, judgement, RULES, said=())
    assert lines == {rows[0].key: "SLOWER after 20 pairs: test_a, time: head / base 1.100 [1.100, 1.100]"}
    assert so_far.newly_slower(rows, judgement, RULES, said=lines) == {}
    assert so_far.newly_slower(rows, SimpleNamespace(verdicts=judgement.verdicts), RULES, said={rows[1].key}) == lines
