"""Is head slower than base?  Pairs of fresh processes of both sides, until every case has its verdict or the time is up.

What is judged is the logarithm of head / base of each pair.  A case that is decided is not measured again: its time goes to the
other cases, which are measured more often in each process.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gate.pairs import Comparison, Recorder
from benchmarks.gate.rows import Difference, Pair, Row, check_thresholds, differences, judged, rows
from benchmarks.gate.verdicts import SLOWER, UNDECIDED, Verdict
from benchmarks.sessions.folder import alone, kept_if
from benchmarks.sessions.progress import Progress
from benchmarks.sessions.signals import Signals


@dataclass(frozen=True)
class Outcome:
    """All that a gate found."""

    comparison: Comparison
    verdicts: Sequence[tuple[Row, Verdict]]
    counts: Sequence[Difference]
    pairs: Sequence[Pair]
    out_of_time: bool
    seconds_a_pair: float = 0.0
    """What the last pairs took each; 0 if no pair was measured this time."""

    @property
    def exit_code(self) -> int:
        """0: nothing is slower; 1: something is, or a count differs; 3: nothing is, but not everything is decided."""
        found = {verdict.verdict for _, verdict in self.verdicts}
        if self.counts or SLOWER in found:
            return 1
        return 3 if UNDECIDED in found else 0


def run(comparison: Comparison, folder: Path, signals: Signals, budget_seconds: float, resume: bool = False) -> Outcome:
    """Measure pairs into a folder until all is decided, and judge them; a new pair starts only if it fits the budget.

    Raises InputError if that cannot be: a folder that has results already (without ``resume``) or those of other sides or settings
    (with it), a case that one side lacks or fails.  Raises Interrupted on a signal.
    """
    end = time.monotonic() + budget_seconds
    with alone(folder, make=not resume):
        recorder = Recorder(comparison, folder, signals)
        pairs = recorder.prepare(resume)
        with kept_if(lambda: bool(pairs), folder):
            out_of_time, seconds_a_pair = _measure(comparison, recorder, pairs, end)
    found = rows(pairs)
    verdicts = judged(found, comparison.rules).verdicts
    with_verdicts = [(row, verdicts[row.key]) for row in found]
    return Outcome(comparison, with_verdicts, differences(pairs[0]), pairs, out_of_time, seconds_a_pair)


def _measure(comparison: Comparison, recorder: Recorder, pairs: list[Pair], end: float) -> tuple[bool, float]:
    """Add pairs until all is decided, a count differs or no look is left.   -> whether the time was up before that, seconds a pair

    ``end`` is on the monotonic clock.
    """
    wanted = comparison.pairs or comparison.rules.looks[0]
    with Progress("pair", wanted, len(pairs)) as progress:
        while True:
            progress.expect(wanted)
            while len(pairs) < wanted:
                if pairs and differences(pairs[0]):
                    return False, progress.seconds_each
                if pairs and time.monotonic() + progress.seconds_each > end:
                    return True, progress.seconds_each
                pairs.append(recorder.measure(pairs))
                check_thresholds(pairs[0], comparison.rules)
                progress.finished(f"pair {len(pairs)}")
            judgement = judged(rows(pairs), comparison.rules)
            decided = sum(verdict.verdict != UNDECIDED for verdict in judgement.verdicts.values())
            progress.say(f"after {len(pairs)} pairs {decided} of {len(judgement.verdicts)} are decided")
            if comparison.pairs or judgement.next_pairs is None:
                return False, progress.seconds_each
            wanted = judgement.next_pairs
