"""Where does a saved process stand on the x axis of a history: at its commit, its versions, or the time when it was measured?"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatch
from typing import Any, Literal

from benchmarks.saved.index import Process
from benchmarks.saved.results import PROCESSES

By = Literal["commit", "version", "date"]

SHORT = 8
"""Characters of a commit that are shown."""


@dataclass(frozen=True)
class Moment:
    """One place on the x axis: all processes there measured the same code, versions or run."""

    label: str
    at: float
    """Where it stands: its number, or seconds since 1970."""
    commit: str
    changed: bool
    """Whether its code is not that of the commit."""
    date: str
    """Of the commit, or of the measurement where that is unknown; in ISO 8601."""
    measured: str
    """When its newest process ended."""

    @property
    def revision(self) -> str:
        """The code as a side of a gate: a commit, or . for the directory as it is."""
        return "." if self.changed or not self.commit else self.commit[:12]

    @property
    def code(self) -> str:
        """The code for people.   -> '6935583a+changes'"""
        return f"{self.commit[:SHORT] or 'no commit'}{'+changes' if self.changed else ''}"


def moments(
    processes: Sequence[Process], circumstances: Mapping[int, Mapping[str, Any]], by: By
) -> tuple[list[Moment], dict[int, int]]:
    """All places in their order, and at which of them each process stands, by its number in the index."""
    key, order, label = {"commit": _by_commit, "version": _by_version, "date": _by_date}[by](processes, circumstances)
    groups: dict[Any, list[Process]] = {}
    for one in processes:
        groups.setdefault(key(one), []).append(one)
    ranked = sorted(groups.values(), key=lambda group: order(group[0]))
    found = [
        _moment(group, label(group[0]), _seconds(group[0].measured) if by == "date" else place)
        for place, group in enumerate(ranked)
    ]
    return found, {one.id: place for place, group in enumerate(ranked) for one in group}


def _moment(group: Sequence[Process], label: str, at: float) -> Moment:
    first = group[0]
    return Moment(label, at, first.commit, first.changed, first.committed or first.measured, max(one.measured for one in group))


Ways = tuple[Callable[[Process], Any], Callable[[Process], Any], Callable[[Process], str]]
"""What processes of one place have in common, what the places are sorted by, and what a place is called."""


def _by_commit(processes: Sequence[Process], circumstances: Mapping[int, Mapping[str, Any]]) -> Ways:
    def key(one: Process) -> Any:
        unknown = one.changed or not one.commit
        return one.commit, one.changed, (one.code or _run(one)) if unknown else ""

    def order(one: Process) -> Any:
        return one.committed or one.measured, one.authored, one.changed, one.measured

    return key, order, lambda one: f"{one.commit[:SHORT] or one.measured[:10]}{'+' if one.changed else ''}"


def _by_date(processes: Sequence[Process], circumstances: Mapping[int, Mapping[str, Any]]) -> Ways:
    return _run, lambda one: (one.measured, _run(one)), lambda one: one.measured[:10]


def _by_version(processes: Sequence[Process], circumstances: Mapping[int, Mapping[str, Any]]) -> Ways:
    used = {one.circumstances for one in processes}
    versions = {number: circumstances[number]["versions"] for number in used}
    names = dict.fromkeys(name for found in versions.values() for name in found)
    differing = [name for name in names if len({found.get(name) for found in versions.values()}) > 1]
    shown = [name for name in differing if " " not in name] or differing

    def key(one: Process) -> str:
        return json.dumps([versions[one.circumstances].get(name) for name in differing])

    def order(one: Process) -> Any:
        return [natural(versions[one.circumstances].get(name, "")) for name in differing]

    def label(one: Process) -> str:
        return ", ".join(f"{name} {versions[one.circumstances][name]}" for name in shown if name in versions[one.circumstances])

    return key, order, lambda one: label(one) or "one version"


def _run(one: Process) -> str:
    """The run that a process belongs to: its folder, or itself."""
    return str(one.path.parent if fnmatch(one.path.name, PROCESSES) else one.path)


def natural(text: str) -> list[tuple[int, str]]:
    """A text to be sorted by its words and numbers: '2.10' comes after '2.9'."""
    return [(int(number or 0), word) for number, word in re.findall(r"(\d+)|([A-Za-z]+)", text)]


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
