"""What every long measurement needs: children that never outlive it, the time left, and a folder that it can go on from."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from tqdm import tqdm

from benchmarks.saved import files
from benchmarks.saved.files import write_whole
from lenet5.errors import InputError

MANIFEST = "run.json"
"""In the folder of a measurement: the settings that it began with."""

LAST = 4
"""Of so many that are done the time left is judged: what is measured later can be less than what was measured first."""

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupted(Exception):
    """A signal ended the measurement; the processes that had finished are kept."""


# The folder


def begin(output: Path, settings: Mapping[str, Any]) -> None:
    """Make the folder of a measurement and note its settings there.  Raises InputError if it cannot be written."""
    write_whole(output / MANIFEST, json.dumps(settings, indent=2) + "\n")


def check_settings(output: Path, settings: Mapping[str, Any]) -> None:
    """Raise InputError, naming the first difference, unless the settings are still those that the measurement began with."""
    manifest = output / MANIFEST
    began = files.read_json(manifest, "the folder of a run to go on with")
    if not isinstance(began, Mapping):
        raise InputError(f"{manifest}: is {type(began).__name__}, not an object; expected the settings of a run")
    difference = _first_difference(began, settings)
    if difference:
        where, one, other = difference
        raise InputError(f"{manifest}: {where} was {one!r}, now it is {other!r}; restore it, or name another --output")


def _first_difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, Any, Any] | None:
    """The dotted name of the first value that two trees do not share, and both values; None stands for one that is missing."""
    for key in (*other, *sorted(one.keys() - other.keys())):
        before, now = one.get(key), other.get(key)
        if isinstance(before, Mapping) and isinstance(now, Mapping):
            below = _first_difference(before, now)
            if below:
                return f"{key}.{below[0]}", below[1], below[2]
        elif before != now:
            return key, before, now
    return None


# One child


def execute(
    command: Sequence[str],
    environment: Mapping[str, str],
    output: TextIO,
    signals: Signals,
    folder: Path | None = None,
    inherits: Sequence[int] = (),
) -> int:
    """Exit code of a command, run in ``folder`` with some of our file descriptors.

    Whatever happens, nothing that it started is left when this returns.
    """
    child = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        pass_fds=inherits,
    )
    try:
        while child.poll() is None:
            signals.check()
            time.sleep(0.1)
        return child.returncode
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def last_words(log: Path) -> str:
    """The line of a log that says most: pytest's error if it printed one, else whatever came last."""
    lines = [line.strip(" !=") for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    errors = [
        line for line in lines if line.startswith(("ERROR: ", "E  ", "Exit: ", "_pytest.outcomes.Exit: ")) or ": error: " in line
    ]
    return (errors or [line for line in lines if line] or ["it printed nothing"])[-1].removeprefix("_pytest.outcomes.")[:300]


class Signals:
    """Within the block a signal that would end this process is only noted, so that its child is ended first."""

    def __init__(self) -> None:
        self._received: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        # What is ignored stays ignored: nohup means it.
        caught = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        self._before = {number: signal.signal(number, self._note) for number in caught}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        self._received = number

    def check(self) -> None:
        """Raise Interrupted if a signal has come."""
        if self._received is not None:
            raise Interrupted(signal.Signals(self._received).name)


class Progress:
    """What is done and the time left, on standard error: a bar on a terminal, elsewhere a line each."""

    def __init__(self, unit: str, total: int, done: int) -> None:
        self._total, self._done = total, done
        self._ends = deque([time.monotonic()], maxlen=1 + LAST)
        self._bar = tqdm(total=total, initial=done, unit=unit, disable=not sys.stderr.isatty())

    def __enter__(self) -> Progress:
        self._bar.refresh()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    @property
    def seconds_each(self) -> float:
        """Seconds that each of the last few took on average; 0 before the first."""
        return (self._ends[-1] - self._ends[0]) / max(len(self._ends) - 1, 1)

    def expect(self, total: int) -> None:
        """It will be so many altogether."""
        self._total = self._bar.total = total
        self._bar.refresh()

    def say(self, line: str) -> None:
        """A line that stays."""
        self._bar.write(line, file=sys.stderr)

    def finished(self, name: str) -> None:
        """One more is done."""
        self._ends.append(time.monotonic())
        self._done += 1
        self._bar.update()
        if self._bar.disable:
            left = self.seconds_each * (self._total - self._done) / 60
            self.say(f"{name} of {self._total}: done; {self.seconds_each:.0f} s each, {left:.0f} min left")
