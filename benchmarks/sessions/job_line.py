"""A plug-in of pytest: how far `pytest benchmarks` is, in one line on a terminal: what runs, how much is done, the time that is left.

The line takes the place of pytest's dots.  It is drawn when a case begins, and never while a case runs, so it takes no time from a
measurement; it is erased before anything else is printed.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import pytest

from benchmarks.quantities.units import time_left
from benchmarks.saved.names import canonical
from benchmarks.sessions.stops import measures

CACHE = "lenet5/seconds"
"""Where pytest's cache keeps how long each case took: a node id -> seconds, checks and set-up included."""

ERASE = "\r\x1b[K"
"""To the first column, and clear to the end of the line."""

LEAST_KNOWN = 0.5
"""Cases differ a thousandfold in what they take.  Unless this share of them is known, the line says nothing of the time that is left."""

DAMPING = 0.1
"""A session can be slower or faster than the earlier one.  Its pace is taken as if this share of its cases had gone as they did earlier:
else the first case, which imports a framework, would decide alone."""


def seconds_left(rest: Sequence[str], took: Mapping[str, float], earlier: Mapping[str, float]) -> float | None:
    """How long the cases ``rest`` will take; None if too little is known.

    ``took``: the seconds of the cases that are done; ``earlier``: those of an earlier session, which may have had other cases.  A case
    that is not in it takes as long as the others on average.
    """
    cases = [*took, *rest]
    if sum(case in took or case in earlier for case in cases) < LEAST_KNOWN * len(cases):
        return None
    slack = DAMPING * sum(earlier.get(case, 0.0) for case in cases)
    now = sum(seconds for case, seconds in took.items() if case in earlier)
    then = sum(earlier[case] for case in took if case in earlier)
    pace = (now + slack) / (then + slack) if then + slack else 1.0
    expected = {case: pace * earlier[case] for case in rest if case in earlier}
    known = {**expected, **took}
    mean = sum(known.values()) / max(len(known), 1)
    return sum(expected.get(case, mean) for case in rest)


def line(name: str, done: int, total: int, left: float | None, columns: int) -> str:
    """The line, shorter than the terminal is wide.   'test_a[1]', 12, 55, 170.0, 80 -> '12 of 55 done, about 3 min left: test_a[1]'"""
    until_the_end = "" if left is None else f", {time_left(left, 'about ')}"
    text = f"{done} of {total} done{until_the_end}: {name}"
    # A terminal may wrap a line that fills its last column.
    return text if len(text) < columns else f"{text[: max(columns - 4, 0)]}..."[: max(columns - 1, 0)]


def seconds_of(cached: object) -> dict[str, float]:
    """What pytest's cache holds, as far as it is sound: other programs may write there."""
    if not isinstance(cached, dict):
        return {}
    return {case: float(value) for case, value in cached.items() if isinstance(value, (int, float)) and 0 <= value < float("inf")}


def has_a_place(config: pytest.Config) -> bool:
    """Whether pytest would write dots to a terminal: not into a file, not with -q, -v or -s, nor with the plug-in's own messages."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    return (
        reporter is not None
        and bool(reporter.isatty)
        and os.environ.get("TERM") != "dumb"
        and config.getoption("verbose") == 0
        and config.getoption("capture") not in ("no", "tee-sys")
        and not config.getoption("benchmark_verbose", False)
    )


class JobLine:
    """The line of one session."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._on = self._drawn = False
        self._cases: list[str] = []
        self._done = 0
        self._took: dict[str, float] = {}
        self._earlier: dict[str, float] = {}
        self._began = 0.0

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        if not measures(session) or not has_a_place(self._config):
            return (yield)
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        shows_path, reporter.showfspath = reporter.showfspath, False
        self._writer = self._config.get_terminal_writer()
        self._write = self._writer.write
        cache = getattr(self._config, "cache", None)  # None with -p no:cacheprovider
        self._cases = [canonical(item.nodeid) for item in session.items]
        self._earlier = seconds_of(cache.get(CACHE, {})) if cache else {}
        self._writer.write = self._write_without_the_line  # type: ignore[method-assign]
        self._on = True
        try:
            return (yield)
        finally:
            self._on = False
            self._erase()
            self._writer.write = self._write  # type: ignore[method-assign]
            reporter.showfspath = shows_path
            if cache:
                with warnings.catch_warnings():  # a folder that cannot be written to must not end the session
                    warnings.simplefilter("ignore")
                    cache.set(CACHE, {**self._earlier, **{case: round(seconds, 3) for case, seconds in self._took.items()}})

    def _write_without_the_line(self, msg: str, *, flush: bool = False, **markup: bool) -> None:
        self._erase()
        self._write(msg, flush=flush, **markup)

    def _erase(self) -> None:
        if self._drawn:
            self._write(ERASE, flush=True)
        self._drawn = False

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        if not self._on:
            return
        left = seconds_left(self._cases[self._done :], self._took, self._earlier)
        text = line(nodeid.partition("::")[2], self._done, len(self._cases), left, self._writer.fullwidth)
        self._write(ERASE + text, flush=True)
        self._drawn = True
        self._began = time.monotonic()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        if self._on:
            self._took[canonical(nodeid)] = time.monotonic() - self._began
            self._done += 1

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(self) -> Generator[None, Any, Any]:
        """Let pytest count the outcomes as ever, and print no dot while the line is there."""
        category, letter, word = yield
        return (category, "", "") if self._on else (category, letter, word)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A line that stays, for a case without a number."""
        if self._on and not report.passed:
            reporter = self._config.pluginmanager.getplugin("terminalreporter")
            reporter.write_line(f"{report.outcome.upper()} {report.nodeid}{_reason(report)}")


def _reason(report: pytest.TestReport) -> str:
    """Why a case was skipped or failed, in one line that begins with a dash; empty if it does not say."""
    if isinstance(report.longrepr, tuple):
        said = report.longrepr[2].removeprefix("Skipped: ")
    else:
        said = getattr(getattr(report.longrepr, "reprcrash", None), "message", "")
    return f" - {said.splitlines()[0]}" if said.strip() else ""
