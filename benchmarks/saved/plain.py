"""One process of any pytest-benchmark suite read back from its file, for the gate: times, and nothing that only this project's cases say.

Such a file has no ``machine_info.lenet5``.  What the gate's plug-in knew at the end of the process lies beside pytest-benchmark's own values,
under the key "gate"; a file without it is read as well.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.saved import facts, fields, one, stats
from benchmarks.saved.fields import CONTROL
from benchmarks.saved.files import read_json
from benchmarks.saved.kinds import OBJECT, SECONDS, TEXT, WORDS, Kind, ListOf, MapOf, PairOf, fault_in
from benchmarks.saved.records import Case, Run
from lenet5.errors import InputError

FACTS = "gate"
"""The key of what the gate's plug-in adds to a file."""

PLACES: Mapping[str, tuple[Kind, bool]] = {
    "machine_info": (OBJECT, True),
    "benchmarks": (ListOf(OBJECT, least=0), True),
    "datetime": (TEXT, True),
    "version": (TEXT, True),
    FACTS: (OBJECT, False),
}
"""What the file of any suite has: its kind, and whether it is needed."""

KNOWN: Mapping[str, Kind] = {
    "elsewhere": MapOf(PairOf(TEXT, TEXT)),
    "cases": ListOf(TEXT, least=0),
    "not_measured": MapOf(WORDS),
    "control": ListOf(ListOf(SECONDS), least=0),
}
"""What is read of the plug-in's values."""


def load(path: str | os.PathLike[str]) -> Run:
    """Read what one process of a suite saved: of this project as `one.load` does, of any other one its times.

    Raises InputError, one line, for a file that is missing or cut off, or wrong at some place.
    """
    path = Path(path)
    document = read_json(path, "what a process of pytest-benchmark saved")
    if not isinstance(document, Mapping):
        raise InputError(f"{path}: is {type(document).__name__}, not an object; expected what a process of pytest-benchmark saved")
    if facts.at(document, facts.OURS) is not None and FACTS not in document:
        return one.run_of(path, document)
    return _run(path, document)


def _run(path: Path, document: Mapping[str, Any]) -> Run:
    for name, (kind, needed) in PLACES.items():
        if fault := fault_in(document, name, kind, needed):
            raise InputError(f"{path}: {fault}{facts.foreign(document)}")
    known = document.get(FACTS, {})
    for name, kind in KNOWN.items():
        if fault := fault_in(known, name, kind, needed=False):
            raise InputError(f"{path}: {FACTS}.{fault}")
    without = known.get("not_measured", {})
    order = {name: position for position, name in enumerate(known.get("cases", ()))}
    # What the plug-in names is not judged, whatever values it has: its times may be none.
    counting = [(index, case) for index, case in enumerate(document["benchmarks"]) if case.get("fullname") not in without]
    cases = [_case(f"{path}: benchmarks[{index}]", case) for index, case in counting]
    measured = one.each_once(sorted(cases, key=lambda case: order.get(case.id, len(order))), spelled=str)
    controls = [_control(number, rounds) for number, rounds in enumerate(known.get("control", ()), 1)]
    return Run(
        paths=(path,),
        cases=(*measured, *controls),
        machine=document["machine_info"],
        lenet5={"format": facts.FORMAT, "frameworks": {}, "not_measured": dict(without), "elsewhere": known.get("elsewhere", {})},
        commit=document.get("commit_info") or {},
        datetime=document["datetime"],
        version=document["version"],
    )


def _case(where: str, case: Mapping[str, Any]) -> Case:
    """One benchmark of the file, under its own id, whatever characters that has.  Raises InputError for a value that is wrong or missing."""
    for name, kind in (("fullname", TEXT), ("stats", OBJECT)):
        if fault := fault_in(case, name, kind):
            raise InputError(f"{where}.{fault}")
    for fault in stats.faults(case["stats"]):
        raise InputError(f"{where}.stats.{fault}")
    group = str(case.get("group") or "")
    if group == CONTROL:  # a suite's own, which is judged like any other; the gate's control is none of the suite's cases
        group = f"{CONTROL} of the suite"
    extra = _extra(group, case.get("extra_info"))
    return Case(group, case["fullname"], case["stats"], extra, (float(case["stats"]["median"]),), id=case["fullname"])


def _extra(group: str, rides: Any) -> Mapping[str, Any]:
    """What rode along with a case that speaks this project's language: it says framework and mode, and every value is as `fields` has it.

    Nothing of any other case: its values only happen to have the names of fields.
    """
    if not isinstance(rides, Mapping) or not all(isinstance(rides.get(name), str) for name in fields.EVERYWHERE):
        return {}
    try:
        return fields.read("extra_info", group, rides)
    except InputError:
        return {}


def _control(number: int, rounds: Sequence[float]) -> Case:
    """The plug-in's control as a case, which watches the machine and is not judged."""
    low, middle, high = statistics.quantiles(rounds, n=4) if len(rounds) > 1 else [*rounds] * 3
    found = {"min": min(rounds), "max": max(rounds), "mean": statistics.fmean(rounds), "median": middle, "q1": low, "q3": high}
    spread = statistics.stdev(rounds) if len(rounds) > 1 else 0.0
    extra = {"framework": CONTROL, "mode": f"product {number}"}
    return Case(
        CONTROL, f"control[{number}]", {**found, "stddev": spread, "rounds": len(rounds), stats.DATA: [*rounds]}, extra, (middle,)
    )
