"""Which commit of a line made a case slower?  The search, and how sure its answer is.  What a commit is like it asks a function.

The line begins with *good* and ends with *bad*, which was found slower.  Every verdict compares one commit with good: *slower* if a case that
is followed is at its threshold or beyond, *not slower* if none is.  The search halves what lies between the last commit that is not slower
and the first that is.  Where no commit is left between these two, the second is the answer.

How sure it is.  If all verdicts are right, the commit that is named passes the threshold and the one before it does not.  So it is wrong only
if a verdict is, and the chances of the verdicts add up, however they depend on each other: each has pairs of its own.  A gate errs by its rules
(`verdicts`): it calls any case slower that is not with a chance of at most ``alpha``, any case same that is at the threshold or beyond
with ``alpha / agree``, and any case faster that is not with ``alpha``.  A commit is either beyond the threshold or not.  If it is not, its
verdict can err in the first way only; if it is, in the two others.  So one verdict errs with a chance of at most
``alpha * (1 + 1 / agree)``, and a share s of the whole chance asks for ``alpha = s / (1 + 1 / agree)``.

Not counted in this is peak memory that is called *same* after two pairs, by a rule of its own: that errs only if both are off by about ten
standard deviations.

The first verdict, that bad is slower than good, sets the threshold of the others too, from the low end of its interval (`halved`).  That bad
is no slower than the threshold errs with ``alpha``, an end that is wrong with ``alpha / agree``: together its share again.

Of N commits after good, n = 1 + log2(N), rounded up, verdicts are enough where each commit can be measured.  These get an equal share of `CHANCE`
each: a part of n + 1.  Commits that stay undecided make further verdicts: the last part is for all of them, each with half of
what is left.  So the shares never add up to more than `CHANCE`, however many verdicts it takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from benchmarks.gate.rules import Rules
from benchmarks.gate.verdicts import SLOWER, UNDECIDED

CHANCE = 0.05
"""The largest chance of naming a wrong commit."""

NOT_SLOWER, UNKNOWN, OUT_OF_TIME = "not slower", "unknown", "out of time"
"""What a commit is that is not `SLOWER`."""


@dataclass(frozen=True)
class Answer:
    """What is known of one commit."""

    verdict: str
    """SLOWER, NOT_SLOWER, UNKNOWN or OUT_OF_TIME."""
    reason: str = ""
    """Why it is unknown."""


@dataclass
class Found:
    """Where the search ended: the commit lies after ``low`` and is ``high`` at the latest."""

    low: int
    """The last commit that is not slower; 0 is good."""
    high: int
    """The first that is slower."""
    unknown: dict[int, str] = field(default_factory=dict)
    """The commits that could not be told, each with the reason."""
    out_of_time: bool = False

    @property
    def suspects(self) -> range:
        """The commits that it can be: one if the search came to its end."""
        return range(self.low + 1, self.high + 1)


def search(commits: int, judge: Callable[[int], Answer]) -> Found:
    """Find the first slower of the commits 1, 2, ..., of which the last is slower and 0, which is good, is not.

    Each is judged at most once.  One that cannot be told is passed over, as `git bisect skip` does, for that nearest to the middle which can.
    """
    found = Found(0, commits)
    while untried := [commit for commit in found.suspects[:-1] if commit not in found.unknown]:
        middle = (found.low + found.high) / 2
        commit = min(untried, key=lambda one: (abs(one - middle), one))
        answer = judge(commit)
        if answer.verdict == SLOWER:
            found.high = commit
        elif answer.verdict == NOT_SLOWER:
            found.low = commit
        elif answer.verdict == OUT_OF_TIME:
            found.out_of_time = True
            break
        else:
            found.unknown[commit] = answer.reason
    return found


def enough_verdicts(commits: int) -> int:
    """How many verdicts find one of so many commits if each can be measured, with the first, that bad is slower."""
    return 1 + math.ceil(math.log2(commits))


def share(number: int, commits: int) -> float:
    """What verdict ``number``, from 1 on, may spend of `CHANCE`."""
    planned = enough_verdicts(commits)
    part = CHANCE / (planned + 1)
    return part / 2.0 ** max(number - planned, 0)


def rules_of(number: int, commits: int, rules: Rules) -> Rules:
    """The rules of verdict ``number``: those that were asked for, as sure as its share demands."""
    return replace(rules, alpha=share(number, commits) / (1 + 1 / rules.agree))


def halved(rules: Rules, lows: Sequence[float]) -> Rules:
    """Rules under which half of a slow-down counts, if that is more than counted before.

    ``lows`` are the low ends of the ratios bad / good of the times that are followed.  A step of that size then lies as far beyond the
    threshold as no change lies within it, on a logarithmic scale, and few pairs tell the two apart.
    """
    half = float(f"{math.sqrt(min(lows)) - 1:.3g}") if lows else 0.0
    thresholds = tuple((expression, max(one, half)) for expression, one in rules.thresholds)
    return replace(rules, threshold=max(rules.threshold, half), thresholds=thresholds)


def answer(verdicts: Mapping[str, str], followed: Sequence[str], pairs: int) -> Answer:
    """What the verdicts of a gate, by the keys of their rows, say of a commit; ``followed`` are the rows that bad is slower in."""
    if any(verdicts.get(key) == SLOWER for key in followed):
        return Answer(SLOWER)
    if lacking := [key for key in followed if key not in verdicts]:
        return Answer(UNKNOWN, f"does not measure {lacking[0]}")
    if UNDECIDED in (verdicts[key] for key in followed):
        return Answer(UNKNOWN, f"undecided after {pairs} pairs")
    return Answer(NOT_SLOWER)
