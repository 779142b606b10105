"""From the pairs of a gate to its verdicts: which cases became slower or faster, which did not change, and which are undecided.

Every pair gives each case one number, ln(head / base).  The gate looks at fixed numbers of pairs, and a case is decided at the first
look that can:

- *slower*: the whole interval of its ratio lies above the threshold; then a batch of new pairs says so by itself; then
  all pairs together still do.  *Faster* is the mirror image.
- *same*: the whole interval lies within the thresholds.
- *undecided*: none of these.

All this holds for the pairs of one machine, and for those of several if each is ranked within its own; `strata` has what is added there.

Why the error rate holds: each look may spend an equal part of ``alpha``.  The p-value of a case at a look is that of the suspicion
times ``agree`` if the new pairs agree, and 1 if they do not, because those are another sample; Holm's procedure runs over the
cases with these, at each look without those cases that were found slower before.  The parts add up to ``alpha``.  *Same* needs no
second batch and errs more easily: with a chance of at most ``alpha / agree`` a run calls any case same that is at the threshold or
beyond.

A *steady* row is one whose values hardly vary, such as peak memory: pairs with a standard deviation of less than 0.3 %, and a threshold of 5 %.
Signed ranks do not see that, so such a row may be *same* by a rule of its own: if each of its first pairs (``steady_pairs``) lies within half
the threshold.  To be wrong, that of a row that changed by the threshold or more, every one of these pairs has to be off by half the
threshold, about ten standard deviations.  This rule never says slower or faster: a row that does not pass it is judged like any
other, from its first pair on, so nothing is added to the chance of a false alarm.  A row that passes it keeps its place in Holm's
procedure and counts as not rejected, as if its p-value were 1, which makes the other rows no likelier to be rejected.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from benchmarks.gate.disagreement import Disagreement
from benchmarks.gate.evidence import Evidence, Floats, Numbers, holm
from benchmarks.gate.rules import Rules

SLOWER, FASTER, SAME, UNDECIDED = "slower", "faster", "same", "undecided"


@dataclass(frozen=True)
class Verdict:
    """What is known of one case."""

    verdict: str
    """SLOWER, FASTER, SAME or UNDECIDED."""
    ratio: float
    """Head / base, the pseudo-median (Hodges and Lehmann) of the pairs' ratios."""
    low: float
    high: float
    pairs: int
    """The number of pairs that decided it; all pairs of an undecided case."""
    confidence: float
    """Of the interval from low to high: adjusted for all cases and looks.  An undecided case of too few pairs for that has the
    surest interval that they give, from the least to the largest."""
    suspected: str = ""
    """SLOWER or FASTER of an undecided case of which a look says so, while the pairs that have to confirm it are not all there."""
    on: Sequence[str] = ()
    """The machines whose own pairs say so, where all pairs together do not, see `strata`."""


@dataclass(frozen=True)
class OnMachine:
    """What the pairs of one machine say of a case."""

    verdict: str
    """Its own, by its share of the chance of an error."""
    ratio: float
    low: float
    high: float
    confidence: float
    """Of the interval: that of the report's intervals, adjusted for nothing, or as sure as this few pairs can be."""
    pairs: int


@dataclass(frozen=True)
class ByMachine:
    """What the machines say, each by itself."""

    cases: Mapping[str, Mapping[str, OnMachine]]
    """Case -> machine -> what its pairs say."""
    disagreements: Mapping[str, Disagreement]
    """The cases on which the machines disagree beyond chance."""


@dataclass(frozen=True)
class Judgement:
    """The verdict of every case, and whether measuring can go on."""

    verdicts: Mapping[str, Verdict]
    next_pairs: int | None
    """Pairs needed altogether before it is worth looking again; None if everything is decided or no look is left."""
    by_machine: ByMachine | None = None
    """What each machine says by itself, if there are several."""


