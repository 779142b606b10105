"""What the study of the gate found: data as JSON, and the same as Markdown and as one self-contained page with plots."""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.gate.verdicts import FASTER, SAME, SLOWER, UNDECIDED
from benchmarks.proof.recordings import QUIET
from benchmarks.proof.study_plots import GATE, plots
from benchmarks.quantities import units
from benchmarks.report import markdown, page, text
from benchmarks.report.records import Cell, Dash, Quantity, Report, Section, Table, Words
from benchmarks.saved.files import File, write_together

WANTED = {"case": 0.001, "run": 0.01, 0.05: 0.95, 0.1: 0.99}
"""False alarms at most, a case and a run; and how often a slow-down has to be found on a quiet machine."""


def write(found: Mapping[str, Any], output: Path) -> str:
    """Write study.json, study.md and study.html into a folder, from what `study.study` found.   -> the Markdown

    Raises InputError, one line, if the folder cannot be written to.
    """
    report = of(found)
    written = markdown.render(report)
    data = File(output / "study.json", json.dumps(found, indent=2) + "\n")
    write_together([data, File(output / "study.md", written), File(output / "study.html", page.render(report))])
    return written


def of(found: Mapping[str, Any]) -> Report:
    """What the study says: what it is and what it found, the plots, and the tables."""
    return Report(
        title="How often is the gate wrong, and what does it find?",
        facts=_facts(found),
        notes=_answer(found),
        plots=plots(found),
        sections=[
            Section("Identical code: false alarms", before=[IDENTICAL], table=_false_alarms(found)),
            Section("Slow-downs in one case: how often found", before=[INJECTED], table=_found(found)),
            Section("After how many pairs", before=[AT_MOST], table=_by_pairs(found)),
            Section("The usual rules on the same processes", before=_meanings(found), table=_rules(found)),
            Section("Case by case", before=[CASES], table=_cases(found)),
            Section("What was recorded", table=_recorded(found), after=_method(found)),
        ],
    )


NOT_TRIED = Dash("no run tried it")

INTRODUCTION = (
    "The gate says whether one version of the code is slower than another. Here both were the same code, so that every alarm is false; and "
    "slow-downs were put into the times of one side, to count how many of them it finds."
)
IDENTICAL = (
    "Both sides are the same code, so every slower and every faster is wrong. Measured: the recorded pairs as they were. Resampled: runs "
    "put together from blocks of recorded pairs; sides are swapped at random per block, so that a chance difference does not become a "
    "slow-down in every run."
)
INJECTED = "All times of head are made longer in one case of each resampled run, in every case in turn."
AT_MOST = (
    "The minutes are those of a gate that has decided none of its cases before, from what the recorded pairs took. What is decided a gate "
    "does not measure again, and peak memory is decided after the first pairs."
)
CASES = (
    "The spread of ln(head / base) over recorded pairs of identical code, and how often a slow-down of the case is found; of copies of "
    "one case the median spread."
)
COPY = re.compile(r"copy=?\d+-?")
"""What tells the copies of one case apart, see twins.py; with the equals sign in recordings of commit 67fa1dc and before."""


def _answer(found: Mapping[str, Any]) -> list[str]:
    """What this is, the numbers of each condition, what was wanted, and what of that was not reached."""
    conditions = found["conditions"].items()
    missed = [(name, _missed(name, condition)) for name, condition in conditions]
    return [
        INTRODUCTION,
        *(_numbers(name, condition) + _dealt_again(condition) for name, condition in conditions),
        f"Wanted: false alarms in at most {100 * WANTED['case']:g} % of the cases and {100 * WANTED['run']:g} % of the runs; on a quiet "
        f"machine +5 % found in at least {100 * WANTED[0.05]:g} %, +10 % in {100 * WANTED[0.1]:g} %. On another machine a slow-down that is "
        "not found should be undecided.",
        *(f"{name}: **{', '.join(what)} missed what was wanted.**" for name, what in missed if what),
    ]


