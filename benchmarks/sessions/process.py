"""One command in a process of its own: run to its end, with nothing left of it afterwards, and what its log says went wrong."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path
from typing import TextIO

from benchmarks.launch import tied
from benchmarks.sessions.signals import Signals

NO_COLOURS = {"PY_COLORS": "0"}
"""For pytest, whatever FORCE_COLOR says: its errors are quoted in lines of ours."""

LONGEST_WORDS = 300
"""Characters of a log that an error quotes at most."""


FAULT = "Fatal Python error: "
"""What Python writes where the interpreter itself ends, before it lists where each thread was."""


@dataclass(frozen=True)
class Place:
    """Where a process runs: on which code, by which Python, and in which environment."""

    project: Path
    python: str
    environment: Mapping[str, str]
    folder: Path | None = None
    """Its working directory; None for ours, so that paths among pytest's options mean what they say."""
    scratch: Path | None = None
    """Where its temporary folder is made and removed; None for the system's choice."""
    inherits: tuple[int, ...] = ()
    """File descriptors of this process that it may use."""


def execute(command: Sequence[str], place: Place, output: TextIO, signals: Signals) -> int:
    """Run a command, with both of its output streams in ``output``.   -> its exit code

    It and all that it started have ended when this returns or raises, but for what has made itself a session of its own.  Raises Interrupted
    if a signal comes.
    """
    process = tied.start(
        command,
        place.inherits,
        cwd=place.folder,
        env={**place.environment, **NO_COLOURS},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
    )
    try:
        while process.poll() is None:
            signals.check()
            time.sleep(0.1)
        return int(process.returncode)
    finally:
        tied.kill(process)


def last_words(log: Path, project: Path | None = None) -> str:
    """The line of a log that says most: the fault that ended the interpreter, pytest's last error if it printed one, or the last line.

    Of a fault the place is said as well, within the ``project`` if Python names one there.
    """
    lines = [line.strip(" !=") for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    errors = [
        line for line in lines if line.startswith(("ERROR: ", "E  ", "Exit: ", "_pytest.outcomes.Exit: ")) or ": error: " in line
    ]
    # Only where pytest says nothing: a program that a case had started may have had such a fault as well.
    dump = list(dropwhile(lambda line: FAULT not in line, lines))
    if dump and not errors:
        what = dump[0][dump[0].index(FAULT) :]  # behind the dots of the cases before
        return f"{what}{_place(dump, project)}"[:LONGEST_WORDS]
    said = (errors or [line for line in lines if line] or ["it printed nothing"])[-1]
    where = next((f"{line.rstrip('.:')}: " for line in lines if line.startswith("ImportError while loading conftest")), "")
    return f"{where}{said.removeprefix('_pytest.outcomes.').removeprefix('E  ').strip()}"[:LONGEST_WORDS]


def _place(dump: Sequence[str], project: Path | None) -> str:
    """Where the thread with the fault was, as Python lists it, the innermost first.   -> ' in work, src/it/parse.py, line 7'"""
    listed = dropwhile(lambda line: not line.startswith("Current thread "), dump)
    frames = [found.groups() for line in listed if (found := re.fullmatch(r'File "(.+)", line (\d+) in (.+)', line))]
    for file, line, function in frames:
        path = Path(file)
        if project and project in path.parents and "site-packages" not in path.parts:
            return f" in {function}, {path.relative_to(project)}, line {line}"
    return " in {2}, {0}, line {1}".format(*frames[0]) if frames else ""