def judge(
    log_ratios: Mapping[str, Sequence[float]],
    rules: Rules,
    thresholds: Mapping[str, float] | None = None,
    steady: Collection[str] = (),
    lacking: bool = False,
    machines: Mapping[str, Sequence[str]] | None = None,
) -> Judgement:
    """The verdict of every case from ln(head / base) of all pairs so far, in the order they were measured.

    The looks are replayed from the first pair on, so what was decided stays decided however many pairs follow, and a case needs no
    pairs after its decision.  ``thresholds`` replaces the rules' threshold for some of the cases; ``steady`` are those that hardly
    vary.  With ``lacking``, a case whose pairs end before it is decided stays undecided: they were measured until other rules had decided
    it.  No verdict is easier for that, since what it lacks counts as p-values of 1.  ``machines`` names the machine of each pair of each case,
    where there are several: the pairs are ranked within it, and the looks count those of all.  Raises ValueError for no case, no pair, a case
    whose pairs end too early (without ``lacking``), a value that is not finite, and a threshold that is not above 0 or of no case.
    """
    names, values, margins = _checked(log_ratios, rules, thresholds or {})
    numbers = _numbered(names, values, machines) if machines else None
    replay = _Replay(values, margins, rules, [index for index, name in enumerate(names) if name in steady], numbers)
    next_pairs = replay.run()
    for index, name in enumerate(() if lacking else names):
        if len(log_ratios[name]) < (replay.decided[index].pairs if index in replay.decided else values.shape[1]):
            raise ValueError(
                f"judge: {name} has {len(log_ratios[name])} pairs, too few to be decided; others have {values.shape[1]}"
            )
    return Judgement({name: replay.verdict(index) for index, name in enumerate(names)}, next_pairs)


def _checked(
    log_ratios: Mapping[str, Sequence[float]], rules: Rules, thresholds: Mapping[str, float]
) -> tuple[list[str], Floats, Floats]:
    """The cases, their values (cases, pairs; NaN after the last of a case), and the logarithms of 1 + their thresholds."""
    names = list(log_ratios)
    lengths = [len(log_ratios[name]) for name in names]
    if not names or min(lengths) == 0:
        raise ValueError("judge: needs at least one case, and of each at least one pair")
    if unknown := sorted(set(thresholds) - set(names)):
        raise ValueError(f"judge: a threshold for {unknown[0]}, which is no case")
    shares = np.array([thresholds.get(name, rules.threshold) for name in names])
    values = np.full((len(names), max(lengths)), np.nan)
    for row, name in zip(values, names, strict=True):
        row[: len(log_ratios[name])] = log_ratios[name]
    finite = sum(lengths) == np.count_nonzero(np.isfinite(values))
    if not (np.all(np.isfinite(shares)) and np.all(shares > 0) and finite):
        raise ValueError("judge: log ratios have to be finite, thresholds finite and above 0")
    return names, values, np.log1p(shares)


def _numbered(names: Sequence[str], values: Floats, machines: Mapping[str, Sequence[str]]) -> Numbers:
    """The number of the machine of each pair; -1 after the last pair of a case.   -> (cases, pairs)"""
    number = {machine: index for index, machine in enumerate(dict.fromkeys(one for name in names for one in machines[name]))}
    found = np.full(values.shape, -1)
    for row, name in zip(found, names, strict=True):
        row[: len(machines[name])] = [number[machine] for machine in machines[name]]
    return found


