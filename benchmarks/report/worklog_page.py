"""The figures of the worklog's page, docs/fast-numpy.md: written between its marks, from a saved run alone.

A mark is a line ``<!-- worklog: WHAT -->``; what stands between it and the next line ``<!-- end -->`` is replaced.  WHAT is `run`, `rungs`,
`floors`, `tricks`, `tried`, or `rung` and the name of one.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.report import headline, markdown
from benchmarks.report.disturbance import sentence
from benchmarks.report.parts import worklog
from benchmarks.report.records import Section
from benchmarks.saved.files import write_whole
from benchmarks.saved.results import Run
from lenet5.errors import InputError

MARK = re.compile(r"^<!-- worklog: ([^\n]*?) -->\n(.*?)^<!-- end -->$", re.MULTILINE | re.DOTALL)

COLUMNS = 128
"""Of a line of prose."""

WHOLE: Mapping[str, Callable[[Run], Section]] = {
    "rungs": worklog.rungs,
    "floors": worklog.floors,
    "tricks": worklog.tricks,
    "tried": worklog.tried,
}

ONE_RUNG = "rung "


def fill(page: Path, run: Run) -> None:
    """Replace what stands between the marks of a page.

    Raises InputError, before anything is written, if the run holds no worklog, if the page cannot be read or has no mark, and if a mark asks
    for what the run does not hold.
    """
    if not run.group(worklog.GROUP):
        raise InputError(f"{run.paths[0]}: holds no case of the group {worklog.GROUP}; expected a run made with -k worklog")
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"--worklog {page}: cannot be read ({error}); expected a page with marks <!-- worklog: rungs -->"
        ) from None
    if not MARK.search(text):
        raise InputError(f"--worklog {page}: has no mark; expected lines such as <!-- worklog: rungs --> and <!-- end -->")
    filled = MARK.sub(lambda mark: f"<!-- worklog: {mark[1]} -->\n\n{_between(page, run, mark[1])}<!-- end -->", text)
    write_whole(page, filled, "--worklog")


def _between(page: Path, run: Run, what: str) -> str:
    """What belongs between a mark and its end."""
    if what == "run":
        disturbed = sentence(run)
        return _wrapped(f"{f'{disturbed} ' if disturbed else ''}Measured on: {' · '.join(headline.facts(run))}.\n\n")
    if what in WHOLE:
        return _wrapped(markdown.body(WHOLE[what](run)))
    rungs = worklog.names(run, worklog.RUNG)
    if what.startswith(ONE_RUNG) and what.removeprefix(ONE_RUNG) in rungs:
        return _wrapped(markdown.body(worklog.rung(run, what.removeprefix(ONE_RUNG))))
    right = ", ".join(["run", *WHOLE, *(f"{ONE_RUNG}{name}" for name in rungs)])
    raise InputError(f"--worklog {page}: {what!r} is in no run of this kind; expected one of {right}")


def _wrapped(text: str) -> str:
    """Prose in lines of a readable length; tables stay as they are."""
    return "\n".join(
        line if line.startswith("|") else textwrap.fill(line, COLUMNS, break_on_hyphens=False) for line in text.split("\n")
    )
