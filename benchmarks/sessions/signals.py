"""Ctrl-C and its like are noted while a measurement runs, so that it can end its processes before it ends itself.

Pytest sessions that measure have another way to end, in `stops`.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

STOPPING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""What is sent to a process that should end and may clean up first."""


def handle(handler: Callable[[int, FrameType | None], None]) -> dict[int, Any]:
    """Let the signals that stop a process call ``handler``.   -> what they did before, for `restore`

    What is ignored stays ignored: nohup means it.  Only a program's main thread can do this; in another thread nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        return {}
    numbers = [number for number in STOPPING if signal.getsignal(number) is not signal.SIG_IGN]
    return {number: signal.signal(number, handler) for number in numbers}


def restore(before: Mapping[int, Any]) -> None:
    """Let the signals do again what they did before."""
    for number, handler in before.items():
        signal.signal(number, handler)


class Interrupted(Exception):
    """A signal, which the message names, ended the measurement; the processes that had finished are kept."""


class Signals:
    """Within the block a signal that would end this process is only noted; `check` raises it where it can be borne."""

    def __init__(self) -> None:
        self._received: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        self._before = handle(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        restore(self._before)

    def _note(self, number: int, _: FrameType | None) -> None:
        self._received = number

    def check(self) -> None:
        """Raise Interrupted if a signal has come."""
        if self._received is not None:
            raise Interrupted(signal.Signals(self._received).name)
