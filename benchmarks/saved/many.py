"""Several processes read back as one run, or as one run for each set of versions."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.saved import machines
from benchmarks.saved.circumstances import check_fit, check_settings, same_versions
from benchmarks.saved.one import load
from benchmarks.saved.records import Case, Run
from benchmarks.saved.stats import pooled
from lenet5.errors import InputError

PROCESSES = "process-*.json"
"""The files of a run of several processes, in its folder."""


def load_many(paths: Sequence[str | os.PathLike[str]]) -> Run:
    """Read one run from the files of its processes; a folder stands for all its ``process-*.json``.

    A case counts only if every process measured it: values of the same processes are compared in pairs.  One that failed or was
    skipped in some process is named with that process in ``not_measured``.
    Raises InputError, one line, as `load` does, and if the files are not of one run: another machine, version, setting or choice
    of cases.
    """
    return _joined(_processes(paths))


def load_runs(paths: Sequence[str | os.PathLike[str]]) -> list[Run]:
    """Read the runs that some files hold: the processes of the same versions on the same machine, or one of its kind, are one run.

    They come in the order of appearance.  Raises InputError, one line, as `load_many` does for each of them, if they were made with
    different settings or code, and if both versions and machines differ without a run of its own machine for each version.
    """
    groups: list[list[Run]] = []
    for process in _processes(paths):
        fitting = [group for group in groups if all(_of_one_run(process, other) for other in group)]
        if fitting:
            fitting[0].append(process)
        else:
            groups.append([process])
    runs = [_joined(group) for group in groups]
    on_machines = only_machines_differ(runs)
    for run in runs[1:]:
        check_settings(runs[0], run, elsewhere=on_machines)
    for index, run in enumerate(runs):
        if not on_machines and any(same_versions(run, other) for other in runs[:index]):
            raise InputError(
                f"{run.paths[0]}: is of the same versions as another run, on another machine, and a third run is of other versions; "
                "name the runs of one machine, or those of one set of versions"
            )
    return runs


def only_machines_differ(runs: Sequence[Run]) -> bool:
    """Whether several runs are of the same versions: then each is of a machine of its own."""
    return len(runs) > 1 and all(same_versions(run, other) for index, run in enumerate(runs) for other in runs[:index])


def _of_one_run(one: Run, other: Run) -> bool:
    return same_versions(one, other) and machines.alike(one, other)


def files_of(path: Path) -> list[Path]:
    """The files that a path stands for: itself, or those of a folder.  Raises InputError for a folder without any."""
    if not path.is_dir():
        return [path]
    files = sorted(path.glob(PROCESSES))
    if not files:
        raise InputError(f"{path}: holds no {PROCESSES}; expected the folder of a run made with python -m benchmarks run")
    return files


def _processes(paths: Sequence[str | os.PathLike[str]]) -> list[Run]:
    """What each file holds that the paths stand for."""
    files = [file for path in paths for file in files_of(Path(path))]
    if len({file.resolve() for file in files}) < len(files):
        raise InputError(f"{files[0].parent}: a file is named twice; every process counts once")
    return _once([load(file) for file in files])


def _once(runs: Sequence[Run]) -> list[Run]:
    """Each process once, by its first file: what a copy of a folder says is no process of its own, and would narrow every interval."""
    found: list[Run] = []
    for run in runs:
        same_moment = (one for one in found if one.datetime == run.datetime)
        if not any(replace(run, paths=one.paths) == one for one in same_moment):
            found.append(run)
    return found


def _joined(runs: Sequence[Run]) -> Run:
    """The processes of one run as that run."""
    if len(runs) == 1:
        return runs[0]
    for run in runs[1:]:
        check_fit(runs[0], run)
    missing = _missing(runs)
    numbers = [{case.name: case for case in run.cases} for run in runs]
    names = [case.name for case in runs[0].cases if case.name not in missing]
    if not names:
        raise InputError(f"{runs[0].paths[0].parent}: no benchmark was measured by every process; expected at least one")
    first = min(runs, key=lambda run: run.datetime)
    return Run(
        paths=tuple(path for run in runs for path in run.paths),
        cases=tuple(_merged([known[name] for known in numbers]) for name in names),
        machine=runs[0].machine,
        lenet5={
            **runs[0].lenet5,
            "frameworks": {name: facts for run in runs for name, facts in run.lenet5["frameworks"].items()},
            "not_measured": missing,
        },
        commit=runs[0].commit,
        datetime=first.datetime,
        version=runs[0].version,
    )


def _missing(runs: Sequence[Run]) -> dict[str, str]:
    """Cases that not every process measured, and why; a reason that is not the same everywhere names its process."""
    found: dict[str, str] = {}
    for run in runs:
        for name, reason in run.not_measured.items():
            everywhere = all(other.not_measured.get(name) == reason for other in runs)
            found.setdefault(name, reason if everywhere else f"{reason} ({run.paths[0].name})")
    return found


def _merged(cases: Sequence[Case]) -> Case:
    """One case from what each process says of it."""
    extra = {key: _middle([case.extra[key] for case in cases]) for key in cases[0].extra}
    medians = tuple(case.median for case in cases)
    extras = tuple(case.extra for case in cases)
    each = tuple(case.stats for case in cases)
    first = cases[0]
    return Case(first.group, first.name, pooled(each), extra, medians, extras, each, first.asked_seconds, id=first.id)


def _middle(values: Sequence[Any]) -> Any:
    """The median of numbers (of whole numbers one that occurred), the first of other values; None where a process has no value."""
    if None in values:
        return None
    if not all(isinstance(value, (int, float)) for value in values):
        return values[0]
    return statistics.median_low(values) if isinstance(values[0], int) else statistics.median(values)
