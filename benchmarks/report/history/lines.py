"""From the index to lines: which points of a case belong together, and what stands at each of them.

A line is one case in one framework and mode under one set of circumstances.  Where these change, another line begins, and nothing is drawn
or compared across.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.report.history.moments import By, Moment, moments, natural
from benchmarks.saved import indexed
from benchmarks.saved.facts import COLOURS
from benchmarks.saved.fields import SPACE
from benchmarks.saved.index import Index, IndexedCase, Process
from benchmarks.saved.results import CONTROL, UNTIMED

Numbers = NDArray[np.float64]

NO_TIMES = (*UNTIMED, *SPACE)
"""Groups of which other values are read, such as memory: how long a case took says nothing."""


@dataclass(frozen=True)
class Line:
    """The points of one case, framework and mode under one set of circumstances."""

    name: str
    """The case as today's code spells it."""
    spelled: Sequence[str]
    """As the processes spelled it, each once."""
    group: str
    framework: str
    mode: str
    stratum: int
    """Which circumstances, counted from 0 in the order of appearance."""
    places: NDArray[np.int64]
    """The numbers of the moments of its points, rising."""
    median: Numbers
    """Seconds: of one process the median of its rounds, of several the median of theirs."""
    low: Numbers
    """Of one process the quartiles of its rounds, of several the lowest and the highest of their medians."""
    high: Numbers
    processes: NDArray[np.int64]

    @property
    def label(self) -> str:
        return f"{self.framework} {self.mode}".strip() or "time"


@dataclass(frozen=True)
class Case:
    """What one small plot shows: one group with one set of parameters, in all frameworks and modes."""

    title: str
    lines: Sequence[Line]


@dataclass(frozen=True)
class Stratum:
    """Circumstances that points have in common."""

    framework: str
    number: int
    since: str
    """What differs from the circumstances before; empty for the first."""
    moment: Moment
    """Of its first process."""


@dataclass(frozen=True)
class History:
    """All points of all runs."""

    by: By
    moments: Sequence[Moment]
    cases: Sequence[Case]
    controls: Sequence[Line]
    """What watches the machine, under its own circumstances."""
    beside: Mapping[str, Sequence[Line]]
    """Framework -> the same, with the circumstances of the framework's lines."""
    strata: Sequence[Stratum]
    """All but the first of each framework."""
    facts: Mapping[tuple[str, int], Mapping[str, Any]]
    """Framework and number -> circumstances, as `indexed.circumstances_of` has them."""
    colours: Mapping[str, str]
    """Framework -> a word of the palette."""
    modes: Mapping[str, Sequence[str]]
    """Framework -> its modes in their order, as far as the files say."""
    processes: int
    newest: str
    """When that ended, in UTC and ISO 8601."""


@dataclass
class _Reading:
    """What is known while the index is read."""

    index: Index
    processes: Sequence[Process]
    circumstances: Mapping[int, Mapping[str, Any]]
    by: By
    moments: Sequence[Moment] = ()
    place: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    """Process -> the number of its moment; -1 for one that is left out."""
    strata: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    """Framework -> process -> the number of its circumstances."""
    facts: dict[tuple[str, int], Mapping[str, Any]] = field(default_factory=dict)
    changes: list[Stratum] = field(default_factory=list)


def read(index: Index, processes: Sequence[Process], by: By) -> History:
    """All lines of some processes, of which there is at least one."""
    circumstances = {number: json.loads(text) for number, text in index.circumstances().items()}
    reading = _Reading(index, processes, circumstances, by)
    reading.moments, places = moments(processes, circumstances, by)
    reading.place = np.full(max(places) + 1, -1, np.int64)
    for process, place in places.items():
        reading.place[process] = place
    named: dict[str, list[IndexedCase]] = {}
    for case in index.cases():
        named.setdefault(case.name, []).append(case)
    found: dict[tuple[str, str], list[Line]] = {}
    for cases in named.values():
        if cases[-1].group not in (CONTROL, *NO_TIMES):
            for line in _lines(reading, cases, cases[-1].framework):
                found.setdefault((line.group, title_of(line)), []).append(line)
    controls = [cases for cases in named.values() if cases[-1].group == CONTROL]
    beside = {
        framework: [line for cases in controls for line in _lines(reading, cases, framework)]
        for framework in dict.fromkeys(line.framework for lines in found.values() for line in lines)
    }
    newest = max(processes, key=lambda one: one.measured)
    lines_of = sorted({line.framework for lines in found.values() for line in lines if line.framework})
    looks = [circumstances[number] for number in dict.fromkeys(one.circumstances for one in processes)]
    return History(
        by=by,
        moments=reading.moments,
        cases=[Case(title, lines) for (_, title), lines in sorted(found.items(), key=lambda one: natural(one[0][1]))],
        controls=[line for cases in controls for line in _lines(reading, cases, CONTROL)],
        beside=beside,
        strata=reading.changes,
        facts=reading.facts,
        colours=_colours(lines_of, looks),
        modes={name: modes for look in looks for name, modes in look["modes"].items()},
        processes=len(processes),
        newest=newest.measured,
    )


