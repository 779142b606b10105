"""A program that runs another one and ends it, with all that it has started, as soon as the process that asked for it ends.

    python tie.py PID PROGRAM [ARGUMENT ...]

PID is the number of the process that starts this one, as the first of a process group of its own.  Linux sends a signal to a process when
its parent ends (PR_SET_PDEATHSIG), and this process answers it by killing the group.  It ends as PROGRAM ends: with the same exit code,
or by the same signal.  Strictly, Linux watches the thread that started a process: that thread has to wait for its end.

This file is run by its path in a Python without site-packages, so that it starts quickly: it imports the standard library only.
While PROGRAM runs it sleeps.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn

PR_SET_PDEATHSIG = 1
"""Of Linux's prctl: which signal to send to this process when its parent ends."""

NOT_FOUND = 127
"""The exit code, as a shell has it of a program that cannot be run."""


def main(parent: int, command: list[str]) -> int:
    """Run the command to its end.   -> its exit code"""
    this = os.getpid()
    if os.getpgrp() != this:
        os.setsid()
    child = os.fork()
    if not child:
        become(command, this)
    signal.signal(signal.SIGTERM, kill_the_group)
    signal_when_ends(parent, signal.SIGTERM)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code < 0:
        with suppress(OSError):  # SIGKILL needs no permission
            signal.signal(-code, signal.SIG_DFL)
        os.kill(this, -code)
    return code


def become(command: list[str], parent: int) -> NoReturn:
    """Turn this process into the command's; it ends with its parent even if that is killed too."""
    signal_when_ends(parent, signal.SIGKILL)
    # Python ignores these two, and what is ignored stays so in the program that a process becomes.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr, flush=True)
    os._exit(NOT_FOUND)


def signal_when_ends(parent: int, number: int) -> None:
    """Ask for a signal to this process when its parent ends; send it at once if that has ended already."""
    with suppress(ImportError, OSError, AttributeError):  # a Python or a system without it; the program is run all the same
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(number))
    if os.getppid() != parent:
        os.kill(os.getpid(), number)


def kill_the_group(*_: object) -> None:
    """Kill this process and all that it has started, unless that went into groups of its own."""
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
