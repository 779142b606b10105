"""How often the gate is wrong, and how small a slow-down it finds: from pairs of identical code that gates recorded.

Three kinds of numbers, none of them from a formula.  *Measured*: the verdicts on the recorded pairs as they were.  *Resampled*: runs
put together from blocks of neighbouring pairs of all recordings, so that a drift over minutes stays in them.  The sides are swapped at
random in each block, so that a chance difference of a recording does not become a slow-down in every run made from it.
*Injected*: the same with the head of one case made slower.  The usual rules judge the same processes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.gate.rows import judged_by
from benchmarks.gate.rules import Rules
from benchmarks.gate.verdicts import FASTER, SAME, SLOWER, UNDECIDED, Judgement
from benchmarks.proof.recordings import Floats, PairSeconds, Recording, pooled
from benchmarks.proof.usual_rules import USUAL, Rule
from benchmarks.quantities.statistics import CONFIDENCE, share_interval
from lenet5.errors import InputError

FORMAT = 1

CHANGES = (0.03, 0.05, 0.1, 0.2)
"""Slow-downs to inject: the relative change of the times of head."""

BLOCK_PAIRS = 4
"""Neighbouring pairs that stay together: two of ABBA."""

Processes = tuple[list[tuple[int, int]], list[tuple[int, int]]]
"""Base and head: of each process the side that recorded it, 0 or 1, and its pair."""


def _judge(recording: Recording, values: Floats, rules: Rules) -> Judgement:
    log_ratios = {row.key: list(one) for row, one in zip(recording.rows, values, strict=True)}
    return judged_by(log_ratios, recording.rows, rules)


def resample(random: np.random.Generator, recording: Recording, length: int) -> Floats:
    """ln(head / base) of a run of ``length`` pairs, put together from the recorded ones.   -> (rows, length)

    The recording, closed to a ring and cut anywhere where an ABBA begins, is dealt in whole blocks in a random order, and once more
    where it is too short: a pair that is drawn twice would confirm itself.  In each block the sides are swapped or not, at random.
    """
    dealt: list[Floats] = []
    for _ in range(-(-length // recording.pairs)):
        start = 2 * int(random.integers(max(recording.pairs // 2, 1)))
        ring = np.roll(recording.values, -start, axis=1)
        blocks = [ring[:, at : at + BLOCK_PAIRS] for at in range(0, recording.pairs, BLOCK_PAIRS)]
        dealt += [blocks[index] * random.choice([-1.0, 1.0]) for index in random.permutation(len(blocks))]
    values: Floats = np.concatenate(dealt, axis=1)[:, :length]
    return values


def study(recorded: Mapping[str, Sequence[Recording]], rules: Rules, runs: int = 2000, seed: int = 0) -> dict[str, Any]:
    """All numbers, as JSON has them, of the recordings under each condition (its name -> what was recorded under it).

    This many ``runs`` of the whole set of cases are put together for every number; ``seed`` is that of putting them together.
    Raises InputError for no recording and fewer than one run.
    """
    if runs < 1:
        raise InputError(f"--runs {runs}: use a whole number from 1 on")
    if not recorded or not all(recorded.values()):
        raise InputError("a study needs at least one recording")
    return {
        "format": FORMAT,
        "rules": asdict(rules),
        "runs": runs,
        "seed": seed,
        "block_pairs": BLOCK_PAIRS,
        "confidence": CONFIDENCE,
        "usual_rules": [{"name": rule.name, "meaning": rule.meaning, "processes": rule.processes} for rule in USUAL],
        "conditions": {name: _condition(name, found, rules, runs, seed) for name, found in recorded.items()},
    }


def _condition(name: str, recordings: Sequence[Recording], rules: Rules, runs: int, seed: int) -> dict[str, Any]:
    together = pooled(recordings)
    with tqdm(total=1 + len(CHANGES) + len(USUAL), desc=name, unit="step", leave=False, disable=None) as progress:

        def done(found: Any) -> Any:
            progress.update()
            return found

        return {
            "recordings": [_about(recording) for recording in recordings],
            "measured": measured(recordings, rules),
            "seconds": [{"pairs": end, "at_most": at_most(recordings, rules, end)} for end in ends(rules)],
            "resampled": done(false_alarms(together, rules, runs, np.random.default_rng(seed))),
            "injected": [done(detection(together, rules, runs, np.random.default_rng(seed), change)) for change in CHANGES],
            "usual": {rule.name: done(usual(together, rule, runs, np.random.default_rng(seed))) for rule in USUAL},
        }


def ends(rules: Rules) -> list[int]:
    """The numbers of pairs after which a gate can call something slower."""
    return [look + rules.confirm for look in rules.looks]


def at_most(recordings: Sequence[Recording], rules: Rules, pairs: int) -> float | None:
    """The seconds that a gate takes at most for so many ``pairs``: none of its cases is decided before; None if the recordings do not say it.

    Memory is the exception: it hardly varies, so that the gate leaves it out after its first pairs, and a recording does not.
    """
    each: list[PairSeconds] = [one for recording in recordings for one in recording.seconds]
    if not all(recording.seconds for recording in recordings):
        return None
    whole, without = (float(np.mean(seconds)) for seconds in zip(*each, strict=True))
    first = min(rules.steady_pairs, pairs)
    return first * whole + (pairs - first) * without


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
    """The verdicts on what was recorded, in runs of as many pairs as a gate measures at most; a rest too short to be looked at is left out."""
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
    """A share with Wilson's interval; of nothing there is neither."""
    low, high = share_interval(count, of) if of else (None, None)
    return {"count": count, "of": of, "share": count / of if of else None, "low": low, "high": high}


def detection(
    recordings: Sequence[Recording], rules: Rules, runs: int, random: np.random.Generator, change: float
) -> dict[str, Any]:
    """How often a change in one case is found, and after how many pairs; each case is changed in turn."""
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
    return {
        "change": change,
        "found": _share(sum(pairs is not None for pairs in after), len(after)),
        "by_pairs": [
            {"pairs": end, **_share(sum(pairs is not None and pairs <= end for pairs in after), len(after))} for end in ends(rules)
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
    """Which processes a rule is given as base and as head: neighbours, with the sides swapped at random."""
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
