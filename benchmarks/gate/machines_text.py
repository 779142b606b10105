"""What several machines found becomes text: a table of every case on every machine, and a sentence on each case on which they disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.gate.outcome import Outcome
from benchmarks.gate.rows import Row, told_apart
from benchmarks.gate.verdicts import SLOWER, ByMachine, OnMachine, Verdict
from benchmarks.quantities import units
from benchmarks.quantities.statistics import CONFIDENCE
from benchmarks.report.records import Cell, Dash, Quantity, Section, Table, Words

DIFFER = "they differ"


def machines_of(outcome: Outcome) -> list[str]:
    """What the machines are called, in the order of their first pairs."""
    return list(dict.fromkeys(name for row, _ in outcome.verdicts for name in row.machines))


def remarks(outcome: Outcome) -> list[str]:
    """A sentence for each case on which the machines disagree, or that only some of them find slower."""
    if outcome.by_machine is None:
        return []
    names = told_apart(row.case for row, _ in outcome.verdicts)
    return [
        f"{names[row.case]}, {row.metric.name}: {said}."
        for row, verdict in outcome.verdicts
        if (said := _said(row, verdict, outcome.by_machine, row.threshold(outcome.compared.rules)))
    ]


def _said(row: Row, verdict: Verdict, found: ByMachine, threshold: float) -> str:
    """'slower on A (1.100 x), not on B (1.000 x)'; empty where nothing tells the machines apart."""
    on, other = found.cases[row.key], found.disagreements.get(row.key)
    if other:
        larger, smaller = (_listed(machines, on, threshold) for machines in (other.larger, other.smaller))
        only = all(on[name].ratio > 1 + threshold for name in other.larger) and all(
            on[name].ratio <= 1 + threshold for name in other.smaller
        )
        if verdict.verdict == SLOWER and only:
            return f"slower on {larger}, not on {smaller}"
        return f"the machines disagree: head / base is larger on {larger} than on {smaller}"
    if 0 < len(verdict.on) < len(on):
        return f"{verdict.verdict} on {_listed(verdict.on, on, threshold)} by the pairs measured there; the other machines do not contradict it"
    return ""


def _listed(machines: Sequence[str], on: Mapping[str, OnMachine], threshold: float) -> str:
    return "; ".join(f"{name} ({units.fine_ratio(threshold).show(on[name].ratio)})" for name in machines)


def sections(outcome: Outcome, found: Sequence[tuple[Row, Verdict]]) -> list[Section]:
    """The table of machines, with these rows in this order; nothing where there is one machine."""
    if outcome.by_machine is None:
        return []
    machines, by_machine = machines_of(outcome), outcome.by_machine
    counts = [f"{name}: {sum(one == name for one in outcome.machines)} pairs" for name in machines]
    names = told_apart(row.case for row, _ in outcome.verdicts)
    rows: list[tuple[Cell, ...]] = [
        (
            Words(names[row.case]),
            Words(row.metric.name),
            *(_cell(by_machine.cases[row.key].get(name), row.threshold(outcome.compared.rules)) for name in machines),
            Words(DIFFER if row.key in by_machine.disagreements else ""),
        )
        for row, _ in found
    ]
    alpha = 100 * outcome.compared.rules.alpha
    return [
        Section(
            "Machine by machine",
            before=[f"head / base in the pairs of each machine, with its {CONFIDENCE:.0%} interval. {', '.join(counts)}."],
            table=Table(("case", "metric", *machines, "machines"), rows),
            after=[
                "A verdict ranks each pair among those of its machine. Half of the chance of an error belongs to all pairs together, half to the "
                "machines by themselves: a case that one of them alone finds slower, and confirms, is slower. Machines disagree if no ratio "
                f"lies in the intervals of all; over all cases the chance that any is said to that is the same everywhere is at most {alpha:g} %."
            ],
        )
    ]


def _cell(found: OnMachine | None, threshold: float) -> Cell:
    if found is None:
        return Dash("not measured on this machine")
    sure = found.confidence >= CONFIDENCE
    note = found.verdict.upper() if found.verdict == SLOWER else ""
    return Quantity(found.ratio, units.fine_ratio(threshold), (found.low, found.high) if sure else None, note)


def as_json(outcome: Outcome, row: Row, verdict: Verdict) -> dict[str, Any]:
    """What a verdict of several machines has beside that of one."""
    if outcome.by_machine is None:
        return {}
    differ = outcome.by_machine.disagreements.get(row.key)
    return {
        "on": list(verdict.on),
        "machine_of_pair": list(row.machines),
        "machines": {name: asdict(one) for name, one in outcome.by_machine.cases[row.key].items()},
        "disagree": {"larger": list(differ.larger), "smaller": list(differ.smaller)} if differ else None,
    }


def counts_as_json(outcome: Outcome) -> dict[str, Any]:
    """The machines with their pairs, where there are several."""
    if outcome.by_machine is None:
        return {}
    return {"machines": {name: sum(one == name for one in outcome.machines) for name in machines_of(outcome)}}
