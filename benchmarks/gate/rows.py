"""What a gate judges: every case by every metric that both sides have for it, from what the processes of the pairs saved.

And what it does not have to judge: counts without noise, which are either equal or not.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from benchmarks.gate.rules import Rules
from benchmarks.gate.strata import judge_by_machine
from benchmarks.gate.thresholds import selects
from benchmarks.gate.verdicts import UNDECIDED, Judgement, judge
from benchmarks.quantities import units
from benchmarks.quantities.units import Unit
from benchmarks.saved import machines
from benchmarks.saved.results import CONTROL, Case, Run
from lenet5.errors import InputError

COUNTS = (
    "parameters",
    "weight_bytes",
    "macs_per_image",
    "flops_per_image",
    "training_flops_per_image",
    "gradient_bytes",
    "optimizer_state_bytes",
)
"""Fields without noise: if one differs, the two sides do not do the same work."""


@dataclass(frozen=True)
class Pair:
    """What the two processes of one pair measured."""

    base: Run
    head: Run
    alone: Mapping[str, Sequence[Case]] = field(default_factory=dict)
    """The cases that only this side measured, by its role: they are in neither run."""


def paired(base: Run, head: Run) -> Pair:
    """The pair of two processes: what is judged are the cases that both measured, and the rest is kept beside them."""
    known = [{case.name for case in run.cases} for run in (base, head)]
    common = known[0] & known[1]
    alone = {
        role: [case for case in run.cases if case.name not in common and case.group != CONTROL]
        for role, run in (("base", base), ("head", head))
    }
    base, head = (replace(run, cases=tuple(_timed(case) for case in run.cases if case.name in common)) for run in (base, head))
    return Pair(base, head, alone)


QUICKEST = 0.1
"""A process's time of a case is that within which this share of its rounds lies.

What else a machine does only ever adds to a round, so that quick rounds vary less from process to process than middling ones, and fewer
pairs decide a case.  The quickest round of all varies least, but a single lucky round would do for it.
"""

QUICK = "quick"
"""The name of that time among a case's statistics."""


def _timed(case: Case) -> Case:
    """A case with its `QUICK` time, where its rounds were saved."""
    rounds = case.stats.get("data")
    return replace(case, stats={**case.stats, QUICK: float(np.quantile(rounds, QUICKEST))}) if rounds else case


# Metrics


@dataclass(frozen=True)
class Metric:
    """Something that a case is judged by."""

    name: str
    value: Callable[[Case], float | None]
    """Of one process, in SI units; None for a case that does not have it."""
    unit: Unit
    threshold: float | None = None
    """The smallest relative change that counts; None for that of the rules, which is that of times."""
    steady: bool = False
    """Whether it hardly varies, so that few pairs can tell that nothing changed."""


NO_TIMES = (
    *("peak_rss_bytes", "rss_over_time"),
    *("counted_per_image", "a_call"),
    *("correct_by_seed", "last_digit_gaps_nats"),
)
"""A case that has one of these fields was measured for that.  Its time is one of counting, or of a program from start to end."""


def _time(case: Case) -> float | None:
    """Seconds; None for a case whose time says nothing of a network."""
    return None if any(case.extra.get(field) is not None for field in NO_TIMES) else case.stats.get(QUICK, case.median)


def _extra(field: str) -> Callable[[Case], float | None]:
    def value(case: Case) -> float | None:
        found = case.extra.get(field)
        return float(found) if isinstance(found, (int, float)) and found > 0 else None

    return value


_peak = _extra("peak_rss_bytes")

METRICS = (
    Metric("time", _time, units.SECONDS),
    Metric("first call", _extra("first_call_seconds"), units.SECONDS, threshold=1.0),
    Metric("first call, fresh", _extra("first_call_fresh_seconds"), units.SECONDS, threshold=1.0),
    Metric("peak memory", _peak, units.BYTES, threshold=0.05, steady=True),
)
"""A first call happens once a process and is noisy: one that takes twice as long shows, a few per cent do not."""


def is_steady(case: Case) -> bool:
    """Whether a case is judged by something that hardly varies: it is left out after a few pairs unless it changed."""
    return any(metric.steady and metric.value(case) is not None for metric in METRICS)


# Rows


@dataclass(frozen=True)
class Row:
    """One case by one metric: its value in each process of either side, in the order of the pairs that the case was measured in."""

    case: str
    metric: Metric
    base: tuple[float, ...]
    head: tuple[float, ...]
    machines: tuple[str, ...] = ()
    """What the machine of each of these pairs is called."""

    @property
    def key(self) -> str:
        return f"{self.case} {self.metric.name}"

    @property
    def log_ratios(self) -> list[float]:
        """ln(head / base) of each pair."""
        return [math.log(head / base) for base, head in zip(self.base, self.head, strict=True)]

    def threshold(self, rules: Rules) -> float:
        """The smallest relative change of this row that counts."""
        return self.metric.threshold or rules.threshold_of(self.case)


