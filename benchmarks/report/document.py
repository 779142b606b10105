"""The old names of what a report is made of, for the gate and the proof until they build `records`."""

from __future__ import annotations

import os

from benchmarks.report.records import Section, Table
from benchmarks.report.text import DASH

__all__ = ["DASH", "Section", "Table", "add_to_job_summary"]


def add_to_job_summary(text: str) -> None:
    """Append to the page that GitHub Actions shows of a job; anywhere else, do nothing."""
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(summary, "a", encoding="utf-8") as file:
            file.write(text)
