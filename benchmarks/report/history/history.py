"""The history: from the index to its page, its Markdown and what a terminal shows of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import drawing, markdown, page
from benchmarks.report.history import changes, lines, summary
from benchmarks.report.history.accepted import Accepted
from benchmarks.report.history.changes import Change
from benchmarks.report.history.lines import History
from benchmarks.report.history.moments import By
from benchmarks.saved.files import File, write_together
from benchmarks.saved.index import Index, Process


@dataclass(frozen=True)
class Found:
    """All that a history knows before it is written."""

    history: History
    changes: Sequence[Change]
    accepted: Sequence[Accepted]
    faults: Sequence[str]
    """A line for each file that is no run."""


def of(index: Index, processes: Sequence[Process], by: By, accepted: Sequence[Accepted] = (), faults: Sequence[str] = ()) -> Found:
    """The history of some processes of an index, of which there is at least one.  Raises InputError if a package that it needs is missing."""
    history = lines.read(index, processes, by)
    return Found(history, changes.changes(history, accepted), accepted, faults)


def write(found: Found, output: Path, now: str, plots: Path | None = None) -> str:
    """Write history.md and history.html into a folder.   -> what a terminal shows; raises InputError if they cannot be written.

    ``now`` is a time in ISO 8601, by which the newest point has its age.  Each plot also goes into the folder ``plots``, if there is one to write.
    """
    report = summary.report(found.history, found.changes, found.accepted, found.faults, now)
    files = [File(output / "history.md", markdown.render(report)), File(output / "history.html", page.render(report))]
    write_together([*files, *drawing.files(report.plots, plots)])
    short = summary.terminal(found.history, found.changes, found.accepted, found.faults, now)
    return f"{short}\nThe page: {', '.join(min(os.path.relpath(path), str(path), key=len) for path, *_ in files)}"
