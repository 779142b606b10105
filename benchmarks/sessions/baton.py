"""Two processes take turns, case by case: a machine is as fast for the one as for the other only as long as both are near in time.

A process that imports two frameworks lives for half a minute, and a shared machine changes in less.  So the gate starts both processes
of a pair at once.  What has no time of its own they do side by side: importing the frameworks, and the cases that measure memory.
When both have done so, a baton, one byte through a pair of connected sockets, says which of them may work: one takes the first case,
the other one the first and the second, then the one the second and the third, and so on (ABBA).  Neither does anything else while
the other one measures.  Whoever ends, in whatever way, lets the other go on alone.

Both use the same CPUs: those of a shared machine are not equally fast, and which of them a process gets would be chance.

A file of its own that needs nothing but pytest: the gate gives it to the processes of both sides as a plug-in, whatever code they run.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest

PLUGIN = "lenet5_turns"
VARIABLE = "LENET5_TURNS"
"""Tells a process which `Part` is its own, as JSON; the socket by its file descriptor."""

UNTIMED = "space "
"""How the groups begin whose cases measure memory: in children of their own, which need no machine to themselves."""


@dataclass(frozen=True)
class Part:
    """What one of the two processes has to know: its end of the connection, whether it takes the first case, on which CPUs (none: on
    any), and how often it takes each case."""

    end: socket.socket
    first: bool
    cpus: Sequence[int] = ()
    repeats: int = 1


class Turns:
    """What one of the two processes does before and after each of its cases."""

    def __init__(self, part: Part) -> None:
        self._part, self._other = part, part.end
        self._mine, self._alone = part.first, False
        self._met, self._cases = False, 0

    def meet(self) -> None:
        """Wait until the other one is ready too: what it does before its first case would disturb this one's."""
        self._met = True
        _stay_on(self._part.cpus)
        self._send()
        self._wait()

    def take(self) -> None:
        """Wait until it is this process's turn."""
        if not self._met:
            self.meet()
        if not self._mine:
            self._wait()
        self._mine = True

    def done(self) -> None:
        """A case is done: after it the turn is the other one's, or the next case is taken at once."""
        keeps = self._cases % 2 == int(self._part.first)
        self._cases += 1
        if not keeps:
            self._mine = False
            self._send()

    def leave(self) -> None:
        """There are no cases left here: the other one goes on alone, and what this one still has to do waits until it has ended."""
        with suppress(OSError):
            self._other.shutdown(socket.SHUT_WR)
        while not self._alone:
            self._wait()

    def _send(self) -> None:
        try:
            self._other.sendall(b"!")
        except OSError:
            self._alone = True

    def _wait(self) -> None:
        try:
            self._alone = self._alone or not self._other.recv(1)
        except OSError:
            self._alone = True

    @pytest.hookimpl(hookwrapper=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Iterator[None]:
        yield
        timed = [item for item in items if _is_timed(item)]
        # All of them and then all of them again: a case that follows itself pytest does not set up anew.
        items[:] = [item for item in items if not _is_timed(item)] + timed * (self._part.repeats if len(timed) > 1 else 1)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Iterator[None]:
        _import_frameworks([item for item in session.items if _is_timed(item)])
        yield
        self.leave()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        if _is_timed(item):
            self.take()
            yield
            self.done()
        else:
            yield


def _stay_on(cpus: Collection[int]) -> None:
    """Let all threads of this process, and those that they start, run on these CPUs only; on any if there are none."""
    for thread in os.listdir("/proc/self/task") if cpus else ():
        with suppress(OSError):  # it has ended
            os.sched_setaffinity(int(thread), cpus)


def _is_timed(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("benchmark")
    return not (marker and str(marker.kwargs.get("group", "")).startswith(UNTIMED))


def _import_frameworks(items: Sequence[pytest.Item]) -> None:
    """Import what these cases will ask for.  A framework that cannot be imported is for its cases to name."""
    calls = [item.callspec for item in items if hasattr(item, "callspec")]
    names = {str(call.params["framework"]) for call in calls if "framework" in call.params}
    # PyTorch before TensorFlow, always: triton, which comes with PyTorch's CUDA builds, does not bear it the other way round.
    for name in sorted(names, reverse=True):
        with suppress(Exception):
            import_module("lenet5").implementation(name)


def pytest_configure(config: pytest.Config) -> None:
    """Take turns, in a process that has been told with whom."""
    if VARIABLE in os.environ:
        # No process that this one starts takes part: its end of the connection would outlive this process.
        told = json.loads(os.environ.pop(VARIABLE))
        connection = socket.socket(fileno=told.pop("socket"))
        os.set_inheritable(connection.fileno(), False)
        config.pluginmanager.register(Turns(Part(connection, **told)), "lenet5-turns")


# The gate's side of it


def install(folder: Path) -> None:
    """Put the plug-in where only those find it who are told: this folder, and not its neighbours, is on their path."""
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
    """The environment of a process that takes turns, from what it would be otherwise; ``folder`` is where the plug-in is installed."""
    path = os.pathsep.join([*filter(None, [environment.get("PYTHONPATH")]), str(folder)])
    told = {"socket": part.end.fileno(), "first": part.first, "cpus": list(part.cpus), "repeats": part.repeats}
    return {**environment, "PYTHONPATH": path, "PYTEST_PLUGINS": PLUGIN, VARIABLE: json.dumps(told)}
