"""What pytest-benchmark's own comparison passes over: cases that vanished, and a baseline that is not comparable at all."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.saved import one, variables
from benchmarks.saved.circumstances import SAME
from benchmarks.saved.facts import OURS, at
from benchmarks.saved.names import canonical
from benchmarks.saved.records import NOT_RUN

VARIABLES = f"{OURS}.variables"
PLACES = [place for place in SAME if place.startswith("machine_info.") and not place.endswith(".code_sha256")]
"""Where two runs have to agree before a time of one says anything about the other; their code is what is compared."""

GONE = "there is no such case any more"


def check(baseline: Mapping[str, Any], where: str) -> None:
    """Raise InputError, one line that begins with ``where``, for a run of this project that lacks what `remarks` reads, and for no run at all.

    A run of another suite passes: its format is not known here.  The times are pytest-benchmark's to compare.
    """
    if not isinstance(baseline.get("machine_info"), Mapping) or at(baseline, OURS) is not None:
        one.check_facts(Path(where), baseline)


def remarks(
    baseline: Mapping[str, Any],
    machine_info: Mapping[str, Any],
    measured: Collection[str],
    left_out: Collection[str],
    asked: Sequence[str],
) -> list[str]:
    """What is wrong with a comparison, a line each: of circumstances that differ, and of cases that have a number there and none here.

    A fact that the baseline does not record, because its code did not know of it, is no difference.

    ``baseline`` is a saved document that passed `check`; ``measured`` the cases of this session; ``left_out`` those that it was told to
    leave out; ``asked`` the folders, files or cases that it was told to run, relative to the project.  Cases go by their names of today.
    """
    return [*_circumstances(baseline, machine_info), *_vanished(baseline, machine_info, {*measured, *left_out}, asked)]


def _vanished(
    baseline: Mapping[str, Any], machine_info: Mapping[str, Any], known: Collection[str], asked: Sequence[str]
) -> Iterator[str]:
    reasons = one.reasons(at({"machine_info": machine_info}, f"{OURS}.not_measured") or {})
    names = {canonical(name) for name in known}
    waiting: dict[str, list[str]] = {}
    for name in dict.fromkeys(canonical(str(case["fullname"])) for case in baseline["benchmarks"]):
        if name in names or not any(_within(name, canonical(place)) for place in asked):
            continue
        reason = reasons.get(name, GONE)
        if reason.startswith(NOT_RUN):
            waiting.setdefault(reason.removeprefix(NOT_RUN), []).append(name)
        else:
            yield f"vanished: {name} ({reason})"
    for reason, cases in waiting.items():
        yield f"{NOT_RUN}{cases[0]}{f' and {len(cases) - 1} more' * (len(cases) > 1)} ({reason})"


def _circumstances(baseline: Mapping[str, Any], machine_info: Mapping[str, Any]) -> list[str]:
    now = json.loads(json.dumps({"machine_info": machine_info}))  # as the file has it: lists, no tuples
    frameworks = f"{OURS}.frameworks"
    shared = sorted({*(at(baseline, frameworks) or ())} & {*(at(now, frameworks) or ())})
    facts = [
        f"{frameworks}.{name}.{fact}"
        for name in shared
        for fact in at(now, f"{frameworks}.{name}")
        if fact in at(baseline, f"{frameworks}.{name}")
    ]
    found = [(place, at(baseline, place), at(now, place)) for place in (*PLACES, *facts)]
    differing = [
        f"{place.removeprefix('machine_info.').removeprefix('lenet5.')} was {then!r}, now it is {here!r}"
        for place, then, here in found
        if then != here
    ]
    differing += variables.differences(at(baseline, VARIABLES), at(now, VARIABLES))
    return [f"other circumstances: {line}" for line in differing]


def _within(name: str, place: str) -> bool:
    """Whether a case is one of those that a folder, a file or the name of a case asks for."""
    return place in ("", ".") or name == place or name.startswith((f"{place}/", f"{place}::", f"{place}["))