def short(case: str) -> str:
    """A case without its file, which its name says again.   benchmarks/test_predict.py::test_predict[x] -> test_predict[x]"""
    return case.partition("::")[2] or case


def told_apart(cases: Iterable[str]) -> dict[str, str]:
    """How a table calls each of these cases: without its file, unless a case of another file has the same name."""
    every = list(dict.fromkeys(cases))
    names = Counter(map(short, every))
    return {case: short(case) if names[short(case)] == 1 else case for case in every}


def rows(pairs: Sequence[Pair]) -> list[Row]:
    """Every case by every metric that both sides have for it whenever it was measured, in the order of their collection."""
    return list(_rows(pairs))


def _rows(pairs: Sequence[Pair]) -> Iterator[Row]:
    base, head = _by_name([pair.base for pair in pairs]), _by_name([pair.head for pair in pairs])
    measured_on = _machines(pairs)
    for name in (case.name for case in pairs[0].base.cases if case.group != CONTROL):
        for metric in METRICS:
            of_base, of_head = (
                tuple(value for case in side[name] if (value := metric.value(case)) is not None) for side in (base, head)
            )
            if len(of_base) == len(of_head) == len(base[name]):
                yield Row(name, metric, of_base, of_head, measured_on[name])


def _by_name(runs: Sequence[Run]) -> dict[str, list[Case]]:
    """Each case as the processes of one side measured it."""
    found: dict[str, list[Case]] = {}
    for case in (case for run in runs for case in run.cases):
        found.setdefault(case.name, []).append(case)
    return found


def _machines(pairs: Sequence[Pair]) -> dict[str, tuple[str, ...]]:
    """The machine of each pair that measured a case, by the case's name."""
    found: dict[str, list[str]] = {}
    for pair, machine in zip(pairs, machines.names([pair.base for pair in pairs]), strict=True):
        for case in pair.base.cases:
            found.setdefault(case.name, []).append(machine)
    return {name: tuple(of_case) for name, of_case in found.items()}


def judged(rows: Sequence[Row], rules: Rules, lacking: bool = False) -> Judgement:
    """The verdict of every row by its key, and whether measuring can go on; ``lacking`` as for `judge`.

    The pairs of several machines are judged as `strata` says.
    """
    if len({machine for row in rows for machine in row.machines}) > 1:
        steady = {row.key for row in rows if row.metric.steady}
        thresholds = {row.key: row.threshold(rules) for row in rows}
        return judge_by_machine(
            {row.key: row.log_ratios for row in rows}, {row.key: row.machines for row in rows}, rules, thresholds, steady
        )
    return judged_by({row.key: row.log_ratios for row in rows}, rows, rules, lacking)


def judged_by(log_ratios: Mapping[str, Sequence[float]], rows: Sequence[Row], rules: Rules, lacking: bool = False) -> Judgement:
    """The same from other values than those of the rows, by the keys of these, all of one machine."""
    steady = {row.key for row in rows if row.metric.steady}
    return judge(log_ratios, rules, {row.key: row.threshold(rules) for row in rows}, steady, lacking)


def decided(pairs: Sequence[Pair], rules: Rules) -> set[str]:
    """The names of the cases that have no undecided row: those that have no row at all are among them."""
    if not pairs:
        return set()
    found = rows(pairs)
    verdicts = judged(found, rules).verdicts
    return names(pairs[0].base) - {row.case for row in found if verdicts[row.key].verdict == UNDECIDED}


def names(run: Run) -> set[str]:
    """The cases that a process measured, without the control."""
    return {case.name for case in run.cases if case.group != CONTROL}


def check_judged(pair: Pair) -> None:
    """Raise InputError, one line, if no case of the first pair has anything to judge it by."""
    if not rows([pair]):
        some = ", ".join(sorted(names(pair.base))[:3])
        raise InputError(
            f"none of the cases that are measured, such as {some}, has a time, a first call or peak memory to judge it by; use another -k"
        )


def check_thresholds(pair: Pair, rules: Rules) -> None:
    """Raise InputError, one line, for a threshold of cases none of which is measured: it may be misspelled."""
    measured = sorted(names(pair.base))
    for expression, _ in rules.thresholds:
        if not any(selects(expression, name) for name in measured):
            raise InputError(f'--threshold "{expression}=...": selects none of the cases that are measured, such as {measured[0]}')


# Counts


@dataclass(frozen=True)
class Difference:
    """A count that is not the same on both sides."""

    case: str
    field: str
    base: float
    head: float


def differences(pair: Pair) -> list[Difference]:
    """The counts that are on both sides and not the same."""
    known = {case.name: case.extra for case in pair.head.cases}
    return [
        Difference(case.name, field, case.extra[field], known[case.name][field])
        for case in pair.base.cases
        for field in COUNTS
        if None not in (case.extra.get(field), known[case.name].get(field)) and case.extra[field] != known[case.name][field]
    ]
