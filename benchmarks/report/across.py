"""What can be said of two runs of different versions: what differs, whether their times may be compared, and the ratios."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.quantities.statistics import independent_ratio_interval
from benchmarks.quantities.units import RATIO
from benchmarks.report.records import Quantity
from benchmarks.saved.results import CONTROL, Case, Run


def labels(runs: Sequence[Run]) -> list[str]:
    """What to call each run: those of its versions in which the runs differ, the libraries under a framework only if nothing else does."""
    shown = differing(runs)
    return [", ".join(f"{name} {run.versions[name]}" for name in shown if name in run.versions) or "no framework" for run in runs]


def differing(runs: Sequence[Run]) -> list[str]:
    """In the versions of what the runs differ; a library under a framework counts only if nothing else does."""
    names = dict.fromkeys(name for run in runs for name in run.versions)
    found = [name for name in names if len({run.versions.get(name) for run in runs}) > 1]
    return [name for name in found if " " not in name] or found


def same_machine(one: Run, other: Run) -> bool:
    """Whether two runs have the same kind of processor under the same system, without which a ratio of their times says nothing."""
    cpus = [{key: (run.machine.get("cpu") or {}).get(key) for key in ("brand_raw", "count")} for run in (one, other)]
    return cpus[0] == cpus[1] and all(one.machine.get(key) == other.machine.get(key) for key in ("machine", "system"))


def ratio(case: Case, first: Case) -> Quantity:
    """How many times as long a case takes as the same case of the first run."""
    found = independent_ratio_interval(case.medians, first.medians)
    return Quantity(found.ratio, RATIO, None if found.low is None or found.high is None else (found.low, found.high))


def others(runs: Sequence[Run]) -> list[tuple[Run, str]]:
    """Every run but the first, and what to call it."""
    return list(zip(runs[1:], labels(runs)[1:], strict=True))


def ratios(run: Run, cases: Iterable[Case]) -> list[tuple[Case, Quantity]]:
    """Those of the first run's cases that this run has too, each with its ratio."""
    ours = {case.name: case for case in run.cases}
    return [(case, ratio(ours[case.name], case)) for case in cases if case.name in ours]


def compared(first: Run) -> list[Case]:
    """What is compared: all cases but those that watch the machine."""
    return [case for case in first.cases if case.group != CONTROL]


def cpu(run: Run) -> str:
    cpu = run.machine.get("cpu") or {}
    return f"{cpu.get('brand_raw', 'unknown CPU')} with {cpu.get('count', '?')} logical CPUs"
