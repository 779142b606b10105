"""Do machines disagree on a case beyond chance?  Each machine has an interval for its own ratio; they disagree if no ratio lies in all of them.

Why not a test of ranks between the machines: that assumes the same noise on each.  Where one machine is a hundred times as noisy as
another, all of its pairs lie above those of the other by luck alone with a chance of 2^-pairs, and a test of ranks would take that for a
chance of one in thousands.  The intervals of signed ranks ask for nothing of the kind.

Why the error rate holds: let a case have the same centre c on all of M machines.  The signed ranks of a machine reject c, on either side, with
a chance of at most the p-value at which they do; M times the least p-value of the machines is a p-value for c (Bonferroni).  The p-value
of a case is the largest that any c has.  If the machines agree on some c, theirs is no less than that of this c, and so small with no more
than its chance.  Holm's procedure runs over the cases.  A gate ends at one of a few numbers of pairs (`ends`), which depends on what it has
seen: each may spend an equal part of ``alpha``.  No centre is named that all accept exactly when the intervals have no point in common, so a case
that is rejected at a level has machines whose interval at that level lies wholly above another's: these are named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.gate.evidence import Evidence, Floats, chances, holm
from benchmarks.gate.rules import Rules


class Disagreement(NamedTuple):
    """The machines on which head / base of a case is larger than on some other, and those on which it is smaller."""

    larger: tuple[str, ...]
    smaller: tuple[str, ...]


def ends(rules: Rules) -> int:
    """At how many numbers of pairs a gate can end, because a case is decided there or no look is left."""
    return len({*rules.looks, *(look + rules.confirm for look in rules.looks)})


def disagreements(values: Mapping[str, Mapping[str, Sequence[float]]], rules: Rules) -> dict[str, Disagreement]:
    """The cases on which the machines disagree; of identical centres any is named with a chance of at most the rules' ``alpha``.

    values: case -> machine -> ln(head / base) of its pairs, of which there is at least one
    """
    p = np.array([p_value([np.asarray(own) for own in of_case.values()]) for of_case in values.values()])
    names, found = list(values), {}
    for index, level in holm(p, rules.alpha / ends(rules)):
        of_case = values[names[index]]
        intervals = {name: Evidence(np.array([own])).interval(0, level / (2 * len(of_case))) for name, own in of_case.items()}
        least_high, largest_low = min(one.high for one in intervals.values()), max(one.low for one in intervals.values())
        found[names[index]] = Disagreement(
            tuple(name for name, one in intervals.items() if one.low > least_high),
            tuple(name for name, one in intervals.items() if one.high < largest_low),
        )
    return found


def p_value(machines: Sequence[Floats]) -> float:
    """That of some centre being the same on all machines, which is the largest that any centre has."""
    walsh = [np.sort(((own[:, None] + own) / 2)[np.triu_indices(len(own))]) for own in machines]
    centres = np.concatenate(walsh)  # between two neighbours no p-value is larger than at either
    least = np.ones(len(centres))
    for own, averages in zip(machines, walsh, strict=True):
        above = len(averages) - np.searchsorted(averages, centres, side="right")
        below = np.searchsorted(averages, centres, side="left")
        least = np.minimum(least, 2 * chances(len(own))[np.maximum(above, below)])
    return min(1.0, len(machines) * float(least.max()))
