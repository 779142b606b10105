"""Where runs are kept between commands, and which of them is the newest."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from benchmarks.saved.files import read_json
from lenet5.errors import InputError

STORAGE = Path(".benchmarks")
"""pytest-benchmark saves single processes there, in a folder a platform; each run of several processes gets a folder beside those."""

MANIFEST = "run.json"
"""In the folder of a run of several processes: the settings that it began with."""

ASKED = "asked"
"""In that file, beside the settings: the words of the command line that began it."""

NOTED = "noted"
"""In that file, beside the settings: what else is known of the run, which decides nothing about whether it can go on."""

NO_RUNS = ("bisect-", "coverage-", "gate-")
"""How the folders begin whose processes are no run to report: copies of a few cases, and the pairs of a gate."""


def new_folder(command: str) -> Path:
    """A name for the folder of a run that this command begins now; the folder is not made.

    To the microsecond: what begins within the same second gets another one, long before either makes its folder, and the names stay in order.
    """
    return STORAGE / f"{command}-{datetime.now():%Y%m%d-%H%M%S-%f}"


def newest_folder(command: str) -> Path:
    """The folder of the newest run that this command has begun and can go on with.  Raises InputError if there is none.

    One that has finished no process and does not say what it was asked for cannot: it failed before there was anything to keep.
    """
    runs = sorted(path.parent for path in STORAGE.glob(f"{command}-*/{MANIFEST}"))
    able = [folder for folder in runs if any(folder.rglob("process-*.json")) or ASKED in read_json(folder / MANIFEST, "settings")]
    if not able:
        raise InputError(f"{STORAGE}: no {command} to go on with; name its --output")
    return able[-1]


def newest(storage: Path = STORAGE) -> Path:
    """The run that was saved last: a file of pytest-benchmark, or the folder of a run.  Raises InputError if nothing was saved."""
    saved = [path for path in storage.glob("*/*.json") if path.name != MANIFEST and not path.parent.name.startswith(NO_RUNS)]
    if not saved:
        raise InputError(f"{storage}: no saved run; name one, or make one with pytest benchmarks --benchmark-autosave")
    last = max(saved, key=lambda path: path.stat().st_mtime)
    return last.parent if (last.parent / MANIFEST).exists() else last
