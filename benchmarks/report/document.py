"""What a report is made of before it is decided how it looks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

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


def add_to_job_summary(text: str) -> None:
    """Append to the page that GitHub Actions shows of a job; anywhere else, do nothing."""
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(summary, "a", encoding="utf-8") as file:
            file.write(text)
