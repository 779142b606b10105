"""What a session of pytest prints when all is measured and saved: the report, from the file that this session wrote."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from benchmarks.report import printing
from lenet5.errors import InputError

DISPLAY_OPTIONS = tuple(
    f"--benchmark-{name}"
    for name in (
        *("sort", "group-by", "columns", "name", "time-unit", "verbose", "histogram"),
        *("compare", "compare-fail", "cprofile", "cprofile-loops", "cprofile-top"),
    )
)
"""Options of pytest-benchmark that ask for its table, or for what it prints beside it."""


def table_is_asked_for(config: pytest.Config) -> bool:
    """Whether the user names an option that only says what pytest-benchmark prints or draws."""
    words = (*config.invocation_params.args, *shlex.split(os.environ.get("PYTEST_ADDOPTS", "")))
    return any(str(word).partition("=")[0] in DISPLAY_OPTIONS for word in words)


def write_report(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The report, from the JSON that this session has just saved and from nothing else."""
    saved = _saved_by(config)
    if saved is None:
        session = getattr(config, "_benchmarksession", None)
        if session and session.benchmarks and not session.disabled:
            terminalreporter.write_line(
                "No report: it is made from a saved file; add --benchmark-autosave or --benchmark-json=FILE"
            )
        return
    output = config.rootpath / "report"
    elsewhere = f"{shlex.join(['python', '-m', 'benchmarks', 'report', str(saved), '--output'])} DIR"
    try:
        # Only now: with scipy and matplotlib these take longer to import than all else that a process does before its first case.
        from benchmarks.report import markdown, report

        written = report.write([saved], output, right=f"write it elsewhere: {elsewhere}")
    except InputError as error:
        terminalreporter.write_line(f"No report: {error}", red=True)
        return
    except Exception as error:  # what was measured is saved, and another machine may be able to render it
        terminalreporter.write_line(f"No report of {saved}: {printing.unexpected(error)}", red=True)
        return
    terminalreporter.section("LeNet-5: the report")
    terminalreporter.write_line(written.short)
    markdown.add_to_job_summary(written.text)


def _saved_by(config: pytest.Config) -> Path | None:
    """The file that pytest-benchmark wrote in this session, if it wrote one: its storage can also be a data base."""
    from pytest_benchmark.storage.file import FileStorage

    session = getattr(config, "_benchmarksession", None)
    if session is None or session.disabled or not session.benchmarks:
        return None
    if session.json:
        return Path(session.json)
    if not (session.save or session.autosave) or not isinstance(session.storage, FileStorage):
        return None
    files = session.storage.query("[0-9][0-9][0-9][0-9]_*")  # type: ignore[no-untyped-call]
    return Path(files[-1]) if files else None
