"""Saved runs, read back: from JSON files, one a process, to plain records, or one clear line about what is wrong with a file."""

from __future__ import annotations

import math
import os
import re
import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.saved.files import read_json
from lenet5.errors import InputError

FORMAT = 1
"""What our part of the JSON looks like; a report reads its own format only."""

CONTROL = "control"
"""The group of the cases that watch machine and harness; it is also their ``framework``, which no comparison shows."""

BESIDE = "beside"
"""The group of what is measured beside the frameworks without being one: no comparison of frameworks shows it."""

PROCESSES = "process-*.json"
"""The files of a run of several processes, in its folder."""

FAILED = "failed: "
"""How the reason of a case begins that gave a wrong answer or broke, unlike one that was skipped."""

STATISTICS = ("min", "max", "mean", "stddev", "median", "q1", "q3", "rounds")

PLAUSIBLE = (1e-12, 1e12)
"""What a statistic can be, in seconds or rounds.  It also keeps a damaged file from overflowing the arithmetic of the report."""

LAYERS = ("conv1", "conv2", "fc1", "fc2", "fc3")
"""The layers whose sparsity is recorded one by one."""

NUMBER = (int, float)
FRESH = {"batch": int, **dict.fromkeys(("import_fresh_seconds", "build_fresh_seconds", "first_call_fresh_seconds"), NUMBER)}

EXTRAS: Mapping[str, Mapping[str, Any]] = {
    "predict": {"batch": int},
    "train step": {"batch": int, "optimizer": str},
    "train step sgd": {"batch": int, "optimizer": str},
    "train epoch": {"batch": int},
    "transfer": {"batch": int},
    "train": {
        "correct": int,
        "test_images": int,
        "validation_accuracy": list,
        "train_loss_nats": list,
        "test_predictions": list,
    },
    "graphs predict": FRESH,
    "graphs train step": FRESH,
    "sgemm": {"flops": int},
    "flops": {
        "counter_unit": str,
        "counted_per_image": int,
        "closed_form_per_image": int,
        "closed_form_training_per_image": int,
        "differences": list,
        "training_differences": list,
    },
    "space predict": {"batch": int},
    "space train step": {"batch": int},
    "space epoch": {"level_rss_bytes": int, "rss_over_time": list},
    "pruning": {
        "batch": int,
        "dense_epochs": int,
        "correct": int,
        "test_images": int,
        "sparsity_kernels": NUMBER,
        "sparsity_all": NUMBER,
        **{f"sparsity_{layer}": NUMBER for layer in LAYERS},
        "dense_bytes": int,
        "negative_zeros": int,
        "gzip_bytes": int,
        "sparse_bytes": int,
        "macs_per_image": int,
        "nonzero_macs_per_image": int,
    },
    "compression": {
        "batch": int,
        "epochs": int,
        "technique": str,
        "point": str,
        "form": str,
        "test_images": int,
        "correct": int,
        "dense_correct": int,
        "gained": int,
        "lost": int,
        "stored_bytes": int,
        "weights_left": int,
        "macs_per_image": int,
        "dense_bytes": int,
        "dense_macs_per_image": int,
        "dense_seconds": NUMBER,
    },
    "seed": {"figure": str},
    "ladder": {"kind": str, "batch": int, "traced_peak_bytes": int, "workspace_bytes": int},
    BESIDE: {"batch": int, "version": str},
}
"""What rides on every case of a group and the report relies on, beside framework and mode."""

SAME = (
    "machine_info.cpu.brand_raw",
    "machine_info.cpu.count",
    "machine_info.machine",
    "machine_info.system",
    "machine_info.release",
    "machine_info.python_implementation",
    "machine_info.python_version",
    "machine_info.lenet5.threads",
    "machine_info.lenet5.device",
    "machine_info.lenet5.epochs",
    "machine_info.lenet5.dataset",
    "machine_info.lenet5.code_sha256",
    "version",
)
"""Where the processes of one run have to agree; beside these, in each framework that more than one of them used."""

SETTINGS = ("threads", "device", "epochs", "dataset", "code_sha256")
"""Where runs of different versions have to agree, or their ratio would be one of settings."""

VERSION = re.compile(r"\d+\.\d+")
"""What a fact about a framework holds if it is a version: its own, or that of a library under it."""


@dataclass(frozen=True)
class Case:
    """One benchmark case: its name, its times in seconds, and what rode along with them."""

    group: str
    name: str
    """The node id in pytest."""
    stats: Mapping[str, Any]
    """Seconds and counts over all processes, see `_pooled`; of one process also its rounds, ``data``, if it saved them."""
    extra: Mapping[str, Any]
    """Over all processes: a number is their median, anything else what the first of them says."""
    medians: tuple[float, ...]
    """Seconds: the median of each process, in the order of the processes, which is the same for every case of a run."""
    extras: tuple[Mapping[str, Any], ...] = ()
    """What rode along in each process, in the same order; empty if there is one."""

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

    def group(self, name: str) -> list[Case]:
        """The cases of one group, in the order of their collection."""
        return [case for case in self.cases if case.group == name]

    @property
    def frameworks(self) -> list[str]:
        """The frameworks that have a number, or could not reach the device, in alphabetical order."""
        return sorted({case.framework for case in self.cases if case.group not in (CONTROL, BESIDE)} | self.out_of_reach.keys())


