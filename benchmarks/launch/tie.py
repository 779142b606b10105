"""A program that becomes another one, after it has asked Linux to kill it as soon as the process that started it ends.

    python tie.py PID PROGRAM [ARGUMENT ...]

PID is the number of the process that starts it.  The process keeps its own number, group and open files when it becomes PROGRAM, and what
it has asked for.  Strictly, Linux watches the thread that started it: a thread that starts a process has to wait for its end.

This file is run by its path in a Python without site-packages, so that it takes 20 ms: it imports the standard library only.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

PR_SET_PDEATHSIG = 1
"""Of Linux's prctl: which signal to send to this process when the one that started it ends."""

NOT_FOUND = 127
"""The exit code, as a shell has it of a program that cannot be run."""


def main(parent: int, command: list[str]) -> int:
    """Become the command.   -> an exit code, if that cannot be"""
    with suppress(ImportError, OSError, AttributeError):  # a Python or a system without it; the process is started all the same
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL))
    if os.getppid() != parent:  # it ended before prctl was called
        return 1
    # Python ignores these two, and what is ignored stays so in the program that the process becomes.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return NOT_FOUND


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
