"""A session of pytest goes on whatever becomes of what it prints, and an error that no code foresaw is one line."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import Any, TextIO

from lenet5.errors import TRACEBACK, complain, lead_nowhere, prepare


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
            lead_nowhere(self._stream)
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
        return f"{_full(error) or f'cannot go on: {error}'} ({hint})"
    return f"internal error: {type(error).__name__}: {error}; please report it ({hint})"


def _full(error: OSError) -> str:
    """What is full and what to do, where a disk or a quota is; empty for any other error."""
    if error.errno not in (ENOSPC, EDQUOT):
        return ""
    written = error.filename2 or error.filename  # of a copy the second; none where a file was open already
    folder = Path(os.fsdecode(written)).absolute().parent if written else None
    where = f"{folder}: cannot be written" if folder else "cannot go on"
    temporary = Path(tempfile.tempdir or os.curdir)
    elsewhere = ", or set TMPDIR to another place" if not folder or temporary in (folder, *folder.parents) else ""
    return f"{where} ({error.strerror}); make room{elsewhere}"