# One process


def load(path: str | os.PathLike[str]) -> Run:
    """Read what one process saved.

    Raises InputError, one line, for a file that is missing, cut off, another program's, another format's or none of ours.
    """
    path = Path(path)
    document = _document(path)
    machine, cases = document["machine_info"], document["benchmarks"]
    ours = machine.get("lenet5")
    if not isinstance(ours, dict):
        raise InputError(f"{path}: saved by another suite (no machine_info.lenet5); expected a run of this project's benchmarks")
    if ours.get("format") != FORMAT:
        raise InputError(f"{path}: has format {ours.get('format')!r}, this version reads {FORMAT}; run the benchmarks again")
    if not cases:
        raise InputError(f"{path}: holds no benchmark; expected at least one that passed its check")
    _typed(path, "machine_info", {"cpu": {}, **machine}, {"cpu": dict})
    _typed(path, "machine_info.lenet5", ours, {"threads": int, "frameworks": dict, "not_measured": dict})
    _typed(path, "machine_info.lenet5", {"dataset": {}, **ours}, {"dataset": dict})
    _typed(path, "machine_info.lenet5.frameworks", ours["frameworks"], dict.fromkeys(ours["frameworks"], dict))
    _typed(path, "machine_info.lenet5.not_measured", ours["not_measured"], dict.fromkeys(ours["not_measured"], str))
    modes = _typed(path, "machine_info.lenet5", {"modes": {}, **ours}, {"modes": dict})["modes"]
    _typed(path, "machine_info.lenet5.modes", modes, dict.fromkeys(modes, list))
    reasons = _typed(path, "machine_info.lenet5", {"out_of_reach": {}, **ours}, {"out_of_reach": dict})["out_of_reach"]
    _typed(path, "machine_info.lenet5.out_of_reach", reasons, dict.fromkeys(reasons, str))
    return Run(
        paths=(path,),
        cases=tuple(_once([_case(path, index, case) for index, case in enumerate(cases)])),
        machine=machine,
        lenet5=ours,
        commit=document["commit_info"],
        datetime=document["datetime"],
        version=document["version"],
    )


def _document(path: Path) -> dict[str, Any]:
    """The file as pytest-benchmark wrote it."""
    document = read_json(path, "a run saved by pytest benchmarks --benchmark-autosave")
    expected = {"machine_info": dict, "commit_info": dict, "benchmarks": list, "datetime": str, "version": str}
    return _typed(path, "file", document, expected)


def _case(path: Path, index: int, case: Any) -> Case:
    """One benchmark of the file, if it has all that a report needs."""
    where = f"benchmarks[{index}]"
    case = _typed(path, where, case, {"group": str, "name": str, "fullname": str, "stats": dict, "extra_info": dict})
    stats = _typed(path, f"{where}.stats", case["stats"], dict.fromkeys(STATISTICS, (int, float)))
    extra = _typed(
        path, f"{where}.extra_info", case["extra_info"], {"framework": str, "mode": str, **EXTRAS.get(case["group"], {})}
    )
    for field in STATISTICS:
        least = 0 if field == "stddev" else PLAUSIBLE[0]
        if not least <= stats[field] <= PLAUSIBLE[1]:
            raise InputError(
                f"{path}: {where}.stats.{field} is {str(stats[field])[:60]}; expected a number from {least} to {PLAUSIBLE[1]}"
            )
    return Case(case["group"], case["fullname"], stats, extra, (float(stats["median"]),))


def _once(cases: Sequence[Case]) -> list[Case]:
    """Each case once: one that a process measured several times is judged by all of its times; what rode along is of the first."""
    found: dict[str, list[Case]] = {}
    for case in cases:
        found.setdefault(case.name, []).append(case)
    return [same[0] if len(same) == 1 else _repeated(same) for same in found.values()]


def _repeated(cases: Sequence[Case]) -> Case:
    stats: dict[str, Any] = _pooled([case.stats for case in cases])
    if all(isinstance(case.stats.get("data"), list) for case in cases):
        stats["data"] = [seconds for case in cases for seconds in case.stats["data"]]
    return Case(cases[0].group, cases[0].name, stats, cases[0].extra, (stats["median"],))


