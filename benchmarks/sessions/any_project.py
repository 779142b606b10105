"""Any project with a pytest-benchmark suite, as a gate sees it: its own git, its own interpreter, its own configuration of pytest.

It has to know nothing of this one.  Its processes get two plug-ins by path, `baton` and `guest`, and no package of ours.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.saved import plain
from benchmarks.saved.records import Run
from benchmarks.saved.variables import THREADS
from benchmarks.sessions import baton, guest, trees, worktrees
from benchmarks.sessions.plan import Session
from benchmarks.sessions.process import Place, execute, last_words
from benchmarks.sessions.project import Project
from benchmarks.sessions.sides import PLUGINS
from benchmarks.sessions.signals import Signals
from lenet5.errors import InputError

CASES = ("tests/bench", "tests/benchmarks", "tests/benchmark", "benchmarks", "bench", "benchmark", "tests", "test")
"""Where cases are looked for unless --cases says it, in this order."""

OLDEST = {"pytest": "6.2.5", "pytest-benchmark": "3.2.3"}
"""The oldest versions that were tried and work."""

ALSO_THREADS = "NUMEXPR_NUM_THREADS"
"""A variable of the same kind as those of `variables.THREADS`, of a library that this project does not use."""

EMPTY = "pytest.ini"
"""Beside the plug-ins: the configuration of pytest of a project that has none."""

PROBE = """
import json, platform
from importlib import metadata

found = {str(one.metadata["Name"]).lower().replace("_", "-"): one.version for one in metadata.distributions()}
print(json.dumps({**found, "python": platform.python_version()}))
"""

CONFIGURATION = {
    **dict.fromkeys(("pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml"), ""),
    **{"pyproject.toml": "[tool.pytest", "tox.ini": "[pytest]", "setup.cfg": "[tool:pytest]"},
}
"""Files that can configure pytest, and what stands in one that does."""


def any_project(directory: Path, threads: int = 1, source: str | None = None, strict: bool = False) -> Project:
    """The record of the project in a folder.  Raises InputError if there is no such folder; ``source`` is where its packages are within it."""
    start = Path(os.path.expanduser(directory)).resolve()
    if not start.is_dir():
        raise InputError(f"--project {directory}: is no directory; expected the folder of a project")
    inside = worktrees.git(start, "rev-parse", "--show-prefix").stdout.strip()
    return Project(
        repository=start,
        start=start,
        is_directory=lambda text, folder: text.startswith((".", "/", "~")) and folder.is_dir(),
        no_side="a directory; one is written with ./, ../, / or ~ at its beginning",
        probe=probe,
        source=partial(source_of, said=source),
        code=trees.sources_of,
        session=GuestSession,
        install=_install,
        cases=CASES,
        variables={**dict.fromkeys((*THREADS, ALSO_THREADS), str(threads)), "PYTEST_PLUGINS": guest.PLUGIN},
        inside=inside,
        surveyed=True,
        strict=strict,
        control="piece of pure Python",
    )


def source_of(folder: Path, said: str | None = None) -> Path:
    """What comes first on a side's path: the folder of its packages, which is ``src`` where there is one."""
    if said:
        if not (folder / said).is_dir():
            raise InputError(f"--source {said}: no such folder in {folder}; expected that of the packages, relative to the project")
        return folder / said
    return folder / "src" if (folder / "src").is_dir() else folder


def _install(folder: Path) -> None:
    baton.install(folder)
    guest.install(folder)
    (folder / EMPTY).write_text("[pytest]\n", encoding="utf-8")


def probe(option: str, place: Place, signals: Signals) -> dict[str, str]:
    """The versions of all packages of a side's interpreter.  Raises InputError unless it has what measuring needs."""
    log = Path(str(place.scratch)) / "probe.log"
    # In a folder without packages and without the side's path: what is asked for is what is installed.
    bare = Place(place.project, place.python, place.environment, place.scratch, place.scratch)
    with log.open("w", encoding="utf-8") as output:
        code = execute([place.python, "-E", "-c", PROBE], bare, output, signals)
    if code:
        raise InputError(f"{option}: {place.python} cannot say which packages it has ({last_words(log)})")
    found: dict[str, str] = json.loads(log.read_text(encoding="utf-8").splitlines()[-1])
    for name, oldest in OLDEST.items():
        if name not in found:
            raise InputError(f"{option}: {place.python} has no {name}; install it there, or name another Python after an @")
        if _release(found[name]) < _release(oldest):
            raise InputError(f"{option}: {place.python} has {name} {found[name]}; expected {oldest} or later")
    return found


def _release(version: str) -> tuple[int, ...]:
    """A version to be compared.   7.4.4 -> (7, 4, 4)"""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


@dataclass(frozen=True)
class GuestSession(Session):
    """A session of a suite that knows nothing of this project."""

    def command(self, saved: Path) -> list[str]:
        """The command line of pytest that saves the session in a file: by the side's own configuration, and by no other one."""
        plan, place = self.plan, self.place
        cases = place.project / plan.cases
        top = _top(place.project)
        configuration = [] if _is_configured(cases, top) else ["-c", str(Path(str(place.scratch)) / PLUGINS / EMPTY)]
        selection = ["-k", plan.expression] if plan.expression else []
        ours = [
            "--continue-on-collection-errors",
            *([] if guest.COLLECT in plan.options else [f"--benchmark-json={saved.absolute()}"]),
            *(f"--rootdir={place.project}", f"--confcutdir={top}", f"--gate-saved={saved.absolute()}"),
            *(f"--gate-order={plan.seed}.{self.number}", f"--gate-source={place.environment['PYTHONPATH'].split(os.pathsep)[0]}"),
        ]
        return [place.python, "-m", "pytest", str(cases), *configuration, *plan.options, *selection, *ours]

    def read(self, saved: Path) -> Run:
        """What the session saved in a file.  Raises InputError, one line, also where a case imported the project from elsewhere while it ran."""
        measured = plain.load(saved)
        if line := guest.wrong_place(measured.lenet5.get("elsewhere", {})):
            raise InputError(line)
        return measured


def _top(project: Path) -> Path:
    """The top of the checkout that a folder lies in, or the folder itself."""
    return next((folder for folder in (project, *project.parents) if (folder / ".git").exists()), project)


def _is_configured(cases: Path, top: Path) -> bool:
    """Whether the project configures pytest.  Where it does not, pytest would look for a configuration in the folders above it."""
    folders = [cases, *(folder for folder in cases.parents if folder == top or top in folder.parents)]
    return any(_configures(folder / name, mark) for folder in folders for name, mark in CONFIGURATION.items())


def _configures(path: Path, mark: str) -> bool:
    return path.is_file() and mark in path.read_text(encoding="utf-8", errors="replace")
