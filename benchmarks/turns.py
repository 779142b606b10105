"""Two processes take turns, case by case: a machine is as fast for the one as for the other only as long as both are near in time.

A process that imports two frameworks lives for half a minute, and a shared machine changes in less.  So the gate starts both processes
of a pair at once, and a baton, one byte through a pair of connected sockets, says which of them may work: one takes the first case,
the other one the first and the second, then the one the second and the third, and so on (ABBA).  Neither does anything else while
the other one measures.  Whoever ends, in whatever way, lets the other go on alone.

A file of its own that needs nothing but pytest: the gate gives it to the processes of both sides as a plug-in, whatever code they run.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest

PLUGIN = "lenet5_turns"
DESCRIPTOR, FIRST = "LENET5_TURNS_SOCKET", "LENET5_TURNS_FIRST"
"""Variables of a process that takes turns: its end of the connection, and 1 if it takes the first case."""


class Turns:
    """What one of the two processes does before and after each of its cases."""

    def __init__(self, connection: socket.socket, first: bool) -> None:
        self._other, self._first = connection, first
        self._mine, self._alone = first, False
        self._cases = 0

    def meet(self) -> None:
        """Wait until the other one is ready too: what it does before its first case would disturb this one's."""
        self._send()
        self._wait()

    def take(self) -> None:
        """Wait until it is this process's turn."""
        if not self._mine:
            self._wait()
        self._mine = True

    def done(self) -> None:
        """A case is done: after it the turn is the other one's, or the next case is taken at once."""
        keeps = self._cases % 2 == int(self._first)
        self._cases += 1
        if not keeps:
            self._mine = False
            self._send()

    def part(self) -> None:
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
    def pytest_runtestloop(self) -> Iterator[None]:
        self.meet()
        yield
        self.part()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self) -> Iterator[None]:
        self.take()
        yield
        self.done()


def pytest_configure(config: pytest.Config) -> None:
    """Take turns, in a process that has been told with whom."""
    if DESCRIPTOR in os.environ:
        # No process that this one starts takes part: its end of the connection would outlive this process.
        connection = socket.socket(fileno=int(os.environ.pop(DESCRIPTOR)))
        os.set_inheritable(connection.fileno(), False)
        config.pluginmanager.register(Turns(connection, os.environ.pop(FIRST) == "1"), "lenet5-turns")


# The gate's side of it


def install(folder: Path) -> None:
    """Put the plug-in where only those find it who are told: this folder, and not its neighbours, is on their path."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(__file__, folder / f"{PLUGIN}.py")


def variables(end: socket.socket, first: bool, environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The environment of a process that takes turns, from what it would be otherwise; ``folder`` is where the plug-in is installed."""
    path = os.pathsep.join([*filter(None, [environment.get("PYTHONPATH")]), str(folder)])
    return {**environment, "PYTHONPATH": path, "PYTEST_PLUGINS": PLUGIN, DESCRIPTOR: str(end.fileno()), FIRST: str(int(first))}