def _typed(path: Path, where: str, value: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The value itself, if it is a dict with these fields of these types."""
    if not isinstance(value, dict):
        raise InputError(
            f"{path}: {where} is {type(value).__name__}, not an object; expected a saved run of this project's benchmarks"
        )
    for field, kind in fields.items():
        if not isinstance(value.get(field), kind) or isinstance(value.get(field), bool):
            found = repr(value[field])[:60] if field in value else "missing"
            place = f"{where}.{repr(field)[1:-1][:60]}"
            raise InputError(f"{path}: {place} is {found}; expected a saved run of this project's benchmarks")
    return value


# Several processes


def load_many(paths: Sequence[str | os.PathLike[str]]) -> Run:
    """Read one run from the files of its processes; a folder stands for all its ``process-*.json``.

    A case counts only if every process measured it: values of the same processes are compared in pairs.  One that failed or was
    skipped in some process is named with that process in ``not_measured``.
    Raises InputError, one line, as `load` does, and if the files are not of one run: another machine, version, setting or choice
    of cases.
    """
    return _joined(_processes(paths))


def load_runs(paths: Sequence[str | os.PathLike[str]]) -> list[Run]:
    """Read the runs that some files hold: the processes of the same versions are one run, in the order of appearance.

    Raises InputError, one line, as `load_many` does for each of them, and if they were made with different settings or code.
    """
    groups: list[list[Run]] = []
    for process in _processes(paths):
        fitting = [group for group in groups if all(_same_versions(process, other) for other in group)]
        if fitting:
            fitting[0].append(process)
        else:
            groups.append([process])
    runs = [_joined(group) for group in groups]
    for run in runs[1:]:
        _check_settings(runs[0], run)
    return runs


def _processes(paths: Sequence[str | os.PathLike[str]]) -> list[Run]:
    """What each file holds that the paths stand for."""
    files = [file for path in paths for file in files_of(Path(path))]
    if len({file.resolve() for file in files}) < len(files):
        raise InputError(f"{files[0].parent}: a file is named twice; every process counts once")
    return [load(file) for file in files]


def _same_versions(one: Run, other: Run) -> bool:
    """Whether no version contradicts: a process that one framework failed in says nothing of it."""
    return all(other.versions.get(name, version) == version for name, version in one.versions.items())


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


def files_of(path: Path) -> list[Path]:
    """The files that a path stands for: itself, or those of a folder.  Raises InputError for a folder without any."""
    if not path.is_dir():
        return [path]
    files = sorted(path.glob(PROCESSES))
    if not files:
        raise InputError(f"{path}: holds no {PROCESSES}; expected the folder of a run made with python -m benchmarks run")
    return files


def check_fit(one: Run, other: Run, without: Collection[str] = ()) -> None:
    """Raise InputError, naming the file and the difference, unless two processes are of one run.

    That is, measured under the same circumstances and with the same cases, but for those that ``other`` was to leave out.
    """
    shared = sorted(one.lenet5["frameworks"].keys() & other.lenet5["frameworks"].keys())
    for where in (*SAME, *(f"machine_info.lenet5.frameworks.{name}" for name in shared)):
        expected, found = (at({"machine_info": run.machine, "version": run.version}, where) for run in (one, other))
        if expected != found:
            raise InputError(
                f"{other.paths[0]}: {where} is {str(found)[:80]}, but {str(expected)[:80]} in {one.paths[0]}; not of one run"
            )
    first, second = ({case.name for case in run.cases} | run.not_measured.keys() for run in (one, other))
    stray = sorted((first - set(without)) ^ second)
    if stray:
        raise InputError(f"{other.paths[0]}: other cases than in {one.paths[0]} ({stray[0][:80]}); not of one run")


def _check_settings(one: Run, other: Run) -> None:
    """Raise InputError, naming the file and the difference, unless two runs did the same work with the same code."""
    for where in SETTINGS:
        expected, found = one.lenet5.get(where), other.lenet5.get(where)
        if expected != found:
            raise InputError(
                f"{other.paths[0]}: {where} is {str(found)[:80]}, but {str(expected)[:80]} in {one.paths[0]}; "
                "only versions may differ between runs"
            )


def at(document: Mapping[str, Any], where: str) -> Any:
    """The value at a dotted place of a file, such as "machine_info.lenet5.threads"; None if there is none."""
    value: Any = document
    for key in where.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


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
    extra = {key: _middle(value, [case.extra.get(key) for case in cases]) for key, value in cases[0].extra.items()}
    medians = tuple(case.median for case in cases)
    extras = tuple(case.extra for case in cases)
    return Case(cases[0].group, cases[0].name, _pooled([case.stats for case in cases]), extra, medians, extras)


def _middle(first: Any, values: Sequence[Any]) -> Any:
    """The median of numbers (an integer stays one that occurred), or the first of anything else."""
    if any(isinstance(value, bool) or not isinstance(value, (int, float)) for value in values):
        return first
    return statistics.median_low(values) if isinstance(first, int) else statistics.median(values)


def _pooled(stats: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Statistics of several processes as one: extremes of all, moments of all rounds; median and quartiles are the medians of theirs."""
    rounds = sum(one["rounds"] for one in stats)
    mean = sum(one["mean"] * one["rounds"] for one in stats) / rounds
    squares = sum(one["rounds"] * (one["stddev"] ** 2 + (one["mean"] - mean) ** 2) for one in stats)
    return {
        "min": min(one["min"] for one in stats),
        "max": max(one["max"] for one in stats),
        "mean": mean,
        "stddev": math.sqrt(squares / rounds),
        "rounds": rounds,
        **{field: statistics.median(one[field] for one in stats) for field in ("median", "q1", "q3")},
    }
