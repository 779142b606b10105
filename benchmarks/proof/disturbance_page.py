"""What the study of disturbance found: data as JSON, and the same as Markdown."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.proof.disturbance import CONDITIONS
from benchmarks.quantities.units import COUNT, CPUS, FINE_SHARE, SECONDS, Unit, significant
from benchmarks.report import markdown
from benchmarks.report.records import Cell, Dash, Quantity, Report, Section, Table, Words
from benchmarks.saved.files import File, write_together

WANTED_DISTURBED, WANTED_IDLE = 0.99, 0.01
"""How many of the disturbed cases should be called so at least, and of the idle ones at most."""

PERCENT = (0, 1, 5, 50, 95, 99, 100)
"""Which quantiles are shown: 0 is the least, 100 the most."""

RATES: Mapping[str, tuple[str, Unit]] = {
    "others_cpu_seconds": ("others used", CPUS),
    "steal_seconds": ("other virtual machines took", CPUS),
    "process_cpu_seconds": ("the case itself used", CPUS),
    "runqueue_wait_seconds": ("its threads waited, added up", CPUS),
    "involuntary_switches": ("involuntary switches a second", Unit(significant, significant)),
}
"""Fields that are divided by the time that was watched, what that is called, and its unit."""

PLAIN: Mapping[str, tuple[str, Unit]] = {
    "watched_seconds": ("watched", SECONDS),
    "load_1min": ("load of the last minute", Unit(significant, significant)),
    "cpus_allowed": ("CPUs allowed", COUNT),
}
"""Fields that are shown as they are."""

NOT_TOLD = Dash("the system does not tell, or no case was long enough")


def write(found: Mapping[str, Any], output: Path) -> str:
    """Write disturbance.json and study.md into a folder, from what `disturbance.study` found.   -> the Markdown

    Raises InputError, one line, if the folder cannot be written to.
    """
    written = markdown.render(of(found))
    write_together([File(output / "disturbance.json", json.dumps(found) + "\n"), File(output / "study.md", written)])
    return written


def of(found: Mapping[str, Any]) -> Report:
    """What the study says: how often it was right, at which bounds it would have been, and what every signal was."""
    return Report(
        title="How often is a disturbed case called so?",
        facts=[
            str(found["cpu"]),
            f"{found['cpus']} CPUs",
            f"{found['threads']} threads each",
            found["system"],
            *(f"{name} {version}" for name, version in found["versions"].items()),
            found["measured"][:10],
        ],
        notes=[
            "Short sessions of the main job were measured while nothing else ran, and beside programs that keep one CPU busy each. A case is "
            f"called disturbed if others used more than {found['others_cpus']:g} CPUs while it was measured, {SECONDS.show(found['rounding_seconds'])} "
            f"of rounding aside. Cases of less than {SECONDS.show(found['least_watched_seconds'])} are too short to be called quiet, and not "
            "counted.",
            f"Wanted: at least {100 * WANTED_DISTURBED:g} % of the disturbed cases, at most {100 * WANTED_IDLE:g} % of the idle ones.",
            *(f"{name}: **missed what was wanted.**" for name, one in found["conditions"].items() if _missed(name, one["called"])),
            f"`{found['command']}`",
        ],
        sections=[
            Section("How often", table=_called(found)),
            Section(
                "By other bounds",
                ["The share of cases that would be called disturbed, by the CPUs that others may use."],
                _by_bound(found),
            ),
            Section(
                "What the system knew",
                ["Quantiles over the cases. Except for the last three, a value is divided by the time that was watched."],
                _signals(found),
                [
                    f"Brackets in the other tables are {found['confidence']:.0%} intervals (Wilson) over cases; cases of one session share it."
                ],
            ),
        ],
    )


def _missed(name: str, called: Mapping[str, Any]) -> bool:
    if called["share"] is None:
        return True
    return bool(called["share"] < WANTED_DISTURBED if CONDITIONS.get(name, 1) else called["share"] > WANTED_IDLE)


def _called(found: Mapping[str, Any]) -> Table:
    rows = [
        (
            Words(name),
            *(Quantity(number, COUNT) for number in (one["sessions"], one["called"]["of"], one["called"]["count"])),
            _share(one["called"]),
            Quantity(one["too_short"], COUNT),
        )
        for name, one in found["conditions"].items()
    ]
    return Table(("", "sessions", "cases", "called disturbed", "share", "too short to judge"), rows)


def _by_bound(found: Mapping[str, Any]) -> Table:
    conditions = found["conditions"]
    bounds = [one["bound"] for one in next(iter(conditions.values()))["by_bound"]]
    rows = [
        (Words(f"more than {bound:g} CPUs"), *(_share(one["by_bound"][index]) for one in conditions.values()))
        for index, bound in enumerate(bounds)
    ]
    return Table(("", *conditions), rows)


def _share(share: Mapping[str, Any]) -> Cell:
    return NOT_TOLD if share["share"] is None else Quantity(share["share"], FINE_SHARE, (share["low"], share["high"]))


def _signals(found: Mapping[str, Any]) -> Table:
    rows = []
    for field, (title, unit) in {**RATES, **PLAIN}.items():
        for name, one in found["conditions"].items():
            values = _values(found, one, field)
            cells = [Quantity(value, unit) for value in quantiles(values)] if values else [NOT_TOLD] * len(PERCENT)
            rows.append((Words(f"{title}, {name}"), *cells))
    return Table(("", *(f"{percent} %" for percent in PERCENT)), rows)


def _values(found: Mapping[str, Any], one: Mapping[str, Any], field: str) -> list[float]:
    """A field of the cases of a condition that were long enough, by the second where it grows with the time."""
    at, watched = found["fields"].index(field), found["fields"].index("watched_seconds")
    rows = [row for row in one["signals"] if row[at] is not None and (row[watched] or 0) >= found["least_watched_seconds"]]
    return [row[at] / row[watched] if field in RATES else row[at] for row in rows]


def quantiles(values: Sequence[float]) -> list[float]:
    """The values below which so many of a hundred lie, see `PERCENT`."""
    if len(values) == 1:
        return [values[0]] * len(PERCENT)
    hundredths = statistics.quantiles(values, n=100, method="inclusive")
    return [min(values) if percent == 0 else max(values) if percent == 100 else hundredths[percent - 1] for percent in PERCENT]
