"""Where processes have to agree to be one run, and runs to be compared: machine, settings, code, versions and cases."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from benchmarks.saved import machines
from benchmarks.saved.facts import at
from benchmarks.saved.fields import IDENTITY
from benchmarks.saved.records import Case, Run
from benchmarks.saved.variables import differences
from lenet5.errors import InputError

SAME = (
    "machine_info.cpu.brand_raw",
    "machine_info.cpu.count",
    "machine_info.machine",
    "machine_info.system",
    "machine_info.release",
    "machine_info.python_implementation",
    "machine_info.python_version",
    "machine_info.lenet5.threads",
    "machine_info.lenet5.cpu_quota",
    "machine_info.lenet5.device",
    "machine_info.lenet5.epochs",
    "machine_info.lenet5.dataset",
    "machine_info.lenet5.code_sha256",
    "version",
)
"""Where the processes of one run have to agree; beside these, in each framework that more than one of them used, and in `variables`."""

SETTINGS = ("threads", "device", "epochs", "dataset", "code_sha256")
"""Where runs of different versions have to agree, or their ratio would be one of settings; those of different machines in all but the first."""


def check_fit(one: Run, other: Run, without: Collection[str] = (), elsewhere: bool = False) -> None:
    """Raise InputError, naming the file and the difference, unless two processes are of one run.

    That is, measured under the same circumstances and with the same cases, but for those that ``other`` was to leave out, by their names.
    With ``elsewhere``, ``other`` is of another machine, and what `machines` takes for a machine's own may differ.
    """
    check_circumstances(one, other, elsewhere)
    first, second = ({case.name for case in run.cases} | run.not_measured.keys() for run in (one, other))
    stray = sorted((first - set(without)) ^ second)
    if stray:
        raise InputError(f"{other.paths[0]}: other cases than in {one.paths[0]} ({stray[0][:80]}); not of one run")
    known = {case.name: case for case in one.cases}
    for case in other.cases:
        _check_same_case(known.get(case.name, case), case, one, other)


def check_circumstances(one: Run, other: Run, elsewhere: bool = False) -> None:
    """Raise InputError, naming the file and the difference, unless two processes measured under the same circumstances; see `check_fit`."""
    shared = sorted(one.lenet5["frameworks"].keys() & other.lenet5["frameworks"].keys())
    places = [place for place in SAME if not (elsewhere and place in machines.OF_MACHINES)]
    for where in (*places, *(f"machine_info.lenet5.frameworks.{name}" for name in shared)):
        expected, found = (at({"machine_info": run.machine, "version": run.version}, where) for run in (one, other))
        if elsewhere and isinstance(expected, Mapping) and isinstance(found, Mapping):
            expected, found = (_without_the_machine(facts) for facts in (expected, found))
        if expected != found:
            raise InputError(
                f"{other.paths[0]}: {where} is {str(found)[:80]}, but {str(expected)[:80]} in {one.paths[0]}; not of one run"
            )
    for line in differences(one.lenet5.get("variables"), other.lenet5.get("variables")):
        raise InputError(f"{other.paths[0]}: {line}, compared with {one.paths[0]}; not of one run")


def _without_the_machine(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What a framework says of itself, without what it found out about the machine."""
    return {name: value for name, value in facts.items() if name not in machines.OF_FRAMEWORKS}


def _check_same_case(first: Case, case: Case, one: Run, other: Run) -> None:
    """Raise InputError unless two processes say that a case of one name is the same case."""
    for name in ("group", *IDENTITY):
        expected, found = (said.group if name == "group" else said.extra.get(name) for said in (first, case))
        if expected != found:
            raise InputError(
                f"{other.paths[0]}: {case.name[:80]}: {name} is {str(found)[:80]}, but {str(expected)[:80]} in {one.paths[0]}; not of one run"
            )


def check_settings(one: Run, other: Run, elsewhere: bool = False) -> None:
    """Raise InputError, naming the file and the difference, unless two runs did the same work with the same code.

    With ``elsewhere``, ``other`` is of another machine and may use another number of threads.
    """
    for where in SETTINGS[elsewhere:]:
        expected, found = one.lenet5.get(where), other.lenet5.get(where)
        if expected != found:
            raise InputError(
                f"{other.paths[0]}: {where} is {str(found)[:80]}, but {str(expected)[:80]} in {one.paths[0]}; "
                f"only {'machines' if elsewhere else 'versions'} may differ between runs"
            )


def same_versions(one: Run, other: Run) -> bool:
    """Whether no version contradicts: a process that one framework failed in says nothing of it."""
    return all(other.versions.get(name, version) == version for name, version in one.versions.items())
