"""What the commands print arrives in any encoding; a reader that has left, as head does, is no error, and a full disk is one line."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import Any, TextIO

from lenet5.errors import InputError


def prepare() -> None:
    """Let both output streams take any text; one that the caller closed is replaced by one that leads nowhere."""
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")


def say(text: str) -> bool:
    """Print on standard output; False where its reader has left.  Raises InputError if it cannot be written otherwise."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        _lead_nowhere(sys.stdout)
        return False
    except OSError as error:
        _lead_nowhere(sys.stdout)
        raise InputError(f"standard output: cannot be written ({error.strerror}); send it elsewhere") from None
    return True


def complain(line: object) -> None:
    """Print one line on standard error, if that can be written; characters that would steer a terminal or break the line are escapes."""
    with suppress(OSError):
        print(InputError(str(line)), file=sys.stderr, flush=True)


def finish() -> None:
    """Write what the streams still hold.  What cannot be written is dropped, or Python would try again and change the exit code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            _lead_nowhere(stream)


def _lead_nowhere(stream: Any) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
