"""Which cases have no number, and why; and which have one that this report does not show."""

from __future__ import annotations

from benchmarks.quantities.units import COUNT
from benchmarks.report.records import Alarm, Paragraph, Plot, Quantity, Section, Table, Words
from benchmarks.saved.fields import GROUPS
from benchmarks.saved.results import NOT_RUN, Run


def sections(run: Run) -> list[Section]:
    rows = [(Words(name), Words(reason)) for name, reason in (*run.not_installed.items(), *run.not_measured.items())]
    absent = ", frameworks that are not installed" if run.not_installed else ""
    before: list[Paragraph] = [f"Cases without a number{absent}, and why:"]
    if waiting := sum(reason.startswith(NOT_RUN) for reason in run.not_measured.values()):
        what = "The session ended before it was done; cases that were asked for and have not run"
        before.append(Alarm(what, Quantity(waiting, COUNT)))
    found = [Section("What is missing", before, Table(["case", "reason"], rows))] if rows else []
    strange = [(Words(case.name), Words(case.group)) for case in run.cases if case.group not in GROUPS]
    if strange:
        known = ["Measured, in groups that this report does not know; `pytest-benchmark compare` shows their times:"]
        found.append(Section("What is not shown", known, Table(["case", "group"], strange)))
    return found


def plots(run: Run) -> list[Plot]:
    return []
