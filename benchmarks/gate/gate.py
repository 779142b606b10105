"""Is head slower than base?  Pairs of fresh processes of both sides, until every case has its verdict or the time is up.

What is judged is the logarithm of head / base of each pair.  A case that is decided is not measured again: its time goes to the
other cases, which are measured more often in each process.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.gate import outcome, so_far
from benchmarks.gate.outcome import Outcome
from benchmarks.gate.pairs import Comparison, Recorder
from benchmarks.gate.recorded import PAIR_SECONDS, noted_seconds
from benchmarks.gate.rows import Pair, Row, check_judged, check_thresholds, differences, judged, rows
from benchmarks.gate.verdicts import SLOWER, UNDECIDED, Judgement, Verdict
from benchmarks.quantities.units import counted
from benchmarks.sessions.folder import alone, kept_if, note
from benchmarks.sessions.progress import Progress
from lenet5.errors import InputError

PAIRS_FOR_A_SPREAD = 4
"""From so many pairs it is said which change the budget can find."""


Enough = Callable[[Mapping[str, Verdict]], bool]
"""The verdicts after a look, by the keys of their rows -> whether that is all that was wanted."""


def all_decided(_: Mapping[str, Verdict]) -> bool:
    """Nothing less than the verdict of every row is enough."""
    return False


def any_slower(verdicts: Mapping[str, Verdict]) -> bool:
    """One slower row is enough."""
    return any(verdict.verdict == SLOWER for verdict in verdicts.values())


def run(
    recorder: Recorder,
    budget_seconds: float,
    resume: bool = False,
    enough: Enough = all_decided,
) -> Outcome:
    """Measure pairs into the recorder's folder until all is decided, and judge them; a new pair starts only if it fits the budget.

    It ends at an earlier look if what that found is ``enough``.

    Raises InputError if that cannot be: a folder that has results already (without ``resume``) or those of other sides or settings
    (with it), a case that one side lacks or fails.  Raises Interrupted on a signal.
    """
    end = time.monotonic() + budget_seconds
    comparison, folder = recorder.comparison, recorder.folder
    with alone(folder, make=not resume):
        pairs = recorder.prepare(resume)
        most = comparison.pairs or comparison.rules.most_pairs
        with (
            kept_if(lambda: bool(pairs) or recorder.has_more, folder),
            Progress("pair", most, len(pairs), budget_seconds) as progress,
        ):
            recorder.say_with(progress.say)
            measuring = _Measuring(comparison, recorder, pairs, progress, end, enough, _seconds_of(pairs, folder))
            out_of_time = measuring.run()
        with suppress(InputError):  # on a full disk the verdict is still worth more than this note
            note(folder, out_of_time=out_of_time, seconds_a_pair=progress.seconds_each, **{PAIR_SECONDS: measuring.seconds})
    # Not the comparison as it began: a recorder learns meanwhile what it has to remark of its workers.
    return outcome.of(recorder.comparison.compared(), pairs, out_of_time, progress.seconds_each, measuring.seconds)


def _seconds_of(pairs: Sequence[Pair], folder: Path) -> list[float]:
    """What each of the pairs took that an earlier gate measured into the folder; nothing unless it noted all of them."""
    noted = noted_seconds(folder) if pairs else ()
    return list(noted[: len(pairs)]) if len(noted) >= len(pairs) else []


@dataclass
class _Measuring:
    """Pairs that are added until all is decided, and what has been said of them."""

    comparison: Comparison
    recorder: Recorder
    pairs: list[Pair]
    progress: Progress
    end: float
    """On the monotonic clock."""
    enough: Enough
    seconds: list[float]
    """What each pair took; without those that were there before if it is not noted of all of them."""
    slower: set[str] = field(default_factory=set)
    """Keys of the rows that were said to be slower."""
    said: set[str] = field(default_factory=set)
    """What else was said, which is said once."""

    def run(self) -> bool:
        """Add pairs until all is decided, a count differs or no look is left.   -> whether the time was up before that"""
        rules, wanted = self.comparison.rules, self.comparison.pairs or 1
        while True:
            while len(self.pairs) < wanted:
                if self.pairs and differences(self.pairs[0]):
                    return False
                if self.recorder.is_over(self.pairs, self.progress.seconds_each, self.end - time.monotonic()):
                    return True
                self._add(wanted)
            found = rows(self.pairs)
            judgement = judged(found, rules)
            self._say_verdicts(found, judgement)
            if self.comparison.pairs or judgement.next_pairs is None or self.enough(judgement.verdicts):
                return False
            wanted = judgement.next_pairs

    def _add(self, wanted: int) -> None:
        """Measure one more of the pairs that are wanted, and say once what it tells of those that are left."""
        self.pairs.append(self.recorder.measure(self.pairs, wanted, self.end))
        self.seconds.append(self.recorder.seconds)
        if len(self.pairs) == 1:  # from now on it is known which cases there are
            check_judged(self.pairs[0])
            check_thresholds(self.pairs[0], self.comparison.rules)
        done, rules = len(self.pairs), self.comparison.rules
        self.progress.finished(f"pair {done}")
        # The last alone: those before it may have measured memory as well, which takes longer.
        most, each = self.comparison.pairs or rules.most_pairs, self.seconds[-1]
        fit = so_far.pairs_that_fit(done, each, self.end - time.monotonic(), most)
        if self.comparison.pairs or done > rules.steady_pairs or not any(row.metric.steady for row in rows(self.pairs)):
            self._say_once("pace", so_far.pace(fit, done, each, rules, self.comparison.pairs))
        if done >= min(PAIRS_FOR_A_SPREAD, rules.looks[0]):
            self._say_once("reach", so_far.reach(rows(self.pairs), rules, fit))

    def _say_once(self, what: str, line: str) -> None:
        if line and what not in self.said:
            self.said.add(what)
            self.progress.say(line)

    def _say_verdicts(self, found: list[Row], judgement: Judgement) -> None:
        decided = sum(verdict.verdict != UNDECIDED for verdict in judgement.verdicts.values())
        if decided or len(self.pairs) >= self.comparison.rules.looks[0]:
            self.progress.say(f"after {counted(len(self.pairs), 'pair')} {decided} of {len(judgement.verdicts)} are decided")
        for key, line in so_far.newly_slower(found, judgement, self.comparison.rules, self.slower).items():
            self.slower.add(key)
            self.progress.say(line)
