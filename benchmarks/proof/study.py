"""How often the gate is wrong, and how small a slow-down it finds: from pairs of identical code that gates recorded.

Three kinds of figures, none of them from a formula.  *Measured*: the verdicts on the recorded pairs as they were.  *Resampled*: runs
put together from blocks of neighbouring pairs of all recordings, so that a drift over minutes stays in them.  In each block a coin says which side is
called head, as it might have been: what only chance has made larger in a recording is then no slow-down of all runs made from it.
*Injected*: the same with the head of one case made slower.  The usual rules judge the same processes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.gate import gate
from benchmarks.gate.gate import ROLES, Row
from benchmarks.gate.verdicts import FASTER, SAME, SLOWER, UNDECIDED, Judgement, Rules, judge
from benchmarks.proof.usual_rules import USUAL, Rounds, Rule
from benchmarks.quantities.statistics import CONFIDENCE, share_interval
from benchmarks.saved import files
from benchmarks.saved.results import Case, Run
from benchmarks.sessions import process
from lenet5.errors import InputError

FORMAT = 1

CHANGES = (0.03, 0.05, 0.1, 0.2)
"""Slow-downs to inject: times become so much larger."""

BLOCK = 4
"""Neighbouring pairs that stay together: two of ABBA."""

Floats = NDArray[np.float64]
Processes = tuple[list[tuple[int, int]], list[tuple[int, int]]]
"""Base and head: of each process the side that recorded it, 0 or 1, and its pair."""


@dataclass(frozen=True)
class Recording:
    """What one gate measured on identical code."""

    folder: Path
    first: Run
    rows: Sequence[Row]
    rounds: Mapping[str, tuple[Sequence[Rounds], Sequence[Rounds]]]
    """Of each row that is a time, by its key: the rounds of every process of base and of head."""

    @property
    def pairs(self) -> int:
        return len(self.rows[0].base)

    @cached_property
    def values(self) -> Floats:
        """ln(head / base): (rows, pairs)"""
        return np.array([row.log_ratios for row in self.rows])

    @property
    def times(self) -> list[int]:
        """Which rows are times: those that a change is injected into and that the usual rules know."""
        return [index for index, row in enumerate(self.rows) if row.key in self.rounds]


# Recordings


def load(folder: Path) -> Recording:
    """Read what a gate recorded.

    Raises InputError, one line, if the folder is none of a gate, if its sides were not identical, and as `results.load` does.
    """
    manifest = folder / process.MANIFEST
    settings = files.read_json(manifest, "the folder that a gate wrote its raw values to")
    if not isinstance(settings, Mapping) or not all(isinstance(settings.get(role), Mapping) for role in ROLES):
        raise InputError(f"{manifest}: no settings of a gate; expected the folder that a gate wrote its raw values to")
    for what in ("code_sha256", "interpreter", "versions"):
        base, head = (settings[role].get(what) for role in ROLES)
        if base != head:
            raise InputError(f"{manifest}: {what} of base and head differ; a study needs pairs of identical code")
    pairs = gate.recorded(folder)
    rows = gate.rows(pairs) if pairs else []
    times = [row for row in rows if row.metric.name == gate.METRICS[0].name]
    if not times:
        raise InputError(f"{folder}: holds no pair with a time that both sides measured")
    short = [row for row in rows if len(row.base) < len(pairs)]
    if short:
        raise InputError(
            f"{folder}: {short[0].case} was measured in {len(short[0].base)} of {len(pairs)} pairs; a study needs all: "
            "record with gate --pairs"
        )
    rounds = {row.key: (_rounds(row, [pair.base for pair in pairs]), _rounds(row, [pair.head for pair in pairs])) for row in times}
    return Recording(folder, pairs[0].base, rows, rounds)


def _rounds(row: Row, runs: Sequence[Run]) -> list[Rounds]:
    return [_data(next(case for case in run.cases if case.name == row.case), run.paths[0]) for run in runs]


def _data(case: Case, path: Path) -> Rounds:
    data = case.stats.get("data")
    if not isinstance(data, list) or not data:
        raise InputError(f"{path}: {case.name} has no raw rounds (stats.data); a gate saves them")
    return np.array(data, dtype=np.float64)


def pooled(recordings: Sequence[Recording]) -> list[Recording]:
    """One recording of all that have the same rows: gates stop as soon as they can, and one alone may be short."""
    found: dict[tuple[str, ...], list[Recording]] = {}
    for recording in recordings:
        found.setdefault(tuple(row.key for row in recording.rows), []).append(recording)
    return [_joined(same) for same in found.values()]


def _joined(recordings: Sequence[Recording]) -> Recording:
    first = recordings[0]
    rows = [
        replace(
            rows[0],
            base=tuple(value for row in rows for value in row.base),
            head=tuple(value for row in rows for value in row.head),
        )
        for rows in zip(*(recording.rows for recording in recordings), strict=True)
    ]
    rounds = {
        key: ([one for of in recordings for one in of.rounds[key][0]], [one for of in recordings for one in of.rounds[key][1]])
        for key in first.rounds
    }
    return Recording(first.folder, first.first, rows, rounds)


def _judge(recording: Recording, values: Floats, rules: Rules) -> Judgement:
    thresholds = {row.key: gate.threshold(row, rules) for row in recording.rows}
    return judge({row.key: list(one) for row, one in zip(recording.rows, values, strict=True)}, rules, thresholds)


def resample(random: np.random.Generator, recording: Recording, length: int) -> Floats:
    """ln(head / base) of a run of so many pairs, put together from the recorded ones.   -> (rows, length)

    The recording, closed to a ring and cut anywhere where an ABBA begins, is dealt in whole blocks in a random order, and once more
    where it is too short: a pair that is drawn twice would confirm itself.  For each block a coin says which side is head.
    """
    dealt: list[Floats] = []
    for _ in range(-(-length // recording.pairs)):
        start = 2 * int(random.integers(max(recording.pairs // 2, 1)))
        ring = np.roll(recording.values, -start, axis=1)
        blocks = [ring[:, at : at + BLOCK] for at in range(0, recording.pairs, BLOCK)]
        dealt += [blocks[index] * random.choice([-1.0, 1.0]) for index in random.permutation(len(blocks))]
    values: Floats = np.concatenate(dealt, axis=1)[:, :length]
    return values


# The study


def study(recorded: Mapping[str, Sequence[Recording]], rules: Rules, runs: int = 2000, seed: int = 0) -> dict[str, Any]:
    """All figures, as JSON has them, of the recordings under each condition (its name -> what was recorded under it).

    ``runs`` of the whole set of cases are put together for every figure.  Raises InputError for no recording and fewer than one run.
    """
    if runs < 1:
        raise InputError(f"runs {runs}: use a whole number from 1 on")
    if not recorded or not all(recorded.values()):
        raise InputError("a study needs at least one recording")
    return {
        "format": FORMAT,
        "rules": asdict(rules),
        "runs": runs,
        "seed": seed,
        "block_pairs": BLOCK,
        "confidence": CONFIDENCE,
        "usual_rules": [{"name": rule.name, "meaning": rule.meaning, "processes": rule.processes} for rule in USUAL],
        "conditions": {name: _condition(name, found, rules, runs, seed) for name, found in recorded.items()},
    }


def _condition(name: str, recordings: Sequence[Recording], rules: Rules, runs: int, seed: int) -> dict[str, Any]:
    together = pooled(recordings)
    with tqdm(total=1 + len(CHANGES) + len(USUAL), desc=name, unit="figure", leave=False, disable=None) as progress:

        def done(found: Any) -> Any:
            progress.update()
            return found

        return {
            "recordings": [_about(recording) for recording in recordings],
            "measured": measured(recordings, rules),
            "resampled": done(false_alarms(together, rules, runs, np.random.default_rng(seed))),
            "injected": [done(detection(together, rules, runs, np.random.default_rng(seed), change)) for change in CHANGES],
            "usual": {rule.name: done(usual(together, rule, runs, np.random.default_rng(seed))) for rule in USUAL},
        }


def _about(recording: Recording) -> dict[str, Any]:
    machine, ours = recording.first.machine, recording.first.lenet5
    return {
        "folder": recording.folder.name,
        "measured": recording.first.datetime,
        "cpu": machine.get("cpu", {}).get("brand_raw"),
        "cpus": machine.get("cpu", {}).get("count"),
        "threads": ours["threads"],
        "frameworks": {name: facts.get("version") for name, facts in ours["frameworks"].items()},
        "code_sha256": ours.get("code_sha256"),
        "pairs": recording.pairs,
        "rows": [
            {"row": row.key, "log_ratio_sd": float(np.std(row.log_ratios, ddof=1)) if recording.pairs > 1 else None}
            for row in recording.rows
        ],
    }


def measured(recordings: Sequence[Recording], rules: Rules) -> dict[str, Any]:
    """The verdicts on what was recorded, in runs of as many pairs as a gate measures at most; a rest too short to be looked at is none."""
    judgements = []
    for recording in recordings:
        starts = range(0, recording.pairs, rules.most_pairs)
        parts = [recording.values[:, start : start + rules.most_pairs] for start in starts]
        judgements += [_judge(recording, part, rules) for part in parts if part.shape[1] >= rules.looks[0]]
    processes = sum(recording.pairs * len(recording.times) for recording in recordings)
    return {**_tally(judgements), "pairs_of_a_case": processes}


def false_alarms(recordings: Sequence[Recording], rules: Rules, runs: int, random: np.random.Generator) -> dict[str, Any]:
    """How often identical code is called anything, case by case and run by run."""
    judgements = []
    for _ in range(runs):
        recording = recordings[int(random.integers(len(recordings)))]
        values = resample(random, recording, rules.most_pairs)
        judgements.append(_judge(recording, values, rules))
    return _tally(judgements)


def _tally(judgements: Sequence[Judgement]) -> dict[str, Any]:
    """Counts and shares of cases by their verdict, and of runs with a false alarm."""
    found = [[one.verdict for one in judgement.verdicts.values()] for judgement in judgements]
    cases = sum(map(len, found))
    by_verdict = {name: sum(run.count(name) for run in found) for name in (SLOWER, FASTER, SAME, UNDECIDED)}
    alarmed = sum(SLOWER in run for run in found)
    return {
        "runs": len(found),
        "cases": cases,
        "verdicts": by_verdict,
        "false_alarms_a_case": _share(by_verdict[SLOWER], cases),
        "false_alarms_a_run": _share(alarmed, len(found)),
    }


def _share(count: int, of: int) -> dict[str, Any]:
    """A share with Wilson's interval; of nothing there is none."""
    low, high = share_interval(count, of) if of else (None, None)
    return {"count": count, "of": of, "share": count / of if of else None, "low": low, "high": high}


