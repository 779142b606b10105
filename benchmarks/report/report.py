"""The report: from saved runs to sections of prose and tables, and from those to Markdown and one page.

Pure functions in a line: `results.load_runs` reads, each part says what it has to say of its group, `markdown` and `page` decide how
it looks, `write` puts both on disk.
Nothing is measured here and every figure comes from the JSON; only the original report's own figures come from `original_report`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.report import headline, markdown, page, versions
from benchmarks.report.parts import (
    agreement,
    by_hand,
    circumstances,
    comparison,
    compression,
    flops,
    graphs,
    inference,
    inside,
    machine,
    missing,
    original,
    pruning,
    space,
    training,
    transfer,
)
from benchmarks.report.records import Plot, Section
from benchmarks.saved import results
from benchmarks.saved.files import write_whole
from benchmarks.saved.results import Run


class Part(Protocol):
    """A module of `parts`: what the report says and draws of one group of cases; nothing where a run does not hold it."""

    def sections(self, run: Run) -> list[Section]: ...
    def plots(self, run: Run) -> list[Plot]: ...


PARTS: Sequence[Part] = (
    comparison,
    original,
    agreement,
    inference,
    transfer,
    training,
    by_hand,
    graphs,
    flops,
    space,
    pruning,
    compression,
    inside,
    machine,
    circumstances,
    missing,
)
"""In the order of the page."""


@dataclass(frozen=True)
class Written:
    """Where a report went, and what it says."""

    path: Path
    page: Path
    text: str


def write(paths: Sequence[str | os.PathLike[str]], output: Path) -> Written:
    """Render the processes of one run into ``output``/report.md and report.html; those of several versions, side by side.

    Raises InputError before anything is written if that cannot be.
    """
    runs = results.load_runs(paths)
    if len(runs) == 1:
        parts = sections(runs[0])
        html = page.render(runs[0], parts, plots(runs[0]))
    else:
        parts = versions.sections(runs)
        html = versions.render(runs, parts)
    text = markdown.render(parts)
    written = Written(output / "report.md", output / "report.html", text)
    write_whole(written.path, text)
    write_whole(written.page, html)
    return written


def sections(run: Run) -> list[Section]:
    """What the report of one run says, from the answer to the small print; a group that the run does not hold has no section."""
    return [headline.section(run), *(section for part in PARTS for section in part.sections(run))]


def plots(run: Run) -> list[Plot]:
    """All that there is to draw, in the order of the page."""
    return [plot for part in PARTS for plot in part.plots(run)]
