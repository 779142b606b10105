"""Which cases have no number, and why."""

from __future__ import annotations

from benchmarks.report.records import Plot, Section, Table, Words
from benchmarks.saved.results import Run


def sections(run: Run) -> list[Section]:
    rows = [(Words(name), Words(reason or "no reason given")) for name, reason in run.not_measured.items()]
    return [Section("What is missing", ["Cases without a number, and why:"], Table(["case", "reason"], rows))] if rows else []


def plots(run: Run) -> list[Plot]:
    return []
