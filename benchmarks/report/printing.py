"""What a command prints arrives, or is an error of one line: in any encoding, on a full disk, and for a reader that has left."""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TextIO

from lenet5.errors import InputError

TRACEBACK = "LENET5_TRACEBACK"
"""A variable: with any value, an error that should not be shows where it was raised."""


def prepare() -> None:
    """Let both output streams take any text: a letter that their encoding lacks is written as an escape.

    A stream that the caller closed is replaced by one that leads nowhere.
    """
    # Closed is None: then print(file=sys.stderr) would print to standard output.
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")


class Lasting:
    """A stream to which writing never fails: when its reader has left, or its disk is full, what is written from then on is dropped.

    It is otherwise the stream that it stands for.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._ended = False
        self.failure: OSError | None = None
        """Why the stream could not be written; a reader that has left, as head does, is no failure."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        return int(self._try(lambda: self._stream.write(text)) or len(text))

    def flush(self) -> None:
        self._try(self._stream.flush)

    def _try(self, write: Callable[[], int | None]) -> int | None:
        if self._ended:
            return None
        try:
            return write()
        except OSError as error:
            self._ended = True
            self.failure = None if isinstance(error, BrokenPipeError) else error
            _lead_nowhere(self._stream)
            with suppress(OSError):
                self._stream.flush()  # or Python would try it at its end, and change the exit code
            return None


def outlast_readers() -> Callable[[], None]:
    """Let this process go on to its end whatever becomes of what it prints: any encoding, a full disk, a reader that leaves.

    -> what says at the end, in one line, that standard output could not be written
    """
    prepare()
    sys.stdout, sys.stderr = output, _ = Lasting(sys.stdout), Lasting(sys.stderr)

    def complain_if_it_failed() -> None:
        output.flush()
        if output.failure:
            complain(f"standard output: cannot be written ({output.failure.strerror}); send it elsewhere")

    return complain_if_it_failed


def say(text: str) -> None:
    """Print on standard output.  A reader that has read enough, as head has, is no error.

    Raises InputError if standard output cannot be written otherwise.
    """
    try:
        print(text, flush=True)
    except BrokenPipeError:
        _lead_nowhere(sys.stdout)
    except OSError as error:
        _lead_nowhere(sys.stdout)
        raise InputError(f"standard output: cannot be written ({error.strerror}); send it elsewhere") from None


def complain(line: str) -> None:
    """Print one line on standard error, if that can be written; characters that would steer a terminal or break the line are escapes."""
    with suppress(OSError):
        print(InputError(line), file=sys.stderr, flush=True)


def unexpected(error: Exception, or_install: str = "") -> str:
    """An error that no code foresaw, in one line; its traceback is printed before it if the environment asks for it.

    ``or_install`` is what else to say where a package is missing.
    """
    if os.environ.get(TRACEBACK):
        with suppress(OSError):
            traceback.print_exception(error)
    hint = f"{TRACEBACK}=1 shows where"
    if isinstance(error, ImportError):
        return f"{error}; install what this project needs: pip install -c constraints.txt -e '.[harness]'{or_install} ({hint})"
    if isinstance(error, OSError):
        return f"cannot go on: {error} ({hint})"
    return f"internal error: {type(error).__name__}: {error}; please report it ({hint})"


def finish() -> None:
    """Write what the streams still hold.  What cannot be written is dropped, or Python would try again and change the exit code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            _lead_nowhere(stream)
            if not isinstance(error, BrokenPipeError):
                complain(f"{stream.name}: cannot be written ({error.strerror})")


def _lead_nowhere(stream: TextIO) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
