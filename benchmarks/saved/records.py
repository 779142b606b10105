"""A saved run in memory: plain records of its cases and of the circumstances that their numbers depend on."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

from benchmarks.saved.facts import COLOURS
from benchmarks.saved.fields import BESIDE, CONTROL, GROUPS

FAILED = "failed: "
"""How the reason of a case begins that gave a wrong answer or broke, unlike one that was skipped."""

NOT_RUN = "not run: "
"""How the reason of a case begins that the session ended before."""

VERSION = re.compile(r"\d+\.\d+")
"""What a fact about a framework holds if it is a version: its own, or that of a library under it."""

REFERENCE = ("numpy", "loops")
"""Framework and mode of the reference in files that do not say it, which commit 67fa1dc and its predecessors wrote."""


@dataclass(frozen=True)
class Case:
    """One benchmark case: its name, its times in seconds, and what rode along with them."""

    group: str
    name: str
    """The node id in pytest as today's code spells it, see `names.canonical`: under it the case is found in every run."""
    stats: Mapping[str, Any]
    """Seconds and counts over all processes, see `stats.pooled`; of one process also its rounds, ``data``, if it saved them."""
    extra: Mapping[str, Any]
    """Every field that the table declares for the group; None for a field that some process lacks.

    Over all processes a number is their median, anything else what the first of them says.
    """
    medians: tuple[float, ...]
    """Seconds: the median of each process, in the order of the processes, which is the same for every case of a run."""
    extras: tuple[Mapping[str, Any], ...] = ()
    """What rode along in each process, in the same order; empty if there is one."""
    each: tuple[Mapping[str, Any], ...] = ()
    """What ``stats`` says in each process, in the same order; empty if there is one."""
    asked_seconds: float | None = None
    """For how long the plug-in was to repeat the case (``--benchmark-max-time``); None where a file does not say."""
    id: str = ""
    """The node id as the first process saved it: the name of the case for that code's pytest."""

    @property
    def stats_of_each(self) -> tuple[Mapping[str, Any], ...]:
        """The times of each process, in the order of the processes."""
        return self.each or (self.stats,)

    def values(self, key: str) -> tuple[float, ...]:
        """What each process says of a number that rode along, in the order of the processes."""
        return tuple(extra[key] for extra in self.extras or (self.extra,))

    @property
    def framework(self) -> str:
        return str(self.extra["framework"])

    @property
    def mode(self) -> str:
        return str(self.extra["mode"])

    @property
    def median(self) -> float:
        """Seconds: the median over the processes of their medians."""
        return float(self.stats["median"])

    @property
    def typical(self) -> float:
        """Seconds: the geometric mean over the processes of their medians, which is what a ratio of two cases of a run compares.

        So by this, and not by `median`, is chosen which of several cases is fastest: the other order would contradict the ratios.
        """
        return statistics.geometric_mean(self.medians)


@dataclass(frozen=True)
class Run:
    """One saved run of one or several processes: its cases and the circumstances that its numbers depend on."""

    paths: tuple[Path, ...]
    """One file a process."""
    cases: tuple[Case, ...]
    """Those that every process has a number for."""
    machine: Mapping[str, Any]
    lenet5: Mapping[str, Any]
    commit: Mapping[str, Any]
    datetime: str
    """When the first process ended."""
    version: str

    @property
    def processes(self) -> int:
        return len(self.paths)

    @property
    def not_measured(self) -> Mapping[str, str]:
        """Cases without a number, and why."""
        reasons: Mapping[str, str] = self.lenet5["not_measured"]
        return reasons

    @property
    def versions(self) -> dict[str, str]:
        """What was measured: Python, each framework, and of each the libraries under it that it names ("tensorflow keras")."""
        found = {"Python": str(self.machine.get("python_version", "?"))}
        for name, facts in self.lenet5["frameworks"].items():
            for fact, value in facts.items():
                if isinstance(value, str) and VERSION.search(value):
                    found[name if fact == "version" else f"{name} {fact}"] = value
        return found

    @property
    def device(self) -> str:
        """Where the networks ran; files that do not say are from when there was only the CPU."""
        return str(self.lenet5.get("device", "cpu"))

    @property
    def out_of_reach(self) -> Mapping[str, str]:
        """Frameworks that the device of this run is out of reach for, and why."""
        reasons: Mapping[str, str] = self.lenet5.get("out_of_reach", {})
        return reasons

    @property
    def not_installed(self) -> Mapping[str, str]:
        """Frameworks that this run has no cases of because they are not installed, and what to install."""
        reasons: Mapping[str, str] = self.lenet5.get("not_installed", {})
        return reasons

    def trains(self, framework: str) -> bool:
        """Whether a framework trains, as all did before files said it; one that does not is a yardstick, no candidate for the fastest."""
        said: Mapping[str, bool] = self.lenet5.get("trains", {})
        return said.get(framework, True)

    @property
    def reference(self) -> tuple[str, str]:
        """Framework and mode of the network that every other one was checked against."""
        said = self.lenet5.get("reference", {})
        return str(said.get("framework", REFERENCE[0])), str(said.get("mode", REFERENCE[1]))

    @property
    def by_hand(self) -> str:
        """The framework whose network is written by hand: that of the reference."""
        return self.reference[0]

    @property
    def colours(self) -> dict[str, str]:
        """The colour of each framework of this run, a word of `facts.COLOURS`.

        A framework for which the file names none takes the first colour that is left, in alphabetical order.
        """
        said: Mapping[str, str] = self.lenet5.get("colours", {})
        left = cycle([colour for colour in COLOURS if colour not in said.values()] or COLOURS)
        return {name: said.get(name) or next(left) for name in self.frameworks}

    def group(self, name: str) -> list[Case]:
        """The cases of one group, in the order of their collection."""
        return [case for case in self.cases if case.group == name]

    @property
    def frameworks(self) -> list[str]:
        """The frameworks that have a number in a group that the report knows, or could not reach the device, in alphabetical order."""
        measured = {case.framework for case in self.cases if case.group in GROUPS and case.group not in (CONTROL, BESIDE)}
        return sorted(measured | self.out_of_reach.keys())
