"""One process read back from its file: a run with one median a case, or one line about what is wrong with the file."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.saved import facts, fields, names, stats
from benchmarks.saved.files import read_json
from benchmarks.saved.kinds import OBJECT, SECONDS, TEXT, Kind, fault_in, shown, wrong
from benchmarks.saved.records import Case, Run
from lenet5.errors import InputError

CASE: Mapping[str, Kind] = {
    **dict.fromkeys(("group", "name", "fullname"), TEXT),
    **dict.fromkeys(("stats", "extra_info"), OBJECT),
}
"""What pytest-benchmark saves of every case."""

NO_REASON = "no reason was given"


def load(path: str | os.PathLike[str]) -> Run:
    """Read what one process saved.

    Raises InputError, one line, for a file that is missing or cut off, of another program or format, or wrong at some place.
    """
    path = Path(path)
    return run_of(path, read_json(path, "a run saved by pytest benchmarks --benchmark-autosave"))


def run_of(path: Path, document: Any) -> Run:
    """What a saved document says.  Raises InputError, one line that begins with the path, as `load` does."""
    check_facts(path, document)
    ours = document["machine_info"]["lenet5"]
    cases = [_case(f"{path}: benchmarks[{index}]", case) for index, case in enumerate(document["benchmarks"])]
    _check_images(path, cases)
    return Run(
        paths=(path,),
        cases=tuple(each_once(cases, names.canonical)),
        machine=document["machine_info"],
        lenet5={**ours, **{name: reasons(ours.get(name, {})) for name in ("not_measured", "out_of_reach")}},
        commit=document["commit_info"],
        datetime=document["datetime"],
        version=document["version"],
    )


def check_facts(path: Path, document: Any) -> None:
    """Raise InputError, one line, unless a document is a run of this project and says all that one says beside its cases."""
    if isinstance(document, Mapping):
        _check_ours(path, document)
    for fault in facts.faults(document):
        raise InputError(f"{path}: {fault}{facts.foreign(document)}")


def reasons(not_measured: Mapping[str, str]) -> dict[str, str]:
    """Why each case (or framework) has no number, by the name that it has today."""
    return {names.canonical(node_id): reason.strip() or NO_REASON for node_id, reason in not_measured.items()}


def _check_ours(path: Path, document: Mapping[str, Any]) -> None:
    """Raise InputError for a document of another suite or format, or without a case: that explains more than any wrong value in it."""
    machine = document.get("machine_info")
    if not isinstance(machine, Mapping):
        return  # the table of facts says what is wrong
    ours = machine.get("lenet5")
    if not isinstance(ours, Mapping):
        raise InputError(f"{path}: saved by another suite (no machine_info.lenet5); expected a run of this project's benchmarks")
    if ours.get("format") != facts.FORMAT:
        raise InputError(
            f"{path}: has format {shown(ours.get('format'))}, this version reads {facts.FORMAT}; run the benchmarks again"
        )
    if document.get("benchmarks") == []:
        raise InputError(f"{path}: holds no benchmark; expected at least one that passed its check")


def _case(where: str, case: Mapping[str, Any]) -> Case:
    """One benchmark of the file.  Raises InputError for a value that is wrong or missing."""
    _check_says_what_it_is(where, case)
    for name, kind in CASE.items():
        if fault := fault_in(case, name, kind):
            raise InputError(f"{where}.{fault}")
    times = case["stats"]
    for fault in stats.faults(times):
        raise InputError(f"{where}.stats.{fault}")
    group = names.group(case["group"])
    extra = fields.read(f"{where}.extra_info", group, names.fields(case["extra_info"]))
    options = case.get("options")
    asked = options.get("max_time") if isinstance(options, Mapping) else None
    asked_seconds = asked if SECONDS.fault("", asked) is None else None  # the plug-in's; a file without is as good
    return Case(group, case["fullname"], times, extra, (float(times["median"]),), asked_seconds=asked_seconds, id=case["fullname"])


def _check_says_what_it_is(where: str, case: Mapping[str, Any]) -> None:
    """Raise InputError for a case that says too little of itself, naming all that it lacks: a first case of one's own lacks several things at once."""
    rides = case.get("extra_info")
    says = {"group": case.get("group"), **{name: rides.get(name) for name in fields.EVERYWHERE if isinstance(rides, Mapping)}}
    lacking = [name for name, value in says.items() if value is None]
    if len(lacking) > 1:
        raise InputError(
            f"{where}: {case.get('fullname')} has no {' and no '.join(lacking)}; "
            'expected @pytest.mark.benchmark(group="...") and benchmark.extra_info.update(framework="...", mode="...")'
        )


def _check_images(path: Path, cases: Sequence[Case]) -> None:
    """Raise InputError unless all cases of a group saw the same number of test images: the report compares them image by image."""
    first: dict[str, Case] = {}
    for case in cases:
        if case.extra.get("test_images") is not None:
            expected = first.setdefault(case.group, case)
            if case.extra["test_images"] != expected.extra["test_images"]:
                right = f"{expected.extra['test_images']}, as in {expected.id}"
                raise InputError(f"{path}: {case.id}: {wrong('test_images', case.extra['test_images'], right)}")


def each_once(cases: Sequence[Case], spelled: Callable[[str], str]) -> list[Case]:
    """Each case once, under its id as it is ``spelled`` today.  A process may have measured a case several times: then all of its times count.

    The other values are those of the first time.  Two cases that would get the same name keep the ids under which they were saved.
    """
    found: dict[str, list[Case]] = {}
    for case in cases:
        found.setdefault(case.id, []).append(case)
    known = Counter(spelled(node_id) for node_id in found)
    return [_named(spelled(node_id) if known[spelled(node_id)] == 1 else node_id, same) for node_id, same in found.items()]


def _named(name: str, cases: Sequence[Case]) -> Case:
    """One case of this name from all the times that a process measured it."""
    first = cases[0]
    times = first.stats if len(cases) == 1 else stats.pooled([case.stats for case in cases])
    if len(cases) > 1 and all(stats.DATA in case.stats for case in cases):
        times = {**times, stats.DATA: [seconds for case in cases for seconds in case.stats[stats.DATA]]}
    return replace(first, name=name, stats=times, medians=(float(times["median"]),))
