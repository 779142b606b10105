"""Start a process that does not outlive this one: how every other program is started.

On Linux it ends when this process ends, however that happens, and so does what it has started itself (`tie`).  Elsewhere it is started
as it is: it is ended by the code that started it, unless this process is killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

TIE = str(Path(__file__).with_name("tie.py"))

_shared: list[int] = []
"""The file descriptors of this process that every process has which `start` starts."""


def can_tie() -> bool:
    """Whether this system tells a process that its parent has ended."""
    return sys.platform == "linux"


def tied(command: Sequence[str]) -> list[str]:
    """The command line of a process that runs ``command`` and ends with this process; the command itself where that cannot be."""
    # The caller gets Python's own error for a program that does not exist.
    if not can_tie() or shutil.which(command[0]) is None:
        return list(command)
    return [sys.executable, "-I", "-S", TIE, str(os.getpid()), *command]


def hear_of_children() -> None:
    """Let this process learn how what it starts has ended.  Where its parent ignores SIGCHLD, it inherits that, and every end is a success."""
    number = getattr(signal, "SIGCHLD", None)
    main = threading.current_thread() is threading.main_thread()
    if number and main and signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)


@contextmanager
def shared(descriptor: int) -> Iterator[None]:
    """Let every process that `start` starts within the block have this open file too, as long as it lives."""
    _shared.append(descriptor)
    try:
        yield
    finally:
        _shared.remove(descriptor)


def start(command: Sequence[str], inherits: Sequence[int] = (), **options: Any) -> subprocess.Popen[Any]:
    """Start a process in a session of its own, with these options of subprocess.Popen.   End it with `kill`.

    The thread that calls this has to wait for its end.
    """
    hear_of_children()
    return subprocess.Popen(tied(command), pass_fds=(*_shared, *inherits), start_new_session=True, **options)


def kill(process: subprocess.Popen[Any]) -> None:
    """Kill what `start` started, and all that this has started; wait for its end."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def run(command: Sequence[str], timeout: float | None = None, **options: Any) -> subprocess.CompletedProcess[Any]:
    """Run a process to its end, as subprocess.run does, and keep what it writes.

    It has ended when this returns or raises: with subprocess.TimeoutExpired, or with the exception of a signal that came.
    """
    hear_of_children()
    # Without a tie it stays in the group of this process, and ends when that is killed as a whole.
    options = {"start_new_session": can_tie(), "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    with subprocess.Popen(tied(command), **options) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException:
            if options["start_new_session"]:
                kill(process)
            else:
                process.kill()
                process.wait()
            raise
    return subprocess.CompletedProcess(list(command), process.returncode, out, err)
