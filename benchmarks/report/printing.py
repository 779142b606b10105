"""What a command prints arrives, or is an error of one line: in any encoding, on a full disk, and for a reader that has left."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import TextIO

from lenet5.errors import InputError


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
