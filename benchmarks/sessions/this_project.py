"""This project as a gate sees it: what makes a folder this project, and an interpreter one that can run it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from benchmarks.saved.provenance import ROOT, code_sha256, versions
from benchmarks.sessions import baton
from benchmarks.sessions.plan import CASES, Session
from benchmarks.sessions.process import Place, execute, last_words
from benchmarks.sessions.project import Project
from benchmarks.sessions.signals import Signals
from lenet5.errors import InputError

ONE_EPOCH = "--epochs=1"
"""Of pytest: a training to the end is thirty times the same epoch, which takes as long and says no more of its time."""

KEPT = "LENET5_KEPT"
"""The variable that `benchmarks/arrange/kept.py` reads."""

# Names come as arguments: the packages whose versions are wanted.
PROBE = """
import json, platform, sys
from importlib import metadata

import pytest, pytest_benchmark
import lenet5

found = {"python": platform.python_version()}
for name in sys.argv[1:]:
    try:
        found[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        pass
print(json.dumps({"lenet5": lenet5.__file__, "versions": found}))
"""


def this_project(threads: int = 1, repository: Path = ROOT, code: Callable[[Path], str] = code_sha256) -> Project:
    """The record of this project, or of a repository that holds another clone of it."""
    return Project(
        repository=repository,
        start=Path(),
        is_directory=lambda text, directory: is_this_project(directory),
        no_side="a directory with this project's lenet5 and benchmarks",
        probe=probe,
        source=lambda folder: folder,
        code=code,
        session=Session,
        install=baton.install,
        cases=(CASES,),
        options=(f"--threads={threads}", ONE_EPOCH),
        kept=KEPT,
        untimed=baton.UNTIMED,
    )


HOLDS_NOTHING = "the revision holds no lenet5 and benchmarks"


def is_this_project(directory: Path) -> bool:
    return (directory / "benchmarks").is_dir() and (directory / "lenet5").is_dir()


def probe(option: str, place: Place, signals: Signals) -> dict[str, str]:
    """The versions that a side's interpreter has.  Raises InputError unless it can import the side, from the side."""
    if not is_this_project(place.project):  # a commit of a repository in which the project merely lies
        raise InputError(f"{option}: {HOLDS_NOTHING}")
    names = [name for name in versions() if name != "python"]
    log = Path(str(place.scratch)) / "probe.log"
    with log.open("w", encoding="utf-8") as output:
        code = execute([place.python, "-c", PROBE, *names], place, output, signals)
    if code:
        raise InputError(f"{option}: cannot be imported ({last_words(log)})")
    found = json.loads(log.read_text(encoding="utf-8", errors="replace").splitlines()[-1])
    # The other process may have the bytes of a path that is not ASCII as other letters than this one.
    imported = Path(os.fsdecode(found["lenet5"].encode("utf-8", "surrogateescape")))
    if imported.resolve().parent != (place.project / "lenet5").resolve():
        raise InputError(f"{option}: imports {imported}, not {place.project / 'lenet5'}; its interpreter prefers what is installed")
    versions_found: dict[str, str] = found["versions"]
    return versions_found
