"""What all pytest sessions of a measurement have in common: which cases, in which orders, with which other options of pytest."""

from __future__ import annotations

import platform
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.saved import results
from benchmarks.saved.provenance import code_sha256, versions
from benchmarks.saved.results import CONTROL, Run
from benchmarks.sessions import expressions
from benchmarks.sessions.process import Place
from lenet5.errors import InputError

CASES = "benchmarks"
"""Where the cases are unless a plan says otherwise; relative to the project."""

CONTROLS = "test_control"
"""Measured in every session, whatever it selects: they show whether the machine was equally fast all the time."""


@dataclass(frozen=True)
class Plan:
    """Which cases, in which orders, with which other options of pytest."""

    cases: str = CASES
    """Folder or file with the cases, relative to the project."""
    expression: str | None = None
    """As for ``pytest -k``; None for all of them."""
    seed: int = 0
    """Of the orders of the cases."""
    options: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises InputError for an expression that pytest could not read."""
        expressions.check(self.expression)

    def settings(self) -> dict[str, Any]:
        """What must not change between the first process of a run and its last, as JSON has it."""
        asked = {**asdict(self), "options": list(self.options)}
        return {**asked, "system": platform.platform(), "versions": versions(), "code_sha256": code_sha256()}


@dataclass(frozen=True)
class Session:
    """One pytest session of a plan, and the file that keeps what it measured."""

    plan: Plan
    place: Place
    folder: Path
    """Of the file; the sessions of one folder are compared with each other."""
    number: int
    """From 1 on; the same seed and number give the same order of the cases."""
    without: Collection[str] = ()
    """Names of cases that it leaves out though the plan selects them."""
    absent: Collection[str] = ()
    """Ids of cases that no session of the folder measures: the other side lacks them."""

    @property
    def path(self) -> Path:
        return session_path(self.folder, self.number)

    def command(self, saved: Path) -> list[str]:
        """The command line of pytest that saves the session in a file."""
        plan, place = self.plan, self.place
        selection = ["-k", f"({plan.expression}) or {CONTROLS}"] if plan.expression else []
        ours = [
            *("--no-report", f"--shuffle={plan.seed}.{self.number}", f"--benchmark-json={saved.absolute()}"),
            *("-p", "no:cacheprovider", f"--rootdir={place.project}"),
        ]
        return [place.python, "-m", "pytest", str(place.project / plan.cases), *plan.options, *selection, *ours]

    def read(self, saved: Path) -> Run:
        """What the session saved in a file.  Raises InputError, one line, unless it is what such a session saves."""
        measured = results.load(saved)
        if self.plan.expression and not measured.not_measured and {case.group for case in measured.cases} == {CONTROL}:
            raise InputError(f"-k {self.plan.expression}: selects no case; see pytest {self.plan.cases} --collect-only")
        return measured


def session_path(folder: Path, number: int) -> Path:
    """The file of one session in a folder.   folder, 3 -> folder/process-003.json"""
    return folder / f"process-{number:03d}.json"
