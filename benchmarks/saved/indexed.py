"""What one saved process adds to the index of all runs: which code, when, under which circumstances, and a row for each of its cases."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from benchmarks.saved import plain, variables
from benchmarks.saved.circumstances import SAME
from benchmarks.saved.facts import at
from benchmarks.saved.records import Case, Run

CODE = "machine_info.lenet5.code_sha256"

PLACES = tuple(place for place in SAME if place != CODE)
"""Where two points of a line have to agree; the code is what a history compares."""

VERSIONS = ("machine_info.python_implementation", "machine_info.python_version")

QUOTA = "machine_info.lenet5.cpu_quota"

NO_COMMITS = ("unversioned", "unknown")
"""What pytest-benchmark writes in place of a commit's name, where there is no repository and where git failed: two of one kind need not have the same code."""

EARLIEST = "0001-01-01T00:00:00+00:00"


@dataclass(frozen=True)
class Row:
    """One case of one process."""

    name: str
    """As today's code spells it; the same for all processes that measured the case."""
    id: str
    """As this process's code spells it."""
    group: str
    framework: str
    mode: str
    median: float
    """Seconds, as both quartiles of the rounds."""
    low: float
    high: float
    rounds: int


@dataclass(frozen=True)
class Entry:
    """One process."""

    commit: str
    """Empty if git did not know the code."""
    changed: bool
    """Whether files differed from those of the commit."""
    committed: str
    """When, in UTC and ISO 8601; empty if the file does not say."""
    authored: str
    """When its author made it, likewise: commits that were moved together have one time, and this one each."""
    measured: str
    """When it ended, in UTC and ISO 8601."""
    code: str
    """A digest of all that a time can depend on; empty if the file does not say."""
    circumstances: str
    """JSON of `circumstances_of`: equal texts are equal circumstances."""
    rows: Sequence[Row]


def read(path: Path) -> Entry:
    """What a saved process of any pytest-benchmark suite says.  Raises InputError, one line, as `plain.load` does."""
    return of(plain.load(path))


def of(run: Run) -> Entry:
    """What a run of one process says."""
    commit = run.commit
    name = str(commit.get("id") or "").removesuffix("+dirty")
    return Entry(
        commit="" if name in NO_COMMITS else name,
        changed=bool(commit.get("dirty")),
        committed=moment(commit.get("time")),
        authored=moment(commit.get("author_time")),
        measured=moment(run.datetime) or EARLIEST,
        code=str(run.lenet5.get("code_sha256") or ""),
        circumstances=json.dumps(circumstances_of(run), sort_keys=True),
        rows=[_row(case) for case in run.cases],
    )


def circumstances_of(run: Run) -> dict[str, Any]:
    """What the times of a process depend on beside its code, and how it is shown, as JSON has it.

    ``facts`` hold for all cases, ``frameworks`` for those of one framework; None is what the process's code did not know of.
    """
    document = {"machine_info": {**run.machine, "lenet5": run.lenet5}, "version": run.version}
    return {
        "facts": {place: at(document, place) for place in PLACES},
        "frameworks": run.lenet5["frameworks"],
        "variables": run.lenet5.get("variables"),
        "versions": run.versions,
        "modes": run.lenet5.get("modes", {}),
        "colours": run.lenet5.get("colours", {}),
        "project": None if "threads" in run.lenet5 else str(run.commit.get("project") or "PROJECT"),
    }


KNOWS_QUOTAS = "variables"
"""What the first code recorded that also recorded a quota of CPUs: from then on, no quota is a fact and not a fact that is missing."""


def differences(then: Mapping[str, Any], now: Mapping[str, Any], framework: str, versions: bool = True) -> list[str]:
    """What differs between two circumstances for the cases of a framework: "python_version was '3.11.7', now it is '3.12.1'".

    Without ``versions``, those of Python and of the framework are left out.  What one of the two does not know of is no difference.
    """
    pairs = [(place, then["facts"].get(place), now["facts"].get(place)) for place in PLACES if versions or place not in VERSIONS]
    if versions:
        one, other = (of["frameworks"].get(framework, {}) for of in (then, now))
        pairs += [(f"{framework}.{fact}", one[fact], other[fact]) for fact in one if fact in other]
    pairs = [piece for pair in pairs for piece in _pieces(*pair)]
    quotas = then[KNOWS_QUOTAS] is not None and now[KNOWS_QUOTAS] is not None
    found = [
        f"{place.removeprefix('machine_info.').removeprefix('lenet5.')} was {before!r}, now it is {after!r}"
        for place, before, after in pairs
        if before != after and (None not in (before, after) or (place == QUOTA and quotas))
    ]
    return [*found, *variables.differences(then["variables"], now["variables"])]


def _pieces(place: str, before: Any, after: Any) -> list[tuple[str, Any, Any]]:
    """A pair of values; of two objects the pairs that both have, such as the name of a data set."""
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        return [(place, before, after)]
    return [(f"{place}.{name}", before[name], after[name]) for name in before if name in after]


def joined(then: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Circumstances that do not differ as one: what either of them knows of."""
    facts = {place: now["facts"].get(place, None) for place in PLACES}
    return {
        **now,
        "facts": {place: then["facts"].get(place) if value is None else value for place, value in facts.items()},
        "frameworks": {
            name: {**then["frameworks"].get(name, {}), **now["frameworks"].get(name, {})}
            for name in {**then["frameworks"], **now["frameworks"]}
        },
        "variables": then["variables"] if now["variables"] is None else now["variables"],
    }


def moment(text: Any) -> str:
    """A time in UTC, to be compared as text; empty if it is no time.   2026-11-27T06:00:00.5+01:00 -> 2026-11-27T05:00:00+00:00

    One without a zone is in UTC, as pytest-benchmark writes it.
    """
    try:
        # Python 3.10 reads neither Z nor a fraction of another length than three or six digits.
        found = datetime.fromisoformat(re.sub(r"\.\d+", "", str(text)).replace("Z", "+00:00"))
        return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).astimezone(timezone.utc).isoformat()
    except (ValueError, OverflowError):
        return ""


def _row(case: Case) -> Row:
    stats: Mapping[str, Any] = case.stats
    framework, mode = (str(case.extra.get(name) or "") for name in ("framework", "mode"))
    spread = ("q1", "q3") if stats["rounds"] > 1 else ("median", "median")
    low, high = (float(stats[name]) for name in spread)
    return Row(case.name, case.id or case.name, case.group, framework, mode, case.median, low, high, int(stats["rounds"]))
