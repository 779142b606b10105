"""Threads that make calls at the same time, with less ado than an executor.

An executor takes a future, a condition and several locks for each call; among two milliseconds that is noticed.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, TypeVar

from lenet5.threads import asked, usable_cpus

T = TypeVar("T")

Outcome = tuple[Any, BaseException | None]
"""What a call returned, or what it raised."""


class Helper:
    """A thread that makes one call after the other.  It ends when nothing refers to the helper any more."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[tuple[Callable[[], Any], SimpleQueue[Outcome]] | None] = SimpleQueue()
        threading.Thread(target=_help, args=(self._calls,), name="lenet5", daemon=True).start()
        weakref.finalize(self, self._calls.put, None)

    def start(self, call: Callable[[], Any]) -> SimpleQueue[Outcome]:
        """Begin a call; -> the place where its outcome will be.

        Each call has a place of its own: a caller that is interrupted while it waits leaves no outcome for the next one to find.
        """
        place: SimpleQueue[Outcome] = SimpleQueue()
        self._calls.put((call, place))
        return place


def _help(calls: SimpleQueue[tuple[Callable[[], Any], SimpleQueue[Outcome]] | None]) -> None:
    """Make calls in order; drop each at once, not when the next one comes, because it refers to the images."""
    while (next_call := calls.get()) is not None:
        call, place = next_call
        outcome = _outcome(call)
        del next_call, call
        place.put(outcome)
        del outcome, place


def _outcome(call: Callable[[], Any]) -> Outcome:
    try:
        return call(), None
    except BaseException as error:
        return None, error


def all_of(helpers: Sequence[Helper], mine: Callable[[], T], others: Sequence[Callable[[], T]]) -> list[T]:
    """Make calls at the same time, ``mine`` on this thread and one of the others on each helper; -> what each returned, in order.

    Raises what the first of them raised that failed, when all have ended.
    """
    places = [helper.start(other) for helper, other in zip(helpers, others, strict=True)]
    outcomes = [_outcome(mine), *(place.get() for place in places)]
    for _, error in outcomes:
        if error:
            raise error
    return [returned for returned, _ in outcomes]


def default_threads() -> int:
    """OMP_NUM_THREADS, as for the other frameworks, or one for each core that this process may use."""
    return asked() or usable_cpus()