def detection(
    recordings: Sequence[Recording], rules: Rules, runs: int, random: np.random.Generator, change: float
) -> dict[str, Any]:
    """How often a change in one case is found, and after how many pairs; the cases take turns."""
    found: dict[str, list[int | None]] = {}
    for run in range(runs):
        recording = recordings[int(random.integers(len(recordings)))]
        values = resample(random, recording, rules.most_pairs)
        index = recording.times[run % len(recording.times)]
        values[index] += math.log1p(change)
        key = recording.rows[index].key
        verdict = _judge(recording, values, rules).verdicts[key]
        found.setdefault(key, []).append(verdict.pairs if verdict.verdict == SLOWER else None)
    after = [pairs for all_of_case in found.values() for pairs in all_of_case]
    ends = [look + rules.confirm for look in rules.looks]
    return {
        "change": change,
        "found": _share(sum(pairs is not None for pairs in after), len(after)),
        "by_pairs": [
            {"pairs": end, **_share(sum(pairs is not None and pairs <= end for pairs in after), len(after))} for end in ends
        ],
        "cases": {key: _share(sum(pairs is not None for pairs in one), len(one)) for key, one in found.items()},
    }


def usual(recordings: Sequence[Recording], rule: Rule, runs: int, random: np.random.Generator) -> dict[str, Any]:
    """The same of one of the usual rules: false alarms by case and run, and how often each change is found."""
    alarms, cases, alarmed = 0, 0, 0
    found = dict.fromkeys(CHANGES, 0)
    for run in range(runs):
        recording = recordings[int(random.integers(len(recordings)))]
        processes = _processes(random, recording.pairs, rule)
        keys = list(recording.rounds)
        slower = [_slower(rule, recording, key, processes) for key in keys]
        cases, alarms, alarmed = cases + len(keys), alarms + sum(slower), alarmed + any(slower)
        for change in CHANGES:
            found[change] += _slower(rule, recording, keys[run % len(keys)], processes, change)
    return {
        "false_alarms_a_case": _share(alarms, cases),
        "false_alarms_a_run": _share(alarmed, runs),
        "injected": [{"change": change, "found": _share(count, runs)} for change, count in found.items()],
    }


def _processes(random: np.random.Generator, pairs: int, rule: Rule) -> Processes:
    """Which processes a rule is given as base and as head: neighbours, and a coin says which side is called which."""
    start, other = random.integers(pairs, size=2)
    side, other_side = random.integers(2, size=2)
    if not rule.saved:
        other, other_side = start, 1 - side
    base, head = (
        [(int(of), int(at + step) % pairs) for step in range(rule.processes)] for of, at in ((other_side, other), (side, start))
    )
    return base, head


def _slower(rule: Rule, recording: Recording, key: str, processes: Processes, change: float = 0.0) -> bool:
    base, head = ([recording.rounds[key][side][pair] for side, pair in of_side] for of_side in processes)
    return rule.slower(base, [rounds * (1 + change) for rounds in head])
