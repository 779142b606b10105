"""How the pairs of a gate are measured: two fresh processes at once, one a side, into a folder where a gate can go on.

Both run the same cases in the same order on the same CPUs and pass the baton after each case (`baton`).  Which side comes first is
drawn for the first pair of two, and the second pair has it the other way round (ABBA).
"""

from __future__ import annotations

import platform
import random
import socket
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.gate.compared import Compared
from benchmarks.gate.rows import Pair, decided, is_steady, names, paired
from benchmarks.gate.rules import Rules
from benchmarks.quantities.units import counted
from benchmarks.saved import plain, results
from benchmarks.saved.results import Case, Run
from benchmarks.sessions import baton, processes
from benchmarks.sessions.folder import begin, check_settings
from benchmarks.sessions.plan import Plan, Session, session_path
from benchmarks.sessions.project import Project
from benchmarks.sessions.sides import Side
from benchmarks.sessions.signals import Signals
from lenet5.errors import InputError

ROLES = ("base", "head")

MOST_REPEATS = 5
"""A process measures a case at most this often."""

MOST_NAMED = 8
"""Cases that an error names before it only counts them."""


@dataclass(frozen=True)
class Comparison:
    """What a gate compares, and by which rules."""

    sides: Mapping[str, Side]
    plan: Plan
    threads: int
    rules: Rules
    pairs: int | None = None
    """Exactly this many pairs of all cases, decided or not, as a study needs them; None for as many as it takes to decide."""
    asked: Sequence[str] = ()
    """The words of the command line that ask for it, to go on with."""
    alone: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The ids of the cases that only this side has, by its role: they are not measured."""
    remarks: Sequence[str] = ()
    """What else the user has to hear of the suite."""
    system: str = field(default_factory=platform.platform)
    """Where it is measured."""

    @property
    def project(self) -> Project:
        """What both sides are versions of."""
        return next(iter(self.sides.values())).of

    def compared(self) -> Compared:
        """The facts of it, for the outcome and for the folder."""
        asked = {role: side.text for role, side in self.sides.items()}
        identities = {role: side.identity() for role, side in self.sides.items()}
        return Compared(asked, identities, self.plan, self.threads, self.rules, self.project.control, self.alone, self.remarks)

    def settings(self) -> dict[str, Any]:
        """What must not change between the first pair and the last, as JSON has it."""
        return {
            **{role: side.identity() for role, side in self.sides.items()},
            "order": "both sides in turns, case by case, on the same CPUs",
            "measured": "every case in every pair" if self.pairs else "each case until it is decided",
            "cases": self.plan.cases,
            "expression": self.plan.expression,
            "options": list(self.plan.options),
            "seed": self.plan.seed,
            "threshold": self.rules.threshold,
            "thresholds": dict(self.rules.thresholds) or None,
            "system": self.system,
        }

    def which_files(self, setting: str) -> str:
        """Of a setting that differs because files of a side do: which are not as in its commit.   head.changed -> ' (not as in the commit: out.txt)'"""
        role, _, fact = setting.partition(".")
        files = self.sides[role].differing() if role in self.sides and fact in ("changed", "tree", "code_sha256") else []
        return f" (not as in the commit: {listed(files)})" if files else ""

    def left_out(self, before: Sequence[Pair]) -> set[str]:
        """The names of the cases that the pair after these leaves out: what is decided is not measured again."""
        return set() if self.pairs else decided(before, self.rules)


@dataclass(frozen=True)
class Asked:
    """What one pair measures."""

    number: int
    repeats: int
    """How often each process measures a case."""
    without: Collection[str] = ()
    """The names of the cases that it leaves out."""
    alone: Mapping[str, Sequence[Case]] = field(default_factory=dict)
    """The cases that only this side measured in the first pair, by its role: it leaves them out too."""


class Recorder:
    """Measures the pairs of a comparison into a folder."""

    def __init__(self, comparison: Comparison, folder: Path, signals: Signals) -> None:
        self.comparison, self.folder, self.signals = comparison, folder, signals
        self._pace: Pace | None = None
        self.seconds = 0.0
        """What the last pair took, or its share of that if others were measured at the same time."""

    @property
    def has_more(self) -> bool:
        """Whether the folder has pairs beside those that `measure` has given."""
        return False

    def prepare(self, resume: bool) -> list[Pair]:
        """Make the folder, or with ``resume`` read the pairs that are in it and remove what is left of half a pair.

        Raises InputError if the folder has results already (without ``resume``), or those of another comparison (with it).
        """
        if not resume:
            if any(list((self.folder / role).glob(results.PROCESSES)) for role in ROLES):
                raise InputError(f"{self.folder}: has results; go on with --resume, or name another --output")
            begin(self.folder, self.comparison.settings(), self.comparison.asked, self.comparison.compared().noted())
            pairs = []
        else:
            check_settings(self.folder, self.comparison.settings(), self.comparison.which_files)
            pairs = recorded(self.folder)
            for number, pair in enumerate(pairs):
                self._check(pair, pairs[:number], self.comparison.left_out(pairs[:number]))
        for role in ROLES:
            (self.folder / role).mkdir(exist_ok=True)
        self.tidy(len(pairs))
        return pairs

    def tidy(self, pairs: int) -> None:
        """Remove what is left of half a pair after so many.  Raises InputError if there are whole ones: one before them has been lost."""
        check_whole(self.folder, pairs)
        for role in ROLES:
            for path in sorted((self.folder / role).glob(results.PROCESSES))[pairs:]:
                path.unlink()

    def say_with(self, say: Callable[[str], object]) -> None:
        """Where to say what happens meanwhile; on this machine nothing does."""

    def measure(self, before: Sequence[Pair], wanted: int, end: float) -> Pair:
        """Measure the pair after these.

        So many pairs are wanted altogether before the next look, and none begins after ``end`` on the monotonic clock: a recorder that
        can measure several at once looks ahead.  Raises InputError, naming them, for cases that one side lacks or fails, and for a
        folder whose settings have changed; raises Interrupted on a signal.
        """
        check_settings(self.folder, self.comparison.settings(), self.comparison.which_files)
        asked = self.asked(before, len(before) + 1)
        began = time.monotonic()
        pair = self.both(asked)
        self.check_new(pair, before, asked)
        self.seconds = time.monotonic() - began
        self.note_pace(pair, asked, self.seconds)
        return pair

    def note_pace(self, pair: Pair, asked: Asked, seconds: float) -> None:
        """Keep what a pair took that measured each case once, none of them by memory."""
        if asked.repeats == 1 and not any(is_steady(case) for case in pair.base.cases):
            self._pace = Pace(seconds, timed_seconds([*pair.base.cases, *pair.head.cases]), len(names(pair.base)))

    def is_over(self, before: Sequence[Pair], seconds_each: float, seconds_left: float) -> bool:
        """Whether the pair after these would end too late."""
        return bool(before) and seconds_each > seconds_left

    def asked(self, before: Sequence[Pair], number: int) -> Asked:
        """What the pair of this number measures, as far as it can be known after these pairs."""
        without = self.comparison.left_out(before)
        cases = len(names(before[0].base)) if before else 1
        repeats = repeats_of(cases, max(cases - len(without), 1), self._pace)
        return Asked(number, repeats, without, before[0].alone if before else {})

    def both(self, asked: Asked) -> Pair:
        """Run the two processes of a pair at once."""
        first, _ = order(self.comparison.plan.seed, asked.number)
        cpus = baton.cpus_for(self.comparison.threads)
        untimed = self.comparison.project.untimed
        with ThreadPoolExecutor(len(ROLES)) as both:
            running = {}
            for role, end in zip(ROLES, socket.socketpair(), strict=True):
                part = baton.Part(end, role == first, cpus, asked.repeats, untimed)
                running[role] = both.submit(self._process, role, asked, part)
        return paired(running["base"].result(), running["head"].result())

    def check_new(self, pair: Pair, before: Sequence[Pair], asked: Asked) -> None:
        """Raise InputError as `measure` does unless this pair fits those before it; then nothing is left of it."""
        try:
            self._check(pair, before, asked.without)
        except InputError:
            for role in ROLES:
                session_path(self.folder / role, asked.number).unlink()
            raise

    def session(self, role: str, asked: Asked, part: baton.Part | None = None) -> Session:
        """One process of a pair; one that only reads has no part in the baton."""
        side = self.comparison.sides[role]
        alone = {case.name for case in asked.alone.get(role, ())}
        absent = self.comparison.alone.get(role, ())
        return side.session(self.comparison.plan, part, self.folder / role, asked.number, {*asked.without, *alone}, absent)

    def _process(self, role: str, asked: Asked, part: baton.Part) -> Run:
        """One process of a pair, which passes the baton to the process at the other end."""
        side, session = self.comparison.sides[role], self.session(role, asked, part)
        with part.end:  # closed here when the process is over, or the other one would wait for it
            try:
                measured = processes.measure(session, self.signals)
            except InputError as error:
                raise InputError(f"{side.option}: {error}") from None
        if self.comparison.project.strict and (failed := processes.failures(measured)):
            session.path.unlink()
            raise InputError(self._failed(role, asked.number, failed, measured))
        return measured

    def _failed(self, role: str, number: int, names: Sequence[str], measured: Run) -> str:
        """The line about cases that fail in a process."""
        log = session_path(self.folder / role, number).with_suffix(".log")
        reasons = [f"{name} {measured.not_measured[name]}" for name in names]
        return f"{self.comparison.sides[role].option}: {listed(reasons)}; see {log}, or leave it out with -k"

    def _check(self, pair: Pair, before: Sequence[Pair], without: Collection[str]) -> None:
        """Raise InputError, naming them, if there are cases that only one side measured, that fail, or that are gone since the pairs ``before``.

        The cases that it was to leave out, ``without``, may be gone.  A case that fails on base, from the first pair on, is not judged:
        there is nothing to compare with, whether head fails as well or not.
        """
        base, strict = names(pair.base), self.comparison.project.strict
        fail_on_base = processes.failures((before or [pair])[0].base)
        for role, run in (("base", pair.base), ("head", pair.head)):
            if failed := [name for name in processes.failures(run) if name not in fail_on_base]:
                raise InputError(self._failed(role, len(before) + 1, failed, run))
        for role, other, of in (("base", "head", pair.base), ("head", "base", pair.head)):
            lacking = {case.name for case in pair.alone.get(other, ())}
            if lacking and (strict or not base):
                option = self.comparison.sides[role].option
                raise InputError(f"{option}: does not measure {_with_reasons(lacking, of)}; --{other} does")
        gone = names(before[0].base) - set(without) - base if before else set()
        if gone:
            raise InputError(f"pair {len(before) + 1}: does not measure {_with_reasons(gone, pair.base)}; pair 1 does")
        if not base:
            raise InputError(f"no case can be measured on either side: {_with_reasons(pair.base.not_measured, pair.base)}")


@dataclass(frozen=True)
class Pace:
    """What a pair took that measured each case once, none of them by memory, and what of it was timed calls."""

    seconds: float
    timed_seconds: float
    cases: int


def repeats_of(cases: int, left: int, pace: Pace | None) -> int:
    """How often a process measures each of the cases that are left: so that they take the time of all cases together.

    But no longer than the rest of a pair does, as far as its ``pace`` is known.  What a process fixes, such as where its memory lies, is
    the same in all its repeats: where a new process costs little, more pairs say more.
    """
    most = min(cases // left, MOST_REPEATS)
    if pace and pace.timed_seconds and pace.cases:
        each = pace.timed_seconds / pace.cases
        most = min(most, int((pace.seconds - pace.timed_seconds) / (each * left)))
    return max(most, 1)


def timed_seconds(cases: Iterable[Case]) -> float:
    """What the timed calls of these cases took, one after the other."""
    return float(sum(case.stats["mean"] * case.stats["rounds"] * case.stats.get("iterations", 1) for case in cases))


def order(seed: int, number: int) -> tuple[str, ...]:
    """The sides of a pair, first to last: drawn for pairs 1, 3, 5, ...; the pair after each has the other order."""
    drawn = random.Random(f"{seed}.{(number - 1) // 2}").sample(ROLES, 2)
    return tuple(drawn if number % 2 else reversed(drawn))


def recorded(folder: Path) -> list[Pair]:
    """The pairs that a gate has measured into a folder: both processes of a pair or none, for they belong together in time."""
    pairs: list[Pair] = []
    while True:
        paths = [session_path(folder / role, len(pairs) + 1) for role in ROLES]
        if not all(path.exists() for path in paths):
            return pairs
        pairs.append(paired(*map(plain.load, paths)))


def gap(folder: Path, pairs: int) -> str:
    """Which file is missing after so many pairs, if there are more pairs after it; empty if there are none.

    -> 'raw/head/process-002.json: is missing, so that 38 pairs after it do not count'
    """
    missing = [path for role in ROLES if not (path := session_path(folder / role, pairs + 1)).exists()]
    after = set.intersection(*({path.name for path in (folder / role).glob(results.PROCESSES)} for role in ROLES))
    number = sum(name > missing[0].name for name in after) if missing else 0
    return (
        f"{missing[0]}: is missing, so that {counted(number, 'pair')} after it do{'es' * (number == 1)} not count" if number else ""
    )


def check_whole(folder: Path, pairs: int) -> None:
    """Raise InputError, one line, if a file is missing after so many pairs and there are more pairs after it."""
    if lost := gap(folder, pairs):
        raise InputError(f"{lost}; put that file back, or move the files of those pairs away")


def _with_reasons(names: Collection[str], run: Run) -> str:
    """Cases that a process did not measure, each with the reason."""
    return listed([f"{name} ({run.not_measured.get(name, 'no such case')})" for name in sorted(names)])


def listed(names: Sequence[str]) -> str:
    """Names with commas between them, the first of them if there are many."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
