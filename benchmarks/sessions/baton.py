"""A plug-in of pytest for the two processes of a pair: they time each case in turns, and pass a baton to each other.

A machine is as fast for one process as for another only as long as both are near in time.  A process that imports two frameworks
lives for half a minute, and a shared machine changes in less; so the gate starts both processes of a pair at once.  What has no time
of its own they do side by side: importing, collecting, and the cases that measure memory.  When both are ready for their first timed
case they meet, and from then on only the process that holds the baton works: a number through a pair of connected sockets hands it
over.  The first process begins with the first case, the other one with the second, and so on (ABBA).  Within a case, a process that has
timed rounds for a hundredth of a second passes the baton.  When one process ends, in whatever way, the other one goes on alone.

Both use the same CPUs: those of a shared machine are not equally fast, and which of them a process gets would be chance.

This file needs nothing but pytest: the gate gives it to the processes of both sides, whatever code they run.  It is read by Python 3.8, too,
since a side has its own.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import socket
import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PLUGIN = "lenet5_baton"
VARIABLE = "LENET5_BATON"
"""Tells a process which `Part` is its own, as JSON; the socket by its file descriptor."""

UNTIMED = "space "
"""How the groups begin whose cases measure memory: in processes of their own, which need no machine to themselves."""

SLICE_SECONDS = 0.01
"""How long a process times a case at once: what the machine does for longer than that falls on both alike."""

COUNT_BYTES = 4
"""The baton is a number, in so many bytes: how many cases the process that passes it has done."""


@dataclass(frozen=True)
class Part:
    """What one of the two processes has to know."""

    end: socket.socket
    """Its end of the connection."""
    first: bool
    """Whether it takes the first case."""
    cpus: Sequence[int] = ()
    """The CPUs that it may use from the meeting on; empty for any."""
    repeats: int = 1
    """How often it takes each timed case."""
    untimed: str | None = UNTIMED
    """How the groups begin whose cases need no turn; None if every case needs one."""
    slice_seconds: float = SLICE_SECONDS
    """How long it times a case before the other one times the same case."""


class Baton:
    """What one of the two processes does before and after each of its cases."""

    def __init__(self, part: Part, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock  # taken when this file is imported: a case can leave another one in the module `time`
        self._part, self._other = part, part.end
        self._holds, self._alone = part.first, False
        self._met = False
        self._cases, self._others = 0, 0  # that are done
        self._slice = 0.0  # when it began
        self._collector = gc.get_threshold()
        self._collects = True

    def meet(self) -> None:
        """Wait until the other process is ready too: what it does before its first case would disturb the cases of this one."""
        self._met = True
        if not self._collects:
            gc.freeze()  # or the first case would have all of it looked at
            gc.set_threshold(*self._collector)
        _stay_on(self._part.cpus)
        self._send()
        self._wait()

    def take(self) -> None:
        """Wait until this process holds the baton."""
        if not self._met:
            self.meet()
        if not self._holds:
            self._wait()
        self._holds = True
        self._slice = self._clock()

    def turn(self) -> None:
        """Within a case: once its slice is over, let the other process time the same case, until that one's slice is over too.

        A process whose partner has done this case already goes on to its end.
        """
        if self._alone or self._others > self._cases or self._clock() < self._slice + self._part.slice_seconds:
            return
        self._send()
        self._wait()
        self._slice = self._clock()

    def done(self) -> None:
        """A case is done: keep the baton if both have done it and this process begins the next one, else pass it on.

        So no process is ever a case ahead.  What the other one has done is known: without the baton it does nothing more.
        """
        self._cases += 1
        begins = self._part.first == (self._cases % 2 == 0)
        if not (begins and self._others == self._cases):
            self._holds = False
            self._send()

    def leave(self) -> None:
        """Let the other process go on alone, for this one has no case left, and end only after it."""
        with suppress(OSError):
            self._other.shutdown(socket.SHUT_WR)
        while not self._alone:
            self._wait()

    def _send(self) -> None:
        try:
            self._other.sendall(self._cases.to_bytes(COUNT_BYTES, "big"))
        except OSError:
            self._alone = True

    def _wait(self) -> None:
        try:
            told = b"" if self._alone else self._other.recv(COUNT_BYTES, socket.MSG_WAITALL)
        except OSError:
            told = b""
        self._alone = not told
        self._others = int.from_bytes(told, "big")

    def pytest_configure(self) -> None:
        """Do not look for garbage until the meeting: what is imported is none, and two frameworks take a tenth less long so."""
        self._collects = False
        gc.set_threshold(0)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Iterator[None]:
        yield
        timed = [item for item in items if self._is_timed(item)]
        # All of them and then all of them again: a case that follows itself pytest does not set up anew.
        items[:] = [item for item in items if not self._is_timed(item)] + timed * (self._part.repeats if len(timed) > 1 else 1)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtestloop(self) -> Iterator[None]:
        yield
        self.leave()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Generator[None, Any, None]:
        """Let a timed case ask before each of its rounds whether this process's slice is over."""
        outcome = yield
        if fixturedef.argname == "benchmark" and outcome.excinfo is None and self._is_timed(request.node):
            in_slices(outcome.get_result(), self.turn)

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Let the process end without looking for garbage, which takes seconds where a framework's modules are loaded."""
        gc.freeze()

    # First of all, so that no other plug-in's time limit for a case counts the waiting for its turn.
    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        if self._is_timed(item):
            self.take()
            yield
            self.done()
        else:
            yield

    def _is_timed(self, item: pytest.Item) -> bool:
        marker = item.get_closest_marker("benchmark")
        group = str(marker.kwargs.get("group", "")) if marker else ""
        return not (self._part.untimed and group.startswith(self._part.untimed))


