"""Start a process that does not outlive this one: how every other program is started.

On Linux the kernel kills the process when this one ends (`tie`).  Elsewhere it is started as it is: what this process starts is
ended by the code that started it, unless this process is killed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TIE = str(Path(__file__).with_name("tie.py"))

_shared: list[int] = []
"""The file descriptors of this process that every process has which `start` starts."""


def tied(command: Sequence[str]) -> list[str]:
    """The command line of a process that becomes ``command`` and ends with this process; the command itself where there is no such thing."""
    # Let the caller see the FileNotFoundError of a program that does not exist.
    if sys.platform != "linux" or shutil.which(command[0]) is None:
        return list(command)
    return [sys.executable, "-I", "-S", TIE, str(os.getpid()), *command]


@contextmanager
def shared(descriptor: int) -> Iterator[None]:
    """Let every process that is started within the block have this open file too, as long as it lives."""
    _shared.append(descriptor)
    try:
        yield
    finally:
        _shared.remove(descriptor)


def start(command: Sequence[str], inherits: Sequence[int] = (), **options: Any) -> subprocess.Popen[Any]:
    """Start a process, as subprocess.Popen does with these options.  The thread that calls this has to wait for its end."""
    return subprocess.Popen(tied(command), pass_fds=(*_shared, *inherits), **options)


def run(command: Sequence[str], timeout: float | None = None, **options: Any) -> subprocess.CompletedProcess[Any]:
    """Run a process to its end, as subprocess.run does, and keep what it writes.

    It has ended when this returns or raises: with subprocess.TimeoutExpired, or with the exception of a signal that came.
    """
    with subprocess.Popen(tied(command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            process.wait()
            raise
    return subprocess.CompletedProcess(list(command), process.returncode, out, err)
