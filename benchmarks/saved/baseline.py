"""What pytest-benchmark's own comparison passes over: cases that vanished, and a baseline that is not comparable at all."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from benchmarks.saved.results import SAME, at

PLACES = [place for place in SAME if place.startswith("machine_info.") and not place.endswith(".code_sha256")]
"""Where two runs have to agree before a time of one says anything about the other; their code is what is compared."""


def remarks(
    baseline: Mapping[str, Any],
    machine_info: Mapping[str, Any],
    measured: Collection[str],
    left_out: Collection[str],
    asked: Sequence[str],
) -> list[str]:
    """What is wrong with a comparison, a line each: of circumstances that differ, and of cases that have a number there and none here.

    ``baseline`` is a saved document; ``measured`` the cases of this session; ``left_out`` those that it was told to leave out;
    ``asked`` the folders, files or cases that it was told to run, relative to the project.
    """
    reasons = at({"machine_info": machine_info}, "machine_info.lenet5.not_measured") or {}
    vanished = [
        f"vanished: {name} ({reasons.get(name, 'there is no such case any more')})"
        for name in (str(case["fullname"]) for case in baseline["benchmarks"])
        if name not in measured and name not in left_out and any(_within(name, place) for place in asked)
    ]
    return [*_circumstances(baseline, machine_info), *vanished]


def _circumstances(baseline: Mapping[str, Any], machine_info: Mapping[str, Any]) -> list[str]:
    now = json.loads(json.dumps({"machine_info": machine_info}))  # as the file has it: lists, no tuples
    frameworks = "machine_info.lenet5.frameworks"
    shared = sorted({*(at(baseline, frameworks) or ())} & {*(at(now, frameworks) or ())})
    facts = [f"{frameworks}.{name}.{fact}" for name in shared for fact in at(now, f"{frameworks}.{name}")]
    found = [(place, at(baseline, place), at(now, place)) for place in (*PLACES, *facts)]
    return [
        f"other circumstances: {place.removeprefix('machine_info.').removeprefix('lenet5.')} was {then!r}, now it is {here!r}"
        for place, then, here in found
        if then != here
    ]


def _within(name: str, place: str) -> bool:
    """Whether a case is one of those that a folder, a file or the name of a case asks for."""
    return place in ("", ".") or name == place or name.startswith((f"{place}/", f"{place}::", f"{place}["))
