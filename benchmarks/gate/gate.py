"""Is head slower than base?  Fresh processes of both sides in pairs, until every case has its verdict or the time is up.

The two processes of a pair take turns, case by case, in the same order of cases and on the same CPUs (`baton`); which side comes
first is drawn for the first pair of two, and the second has it the other way round (ABBA).  What is judged is the logarithm of
head / base of each pair.  A case that is decided is not measured again: its time goes to those that are not, which are measured
more often in each process.
"""

from __future__ import annotations

import math
import platform
import random
import socket
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.gate.verdicts import SLOWER, UNDECIDED, Judgement, Rules, Verdict, judge
from benchmarks.quantities import units
from benchmarks.saved import results
from benchmarks.saved.results import CONTROL, Case, Run
from benchmarks.sessions import baton, folder, process, processes
from benchmarks.sessions.process import Progress, Signals
from benchmarks.sessions.processes import Plan
from benchmarks.sessions.sides import Side
from lenet5.errors import InputError

ROLES = ("base", "head")

DEFAULT_CASES = (
    "((test_predict and (1] or 64])) or test_train_step or (test_space_predict and 64]))"
    " and not (loops or sgd or compile or xla or channels_last or predict_on_batch or -predict- or -predict])"
)
"""As for ``pytest -k``.  Lean, for every process imports all frameworks: every framework in its default mode and in those others
that compile nothing, on 1 and 64 images and on a training step, and the memory of predicting 64 images."""

DEFAULT_OPTIONS = ("--heavy",)
"""Of pytest, with the default cases only: those that measure memory are marked heavy."""

SECONDS_A_CASE = 0.2
"""A case repeats for so long in one process.  Longer gains little: processes differ by more than the rounds within them."""

COUNTS = (
    "parameters",
    "weight_bytes",
    "macs_per_image",
    "flops_per_image",
    "training_flops_per_image",
    "gradient_bytes",
    "optimizer_state_bytes",
)
"""What has no noise: if it differs, the two sides do not do the same work."""

REPEATS = 5
"""A process measures a case at most so often."""

NAMED = 8
"""Cases that an error names before it only counts them."""


@dataclass(frozen=True)
class Metric:
    """Something that a case is judged by."""

    name: str
    value: Callable[[Case], float | None]
    """Of one process; None for a case that does not have it."""
    show: Callable[[float], str]
    threshold: float | None = None
    """The share from which on a change matters; None for that of the rules."""


def _time(case: Case) -> float | None:
    """Seconds.  A case that measures memory times its child from start to end, which is no time of a network."""
    return None if _peak(case) else case.median


def _extra(field: str) -> Callable[[Case], float | None]:
    def value(case: Case) -> float | None:
        found = case.extra.get(field)
        return float(found) if isinstance(found, (int, float)) and found > 0 else None

    return value


_peak = _extra("peak_rss_bytes")

METRICS = (
    Metric("time", _time, units.seconds),
    Metric("first call", _extra("first_call_seconds"), units.seconds, threshold=1.0),
    Metric("first call, fresh", _extra("first_call_fresh_seconds"), units.seconds, threshold=1.0),
    Metric("peak memory", _peak, units.size, threshold=0.05),
)
"""A first call happens once a process and is noisy: one that takes twice as long shows, a few per cent do not."""


@dataclass(frozen=True)
class Row:
    """One case by one metric: its value in each process of either side, in the order of the pairs that the case was measured in."""

    case: str
    metric: Metric
    base: tuple[float, ...]
    head: tuple[float, ...]

    @property
    def key(self) -> str:
        return f"{self.case} {self.metric.name}"

    @property
    def log_ratios(self) -> list[float]:
        """ln(head / base) of each pair."""
        return [math.log(head / base) for base, head in zip(self.base, self.head, strict=True)]


@dataclass(frozen=True)
class Difference:
    """A count that is not the same on both sides."""

    case: str
    field: str
    base: float
    head: float


@dataclass(frozen=True)
class Pair:
    """What the two processes of one pair measured."""

    base: Run
    head: Run


@dataclass(frozen=True)
class Outcome:
    """All that a gate found."""

    sides: Mapping[str, Side]
    plan: Plan
    threads: int
    rules: Rules
    verdicts: Sequence[tuple[Row, Verdict]]
    counts: Sequence[Difference]
    pairs: Sequence[Pair]
    out_of_time: bool

    @property
    def exit_code(self) -> int:
        """0: nothing is slower; 1: something is, or a count differs; 3: nothing is, but not everything is decided."""
        found = {verdict.verdict for _, verdict in self.verdicts}
        if self.counts or SLOWER in found:
            return 1
        return 3 if UNDECIDED in found else 0

    def threshold(self, row: Row) -> float:
        """The share from which on a change of this row matters."""
        return threshold(row, self.rules)


