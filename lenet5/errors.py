"""Faults outside this code: what is raised for bad input or an absent package, and how a command's output bears closed streams and full disks.

A line of a command arrives, or is an error of one line: in any encoding, on a full disk, and for a reader that has left.

This module loads nothing but the standard library: the report and the gate, which know no network, raise `InputError` and print too.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import TextIO

OLDEST_PYTHON = (3, 10)
"""As pyproject.toml has it."""

if sys.version_info < OLDEST_PYTHON:  # here, as every module of the project imports this one first, before what an older one lacks
    said = [".".join(map(str, version)) for version in (OLDEST_PYTHON, sys.version_info[:3])]
    sys.stderr.write("This project needs Python {} or later; this is {}\n".format(*said))
    sys.exit(2)

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C has ended."""


class InputError(ValueError):
    """Input from outside is wrong: one line that names it, its value and what would be right.

    The message stays on one line for any name and value in it: characters that do not print are written as escapes.
    """

    def __init__(self, message: str) -> None:
        super().__init__("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in message))


class NotSupported(InputError):
    """This framework or mode cannot do what was asked, on any machine or on this one; others can."""


class NoDevice(NotSupported):
    """The device that was asked for is out of this framework's reach: on this machine, or at all."""


class NotHonoured(RuntimeError):
    """A network did not compute as its mode's name, or the contract, says: no number of it would be what it is called."""


class NotInstalled(ImportError):
    """A framework (or a compiler that one of its modes needs) is not on this machine."""


def shown(value: object) -> str:
    """A value as it stands in a message: as it is if it prints on one line, else in quotes with escapes."""
    return str(value) if str(value).isprintable() else repr(str(value))


def reason(error: Exception) -> str:
    """What an exception of another library says, on one line."""
    return shown(getattr(error, "strerror", None) or str(error) or type(error).__name__)


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


def say(text: str) -> bool:
    """Print on standard output; False where its reader has left, as head does, which is no error.

    Raises InputError if standard output cannot be written otherwise.
    """
    try:
        print(text, flush=True)
    except BrokenPipeError:
        lead_nowhere(sys.stdout)
        return False
    except OSError as error:
        lead_nowhere(sys.stdout)
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
        except OSError as error:
            lead_nowhere(stream)
            if not isinstance(error, BrokenPipeError):
                complain(f"{stream.name}: cannot be written ({error.strerror})")


def lead_nowhere(stream: TextIO) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