@dataclass
class _Replay:
    """The looks in their order, and what each decided."""

    values: Floats
    margins: Floats
    rules: Rules
    steady: Sequence[int] = ()
    machines: Numbers | None = None
    """The number of the machine of each of the values; None if all are of one."""
    decided: dict[int, Verdict] = field(default_factory=dict)
    settled: set[int] = field(default_factory=set)
    """Those of the decided that the looks did not decide."""
    suspected: dict[int, str] = field(default_factory=dict)
    """Those that the last look suspects to be slower or faster, where the pairs that have to confirm it are not all there."""

    def run(self) -> int | None:
        """Look as often as there are pairs for.   -> the number of pairs that is needed to go on; None if all is decided or no look is left"""
        pairs = self.values.shape[1]
        if self.steady and pairs < min(self.rules.steady_pairs, self.rules.looks[0]):
            return self.rules.steady_pairs
        self._settle()
        for look, spent in zip(self.rules.looks, self.rules.spent, strict=True):
            if len(self.decided) == len(self.values):
                return None
            if look > pairs:
                return look
            if suspected := self._look(look, spent / self.rules.agree):
                if look + self.rules.confirm > pairs:
                    self.suspected = suspected
                    return look + self.rules.confirm
                self._confirm(look, spent)
        return None

    def _settle(self) -> None:
        """Decide which of the steady cases are the same: by their first pairs, and by the first of each machine."""
        few = self.rules.steady_pairs
        first = self._evidence(slice(few))
        within = np.abs(self.values[:, :few]).max(axis=1) <= self.margins / 2  # not true of a value that is missing
        for index in self.steady:
            if within[index] and all(np.abs(own[:few]).max() <= self.margins[index] / 2 for own in self._of_each(index)):
                self.decided[index] = _verdict(SAME, first, index, self.rules.spent[0] / self.rules.agree)
                self.settled.add(index)

    def _evidence(self, part: slice) -> Evidence:
        """What these pairs say."""
        return Evidence(self.values[:, part], None if self.machines is None else self.machines[:, part])

    def _of_each(self, index: int, pairs: int | None = None) -> list[Floats]:
        """The values of one case on each machine, in their order, among its first ``pairs``; nothing where there is but one machine."""
        if self.machines is None:
            return []
        own, numbers = self.values[index, :pairs], self.machines[index, :pairs]
        return [own[numbers == number] for number in np.unique(numbers[numbers >= 0])]

    def _contradicted(self, index: int, pairs: int) -> bool:
        """Whether the first pairs of any single machine suspect that this case is slower or faster there."""
        margin = self.margins[[index]]
        each = [Evidence(own[None]) for own in self._of_each(index, pairs)]
        return any(min(one.above(margin)[0], one.below(-margin)[0]) <= self.rules.agree for one in each)

    def _look(self, look: int, level: float) -> dict[int, str]:
        """Decide which cases are the same.   -> those that are suspected to be slower or faster"""
        evidence = self._evidence(slice(look))
        within = np.maximum(evidence.below(self.margins), evidence.above(-self.margins))
        for index, share in self._holm(SAME, within, level):
            if not self._contradicted(index, look):
                self.decided[index] = _verdict(SAME, evidence, index, share)
        return {index: name for name in (SLOWER, FASTER) for index, _ in self._holm(name, self._beyond(name, evidence), level)}

    def _confirm(self, look: int, spent: float) -> None:
        """Decide the suspected cases that the new pairs agree on.  No others can be: their p-value at the look is too large."""
        end, agree = look + self.rules.confirm, self.rules.agree
        before, new, together = (self._evidence(part) for part in (slice(look), slice(look, end), slice(end)))
        for name in (SLOWER, FASTER):
            all_agree = np.maximum(self._beyond(name, before), self._beyond(name, together)) * agree
            p = np.where(self._beyond(name, new) <= agree, all_agree, 1.0)
            for index, share in self._holm(name, p, spent):
                self.decided[index] = _verdict(name, together, index, share / agree)

    def _beyond(self, name: str, evidence: Evidence) -> Floats:
        """The p-value of each case's not being slower, or not faster, than the threshold."""
        return evidence.above(self.margins) if name == SLOWER else evidence.below(-self.margins)

    def _holm(self, name: str, p: Floats, level: float) -> list[tuple[int, float]]:
        """Which open cases Holm's procedure gives this verdict, and the level of each.

        Cases that have this verdict already count as rejected; those that have another one, or have it by no look, keep their place
        in the family.
        """
        p = p.copy()
        for index, verdict in self.decided.items():
            p[index] = 0.0 if verdict.verdict == name and index not in self.settled else 1.0
        return [(index, share) for index, share in holm(p, level) if index not in self.decided]

    def verdict(self, index: int) -> Verdict:
        """Of a decided case as it was decided, of another one from all pairs."""
        if index in self.decided:
            return self.decided[index]
        level = self.rules.spent[-1] / self.rules.agree / len(self.values)
        pairs = int(np.count_nonzero(np.isfinite(self.values[index])))
        return replace(_verdict(UNDECIDED, self._evidence(slice(pairs)), index, level), suspected=self.suspected.get(index, ""))


def _verdict(name: str, evidence: Evidence, index: int, level: float) -> Verdict:
    ratio, low, high, confidence = evidence.interval(index, level)
    return Verdict(name, ratio, low, high, evidence.pairs, confidence)
