"""One command in a process of its own: run to its end, with nothing left of it afterwards, and what its log says went wrong."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from benchmarks.launch import tied
from benchmarks.sessions.signals import Signals

NO_COLOURS = {"PY_COLORS": "0"}
"""For pytest, whatever FORCE_COLOR says: its errors are quoted in lines of ours."""

LONGEST_WORDS = 300
"""Characters of a log that an error quotes at most."""


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


def last_words(log: Path) -> str:
    """The line of a log that says most: pytest's last error if it printed one, else the last line."""
    lines = [line.strip(" !=") for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    errors = [
        line for line in lines if line.startswith(("ERROR: ", "E  ", "Exit: ", "_pytest.outcomes.Exit: ")) or ": error: " in line
    ]
    said = (errors or [line for line in lines if line] or ["it printed nothing"])[-1]
    where = next((f"{line.rstrip('.:')}: " for line in lines if line.startswith("ImportError while loading conftest")), "")
    return f"{where}{said.removeprefix('_pytest.outcomes.').removeprefix('E  ').strip()}"[:LONGEST_WORDS]
