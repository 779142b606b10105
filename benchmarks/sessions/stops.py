"""A plug-in of pytest: a session that is told to stop while it measures keeps what it has measured, whichever signal tells it.

Python makes a KeyboardInterrupt of Ctrl-C, and pytest then ends the session: what was measured is saved and reported.  SIGTERM, with
which a system ends a job, and SIGHUP, with which a terminal closes, would kill the process at once.  Here they do what Ctrl-C does.
"""

from __future__ import annotations

import signal
from collections.abc import Generator
from types import FrameType
from typing import Any

import pytest

from benchmarks.sessions.signals import handle, restore


def measures(session: pytest.Session) -> bool:
    """Whether a session takes times: pytest-benchmark is on, and a case that was collected asks for it."""
    config = session.config
    plugin = getattr(config, "_benchmarksession", None)
    if plugin is None or plugin.disabled or plugin.skip or config.getoption("collectonly"):
        return False
    return any(map(takes_times, session.items))


def takes_times(item: pytest.Item) -> bool:
    """Whether a case uses pytest-benchmark."""
    return "benchmark" in getattr(item, "fixturenames", ())


class Stops:
    """What a session does when it is told to stop.

    The first signal ends the case that runs.  Those after it, and those that come when all cases are done, are only noted: they would
    cut off the file that is being written.  As soon as it is written, Ctrl-C works as ever.
    """

    def __init__(self) -> None:
        self._received: int | None = None
        self._has_cases_left = False
        self._running: str | None = None
        """The node id of the case that runs."""
        self._before: dict[int, Any] = {}

    def _stop(self, number: int, _: FrameType | None) -> None:
        if self._received is None:
            self._received = number
            if self._has_cases_left:
                self._end()

    def _end(self) -> None:
        if self._received is not None:
            raise KeyboardInterrupt(signal.Signals(self._received).name)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        if not measures(session):
            return (yield)
        session.config.add_cleanup(lambda: restore(self._before))
        self._has_cases_left = True
        self._before = handle(self._stop)
        try:
            result = yield
            self._end()
            return result
        finally:
            self._has_cases_left = False
            _forget(session, self._running)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self._running = item.nodeid
        result = yield
        self._running = None
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        # The exception of a signal can be lost: a library catches it, or it is raised where Python only prints exceptions.
        self._end()
        result = yield
        self._end()
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        # pytest-benchmark has saved: it does so around this call.
        restore({number: before for number, before in self._before.items() if number == signal.SIGINT})


def _forget(session: pytest.Session, unfinished: str | None) -> None:
    """Remove the rounds of the case that was stopped in the middle: few rounds, or none at all, are no measurement."""
    cases = session.config._benchmarksession.benchmarks  # type: ignore[attr-defined]
    cases[:] = [case for case in cases if case.fullname != unfinished]
