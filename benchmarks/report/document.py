"""The old names of what a report is made of, for the gate and the proof until they build `records`."""

from __future__ import annotations

from benchmarks.report.markdown import add_to_job_summary
from benchmarks.report.records import Section, Table
from benchmarks.report.text import DASH

__all__ = ["DASH", "Section", "Table", "add_to_job_summary"]
