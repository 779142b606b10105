"""The pairs of a gate on the workers of a cluster: one worker measures both processes of a pair, and as many pairs at once as there are workers.

They count in the order of their numbers, each within its machine: one that comes early waits for those before it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks.gate.pairs import ROLES, Asked, Comparison, Recorder
from benchmarks.gate.rows import Pair, paired
from benchmarks.saved import results
from benchmarks.saved.provenance import ROOT, code_sha256, packages
from benchmarks.saved.storage import NOTED
from benchmarks.sessions import processes
from benchmarks.sessions.bundles import bundled
from benchmarks.sessions.cluster import Cluster, Done, Job, shared_line
from benchmarks.sessions.elsewhere import HARNESS, THEIRS, note_worker, received, told
from benchmarks.sessions.folder import note, settings_in
from benchmarks.sessions.plan import session_path
from benchmarks.sessions.sides import Side
from benchmarks.sessions.signals import Interrupted, Signals
from lenet5.errors import InputError


def sent(here: Mapping[str, Side], cluster: Cluster, signals: Signals) -> dict[str, Side]:
    """Give both sides to the workers.   -> the sides as these have them: with their own interpreters and versions

    Raises InputError, one line, for a side that cannot travel, and if there is no worker to use.
    """
    for side in here.values():
        if side.python != sys.executable:
            raise InputError(
                f"{side.option}: names an interpreter of this machine; with --scheduler each worker measures with its own"
            )
    code = bundled(
        {HARNESS: ("--scheduler", ROOT), **{role: (side.option, side.project) for role, side in here.items()}},
    )
    digests = {HARNESS: code_sha256(), **{role: side.of.code(side.project) for role, side in here.items()}}
    cluster.begin(Job(code, HARNESS, "benchmarks.gate.on_worker", tuple(packages()), digests, "pair"), signals)
    return {role: replace(side, python=THEIRS, versions=cluster.facts["versions"]) for role, side in here.items()}


class FarRecorder(Recorder):
    """Measures the pairs of a comparison on workers, into a folder here."""

    def __init__(self, cluster: Cluster, comparison: Comparison, folder: Path, signals: Signals) -> None:
        super().__init__(replace(comparison, system=THEIRS), folder, signals)
        self._cluster = cluster
        self._remarks = comparison.remarks
        """Of the suite, and what an earlier command of this gate had to say of its workers; those of these workers follow them."""
        self._asked: dict[int, Asked] = {}
        """The pairs that are under way or have come, and are not given yet."""
        self._come: dict[int, Done] = {}
        self._seconds = 0.0
        """What a pair took, from its sending to its coming back."""
        self._found: set[int] = set()
        """The pairs that are in the folder already, beyond one that is not."""

    @property
    def has_more(self) -> bool:
        return bool(self._found)

    def say_with(self, say: Callable[[str], object]) -> None:
        self._cluster.say = say

    def prepare(self, resume: bool) -> list[Pair]:
        pairs = super().prepare(resume)
        if resume:
            self._remarks = settings_in(self.folder).get(NOTED, {}).get("remarks", self._remarks)
        self._remark_sharing()
        return pairs

    def tidy(self, pairs: int) -> None:
        """Remove half pairs only: what came before one that did not come is given in its turn."""
        files = [{path.name for path in (self.folder / role).glob(results.PROCESSES)} for role in ROLES]
        for role in ROLES:
            for name in files[0] ^ files[1]:
                (self.folder / role / name).unlink(missing_ok=True)
        whole = files[0] & files[1]
        numbers = range(pairs + 1, processes.MOST_PROCESSES + 1)
        self._found = {number for number in numbers if session_path(self.folder, number).name in whole}

    def is_over(self, before: Sequence[Pair], seconds_each: float, seconds_left: float) -> bool:
        if len(before) + 1 in self._asked.keys() | self._found:
            return False
        return super().is_over(before, max(self._seconds, seconds_each), seconds_left)

    def measure(self, before: Sequence[Pair], wanted: int, end: float) -> Pair:
        number = len(before) + 1
        if number in self._found:
            return self._read(before, number)
        try:
            self._send(before, wanted, end)
            while number not in self._come:
                if (done := self._cluster.next(self.signals)) is not None:
                    self._come[done.number] = self._good(done)
                    self._seconds = done.seconds
                self._send(before, wanted, end)
        except (InputError, Interrupted):
            self._keep_the_rest()
            raise
        asked, done = self._asked.pop(number), self._come.pop(number)
        pair = self._received(asked, done)
        self.check_new(pair, before, asked)
        self.seconds = done.seconds / self._cluster.slots
        self.note_pace(pair, asked, done.seconds)
        return pair

    def _send(self, before: Sequence[Pair], wanted: int, end: float) -> None:
        """Send the next pairs, as long as there are workers for them and they will be in time."""
        first = max(self._asked, default=len(before)) + 1
        for number in [number for number in range(first, wanted + 1) if number not in self._found]:
            if len(self._asked) - len(self._come) >= self._cluster.slots:
                return
            if self._asked and time.monotonic() + self._seconds > end:
                return
            self._asked[number] = asked = self.asked(before, number)
            self._cluster.send(number, self._request(asked))

    def _request(self, asked: Asked) -> dict[str, object]:
        absent = {role: processes.left_out_ids(self.session(role, asked)) for role in ROLES}
        texts = {role: side.text for role, side in self.comparison.sides.items()}
        plan = asdict(self.comparison.plan)
        facts = {"number": asked.number, "repeats": asked.repeats, "threads": self.comparison.threads}
        return {**facts, "plan": plan, "sides": texts, "absent": absent}

    def _good(self, done: Done) -> Done:
        """Raise InputError, one line that names the worker, for a pair that could not be measured; its logs are kept."""
        if done.code:
            for role in ROLES:
                path = session_path(self.folder / role, done.number).with_suffix(".log")
                if said := done.files.get(f"{role}/{path.name}"):
                    path.write_text(said, encoding="utf-8")
            raise InputError(f"{done.worker}: {told(done, self.folder)}")
        return done

    def _received(self, asked: Asked, done: Done) -> Pair:
        runs = [received(self.session(role, asked), done, f"{role}/") for role in ROLES]
        note_worker(self.folder, f"pair {asked.number}", done.worker, self._cluster)
        self._remark_sharing()
        return paired(*runs)

    def _remark_sharing(self) -> None:
        """Have the outcome, and the folder, say which machines more than one worker shares."""
        lines = [f"{shared_line(*one)}." for one in sorted(self._cluster.shared.items())]
        remarks = list(dict.fromkeys([*self._remarks, *lines]))
        if remarks != self.comparison.remarks:
            self.comparison = replace(self.comparison, remarks=remarks)
            note(self.folder, remarks=remarks)

    def _keep_the_rest(self) -> None:
        """Keep the pairs that have come before one that did not."""
        for number, done in self._come.items():
            with suppress(InputError):
                self._received(self._asked[number], done)
                self._found.add(number)

    def _read(self, before: Sequence[Pair], number: int) -> Pair:
        """A pair that an earlier command of this gate has measured."""
        asked = self.asked(before, number)
        sessions = [self.session(role, asked) for role in ROLES]
        pair = paired(*(session.read(session.path) for session in sessions))
        self.check_new(pair, before, asked)
        return pair