def run(
    sides: Mapping[str, Side],
    plan: Plan,
    threads: int,
    rules: Rules,
    output: Path,
    signals: Signals,
    budget_seconds: float,
    resume: bool = False,
    exactly: int | None = None,
) -> Outcome:
    """Measure pairs into the folder ``output`` until all is decided, and judge them; a new pair starts only if it fits the budget.

    ``exactly`` so many pairs of all cases, whatever is decided, are what a study needs.  Raises InputError if that cannot be: a folder
    that has results already (without ``resume``) or those of other sides or settings (with it), a case that one side lacks or
    fails.  Raises Interrupted on a signal.
    """
    end = time.monotonic() + budget_seconds
    gate = _Gate(sides, plan, threads, rules, output, signals, exactly)
    with folder.alone(output, make=not resume):
        pairs, out_of_time = _measure(gate, rules, end, resume)
    found = _judge(pairs, rules).verdicts
    return Outcome(
        sides=sides,
        plan=plan,
        threads=threads,
        rules=rules,
        verdicts=[(row, found[row.key]) for row in rows(pairs)],
        counts=differences(pairs[0]),
        pairs=pairs,
        out_of_time=out_of_time,
    )


def _measure(gate: _Gate, rules: Rules, end: float, resume: bool) -> tuple[list[Pair], bool]:
    """Pairs until all is decided, a count differs or no look is left; and whether the time was up before that."""
    pairs = gate.prepare(resume)
    wanted = gate.exactly or rules.looks[0]
    with Progress("pair", wanted, len(pairs)) as progress:
        while True:
            progress.expect(wanted)
            while len(pairs) < wanted:
                differ = bool(pairs and differences(pairs[0]))
                if differ or (pairs and time.monotonic() + progress.seconds_each > end):
                    return pairs, not differ
                pairs.append(gate.measure(pairs))
                progress.finished(f"pair {len(pairs)}")
            judgement = _judge(pairs, rules)
            decided = sum(verdict.verdict != UNDECIDED for verdict in judgement.verdicts.values())
            progress.say(f"after {len(pairs)} pairs {decided} of {len(judgement.verdicts)} are decided")
            if gate.exactly or judgement.next_pairs is None:
                return pairs, False
            wanted = judgement.next_pairs


# From processes to what is judged


def rows(pairs: Sequence[Pair]) -> list[Row]:
    """Every case by every metric that both sides have for it whenever it was measured, in the order of their collection."""
    return list(_rows(pairs))


def _rows(pairs: Sequence[Pair]) -> Iterator[Row]:
    base, head = _by_name([pair.base for pair in pairs]), _by_name([pair.head for pair in pairs])
    for name in (case.name for case in pairs[0].base.cases if case.group != CONTROL):
        for metric in METRICS:
            values = [tuple(value for case in side[name] if (value := metric.value(case)) is not None) for side in (base, head)]
            if all(len(found) == len(base[name]) for found in values):
                yield Row(name, metric, *values)


def _by_name(runs: Sequence[Run]) -> dict[str, list[Case]]:
    """Each case as the processes of one side measured it."""
    found: dict[str, list[Case]] = {}
    for case in (case for run in runs for case in run.cases):
        found.setdefault(case.name, []).append(case)
    return found


def differences(pair: Pair) -> list[Difference]:
    """The counts that are on both sides and not the same."""
    known = {case.name: case.extra for case in pair.head.cases}
    return [
        Difference(case.name, field, case.extra[field], known[case.name][field])
        for case in pair.base.cases
        for field in COUNTS
        if None not in (case.extra.get(field), known[case.name].get(field)) and case.extra[field] != known[case.name][field]
    ]


def _judge(pairs: Sequence[Pair], rules: Rules) -> Judgement:
    found = rows(pairs)
    return judge({row.key: row.log_ratios for row in found}, rules, {row.key: threshold(row, rules) for row in found})


def _decided(pairs: Sequence[Pair], rules: Rules) -> set[str]:
    """The cases of which nothing is left to be decided."""
    if not pairs:
        return set()
    found, all_of_it = _judge(pairs, rules).verdicts, rows(pairs)
    return {row.case for row in all_of_it} - {row.case for row in all_of_it if found[row.key].verdict == UNDECIDED}


def threshold(row: Row, rules: Rules) -> float:
    """The share from which on a change of a row matters."""
    return row.metric.threshold or rules.threshold


def order(seed: int, number: int) -> tuple[str, ...]:
    """The sides of a pair, first to last: drawn for pairs 1, 3, 5, ...; the pair after each has the other order."""
    drawn = random.Random(f"{seed}.{(number - 1) // 2}").sample(ROLES, 2)
    return tuple(drawn if number % 2 else reversed(drawn))


def recorded(folder: Path) -> list[Pair]:
    """The pairs that a gate has measured into a folder: both processes of a pair or none, for they belong together in time."""
    pairs: list[Pair] = []
    while True:
        paths = [_path(folder, role, len(pairs) + 1) for role in ROLES]
        if not all(path.exists() for path in paths):
            return pairs
        pairs.append(Pair(*map(results.load, paths)))


def _path(folder: Path, role: str, number: int) -> Path:
    return folder / role / f"process-{number:03d}.json"


# Measuring


