"""The table of what a file says beside its cases: the machine, the settings, the versions, and what was not measured.

`fields` has a row for each value of a case; this table has a row for each value of a whole process, and every reader relies on these rows.
A value without a row is kept as it is, and no code reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.saved.kinds import (
    AT_LEAST_ONE,
    COUNT,
    OBJECT,
    SECONDS,
    TEXT,
    WORDS,
    Either,
    Finite,
    Kind,
    ListOf,
    MapOf,
    OneOf,
    fault_in,
    wrong,
)

FORMAT = 1
"""The version of our part of the JSON; a report reads its own format only."""

OURS = "machine_info.lenet5"

COLOURS = ("blue", "orange", "green", "purple", "olive", "grey")
"""The words for a framework's colour."""


@dataclass(frozen=True)
class Fact:
    """One row: a value of a file."""

    place: str
    """The keys that lead there, with dots between them."""
    kind: Kind
    needed: bool = False


FACTS = (
    Fact("machine_info", OBJECT, needed=True),
    *(
        Fact(f"machine_info.{name}", WORDS)
        for name in ("node", "machine", "system", "release", "python_implementation", "python_version")
    ),
    Fact("machine_info.cpu", OBJECT),
    Fact("machine_info.cpu.brand_raw", WORDS),
    Fact("machine_info.cpu.count", AT_LEAST_ONE),
    Fact("commit_info", OBJECT, needed=True),
    Fact("commit_info.id", WORDS),
    Fact("commit_info.dirty", OneOf((True, False))),
    Fact("commit_info.error", WORDS),
    Fact("benchmarks", ListOf(OBJECT), needed=True),
    Fact("datetime", TEXT, needed=True),
    Fact("version", TEXT, needed=True),
    Fact(f"{OURS}.threads", AT_LEAST_ONE, needed=True),
    Fact(f"{OURS}.device", TEXT),
    Fact(f"{OURS}.epochs", AT_LEAST_ONE),
    Fact(f"{OURS}.shuffle", Either(WORDS, OneOf((None,)))),
    Fact(f"{OURS}.code_sha256", TEXT),
    Fact(f"{OURS}.variables", MapOf(WORDS)),
    Fact(f"{OURS}.cpu_quota", SECONDS),
    Fact(f"{OURS}.dataset", OBJECT),
    Fact(f"{OURS}.dataset.name", TEXT),
    *(Fact(f"{OURS}.dataset.{name}", AT_LEAST_ONE) for name in ("channels", "classes")),
    *(Fact(f"{OURS}.dataset.{split}_images", COUNT) for split in ("train", "validation", "test")),
    Fact(f"{OURS}.frameworks", MapOf(MapOf(Finite())), needed=True),
    Fact(f"{OURS}.modes", MapOf(ListOf(TEXT, least=0))),
    Fact(f"{OURS}.gpu_only", MapOf(ListOf(TEXT, least=0))),
    Fact(f"{OURS}.colours", MapOf(OneOf(("", *COLOURS)))),
    Fact(f"{OURS}.trains", MapOf(OneOf((True, False)))),
    Fact(f"{OURS}.reference", OBJECT),
    *(Fact(f"{OURS}.reference.{name}", TEXT) for name in ("framework", "mode")),
    Fact(f"{OURS}.not_measured", MapOf(WORDS), needed=True),
    Fact(f"{OURS}.out_of_reach", MapOf(WORDS)),
    Fact(f"{OURS}.not_installed", MapOf(WORDS)),
)


def faults(document: Any) -> Iterator[str]:
    """A sentence for each value of a file, its cases aside, that is wrong or missing."""
    if not isinstance(document, Mapping):
        yield wrong("file", document, "an object")
        return
    for fact in FACTS:
        where, _, key = fact.place.rpartition(".")
        holder = at(document, where) if where else document
        # A holder that is no object has a row of its own, which has said so.
        if isinstance(holder, Mapping) and (fault := fault_in(holder, key, fact.kind, fact.needed)):
            yield f"{where}.{fault}" if where else fault


def foreign(document: Any) -> str:
    """What is to be added to a fault of a document that is of another program; empty for a run, each of which has a machine."""
    return "" if isinstance(document, Mapping) and "machine_info" in document else "; this is no run that pytest-benchmark saved"


def at(document: Mapping[str, Any], place: str) -> Any:
    """The value at a place of a file, such as "machine_info.lenet5.threads"; None where the file has no such place."""
    value: Any = document
    for key in place.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
