"""Which cases have no number, and why; and which have one that this report does not show."""

from __future__ import annotations

from benchmarks.report.records import Plot, Section, Table, Words
from benchmarks.saved.fields import GROUPS
from benchmarks.saved.results import Run


def sections(run: Run) -> list[Section]:
    rows = [(Words(name), Words(reason)) for name, reason in run.not_measured.items()]
    found = [Section("What is missing", ["Cases without a number, and why:"], Table(["case", "reason"], rows))] if rows else []
    strange = [(Words(case.name), Words(case.group)) for case in run.cases if case.group not in GROUPS]
    if strange:
        before = ["Measured, in groups that this report does not know; `pytest-benchmark compare` shows their times:"]
        found.append(Section("What is not shown", before, Table(["case", "group"], strange)))
    return found


def plots(run: Run) -> list[Plot]:
    return []
