"""What a report is made of before anybody decides how it looks, and how a finished text gets onto the disk."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lenet5.errors import InputError

DASH = "—"


@dataclass(frozen=True)
class Table:
    """A head and rows of finished text; the first column names the row."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Section:
    """A heading, what to know before reading the table, the table, and what to know after."""

    title: str
    before: Sequence[str] = ()
    table: Table | None = None
    after: Sequence[str] = ()


def write_whole(path: Path, text: str) -> None:
    """Write a file beside its place and rename it, so that there is never half of one.

    Raises InputError, one line, if the folder cannot be made or written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", encoding="utf-8", delete=False) as beside:
            beside.write(text)
        Path(beside.name).chmod(0o644)
        Path(beside.name).replace(path)
    except OSError as error:
        raise InputError(f"{path.parent}: cannot be written ({error.strerror}); name another --output") from None


def add_to_job_summary(text: str) -> None:
    """Append to the page that GitHub Actions shows of a job; anywhere else, do nothing."""
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(summary, "a", encoding="utf-8") as file:
            file.write(text)
