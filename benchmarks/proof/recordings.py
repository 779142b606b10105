"""What gates recorded of identical code, read back for a study: each row's log ratios, and the rounds of every process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.gate.pairs import ROLES, check_whole, recorded, timed_seconds
from benchmarks.gate.recorded import noted_seconds, settings_of
from benchmarks.gate.rows import METRICS, Pair, Row, is_steady, rows
from benchmarks.proof.usual_rules import Rounds
from benchmarks.saved import machines
from benchmarks.saved.results import Case, Run
from benchmarks.saved.storage import MANIFEST
from lenet5.errors import InputError

Floats = NDArray[np.float64]

QUIET = "quiet"
"""The condition of a recording that is given no name."""

TIME, *_ = METRICS


class PairSeconds(NamedTuple):
    """What a pair took."""

    all: float
    without_memory: float
    """As a pair of a gate takes that has decided the cases which measure memory."""


@dataclass(frozen=True)
class Recording:
    """What one gate measured on identical code, on one machine."""

    folder: Path
    first: Run
    """The first process of base: on which machine, when, with which versions."""
    rows: Sequence[Row]
    rounds: Mapping[str, tuple[Sequence[Rounds], Sequence[Rounds]]]
    """Of each row that is a time, by its key: the rounds of every process of base and of head."""
    seconds: Sequence[PairSeconds] = ()
    """What each pair took; nothing where the folder does not say it of all."""

    @property
    def key(self) -> object:
        """What tells it from all others: when it was measured, and what its first pair measured, to the last digit."""
        return self.first.datetime, self.values[:, 0].tobytes()

    @property
    def pairs(self) -> int:
        return len(self.rows[0].base)

    @cached_property
    def values(self) -> Floats:
        """ln(head / base): (rows, pairs)"""
        return np.array([row.log_ratios for row in self.rows])

    @property
    def times(self) -> list[int]:
        """Which rows are times: a change is injected into these, and the usual rules judge these."""
        return [index for index, row in enumerate(self.rows) if row.key in self.rounds]


def by_condition(asked: Sequence[str]) -> dict[str, list[Recording]]:
    """Recordings under the names of their conditions.   quiet=a quiet=b busy=c -> quiet: a, b; busy: c

    Each is a gate's folder of raw values, or ``NAME=FOLDER`` to say under which condition it was measured.  Raises InputError, one
    line, for a name that is empty, and as `load` does.
    """
    found: dict[str, list[Recording]] = {}
    seen: dict[object, Path] = {}
    for text in asked:
        name, equals, folder = text.partition("=")
        if equals and not name:
            raise InputError(f"{text}: use NAME=FOLDER, or FOLDER alone")
        recordings = load(Path(folder if equals else text))
        for recording in recordings:
            if recording.key in seen:
                raise InputError(f"{text}: has pairs that {seen[recording.key]} has, too; name each folder once")
        seen.update({recording.key: recording.folder for recording in recordings})
        found.setdefault(name if equals else QUIET, []).extend(recordings)
    return found


def load(folder: Path) -> list[Recording]:
    """Read what a gate recorded: a recording for each machine that measured pairs, because a pair counts within its machine.

    Raises InputError, one line, if no gate wrote the folder, if its sides were not identical, and as `results.load` does.
    """
    _check_settings(folder)
    pairs = recorded(folder)
    check_whole(folder, len(pairs))
    seconds = _seconds(noted_seconds(folder), pairs)
    of_machines: dict[tuple[str, ...], list[int]] = {}
    for index, pair in enumerate(pairs):
        of_machines.setdefault(machines.key(pair.base), []).append(index)
    found = [
        _recording(folder, [pairs[index] for index in own], [seconds[index] for index in own if seconds])
        for own in of_machines.values()
    ]
    if not found:
        raise _empty(folder)
    return found


def _empty(folder: Path) -> InputError:
    return InputError(f"{folder}: holds no pair with a time that both sides measured")


def _recording(folder: Path, pairs: Sequence[Pair], seconds: Sequence[PairSeconds]) -> Recording:
    """What one machine measured."""
    found = rows(pairs)
    times = [row for row in found if row.metric == TIME]
    if not times:
        raise _empty(folder)
    short = [row for row in found if len(row.base) < len(pairs)]
    if short:
        raise InputError(
            f"{folder}: {short[0].case} was measured in {len(short[0].base)} of {len(pairs)} pairs; a study needs all: "
            "record with gate --pairs"
        )
    rounds = {row.key: (_rounds(row, [pair.base for pair in pairs]), _rounds(row, [pair.head for pair in pairs])) for row in times}
    return Recording(folder, pairs[0].base, found, rounds, seconds)


def _seconds(noted: Sequence[float], pairs: Sequence[Pair]) -> list[PairSeconds]:
    """What each pair took, if as many are noted: a gate that was killed noted nothing."""
    if len(noted) != len(pairs):
        return []
    return [PairSeconds(all_, all_ - _memory_seconds(pair)) for all_, pair in zip(noted, pairs, strict=True)]


def _memory_seconds(pair: Pair) -> float:
    """What the cases took that measure memory; both processes of a pair measure theirs at the same time."""
    return max(timed_seconds(case for case in run.cases if is_steady(case)) for run in (pair.base, pair.head))


def _check_settings(folder: Path) -> None:
    """Raise InputError unless a gate compared identical code here."""
    settings = settings_of(folder)
    for what in ("tree", "code_sha256", "interpreter", "versions"):
        base, head = (settings[role].get(what) for role in ROLES)
        if base != head:
            raise InputError(f"{folder / MANIFEST}: {what} of base and head differ; a study needs pairs of identical code")


def _rounds(row: Row, runs: Sequence[Run]) -> list[Rounds]:
    return [_data(next(case for case in run.cases if case.name == row.case), run.paths[0]) for run in runs]


def _data(case: Case, path: Path) -> Rounds:
    data = case.stats.get("data")
    if not isinstance(data, list) or not data:
        raise InputError(f"{path}: {case.name} has no raw rounds (stats.data); a gate saves them")
    return np.array(data, dtype=np.float64)


def pooled(recordings: Sequence[Recording]) -> list[Recording]:
    """Join the recordings of one machine that have the same rows: a single one may be short."""
    found: dict[tuple[tuple[str, ...], ...], list[Recording]] = {}
    for recording in recordings:
        rows_of = tuple(row.key for row in recording.rows)
        found.setdefault((machines.key(recording.first), rows_of), []).append(recording)
    return [_joined(same) for same in found.values()]


def _joined(recordings: Sequence[Recording]) -> Recording:
    """Recordings of the same rows as one, pair after pair."""
    first = recordings[0]
    joined = [
        replace(
            same[0],
            base=tuple(value for row in same for value in row.base),
            head=tuple(value for row in same for value in row.head),
        )
        for same in zip(*(recording.rows for recording in recordings), strict=True)
    ]
    rounds = {
        key: ([one for of in recordings for one in of.rounds[key][0]], [one for of in recordings for one in of.rounds[key][1]])
        for key in first.rounds
    }
    seconds = [one for of in recordings for one in of.seconds] if all(of.seconds for of in recordings) else []
    return Recording(first.folder, first.first, joined, rounds, seconds)
