"""Two frameworks part while they train: is that more than a difference in the last digit of the weights does?  The report's sentences on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from benchmarks.quantities.units import counted
from benchmarks.report.times import label
from benchmarks.saved.results import LAST_DIGIT, Case, Run

WITHOUT = "They part because rounding differs, and training amplifies the last digit from step to step; see the tests for one step."
"""What can be said where a run has no such yardstick."""


def sentences(run: Run, trained: Sequence[Case]) -> list[str]:
    """How far the network by hand lies from itself, and which two of the trained networks lie no further apart, or further."""
    found = run.group(LAST_DIGIT)
    return [*_against(found[0], trained)] if found else [WITHOUT]


def _against(case: Case, trained: Sequence[Case]) -> Iterator[str]:
    again, moved = case.extra["again_gaps_nats"], case.extra["last_digit_gaps_nats"]
    epochs = min(len(again), *(len(gaps) for gaps in moved), *(len(one.extra["train_loss_nats"]) for one in trained))
    when = "the first epoch" if epochs == 1 else f"the first {epochs} epochs"
    each = sorted(max(gaps[:epochs]) for gaps in moved)
    yield (
        f"The yardstick is the network by hand ({label(case)}) against itself, in {when}. Trained twice from the same weights, its "
        f"training losses are {max(again[:epochs]):.1e} nats apart at most. Trained from weights that differ in the last digit of each, "
        f"{counted(len(each), 'time')}: {', '.join(f'{gap:.1e}' for gap in each)}."
    )
    pairs = {f"{one.framework} and {other.framework}": max(_gaps(one, other)[:epochs]) for one, other in combinations(trained, 2)}
    within = [f"{pair} ({gap:.1e})" for pair, gap in pairs.items() if gap <= each[-1]]
    beyond = [f"{pair} ({gap:.1e})" for pair, gap in pairs.items() if gap > each[-1]]
    if within:
        yield f"No further apart than that in {when}: {', '.join(within)}. Rounding alone can make such a difference."
    if beyond:
        yield f"**Further apart than that** in {when}: {', '.join(beyond)}. The last digit alone did not make such a difference."


def _gaps(one: Case, other: Case) -> list[float]:
    return [abs(a - b) for a, b in zip(one.extra["train_loss_nats"], other.extra["train_loss_nats"], strict=False)]
