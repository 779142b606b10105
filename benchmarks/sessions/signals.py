"""Ctrl-C and its like are noted while a measurement runs, so that it can end its processes before it ends itself."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any

NOTED = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupted(Exception):
    """A signal, which the message names, ended the measurement; the processes that had finished are kept."""


class Signals:
    """Within the block a signal that would end this process is only noted; `check` raises it where it can be borne."""

    def __init__(self) -> None:
        self._received: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        # What is ignored stays ignored: nohup means it.
        noted = [number for number in NOTED if signal.getsignal(number) is not signal.SIG_IGN]
        self._before = {number: signal.signal(number, self._note) for number in noted}
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