def _colours(frameworks: Sequence[str], looks: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """A colour for each framework: what the newest file says that names one, or the first that is left."""
    said = {name: colour for look in looks for name, colour in look["colours"].items() if colour}
    left = cycle([colour for colour in COLOURS if colour not in said.values()] or COLOURS)
    return {name: said.get(name) or next(left) for name in frameworks}


def title_of(line: Line) -> str:
    """A case without its framework and mode.   test_predict[numpy-fused-batch64] of the group predict -> 'predict batch64'"""
    test, bracket, parameters = line.name.rpartition("::")[2].removesuffix("]").partition("[")
    own = [word for word in (line.framework, line.mode) if word]
    joined = "-".join(own)
    if own and f"-{parameters}-".startswith(f"-{joined}-"):
        left = parameters[len(joined) :].strip("-")
    else:
        left = "-".join(word for word in parameters.split("-") if word not in own)
    known = test.removeprefix("test_").replace("_", " ")
    group = line.group or known
    said = group if known == group else f"{group}: {known}"
    return f"{said} {left}".strip() if bracket else said


def _lines(reading: _Reading, cases: Sequence[IndexedCase], framework: str) -> list[Line]:
    """The points of a case, under whatever names it was saved, as one line for each of the circumstances that count for a framework."""
    rows = [row for case in cases for row in reading.index.points(case.id)]
    if not rows:
        return []
    table = np.array(rows)
    process = table[:, 0].astype(np.int64)
    known = process < len(reading.place)
    table, process = table[known], process[known]
    chosen = reading.place[process] >= 0
    table, process = table[chosen], process[chosen]
    if not len(process):
        return []
    stratum, place = _strata(reading, framework)[process], reading.place[process]
    order = np.lexsort((place, stratum))
    table, stratum, place = table[order], stratum[order], place[order]
    last = cases[-1]
    spelled = list(dict.fromkeys(case.spelled for case in cases))
    found = []
    for number in np.unique(stratum):
        own = stratum == number
        points = _points(place[own], table[own, 1:])
        found.append(Line(last.name, spelled, last.group, last.framework, last.mode, int(number), *points))
    return found


def _points(place: NDArray[np.int64], times: Numbers) -> tuple[NDArray[np.int64], Numbers, Numbers, Numbers, NDArray[np.int64]]:
    """Moments, medians, ends of their intervals and numbers of processes, from rows that are sorted by their moments."""
    at, begin, count = np.unique(place, return_index=True, return_counts=True)
    median, low, high = (times[begin, column].copy() for column in range(3))
    for point in np.flatnonzero(count > 1):
        medians = times[begin[point] : begin[point] + count[point], 0]
        median[point], low[point], high[point] = np.median(medians), medians.min(), medians.max()
    return at, median, low, high, count


def _strata(reading: _Reading, framework: str) -> NDArray[np.int64]:
    """Process -> the number of its circumstances, as far as they count for the cases of a framework.

    Circumstances that come again are the same ones: two machines that measure in turns have a line each.
    """
    if framework in reading.strata:
        return reading.strata[framework]
    versions = reading.by != "version"
    groups: list[Mapping[str, Any]] = []
    numbers: dict[tuple[int, str], int] = {}
    found = np.zeros(len(reading.place), np.int64)
    before: Mapping[str, Any] | None = None
    for one in sorted(reading.processes, key=lambda one: (reading.place[one.id], one.measured)):
        key = (one.circumstances, "" if versions else one.code)
        if key not in numbers:
            now = {**reading.circumstances[one.circumstances], "code": key[1]}
            numbers[key] = _number(groups, now, framework, versions)
            if before is not None and numbers[key] not in {
                0,
                *(one.number for one in reading.changes if one.framework == framework),
            }:
                since = "; ".join(_apart(before, now, framework, versions))
                moment = reading.moments[reading.place[one.id]]
                reading.changes.append(Stratum(framework, numbers[key], since, moment))
        before = groups[numbers[key]]
        found[one.id] = numbers[key]
    reading.facts.update({(framework, number): facts for number, facts in enumerate(groups)})
    reading.strata[framework] = found
    return found


def _number(groups: list[Mapping[str, Any]], now: Mapping[str, Any], framework: str, versions: bool) -> int:
    """Which of the groups circumstances belong to: the last one that they do not differ from, or a new one."""
    for number in range(len(groups) - 1, -1, -1):
        if not _apart(groups[number], now, framework, versions):
            groups[number] = {**indexed.joined(groups[number], now), "code": now["code"]}
            return number
    groups.append(now)
    return len(groups) - 1


def _apart(then: Mapping[str, Any], now: Mapping[str, Any], framework: str, versions: bool) -> list[str]:
    code = [f"the code was {then['code'][:8]}, now it is {now['code'][:8]}"] if then["code"] != now["code"] else []
    return [*indexed.differences(then, now, framework, versions), *code]