def _numbers(name: str, condition: Mapping[str, Any]) -> str:
    """One sentence on a condition: its false alarms, and what is found."""
    case, run = (condition["resampled"][f"false_alarms_a_{what}"] for what in ("case", "run"))
    parts = [f"{_said(case)} of the cases and {_said(run)} of the runs of identical code raise a false alarm"]
    parts += [
        f"+{100 * one['change']:g} % is found in {_said(one['found'])}" for one in condition["injected"] if one["change"] in WANTED
    ]
    last = condition["seconds"][-1]
    minutes = f"; {last['pairs']} pairs take {text.whole(_minutes(last))} at most" if last["at_most"] is not None else ""
    return f"{name}: {', '.join(parts)}{minutes}."


def _dealt_again(condition: Mapping[str, Any]) -> str:
    """What to make of runs that are longer than what was recorded."""
    recorded, longest = sum(one["pairs"] for one in condition["recordings"]), condition["seconds"][-1]["pairs"]
    if recorded >= longest:
        return ""
    return f" Only {units.counted(recorded, 'pair')} {'was' if recorded == 1 else 'were'} recorded. A longer run is dealt them again, and pairs that agree with themselves find more than new ones would."


def _missed(name: str, condition: Mapping[str, Any]) -> list[str]:
    """What a condition did not reach of what was wanted; slow-downs have to be found on a quiet machine only."""
    alarms = [
        f"false alarms a {what}"
        for what in ("case", "run")
        if condition["resampled"][f"false_alarms_a_{what}"]["share"] > WANTED[what]
    ]
    slow_downs = [
        f"+{100 * one['change']:g} %" for one in condition["injected"] if one["found"]["share"] < WANTED.get(one["change"], 0)
    ]
    return alarms + (slow_downs if name == QUIET else [])


def _false_alarms(found: Mapping[str, Any]) -> Table:
    head = ("", "runs", "cases", SLOWER, FASTER, SAME, UNDECIDED, "slower, of cases", "runs with a slower one")
    rows = []
    for name, condition in found["conditions"].items():
        for kind in ("measured", "resampled"):
            tally = condition[kind]
            counts = [_count(tally["verdicts"][verdict]) for verdict in (SLOWER, FASTER, SAME, UNDECIDED)]
            shares = [_rate(tally[f"false_alarms_a_{what}"]) for what in ("case", "run")]
            rows.append((Words(f"{name}, {kind}"), _count(tally["runs"]), _count(tally["cases"]), *counts, *shares))
    return Table(head, rows)


def _found(found: Mapping[str, Any]) -> Table:
    conditions = found["conditions"]
    return Table(
        ("", *conditions),
        [
            (
                Words(f"one case +{100 * change:g} %"),
                *(_rate(condition["injected"][index]["found"]) for condition in conditions.values()),
            )
            for index, change in enumerate(_changes(found))
        ],
    )


def _by_pairs(found: Mapping[str, Any]) -> Table:
    conditions = found["conditions"].items()
    ends = [one["pairs"] for one in next(iter(found["conditions"].values()))["injected"][0]["by_pairs"]]
    rows: list[Sequence[Cell]] = [
        (Words(f"takes at most, {name}"), *map(_minutes, condition["seconds"])) for name, condition in conditions
    ]
    rows += [
        (Words(f"+{100 * one['change']:g} %, {name}"), *(Quantity(at["share"], units.SHARE) for at in one["by_pairs"]))
        for name, condition in conditions
        for one in condition["injected"]
    ]
    return Table(("found by", *(f"{end} pairs" for end in ends)), rows)


def _meanings(found: Mapping[str, Any]) -> list[str]:
    return [
        "Slower is a wrong answer in the first two columns of numbers and the right one in the others; times only.",
        *(f"`{rule['name']}`: {rule['meaning']}." for rule in found["usual_rules"]),
    ]


def _rules(found: Mapping[str, Any]) -> Table:
    head = ("", "false alarms, of cases", "runs with one", *(f"finds +{100 * change:g} %" for change in _changes(found)))
    rows = []
    for name, condition in found["conditions"].items():
        of_gate = {**condition["resampled"], "injected": condition["injected"]}
        for rule, figures in {GATE: of_gate, **condition["usual"]}.items():
            shares = [figures["false_alarms_a_case"], figures["false_alarms_a_run"], *(one["found"] for one in figures["injected"])]
            rows.append((Words(f"{rule}, {name}"), *map(_rate, shares)))
    return Table(head, rows)


