"""Which cases have no number, and why."""

from __future__ import annotations

from benchmarks.report.records import Plot, Section, Table
from benchmarks.saved.results import Run


def sections(run: Run) -> list[Section]:
    return [_not_measured(run)]


def plots(run: Run) -> list[Plot]:
    return []


def _not_measured(run: Run) -> Section:
    missing = run.not_measured
    if not missing:
        return Section("What is missing", before=["Nothing: every case that was asked for has its number."])
    rows = [[name, reason] for name, reason in missing.items()]
    return Section("What is missing", before=["Cases without a number, and why:"], table=Table(["case", "reason"], rows))
