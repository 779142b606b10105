"""Saved runs, read back: from a JSON file to plain records, or one clear line about what is wrong with the file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lenet5 import InputError

FORMAT = 1
"""What our part of the JSON looks like; a report reads its own format only."""

STATISTICS = ("min", "max", "mean", "stddev", "median", "q1", "q3", "rounds")


@dataclass(frozen=True)
class Case:
    """One benchmark case: its name, its times in seconds, and what rode along with them."""

    group: str
    name: str
    stats: Mapping[str, float]
    extra: Mapping[str, Any]

    @property
    def framework(self) -> str:
        return str(self.extra["framework"])

    @property
    def mode(self) -> str:
        return str(self.extra["mode"])

    @property
    def median(self) -> float:
        """Seconds."""
        return float(self.stats["median"])


@dataclass(frozen=True)
class Run:
    """One saved run: its cases and the circumstances that its numbers depend on."""

    path: Path
    cases: tuple[Case, ...]
    machine: Mapping[str, Any]
    lenet5: Mapping[str, Any]
    commit: Mapping[str, Any]
    datetime: str
    version: str

    def group(self, name: str) -> list[Case]:
        """The cases of one group, in the order in which they ran."""
        return [case for case in self.cases if case.group == name]

    @property
    def frameworks(self) -> list[str]:
        """The frameworks that have a number, in alphabetical order."""
        return sorted({case.framework for case in self.cases})


def load(path: str | os.PathLike[str]) -> Run:
    """Read one saved run.  Raises InputError, one line, for a file that is missing, cut off, another program's or another format's."""
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
    return Run(
        path=path,
        cases=tuple(_case(path, index, case) for index, case in enumerate(cases)),
        machine=machine,
        lenet5=_typed(path, "machine_info.lenet5", ours, {"threads": int, "frameworks": dict, "not_measured": dict}),
        commit=document["commit_info"],
        datetime=document["datetime"],
        version=document["version"],
    )


def _document(path: Path) -> dict[str, Any]:
    """The file as pytest-benchmark wrote it."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; expected a run saved by pytest benchmarks --benchmark-autosave") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); expected a saved run") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is no UTF-8 text; expected a saved run (JSON)") from None
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}:{error.lineno}: no whole JSON ({error.msg}, column {error.colno}); was the file cut off?"
        ) from None
    except RecursionError:
        raise InputError(f"{path}: is nested too deeply; expected a saved run") from None
    expected = {"machine_info": dict, "commit_info": dict, "benchmarks": list, "datetime": str, "version": str}
    return _typed(path, "file", document, expected)


def _case(path: Path, index: int, case: Any) -> Case:
    """One benchmark of the file, if it has all that a report needs."""
    where = f"benchmarks[{index}]"
    case = _typed(path, where, case, {"group": str, "name": str, "stats": dict, "extra_info": dict})
    stats = _typed(path, f"{where}.stats", case["stats"], dict.fromkeys(STATISTICS, (int, float)))
    extra = _typed(path, f"{where}.extra_info", case["extra_info"], {"framework": str, "mode": str})
    return Case(case["group"], case["name"], stats, extra)


def _typed(path: Path, where: str, value: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The value itself, if it is a dict with these fields of these types."""
    if not isinstance(value, dict):
        raise InputError(
            f"{path}: {where} is {type(value).__name__}, not an object; expected a saved run of this project's benchmarks"
        )
    for field, kind in fields.items():
        if not isinstance(value.get(field), kind) or isinstance(value.get(field), bool):
            found = repr(value[field])[:60] if field in value else "missing"
            raise InputError(f"{path}: {where}.{field} is {found}; expected a saved run of this project's benchmarks")
    return value
