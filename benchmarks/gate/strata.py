"""The verdicts from the pairs of several machines: those of all pairs, each ranked within its machine, and those of each machine alone.

A case can be slower on one machine and not on the others; all pairs together may not tell.  So a case is *slower* if all pairs together
say so by the rules of a gate (`verdicts`, with ranks within machines), or if the pairs of any one machine do by themselves, judged
as a gate on that machine would judge them: its own looks, its own batch that confirms.  *Faster* likewise, of a case that is not slower.

Why the error rate holds: all pairs together spend half of ``alpha``, the M machines the other half, ``alpha / 2 M`` each.  Suppose that a case is
slower on no machine.  All pairs together call any such case slower with a chance of at most ``alpha / 2``, each machine with at most ``alpha / 2 M``;
the sum is ``alpha``.  A machine that a verdict names is wrong with a chance of at most ``alpha / 2``.  None of this depends on how many pairs
a machine has, as long as that number does not depend on what they say: where a gate was at work it ends for all machines at once, at
its looks, and recordings have a number of pairs that was asked for.  (A machine whose own gate stopped measuring a case once it had
decided it is as good as that, but has no proof.)

*Same* is said of all pairs together, with a chance of an error of at most ``alpha / 2 agree`` as far as a case is at the threshold or beyond on
every machine.  Of a case that is so on one machine it is no proof; it is not said if that machine's own pairs suspect a change at the
p-value ``agree``, and not if the machines disagree beyond chance (`disagreement`) and one of those named has a ratio beyond the threshold.
Both only make *same* rarer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from math import log, log1p

import numpy as np

from benchmarks.gate.disagreement import disagreements
from benchmarks.gate.evidence import Evidence
from benchmarks.gate.rules import Rules
from benchmarks.gate.verdicts import FASTER, SAME, SLOWER, UNDECIDED, ByMachine, Judgement, OnMachine, Verdict, judge
from benchmarks.quantities.statistics import CONFIDENCE

Machines = Mapping[str, Sequence[str]]
"""The machine of each pair of each case."""


def judge_by_machine(
    log_ratios: Mapping[str, Sequence[float]],
    machines: Machines,
    rules: Rules,
    thresholds: Mapping[str, float],
    steady: Collection[str] = (),
) -> Judgement:
    """The verdict of every case from the pairs of several machines, as `judge` has it from those of one.

    A case whose pairs end before it is decided is undecided: another machine than before can have joined, which makes all shares smaller.
    """
    names = _each_once(one for of_case in machines.values() for one in of_case)
    together = judge(log_ratios, of_all(rules), thresholds, steady, lacking=True, machines=machines)
    values = {case: _by_machine(log_ratios[case], machines[case]) for case in log_ratios}
    share = replace(rules, alpha=rules.alpha / 2 / len(names))
    own = {name: _alone(name, values, share, thresholds, steady) for name in names}
    differing = disagreements(values, rules)
    cases = {
        case: {name: _on_machine(own[name][case].verdict, pairs) for name, pairs in of_case.items()}
        for case, of_case in values.items()
    }
    verdicts = {}
    for case, verdict in together.verdicts.items():
        found = _overall(verdict, {name: own[name][case] for name in values[case]})
        named = {name for side in differing.get(case, ()) for name in side}
        beyond = log1p(thresholds.get(case, rules.threshold))
        if found.verdict == SAME and any(abs(log(cases[case][name].ratio)) > beyond for name in named):
            found = replace(found, verdict=UNDECIDED)
        verdicts[case] = found
    return Judgement(verdicts, together.next_pairs, ByMachine(cases, differing))


def of_all(rules: Rules) -> Rules:
    """The rules for all pairs together, which have half of ``alpha``."""
    return replace(rules, alpha=rules.alpha / 2)


def _each_once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _by_machine(values: Sequence[float], machines: Sequence[str]) -> dict[str, list[float]]:
    """The values of one case by their machine."""
    return {
        name: [value for value, machine in zip(values, machines, strict=True) if machine == name] for name in _each_once(machines)
    }


def _alone(
    machine: str,
    values: Mapping[str, Mapping[str, Sequence[float]]],
    rules: Rules,
    thresholds: Mapping[str, float],
    steady: Collection[str],
) -> Mapping[str, Verdict]:
    """The verdicts of one machine's own pairs, on the cases that it has."""
    there = {case: of_case[machine] for case, of_case in values.items() if machine in of_case}
    of_these = {case: share for case, share in thresholds.items() if case in there}
    return judge(there, rules, of_these, steady, lacking=True).verdicts


def _on_machine(verdict: str, log_ratios: Sequence[float]) -> OnMachine:
    ratio, low, high, confidence = Evidence(np.array([log_ratios])).interval(0, (1 - CONFIDENCE) / 2)
    return OnMachine(verdict, ratio, low, high, confidence, len(log_ratios))


def _overall(together: Verdict, own: Mapping[str, Verdict]) -> Verdict:
    """The verdict of a case: slower or faster if all pairs together say so, or those of any machine; then the ratio is that machine's."""
    said = {what: [name for name, one in own.items() if one.verdict == what] for what in (SLOWER, FASTER)}
    if together.verdict == SLOWER or (together.verdict == FASTER and not said[SLOWER]):
        return together
    for what, far in ((SLOWER, max), (FASTER, min)):
        if said[what]:
            most = far((own[name] for name in said[what]), key=lambda one: one.ratio)
            return replace(most, on=tuple(said[what]))
    return together
