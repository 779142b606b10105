"""What a gate has to know of the project that it compares two versions of: this one, or any other with a pytest-benchmark suite.

All that differs between the two is in one record, `Project`; everything else of the gate is the same for both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.sessions.plan import Session
from benchmarks.sessions.process import Place
from benchmarks.sessions.signals import Signals


@dataclass(frozen=True)
class Project:
    """A project as the gate sees it."""

    repository: Path
    """The folder whose git knows the revisions."""
    start: Path
    """Where a relative path begins: of a side that is a directory, and of an interpreter."""
    is_directory: Callable[[str, Path], bool]
    """Whether a side is a directory, from how it was written and the path that this would be."""
    no_side: str
    """What a side is expected to be, to end an error with."""
    probe: Callable[[str, Place, Signals], dict[str, str]]
    """Option of a side, its place -> the versions that its interpreter has.  Raises InputError unless that can run the side."""
    source: Callable[[Path], Path]
    """A side's folder -> what comes first on its path."""
    code: Callable[[Path], str]
    """A side's folder -> a digest that changes whenever the code does that is measured."""
    session: Callable[..., Session]
    """Makes the pytest sessions: takes what `Session` takes."""
    install: Callable[[Path], None]
    """Puts the plug-ins that its processes need into a folder."""
    cases: tuple[str, ...]
    """Where cases are looked for unless it is said, relative to the project; the first place that has some counts."""
    expression: str | None = None
    """Which of them are measured unless it is said, as for pytest -k."""
    options: tuple[str, ...] = ()
    """Of pytest, always."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """The environment of its processes has these as well."""
    kept: str | None = None
    """Which of them names a side's folder for what its processes need not compute twice; None if they keep nothing."""
    inside: str = ""
    """The folder within the repository; empty for its top."""
    untimed: str | None = None
    """How the groups begin whose cases need no machine to themselves; None if there are no such groups."""
    surveyed: bool = False
    """Whether its cases are counted before anything is measured."""
    strict: bool = True
    """Whether a case that only one side has ends the gate."""
    control: str = "matrix product"
    """What its control measures."""
