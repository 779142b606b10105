"""Where the packages came from that a process imported: from the project that it runs, or from a copy that is installed.

The plug-in `guest` has this file beside it, in processes of any project: it needs nothing but Python, from 3.8 on.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

NO_SOURCE = frozenset(
    ("test", "tests", "testing", "doc", "docs", "example", "examples", "vendor", "third_party", "node_modules", "build", "dist")
)
"""Folders that hold packages of which another copy may rightly be imported."""

STANDARD_LIBRARY = Path(os.__file__).parent

DEPTH = 3
"""How many folders deep a project's packages are looked for."""


def imported_from_elsewhere(project: Path, source: Path) -> dict[str, list[str]]:
    """Packages that this project holds and that were imported from another place.   name -> [that file, the project's own]"""
    own = packages_of(project)
    found: dict[str, list[str]] = {}
    for name in sorted(sys.modules):
        file = _file_of(name)
        if not file or _inside(Path(file), STANDARD_LIBRARY) or _inside(Path(file), project):
            continue
        parents = [".".join(name.split(".")[:length]) for length in range(1, name.count(".") + 1)]
        if any(_file_of(parent) for parent in parents):
            continue  # a part of a package that is looked at itself
        places = [root.joinpath(*name.split(".")) for root in (source, project)]
        files = [*(place / "__init__.py" for place in places), *(place.with_suffix(".py") for place in places)]
        mine = [path for path in files if path.is_file()]
        if name in own and _is_copy(Path(file), own[name]):
            mine.append(own[name])
        if mine and name not in ("conftest", "setup", "__main__") and os.path.realpath(mine[0]) != os.path.realpath(file):
            found[name] = [file, str(mine[0])]
    return found


def _is_copy(file: Path, own: Path) -> bool:
    """Whether the package of one ``__init__.py`` can be a version of that of another: at least half of the modules of both are in both.

    A project may have a package of its own in whose name another one happens to end: acme.numpy is none of numpy's.
    """
    modules = [{path.name for path in one.parent.glob("*.py")} for one in (file, own)]
    return 2 * len(modules[0] & modules[1]) >= len(modules[0] | modules[1])


def _file_of(module: str) -> str | None:
    """Where a module came from; None for one without a file, or that is not there."""
    try:
        file = sys.modules[module].__file__
    except Exception:  # a module that is loaded when it is looked at can raise anything
        return None
    return file if isinstance(file, str) else None


def packages_of(project: Path) -> dict[str, Path]:
    """Every package of a project by its name, wherever in its folders it lies, as its ``__init__.py``."""
    found: dict[str, Path] = {}
    for folder, below, files in os.walk(project):
        place = Path(folder)
        if "__init__.py" in files and place != project:
            found.setdefault(place.name, place / "__init__.py")
        deep = len(place.relative_to(project).parts) >= DEPTH
        stop = deep or "pyvenv.cfg" in files or ("__init__.py" in files and place != project)
        below[:] = [] if stop else sorted(name for name in below if name not in NO_SOURCE and not name.startswith((".", "_")))
    return found


def _inside(file: Path, project: Path) -> bool:
    """Whether a file belongs to a project, or to the standard library; what is installed into an environment within it does not.

    A link in the project belongs to it, wherever it leads.
    """
    for path, folder in ((file.absolute(), project.absolute()), (file.resolve(), project.resolve())):
        if folder in path.parents:
            return not {"site-packages", "dist-packages"} & {*path.relative_to(folder).parts}
    return False


def uncompiled(project: Path, source: Path) -> dict[str, str]:
    """Packages that were imported from this project, and that are installed elsewhere with compiled modules which the project's folder lacks.

    package -> such a module.  Its slower stand-in in Python is measured then, if there is one.
    """
    found = {}
    for name in sorted({module.partition(".")[0] for module in list(sys.modules)}):
        own = _file_of(name)
        if not own or Path(own).name != "__init__.py" or not _inside(Path(own), project):
            continue
        for installed in (
            Path(entry) / name for entry in sys.path if Path(entry).resolve() not in (source.resolve(), project.resolve())
        ):
            modules = (path for ending in EXTENSION_SUFFIXES for path in sorted(installed.rglob(f"*{ending}")))
            lacking = [path for path in modules if not (Path(own).parent / path.relative_to(installed)).exists()]
            if lacking:
                found[name] = str(lacking[0].relative_to(installed.parent))
                break
    return found
