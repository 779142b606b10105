"""What a gate found becomes text: Markdown for people, JSON for programs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from benchmarks.gate import machines_text
from benchmarks.gate.forecast import MOST_PAIRS, pairs_needed, too_early
from benchmarks.gate.outcome import Outcome
from benchmarks.gate.pairs import ROLES, listed
from benchmarks.gate.rows import Row, short, told_apart
from benchmarks.gate.rules import Rules
from benchmarks.gate.strata import of_all
from benchmarks.gate.verdicts import FASTER, SAME, SLOWER, UNDECIDED, Verdict
from benchmarks.quantities import units
from benchmarks.quantities.statistics import CONFIDENCE
from benchmarks.report import markdown
from benchmarks.report.records import Cell, Dash, Quantity, Report, Section, Table, Words
from benchmarks.saved.results import CONTROL

FORMAT = 1

WORST_FIRST = (SLOWER, UNDECIDED, FASTER, SAME)


def render(outcome: Outcome) -> str:
    """The outcome as Markdown that a terminal shows as well: the answer, the verdicts, the worst first, and what was compared."""
    found = {verdict.verdict for _, verdict in outcome.verdicts}
    return markdown.render(
        Report(
            title=f"Gate: {headline(outcome)}",
            notes=_remarks(outcome),
            sections=[
                Section("Verdicts", table=_verdicts(outcome)),
                *machines_text.sections(outcome, _worst_first(outcome)),
                *(
                    [Section("What is undecided", table=_undecided(outcome), after=[_advice(outcome)])]
                    if UNDECIDED in found
                    else []
                ),
                *([Section("Counts that differ", table=_counts(outcome))] if outcome.counts else []),
                Section("What was compared", table=_compared(outcome), after=_method(outcome)),
            ],
        )
    )


def headline(outcome: Outcome) -> str:
    """The answer in one line."""
    if outcome.counts:
        return "the sides do not do the same work"
    found = [verdict.verdict for _, verdict in outcome.verdicts]
    parts = [f"{found.count(verdict)} {verdict}" for verdict in WORST_FIRST if verdict in found]
    if suspected := sum(verdict.suspected == SLOWER for _, verdict in outcome.verdicts):
        parts.append(f"{suspected} suspected to be slower")
    answer = {0: "head is not slower", 1: "head is slower", 3: "undecided"}[outcome.exit_code]
    return f"{answer} ({', '.join(parts)})"


def as_json(outcome: Outcome) -> dict[str, Any]:
    """The outcome in raw SI units; ratios are head / base."""
    first, compared = outcome.pairs[0].base, outcome.compared
    alone = {role: compared.alone.get(role, ()) for role in ROLES}
    return {
        "format": FORMAT,
        "exit_code": outcome.exit_code,
        "headline": headline(outcome),
        "sides": {role: {"asked": compared.asked[role], **identity} for role, identity in compared.identities.items()},
        "machine": {
            "cpu": first.machine.get("cpu", {}).get("brand_raw"),
            "cpus": first.machine.get("cpu", {}).get("count"),
            "system": f"{first.machine.get('system')} {first.machine.get('release')}",
        },
        **machines_text.counts_as_json(outcome),
        "threads": compared.threads,
        "cases": compared.plan.cases,
        "expression": compared.plan.expression,
        "pytest_options": list(compared.plan.options),
        "seed": compared.plan.seed,
        "measured": first.datetime,
        "pairs": len(outcome.pairs),
        "out_of_time": outcome.out_of_time,
        "seconds_a_pair": outcome.seconds_a_pair or None,
        "pair_seconds": list(outcome.seconds),
        "rules": asdict(compared.rules),
        "verdicts": [
            {
                "case": row.case,
                "metric": row.metric.name,
                "threshold": row.threshold(outcome.compared.rules),
                "verdict": verdict.verdict,
                "ratio": verdict.ratio,
                "low": verdict.low,
                "high": verdict.high,
                "confidence": verdict.confidence,
                "pairs": verdict.pairs,
                "base": list(row.base),
                "head": list(row.head),
                **(
                    {"suspected": verdict.suspected or None, "pairs_needed": _pairs_needed(outcome, row)}
                    if verdict.verdict == UNDECIDED
                    else {}
                ),
                **machines_text.as_json(outcome, row, verdict),
            }
            for row, verdict in _worst_first(outcome)
        ],
        "counts": [vars(difference) for difference in outcome.counts],
        "not_measured": dict(first.not_measured),
        "only": {role: [*names, *(case.name for case in outcome.pairs[0].alone.get(role, ()))] for role, names in alone.items()},
    }


def _worst_first(outcome: Outcome) -> list[tuple[Row, Verdict]]:
    return sorted(outcome.verdicts, key=lambda found: (WORST_FIRST.index(found[1].verdict), -found[1].ratio))


def _verdicts(outcome: Outcome) -> Table:
    head = ("case", "metric", "median base", "median head", "head / base in pairs", "threshold", "pairs", "verdict")
    return Table(head, [_row(outcome, row, verdict) for row, verdict in _worst_first(outcome)])


def _row(outcome: Outcome, row: Row, verdict: Verdict) -> tuple[Cell, ...]:
    base, head = (Quantity(statistics.median(values), row.metric.unit) for values in (row.base, row.head))
    return (
        Words(_name(outcome, row)),
        Words(row.metric.name),
        base,
        head,
        ratio_of(row, verdict, outcome.compared.rules),
        Quantity(row.threshold(outcome.compared.rules), units.BOUND),
        Quantity(verdict.pairs, units.COUNT),
        Words(verdict.verdict.upper() if verdict.verdict == SLOWER else verdict.verdict),
    )


def ratio_of(row: Row, verdict: Verdict, rules: Rules) -> Cell:
    """head / base of a row, with its interval, unless that is of so few pairs that any interval can be had."""
    few = verdict.pairs < rules.looks[0]
    unsure = verdict.confidence < CONFIDENCE and (few or verdict.verdict == UNDECIDED)
    return Quantity(verdict.ratio, units.fine_ratio(row.threshold(rules)), None if unsure else (verdict.low, verdict.high))


def _name(outcome: Outcome, row: Row) -> str:
    return told_apart(row.case for row, _ in outcome.verdicts)[row.case]


GOES_ON = "python -m benchmarks gate --resume goes on"


def _advice(outcome: Outcome) -> str:
    """What can be done about what is undecided."""
    return (
        "A case needs as many more pairs as its own spread so far says, on the safe side: four of five such cases are decided by then. "
        f"{f'{GOES_ON}. ' if outcome.goes_on else ''}"
        "Fewer cases (-k), a quieter machine and a larger --threshold need fewer pairs."
    )


def _undecided(outcome: Outcome) -> Table:
    """What each undecided row needs."""
    rows: list[tuple[Cell, ...]] = [
        (
            Words(_name(outcome, row)),
            Words(row.metric.name),
            Quantity(verdict.pairs, units.COUNT),
            Words(_needs(outcome, row, verdict)),
        )
        for row, verdict in _worst_first(outcome)
        if verdict.verdict == UNDECIDED
    ]
    return Table(("case", "metric", "pairs so far", "needs"), rows)


def _needs(outcome: Outcome, row: Row, verdict: Verdict) -> str:
    """In words: how many more pairs, and how long these take.   -> suspected to be slower, to be confirmed by about 7 more pairs, 6 minutes"""
    rules, needed = outcome.compared.rules, _pairs_needed(outcome, row)
    if needed is None or needed > rules.most_pairs:
        many = f"more than {MOST_PAIRS} pairs" if needed is None else f"about {needed} pairs"
        return f"{many} in all; a gate measures no more than {rules.most_pairs}"
    more = needed - len(row.base)
    minutes = math.ceil(more * outcome.seconds_a_pair / 60)
    suspicion = f"suspected to be {verdict.suspected}, to be confirmed by " if verdict.suspected else ""
    about = "at least" if too_early(len(row.base), rules) else "about"
    return f"{suspicion}{about} {_count(more, 'more pair')}" + (f", {_count(minutes, 'minute')}" if minutes else "")


def _pairs_needed(outcome: Outcome, row: Row) -> int | None:
    """All together; None for more than is foretold."""
    rules = of_all(outcome.compared.rules) if outcome.by_machine else outcome.compared.rules
    return pairs_needed(row.log_ratios, row.threshold(rules), rules, len(outcome.verdicts))


def _remarks(outcome: Outcome) -> list[str]:
    pair, alone = outcome.pairs[0], {case.name for cases in outcome.pairs[0].alone.values() for case in cases}
    reasons = {name: reason for name, reason in pair.base.not_measured.items() if name not in alone}
    remarks = machines_text.remarks(outcome)
    remarks += [f"Measured on neither side: {short(name)} ({reason})." for name, reason in reasons.items()]
    sides = list(outcome.compared.identities.values())
    remarks += outcome.compared.remarks
    remarks += _on_one_side(outcome)
    if all(sides[0][fact] == sides[1][fact] for fact in ("tree", "interpreter", "versions")):
        remarks.append("Both sides have the same code, down to the last file, the same interpreter and the same versions.")
    if outcome.out_of_time:
        remarks.append(f"The time was up after {_count(len(outcome.pairs), 'pair')}{f'; {GOES_ON}' if outcome.goes_on else ''}.")
    return remarks


def _on_one_side(outcome: Outcome) -> list[str]:
    """A sentence for each side that has cases which the other one lacks, or measures cases which the other one does not."""
    remarks = []
    for role, other in zip(ROLES, reversed(ROLES), strict=True):
        lacking, reasons = outcome.compared.alone.get(role, ()), getattr(outcome.pairs[0], other).not_measured
        named = [short(name) for name in lacking]
        named += [f"{short(case.name)} ({reasons.get(case.name, 'not measured')})" for case in outcome.pairs[0].alone.get(role, ())]
        if named:
            remarks.append(f"Only {role} has {listed(named)}: not judged.")
    return remarks


def _counts(outcome: Outcome) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (Words(f"{short(one.case)} {one.field}"), *(Quantity(value, units.COUNT) for value in (one.base, one.head)))
        for one in outcome.counts
    ]
    return Table(("count", *ROLES), rows)


def _compared(outcome: Outcome) -> Table:
    """Both sides in columns, with the versions that differ; the equal ones are in the JSON."""
    compared = outcome.compared
    facts = {role: _facts(identity) for role, identity in compared.identities.items()}
    versions = [identity["versions"] for identity in compared.identities.values()]
    differing = sorted(name for name in {*versions[0], *versions[1]} if versions[0].get(name) != versions[1].get(name))
    rows: list[tuple[Cell, ...]] = [(Words(name), *(facts[role][name] for role in ROLES)) for name in facts["base"]]
    rows += [
        (Words(name), *(Words(found[name]) if name in found else Dash("not installed on this side") for found in versions))
        for name in differing
    ]
    return Table(("", *(f"{role}: {compared.asked[role]}" for role in ROLES)), rows)


def _facts(identity: Mapping[str, Any]) -> dict[str, Cell]:
    commit = f"{identity['commit']}{' and changes' if identity['changed'] else ''}"
    return {
        "commit": Words(commit) if identity["commit"] else Dash("no git repository"),
        "directory": Words(identity["directory"] or "a temporary worktree"),
        "interpreter": Words(f"{identity['interpreter']} ({identity['versions']['python']})"),
        "code": Words(_shortened(identity["tree"])),
    }


def _shortened(tree: str) -> str:
    """The name of a tree, and of what is changed in it, as long as is needed to tell them apart."""
    return "+".join(part[:12] for part in tree.split("+"))


def _method(outcome: Outcome) -> list[str]:
    first, rules = outcome.pairs[0].base, outcome.compared.rules
    frameworks = ", ".join(f"{name} {facts.get('version', '')}".strip() for name, facts in first.lenet5["frameworks"].items())
    drift = _control(outcome)
    return [
        f"{_where(outcome)}, {_count(outcome.compared.threads, 'thread')}, "
        f"{_count(len(outcome.pairs), 'pair')} of fresh processes in random order. "
        + (f"base measured {frameworks}. " if frameworks else "")
        + drift,
        "A process's time of a case is that within which a tenth of its rounds lies; the medians are those of all processes of a side. head / base is the middle of the ratios that each pair has of its own, in which a slow "
        "minute cancels: it is what is judged, and need not be the ratio of the two medians. Unless --pairs asks for more, a case is measured until all of its rows are decided. "
        f"Slower is a row whose whole interval lies beyond its threshold and which a batch of {rules.confirm} new pairs confirms. "
        f"Looked at after {', '.join(map(str, rules.looks))} pairs; over all rows and all looks together the chance of calling "
        f"anything slower that is not is at most {100 * rules.alpha:g} %.",
    ]


def _where(outcome: Outcome) -> str:
    """The processor, or all machines."""
    if outcome.by_machine:
        return "; ".join(machines_text.machines_of(outcome))
    return outcome.pairs[0].base.machine.get("cpu", {}).get("brand_raw") or "Unknown CPU"


def _count(number: int, of: str) -> str:
    return f"{number} {of}{'' if number == 1 else 's'}"


def _control(outcome: Outcome) -> str:
    """The shortest and the longest time of the same work in all processes: how steady the machine was."""
    runs = [run for pair in outcome.pairs for run in (pair.base, pair.head)]
    medians = [case.median for run in runs for case in run.cases if case.group == CONTROL and str(case.mode).startswith("product")]
    if len(medians) < 2:
        return ""
    return f"The control, the same {outcome.compared.control} each time, took from {units.seconds(min(medians))} to {units.seconds(max(medians))}."