def _cases(found: Mapping[str, Any]) -> Table:
    changes = _changes(found)
    rows = []
    for name, condition in found["conditions"].items():
        spreads = {one["row"]: one["log_ratio_sd"] for recording in condition["recordings"] for one in recording["rows"]}
        for label, copies in _by_kind(spreads).items():
            of_copies = [spreads[row] for row in copies if spreads[row] is not None]
            shares = [_together([one["cases"][row] for row in copies if row in one["cases"]]) for one in condition["injected"]]
            rows.append((Words(f"{label}, {name}"), _spread(statistics.median(of_copies) if of_copies else None), *shares))
    return Table(("", "spread of pairs", *(f"finds +{100 * change:g} %" for change in changes)), rows)


def _by_kind(rows: Iterable[str]) -> dict[str, list[str]]:
    """The rows by what they are of: all copies of a case are one kind."""
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(COPY.sub("", row).replace("[]", ""), []).append(row)
    kinds = [(kind, of) if len(of) > 1 else (of[0], of) for kind, of in found.items()]
    return {kind.rpartition("::")[2] + (f", {len(of)} copies" if len(of) > 1 else ""): of for kind, of in kinds}


def _together(shares: Sequence[Mapping[str, Any]]) -> Cell:
    tried = sum(share["of"] for share in shares)
    return Quantity(sum(share["count"] for share in shares) / tried, units.SHARE) if tried else NOT_TRIED


def _recorded(found: Mapping[str, Any]) -> Table:
    head = ("recording", "measured", "CPU", "threads", "pairs", "cases")
    rows = [
        (
            Words(f"{name}: {one['folder']}"),
            Words(one["measured"][:19]),
            Words(one["cpu"] or "unknown"),
            _count(one["threads"]),
            _count(one["pairs"]),
            _count(len(one["rows"])),
        )
        for name, condition in found["conditions"].items()
        for one in condition["recordings"]
    ]
    return Table(head, rows)


def _method(found: Mapping[str, Any]) -> list[str]:
    rules = found["rules"]
    return [
        *([f"`{found['command']}`"] if found["command"] else []),
        f"Rules of the gate: noise threshold {100 * rules['threshold']:g} %, alpha {100 * rules['alpha']:g} %, looks after "
        f"{', '.join(map(str, rules['looks']))} pairs, {rules['confirm']} new pairs to confirm.",
        f"{units.count(found['runs'])} resampled runs a figure, from blocks of {found['block_pairs']} neighbouring pairs; seed "
        f"{found['seed']}. Brackets are {found['confidence']:.0%} intervals (Wilson) over the runs or cases, not over machines; cases of "
        "one run share its pairs and resampled runs share the recording, so those of cases are somewhat too narrow.",
    ]


def _facts(found: Mapping[str, Any]) -> list[str]:
    recordings = [one for condition in found["conditions"].values() for one in condition["recordings"]]
    facts = [one["cpu"] for one in recordings if one["cpu"]]
    facts += [f"{name} {version}" for one in recordings for name, version in one["frameworks"].items() if version]
    return list(dict.fromkeys(facts))


# Cells


def _changes(found: Mapping[str, Any]) -> list[float]:
    return [one["change"] for one in next(iter(found["conditions"].values()))["injected"]]


def _count(number: int) -> Quantity:
    return Quantity(number, units.COUNT)


def _rate(share: Mapping[str, Any]) -> Quantity | Dash:
    """1 of 2,000 -> 0.05 % [0.01, 0.28]"""
    if share["share"] is None:
        return NOT_TRIED
    return Quantity(share["share"], units.FINE_SHARE, (share["low"], share["high"]))


def _said(share: Mapping[str, Any]) -> str:
    return text.whole(_rate(share))


def _minutes(seconds: Mapping[str, Any]) -> Quantity | Dash:
    return Dash("the recordings do not say it") if seconds["at_most"] is None else Quantity(seconds["at_most"], units.MINUTES)


def _spread(spread: float | None) -> Cell:
    return Dash("one pair has no spread") if spread is None else Quantity(spread, units.SHARE)
