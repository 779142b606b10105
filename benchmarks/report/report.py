"""The report: from saved runs to sections of prose and tables, and from those to Markdown and one page.

Pure functions in a line: `results.load_runs` reads, each part says what it has to say of its group, `markdown` and `page` decide how
it looks, `write` puts both on disk.
Nothing is measured here and every figure comes from the JSON; only the original report's own figures come from `original_report`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from benchmarks.report import drawing, equal_accuracy, headline, machines, markdown, page, terminal, versions
from benchmarks.report.disturbance import sentence
from benchmarks.report.parts import (
    agreement,
    by_hand,
    circumstances,
    comparison,
    compression,
    disturbance,
    executed,
    first_calls,
    flops,
    graphs,
    inference,
    initial_weights,
    inside,
    ladder,
    layers,
    machine,
    missing,
    mistakes,
    original,
    pruning,
    space,
    static,
    training,
    transfer,
    where,
    worklog,
)
from benchmarks.report.records import Alarm, Paragraph, Plot, Report, Section
from benchmarks.report.times import median_of
from benchmarks.saved import results
from benchmarks.saved.files import File, write_together
from benchmarks.saved.results import Run


class Part(Protocol):
    """A module of `parts`: what the report says and draws of one group of cases; nothing where a run does not hold it."""

    def sections(self, run: Run) -> list[Section]: ...
    def plots(self, run: Run) -> list[Plot]: ...


PARTS: Sequence[Part] = (
    comparison,
    original,
    inference,
    transfer,
    training,
    agreement,
    initial_weights,
    mistakes,
    layers,
    by_hand,
    ladder,
    worklog,
    static,
    graphs,
    first_calls,
    flops,
    executed,
    where,
    space,
    pruning,
    compression,
    inside,
    machine,
    disturbance,
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
    """The whole report, as Markdown."""
    short: str
    """What a terminal shows of it."""


def write(
    paths: Sequence[str | os.PathLike[str]], output: Path, plots: Path | None = None, right: str = "name another --output"
) -> Written:
    """Render the processes of one run into ``output``/report.md and report.html; those of several versions or machines, side by side.

    Each plot also goes into the folder ``plots``, as an SVG file under its name, if there is such a folder to write.
    Raises InputError before anything is written if that cannot be; ``right`` is what it says to do where ``output`` cannot be written.
    """
    runs = results.load_runs(paths)
    found = of(runs[0]) if len(runs) == 1 else _several(runs)
    files = (output / "report.md", output / "report.html")
    rows = comparison.rows(runs[0]) if len(runs) == 1 else []
    where = [f"Measured: {_short(paths)}", f"The whole report: {_short(files)}"]
    written = Written(*files, markdown.render(found), terminal.render(found, comparison.INTRODUCTION, rows, where))
    pages = [File(written.path, written.text, right), File(written.page, page.render(found), right)]
    write_together([*pages, *drawing.files(found.plots, plots)])
    return written


def _several(runs: Sequence[Run]) -> Report:
    """What the report of several runs says: of several machines, or of several versions."""
    return machines.of(runs) if results.only_machines_differ(runs) else versions.of(runs)


def _short(paths: Sequence[str | os.PathLike[str]]) -> str:
    """Paths for people: from here, where that is shorter."""
    return ", ".join(min(os.path.relpath(path), os.fspath(path), key=len) for path in paths)


def of(run: Run) -> Report:
    """What the report of one run says, from the answer to the small print.

    A group that the run does not hold has no section; the warnings of all sections stand at the top, once.
    """
    answers, accuracies = headline.answers(run), headline.accuracies(run)
    alarms, sections = hoisted([section for part in PARTS for section in part.sections(run)])
    return Report(
        title=headline.title(run, answers),
        disturbed=sentence(run),
        facts=headline.facts(run),
        alarms=alarms,
        summary=[
            *headline.summary(answers, accuracies, equal_accuracy.sentences(run)),
            *headline.left_out(run),
            *headline.not_ranked(run, {duel.other.framework for duel in by_hand.duels(run)}),
        ],
        answers=answers,
        time_is=median_of(run),
        accuracies=accuracies,
        notes=[*([comparison.INTRODUCTION] if comparison.rows(run) else []), *headline.notes(run, answers)],
        plots=plots(run),
        sections=sections,
        colours=run.colours,
    )


def plots(run: Run) -> list[Plot]:
    """All that there is to draw, in the order of the page."""
    return [plot for part in PARTS for plot in part.plots(run)]


def hoisted(sections: Sequence[Section]) -> tuple[list[Alarm], list[Section]]:
    """The warnings of some sections, and the sections without them."""
    alarms = [line for section in sections for line in (*section.before, *section.after) if isinstance(line, Alarm)]
    rest = [replace(one, before=_prose(one.before), after=_prose(one.after)) for one in sections]
    return list(dict.fromkeys(alarms)), rest


def _prose(lines: Sequence[Paragraph]) -> list[Paragraph]:
    return [line for line in lines if not isinstance(line, Alarm)]
