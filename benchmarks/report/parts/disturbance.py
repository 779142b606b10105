"""Which cases were measured while other programs ran, or on too few CPUs, and what the operating system knew of each."""

from __future__ import annotations

from benchmarks.quantities.units import COUNT, CPUS, SECONDS, Unit, counted
from benchmarks.report.disturbance import LEAST_WATCHED_SECONDS, OTHERS_CPUS, cpus, marks, others_cpus, processes_of
from benchmarks.report.records import Cell, Dash, Mark, Plot, Quantity, Section, Table, Words
from benchmarks.saved.results import Case, Run

UNKNOWN = Dash("the system did not tell")


def sections(run: Run) -> list[Section]:
    """One section, if a case was disturbed."""
    return [_disturbed(run)] if marks(run) else []


def plots(run: Run) -> list[Plot]:
    return []


def _disturbed(run: Run) -> Section:
    threads = run.lenet5["threads"]
    processes = " Of several processes the one is shown that others took most from." if run.processes > 1 else ""
    return Section(
        "Was the machine disturbed?",
        before=[
            "These cases were, and so their times are marked wherever they stand, and do not count at the top: others used more than "
            f"{OTHERS_CPUS:g} of a CPU for each CPU that {counted(threads, 'thread')} could leave free, and for one at least; or fewer "
            "CPUs were allowed than there are threads. Of a case whose measuring took less than "
            f"{SECONDS.show(LEAST_WATCHED_SECONDS)} nothing is said where others used little.{processes}"
        ],
        table=Table(
            ["", "watched", "others used", "the case itself used", "waited for a CPU", "CPUs allowed"],
            [_row(case, mark) for case, mark in marks(run)],
        ),
        after=[
            "Used is processor time divided by the time that was watched, so a number of CPUs; others are all other programs, and other "
            "virtual machines on the same host. Waited is what the threads of the case spent ready to run but without a CPU, added up."
        ],
    )


def _row(case: Case, mark: Mark) -> list[Cell]:
    extra = max(processes_of(case), key=lambda one: others_cpus(one) or 0)
    watched, used = extra.get("watched_seconds"), extra.get("process_cpu_seconds")
    allowed = [count for one in processes_of(case) if (count := cpus(one)) is not None]
    return [
        Words(f"{case.name.rpartition('::')[2]} {mark.sign}"),
        _cell(watched, SECONDS),
        _cell(others_cpus(extra), CPUS),
        _cell(used / watched if watched and used is not None else None, CPUS),
        _cell(extra.get("runqueue_wait_seconds"), SECONDS),
        _cell(min(allowed, default=None), COUNT),
    ]


def _cell(value: float | None, unit: Unit) -> Cell:
    return UNKNOWN if value is None else Quantity(value, unit)
