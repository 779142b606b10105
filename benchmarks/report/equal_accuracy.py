"""Does a run show that frameworks are equally accurate?  Only then does the report's title say so.

Evidence is the group `initial weights`, where a run has it: differences paired by initial weights.  Else it is the one training of each
framework: differences paired by test images, which holds for these two networks and no others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from benchmarks.quantities.equivalence import INTERVAL, LEVEL, Equivalence, paired_equivalence
from benchmarks.quantities.statistics import paired_difference
from benchmarks.quantities.units import BOUND
from benchmarks.report.records import Answer
from benchmarks.saved.results import INITIAL_WEIGHTS, Case, Run

MARGIN = 0.01
"""Of the share of test images: how much two accuracies may differ and still be called equal."""

POINT = "1 point"
"""The margin in words; a test holds the two equal."""


@dataclass(frozen=True)
class Compared:
    """Two frameworks, and whether their accuracies, as shares, are the same within the margin."""

    one: str
    other: str
    found: Equivalence

    @property
    def label(self) -> str:
        return f"{self.one} and {self.other}"


def by_initial_weights(run: Run) -> list[Compared]:
    """Every two frameworks that were trained from the same initial weights, from two of them or more."""
    found = []
    for one, other in combinations(run.group(INITIAL_WEIGHTS), 2):
        ones, others = _accuracy_by_seed(one), _accuracy_by_seed(other)
        seeds = [seed for seed in ones if seed in others]
        if len(seeds) > 1:
            same = paired_equivalence([ones[seed] for seed in seeds], [others[seed] for seed in seeds], MARGIN)
            found.append(Compared(one.framework, other.framework, same))
    return found


def _accuracy_by_seed(case: Case) -> dict[int, float]:
    images = case.extra["test_images"]
    return {seed: correct / images for seed, correct in zip(case.extra["seeds"], case.extra["correct_by_seed"], strict=True)}


def by_images(run: Run) -> list[Compared]:
    """Every two frameworks that were trained once, in the first process."""
    trained = [(case.framework, (case.extras or (case.extra,))[0]) for case in run.group("train")]
    found = []
    for (one, ones), (other, others) in combinations(trained, 2):
        images = min(ones["test_images"], others["test_images"])
        gained, lost = _right_alone(ones, others)
        if gained + lost <= images:
            found.append(Compared(one, other, Equivalence(*paired_difference(gained, lost, images, INTERVAL), MARGIN)))
    return found


def _right_alone(ones: Mapping[str, Any], others: Mapping[str, Any]) -> tuple[int, int]:
    """How many images the first of two networks alone is right about, and how many the second alone.

    An older file has what each network said of each image and how often it was right, but not of which image.  Where two networks say
    different things at most one is right; the numbers are then the largest that fit: as if one of them were right wherever they differ.
    """
    said = list(zip(ones["test_predictions"], others["test_predictions"], strict=False))
    if labels := ones["test_labels"]:
        right = [(one == label, other == label) for (one, other), label in zip(said, labels, strict=False)]
        return right.count((True, False)), right.count((False, True))
    more = ones["correct"] - others["correct"]
    both = max(sum(one != other for one, other in said) - abs(more), 0) // 2
    return both + max(more, 0), both + max(-more, 0)


def evidence(run: Run) -> list[Compared]:
    """The comparisons that decide: those by initial weights where the run has that group, else those by images."""
    return by_initial_weights(run) if run.group(INITIAL_WEIGHTS) else by_images(run)


def shown(run: Run, answers: Sequence[Answer]) -> bool:
    """Whether every two frameworks that are compared in an answer are shown to be equally accurate."""
    compared = {one.framework for answer in answers if len(answer.contenders) > 1 for one in answer.contenders}
    return _covers(evidence(run), compared)


def _covers(found: Collection[Compared], frameworks: Collection[str]) -> bool:
    equal = {frozenset((one.one, one.other)) for one in found if one.found.shown}
    pairs = [frozenset(pair) for pair in combinations(sorted(frameworks), 2)]
    return bool(pairs) and all(pair in equal for pair in pairs)


def sentences(run: Run) -> list[str]:
    """In one sentence, whether the frameworks that were trained are equally accurate, and by which evidence."""
    found = evidence(run)
    if not found:
        return []
    cases = run.group(INITIAL_WEIGHTS)
    how = (
        f"differences paired by {len(cases[0].extra['seeds'])} initial weights"
        if cases
        else "one training of each, differences paired by test images"
    )
    unequal = [one.label for one in found if not one.found.shown]
    if not unequal:
        return [f"**Equally accurate within {POINT}**: {how}, each {INTERVAL:.0%} interval within it."]
    return [f"Not shown to be equally accurate within {POINT}: {', '.join(unequal)} ({how}, {INTERVAL:.0%} intervals)."]


def margin_in_words() -> str:
    """What was asked for, and how it is decided, for the section with all pairs."""
    return (
        f"Two frameworks are equally accurate if their mean accuracies differ by less than {POINT}. That is shown by two one-sided paired "
        f"t-tests, each at {BOUND.show(LEVEL)}, or, which is the same, by a {INTERVAL:.0%} interval of the difference within {POINT} either way. "
        f"All pairs are shown to be equal only if each is: the chance of saying so wrongly is at most {BOUND.show(LEVEL)}, with no correction. "
        "Of a single pair among several it is larger."
    )
