"""Measures what a bisection asks: one commit after the other against good, each as a gate of its own in a folder of its own.

What is reused, and why that is sound.  Good's worktree serves every gate: nothing may change there, which a gate sees before each pair.
Every other commit gets a fresh worktree, or files that git ignores would be left of the one before.  Two commits with the same files share a
verdict.  With --resume a gate that has its verdict is read from its folder, another one goes on with its pairs, and a commit that could not
be measured is not tried again.  Pairs of one commit say nothing of another.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.gate import bisection, gate, recorded
from benchmarks.gate.bisection import NOT_SLOWER, OUT_OF_TIME, UNKNOWN, Answer, Found
from benchmarks.gate.history import Commit
from benchmarks.gate.outcome import Outcome
from benchmarks.gate.pairs import ROLES, Comparison, Recorder
from benchmarks.gate.rows import Row, short
from benchmarks.gate.rules import Rules
from benchmarks.gate.verdicts import SLOWER, UNDECIDED, Verdict
from benchmarks.quantities import units
from benchmarks.saved.results import PROCESSES
from benchmarks.saved.storage import MANIFEST, NOTED
from benchmarks.sessions import sides
from benchmarks.sessions.folder import note, settings_in
from benchmarks.sessions.plan import Plan
from benchmarks.sessions.project import Project
from benchmarks.sessions.sides import Side
from benchmarks.sessions.signals import Signals
from benchmarks.sessions.survey import survey
from lenet5.errors import InputError

SKIPPED = "skipped"
"""Among what the folder notes: the commits that could not be measured, each with the reason."""


@dataclass(frozen=True)
class Asked:
    """What a bisection was asked for."""

    project: Project
    line: Sequence[Commit]
    """From good to bad."""
    python: str
    """What stands behind a revision: nothing, or an @ and an interpreter."""
    plans: Sequence[Plan]
    threads: int
    rules: Rules

    @property
    def commits(self) -> int:
        """How many commits it can be."""
        return len(self.line) - 1


@dataclass(frozen=True)
class Step:
    """One commit that was looked at."""

    index: int
    """In the line."""
    answer: Answer
    outcome: Outcome | None = None
    """Of its gate; None if it could not be measured."""
    folder: Path | None = None
    """Of its pairs; None if it has none of its own."""

    def of(self, key: str) -> tuple[Row, Verdict] | None:
        """One row of its gate."""
        return next((one for one in self.outcome.verdicts if one[0].key == key), None) if self.outcome else None


@dataclass(frozen=True)
class Result:
    """All that a bisection found."""

    asked: Asked
    first: Step
    """Bad against good."""
    followed: Sequence[str]
    """The keys of the rows that bad is slower in."""
    steps: Sequence[Step]
    """All that came after it, in the order in which they were looked at."""
    found: Found | None
    """Where the search ended; None if bad is not slower, or that is undecided."""
    rules: Rules
    """By which a commit is slower, but for how sure each verdict has to be."""

    @property
    def exit_code(self) -> int:
        """0: bad is not slower than good; 1: the commit is found; 3: undecided, which can be a range of commits."""
        if self.found:
            return 1 if len(self.found.suspects) == 1 else 3
        return 3 if self.first.answer.verdict != NOT_SLOWER else 0

    @property
    def out_of_time(self) -> bool:
        """Whether more time can decide more."""
        return self.found.out_of_time if self.found else bool(self.first.outcome and self.first.outcome.out_of_time)

    def step(self, index: int) -> Step | None:
        """What was found of a commit; None for one that was not looked at."""
        return next((one for one in (self.first, *self.steps) if one.index == index), None)


def run(asked: Asked, folder: Path, signals: Signals, budget_seconds: float) -> Result:
    """Find the commit, measuring into a folder of its settings, which is held, until the time is up.

    Raises InputError, one line, if good and bad cannot be compared, and for whatever is wrong with good; raises Interrupted on a signal.
    """
    with sides.opened({"base": f"{asked.line[0].name}{asked.python}"}, signals, asked.project) as base:
        bisecting = _Bisecting(asked, folder, signals, time.monotonic() + budget_seconds, base["base"])
        return bisecting.run()


@dataclass
class _Bisecting:
    """The commits that were looked at so far."""

    asked: Asked
    folder: Path
    signals: Signals
    end: float
    """On the monotonic clock."""
    base: Side
    number: int = 1
    """Of the last verdict; the first is that of bad."""
    rules: Rules = field(init=False)
    """Of all verdicts after the first, but for how sure they have to be."""
    followed: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    trees: dict[str, Answer] = field(default_factory=dict)
    """What is known of the commits with these files."""
    skipped: dict[str, str] = field(default_factory=dict)

    def run(self) -> Result:
        last, enough = self.asked.commits, bisection.enough_verdicts(self.asked.commits)
        self.skipped.update(settings_in(self.folder).get(NOTED, {}).get(SKIPPED, {}))
        _say(f"good: {self.asked.line[0]}; bad: {self.asked.line[-1]}")
        pairs = f"{self.asked.rules.looks[0]} to {self.asked.rules.most_pairs} pairs"
        _say(
            f"{units.counted(last, 'commit')} after good: about {units.counted(enough, 'verdict')} of {pairs} each, the first on bad itself"
        )
        first = self._first(last)
        if not self.followed:
            return Result(self.asked, first, (), (), None, self.rules)
        self.trees = {self._tree(0): Answer(NOT_SLOWER), self._tree(last): Answer(SLOWER)}
        found = bisection.search(last, self._judge)
        return Result(self.asked, first, self.followed, self.steps, found, self.rules)

    def _first(self, last: int) -> Step:
        """Bad against good, and which rows are followed from then on, by which rules."""
        _say(f"is {self.asked.line[last]} slower than good?")
        rules = bisection.rules_of(1, last, self.asked.rules)
        try:
            outcome = self._recorded(last, rules, gate.any_slower) or self._measure(last, rules, gate.any_slower)
        except InputError as error:
            raise InputError(f"--good is base here, --bad is head: {error}") from None
        if outcome.counts:
            one = outcome.counts[0]
            raise InputError(
                f"good and bad do not do the same work: {short(one.case)}, {one.field}: {one.base:g} and {one.head:g}; "
                "which of them is slower says nothing then"
            )
        slower = [(row, verdict) for row, verdict in outcome.verdicts if verdict.verdict == SLOWER]
        self.followed = [row.key for row, _ in slower]
        lows = [verdict.low for row, verdict in slower if row.metric.threshold is None]
        self.rules = bisection.halved(self.asked.rules, lows)
        undecided = any(verdict.verdict == UNDECIDED for _, verdict in outcome.verdicts)
        answer = Answer(SLOWER) if slower else Answer(UNKNOWN if undecided else NOT_SLOWER)
        return Step(last, answer, outcome, self._folder(last))

    def _judge(self, index: int) -> Answer:
        """What a commit is like; it is one more step, unless the time is up."""
        commit, known = self.asked.line[index], self.trees.get(self._tree(index))
        _say(f"is {commit} slower than good?")
        if known:
            step = Step(index, known)
        elif commit.name in self.skipped:
            step = Step(index, Answer(UNKNOWN, self.skipped[commit.name]))
        else:
            step = self._measured(index)
            self.trees[self._tree(index)] = step.answer
        _say(f"{commit.short}: {step.answer.verdict}{f': {step.answer.reason}' if step.answer.reason else ''}")
        self.steps.append(step)
        return step.answer

    def _measured(self, index: int) -> Step:
        rules = bisection.rules_of(self.number + 1, self.asked.commits, self.rules)
        outcome = self._recorded(index, rules, self._enough)
        if not outcome and time.monotonic() >= self.end:
            return Step(index, Answer(OUT_OF_TIME))
        try:
            outcome = outcome or self._measure(index, rules, self._enough)
        except InputError as error:
            if str(error).startswith(f"{self.base.option}: "):
                raise  # good could be measured before
            return self._skip(index, str(error).removeprefix(f"--head {self._asked(index)}: "))
        self.number += 1
        if outcome.counts:
            return self._skip(index, f"does not do the same work as good ({outcome.counts[0].field} differs)")
        answer = bisection.answer(_by_key(outcome), self.followed, len(outcome.pairs))
        if answer.verdict == UNKNOWN and outcome.out_of_time:
            answer = Answer(OUT_OF_TIME)
        return Step(index, answer, outcome, self._folder(index))

    def _skip(self, index: int, reason: str) -> Step:
        self.skipped[self.asked.line[index].name] = reason
        note(self.folder, **{SKIPPED: self.skipped})
        return Step(index, Answer(UNKNOWN, reason))

    def _recorded(self, index: int, rules: Rules, enough: gate.Enough) -> Outcome | None:
        """The outcome of a commit's gate if its folder has that: pairs to which these rules would add none."""
        if not all(any((self._folder(index) / role).glob(PROCESSES)) for role in ROLES):
            return None
        outcome = recorded.outcome_of([self._folder(index)])
        verdicts = {row.key: verdict for row, verdict in outcome.verdicts}
        decided = all(verdict.verdict != UNDECIDED for verdict in verdicts.values())
        over = decided or outcome.counts or enough(verdicts) or len(outcome.pairs) >= rules.most_pairs
        return outcome if over and outcome.compared.rules == rules else None

    def _measure(self, index: int, rules: Rules, enough: gate.Enough) -> Outcome:
        """The gate of a commit against good; it goes on with the pairs that the commit's folder has."""
        folder = self._folder(index)
        with sides.opened({"head": self._asked(index)}, self.signals, self.asked.project) as opened:
            both = {"base": self.base, **opened}
            found = survey(both, self.asked.plans, self.signals)
            comparison = Comparison(both, found.plan, self.asked.threads, rules, alone=found.alone, remarks=found.remarks)
            left = self.end - time.monotonic()
            return gate.run(Recorder(comparison, folder, self.signals), left, (folder / MANIFEST).exists(), enough)

    def _enough(self, verdicts: Mapping[str, Verdict]) -> bool:
        """Whether the rows that are followed say what the commit is like."""
        known = {key: verdict.verdict for key, verdict in verdicts.items()}
        return bisection.answer(known, self.followed, 0).verdict != UNKNOWN

    def _asked(self, index: int) -> str:
        """A commit as a side of a gate."""
        return f"{self.asked.line[index].name}{self.asked.python}"

    def _folder(self, index: int) -> Path:
        return self.folder / self.asked.line[index].short

    def _tree(self, index: int) -> str:
        return self.asked.line[index].tree


def settings(asked: Asked) -> dict[str, Any]:
    """What must not change between the first verdict and the last, as JSON has it."""
    first = asked.plans[0]
    return {
        "good": asked.line[0].name,
        "bad": asked.line[-1].name,
        "python": asked.python.removeprefix("@") or sys.executable,
        "cases": [plan.cases for plan in asked.plans],
        "expression": first.expression,
        "options": list(first.options),
        "seed": first.seed,
        "threads": asked.threads,
        "threshold": asked.rules.threshold,
        "thresholds": dict(asked.rules.thresholds) or None,
    }


def _by_key(outcome: Outcome) -> dict[str, str]:
    return {row.key: verdict.verdict for row, verdict in outcome.verdicts}


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