class _Gate:
    """The folder of a gate and how its pairs are measured."""

    def __init__(
        self,
        sides: Mapping[str, Side],
        plan: Plan,
        threads: int,
        rules: Rules,
        output: Path,
        signals: Signals,
        exactly: int | None,
    ) -> None:
        self._sides, self._plan, self._threads, self._rules = sides, plan, threads, rules
        self._output, self._signals = output, signals
        self.exactly = exactly
        """So many pairs of all cases, whatever is decided; None for as many as it takes, of those that are not."""

    def settings(self) -> dict[str, Any]:
        """What must not change between the first pair and the last, as JSON has it."""
        return {
            **{role: side.identity() for role, side in self._sides.items()},
            "order": "both sides in turns, case by case, on the same CPUs",
            "measured": "every case in every pair" if self.exactly else "each case until it is decided",
            "cases": self._plan.cases,
            "expression": self._plan.expression,
            "options": list(self._plan.options),
            "seed": self._plan.seed,
            "threshold": self._rules.threshold,
            "system": platform.platform(),
        }

    def prepare(self, resume: bool) -> list[Pair]:
        """Make the folder, or find the pairs that are in it."""
        there = {role: {path.name for path in (self._output / role).glob(results.PROCESSES)} for role in ROLES}
        if not resume:
            if any(there.values()):
                raise InputError(f"{self._output}: has results; go on with --resume, or name another --output")
            process.begin(self._output, self.settings())
            for role in ROLES:
                (self._output / role).mkdir(exist_ok=True)
            return []
        process.check_settings(self._output, self.settings())
        pairs = recorded(self._output)
        for number, pair in enumerate(pairs):
            self._check(pair, pairs[:number], self._left_out(pairs[:number]))
        for role in ROLES:
            (self._output / role).mkdir(exist_ok=True)
            for path in sorted((self._output / role).glob(results.PROCESSES))[len(pairs) :]:
                path.unlink()
        return pairs

    def _left_out(self, before: Sequence[Pair]) -> set[str]:
        """The cases that the pair after these leaves out."""
        return set() if self.exactly else _decided(before, self._rules)

    def measure(self, before: Sequence[Pair]) -> Pair:
        """Measure the pair after these."""
        process.check_settings(self._output, self.settings())
        number, without = len(before) + 1, self._left_out(before)
        cases = len(_names(before[0].base)) if before else 1
        repeats = min(cases // max(cases - len(without), 1), REPEATS)
        first, _ = order(self._plan.seed, number)
        cpus = baton.cpus_for(self._threads)
        with ThreadPoolExecutor(len(ROLES)) as both:
            running = {
                role: both.submit(self._process, self._sides[role], number, baton.Part(end, role == first, cpus, repeats), without)
                for role, end in zip(ROLES, socket.socketpair(), strict=True)
            }
        pair = Pair(running["base"].result(), running["head"].result())
        try:
            self._check(pair, before, without)
        except InputError:
            for role in ROLES:
                self._path(role, number).unlink()
            raise
        return pair

    def _path(self, role: str, number: int) -> Path:
        return _path(self._output, role, number)

    def _process(self, side: Side, number: int, part: baton.Part, without: Collection[str]) -> Run:
        """One process of a pair, which takes turns with the one at the other end."""
        path = self._path(side.role, number)
        with part.end:  # closed here when the process is over, or the other one would wait for it
            try:
                measured = processes.measure(self._plan, number, path, side.place(part), self._signals, without)
            except InputError as error:
                raise InputError(f"{side.option}: {error}") from None
        failed = processes.failures(measured)
        if failed:
            path.unlink()
            reasons = [f"{name} {measured.not_measured[name]}" for name in failed]
            raise InputError(f"{side.option}: {_named(reasons)}; see {path.with_suffix('.log')}")
        return measured

    def _check(self, pair: Pair, before: Sequence[Pair], without: Collection[str]) -> None:
        """Raise InputError, naming them, if there are cases that only one side measured, or that are gone since the pairs ``before``.

        Those that it was to do ``without`` may be gone.
        """
        runs = {"base": pair.base, "head": pair.head}
        names = {role: _names(run) for role, run in runs.items()}
        for role, other in (ROLES, ROLES[::-1]):
            lacking = [
                f"{name} ({runs[role].not_measured.get(name, 'no such case')})" for name in sorted(names[other] - names[role])
            ]
            if lacking:
                raise InputError(f"{self._sides[role].option}: does not measure {_named(lacking)}; --{other} does")
        gone = _names(before[0].base) - set(without) - names["base"] if before else set()
        if gone:
            reasons = [f"{name} ({pair.base.not_measured.get(name, 'no such case')})" for name in sorted(gone)]
            raise InputError(f"pair {len(before) + 1}: does not measure {_named(reasons)}; pair 1 does")
        if not names["base"]:
            reasons = [f"{name} ({reason})" for name, reason in pair.base.not_measured.items()]
            raise InputError(f"no case can be measured on either side: {_named(reasons)}")


def _names(run: Run) -> set[str]:
    return {case.name for case in run.cases if case.group != CONTROL}


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
