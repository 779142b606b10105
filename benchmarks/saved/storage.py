"""Where runs are kept between commands, and which of them is the newest."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from lenet5.errors import InputError

STORAGE = Path(".benchmarks")
"""pytest-benchmark saves single processes there, in a folder a platform; each run of several processes gets a folder beside those."""

MANIFEST = "run.json"
"""In the folder of a run of several processes: the settings that it began with."""

NO_RUNS = ("coverage-", "gate-")
"""How the folders begin whose processes are no run to report: copies of a few cases, and the pairs of a gate."""


def new_folder(command: str) -> Path:
    """A name for the folder of a run that this command begins now; the folder is not made."""
    return STORAGE / f"{command}-{datetime.now():%Y%m%d-%H%M%S}"


def newest_folder(command: str) -> Path:
    """The folder of the newest run that this command has begun.  Raises InputError if it has begun no run."""
    runs = sorted(STORAGE.glob(f"{command}-*/{MANIFEST}"))
    if not runs:
        raise InputError(f"{STORAGE}: no {command} to go on with; name its --output")
    return runs[-1].parent


def newest(storage: Path = STORAGE) -> Path:
    """The run that was saved last: a file of pytest-benchmark, or the folder of a run.  Raises InputError if nothing was saved."""
    saved = [path for path in storage.glob("*/*.json") if path.name != MANIFEST and not path.parent.name.startswith(NO_RUNS)]
    if not saved:
        raise InputError(f"{storage}: no saved run; name one, or make one with pytest benchmarks --benchmark-autosave")
    last = max(saved, key=lambda path: path.stat().st_mtime)
    return last.parent if (last.parent / MANIFEST).exists() else last