def in_slices(benchmark: Any, turn: Callable[[], None]) -> None:
    """Call ``turn`` before each round of a case of pytest-benchmark, and before each call with which it finds out how many rounds it needs."""
    make_runner = getattr(benchmark, "_make_runner", None)
    if make_runner is None or "_make_runner" in getattr(benchmark, "__dict__", {}):
        return  # another plug-in's fixture of this name; a project's own fixture that gives pytest-benchmark's, which asks already

    def made(*arguments: Any) -> Callable[..., Any]:
        runner = make_runner(*arguments)

        def run(*loops: Any, **clock: Any) -> Any:
            turn()
            return runner(*loops, **clock)

        return run

    benchmark._make_runner = made


def _stay_on(cpus: Collection[int]) -> None:
    """Let all threads of this process, and those that they start, run on these CPUs only; on any if the collection is empty."""
    for thread in os.listdir("/proc/self/task") if cpus else ():
        with suppress(OSError):  # it has ended
            os.sched_setaffinity(int(thread), cpus)


def pytest_configure(config: pytest.Config) -> None:
    """Take part, in a process that has been told which part is its own."""
    if VARIABLE in os.environ:
        # No process that this one starts takes part: its end of the connection would outlive this process.
        told = json.loads(os.environ.pop(VARIABLE))
        connection = socket.socket(fileno=told.pop("socket"))
        os.set_inheritable(connection.fileno(), False)
        config.pluginmanager.register(Baton(Part(connection, **told)), "lenet5-baton")


# The gate's side of it


def install(folder: Path) -> None:
    """Put the plug-in into a folder of its own, which only the processes of a pair get on their path."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(__file__, folder / f"{PLUGIN}.py")


def cpus_for(threads: int) -> list[int]:
    """As many of the CPUs that this process may use as there are threads, from the last on: the first has the system's own work.

    Empty where a system cannot hold a process to some of them.
    """
    if not (hasattr(os, "sched_setaffinity") and os.path.isdir("/proc/self/task")):
        return []
    return sorted(os.sched_getaffinity(0))[-threads:]


def variables(part: Part, environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The environment of a process that takes part, from what it would be otherwise; ``folder`` is where the plug-in is installed."""
    plugins = ",".join([*filter(None, [environment.get("PYTEST_PLUGINS")]), PLUGIN])
    told = {
        "socket": part.end.fileno(),
        "first": part.first,
        "cpus": list(part.cpus),
        "repeats": part.repeats,
        "untimed": part.untimed,
        "slice_seconds": part.slice_seconds,
    }
    return {**with_path(environment, folder), "PYTEST_PLUGINS": plugins, VARIABLE: json.dumps(told)}


def with_path(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """An environment in which Python also finds what lies in a folder, after all else."""
    return {**environment, "PYTHONPATH": os.pathsep.join([*filter(None, [environment.get("PYTHONPATH")]), str(folder)])}
