"""What the pairs of a gate say altogether: every verdict, the counts that differ, and the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.gate.compared import Compared
from benchmarks.gate.rows import Difference, Pair, Row, differences, judged, rows
from benchmarks.gate.verdicts import SLOWER, UNDECIDED, ByMachine, Verdict
from benchmarks.saved import machines


@dataclass(frozen=True)
class Outcome:
    """All that a gate found."""

    compared: Compared
    verdicts: Sequence[tuple[Row, Verdict]]
    counts: Sequence[Difference]
    pairs: Sequence[Pair]
    out_of_time: bool
    seconds_a_pair: float = 0.0
    """What the last pairs took each; 0 if no pair was measured this time."""
    seconds: Sequence[float] = ()
    """What each pair took that was measured this time."""
    goes_on: bool = True
    """Whether gate --resume can add pairs to these: the time was up, or the gate was killed, before it had found all that it looks for."""
    by_machine: ByMachine | None = None
    """What each machine says by itself, if several measured pairs."""

    @property
    def machines(self) -> list[str]:
        """What the machine of each pair is called."""
        return machines.names([pair.base for pair in self.pairs])

    @property
    def exit_code(self) -> int:
        """0: nothing is slower; 1: something is, or a count differs; 3: nothing is, but not everything is decided."""
        found = {verdict.verdict for _, verdict in self.verdicts}
        if self.counts or SLOWER in found:
            return 1
        return 3 if UNDECIDED in found else 0


def of(compared: Compared, pairs: Sequence[Pair], out_of_time: bool, seconds_a_pair: float, seconds: Sequence[float]) -> Outcome:
    """Judge the pairs that a gate has measured, of which there is at least one, by the rules that it had."""
    verdicts, by_machine = _judged(compared, pairs)
    counts = differences(pairs[0])
    return Outcome(
        compared, verdicts, counts, pairs, out_of_time, seconds_a_pair, seconds, goes_on=out_of_time, by_machine=by_machine
    )


def again(compared: Compared, pairs: Sequence[Pair]) -> Outcome:
    """Judge recorded pairs, of which there is at least one, by any rules: a case may lack pairs that these would have asked for."""
    verdicts, by_machine = _judged(compared, pairs, lacking=True)
    return Outcome(compared, verdicts, differences(pairs[0]), pairs, out_of_time=False, goes_on=False, by_machine=by_machine)


def _judged(compared: Compared, pairs: Sequence[Pair], lacking: bool = False) -> tuple[list[tuple[Row, Verdict]], ByMachine | None]:
    found = rows(pairs)
    judgement = judged(found, compared.rules, lacking)
    return [(row, judgement.verdicts[row.key]) for row in found], judgement.by_machine
