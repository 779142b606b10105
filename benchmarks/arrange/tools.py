"""Tools that are measured beside the frameworks: each is one file, which says in literals what it is.

    TITLE = "LiteRT"                                          # its name in ids and in the report
    FRAMEWORK = "tensorflow"                                  # the framework that it belongs to
    PACKAGES = ("tensorflow",)                                # what has to be installed for it
    KINDS = {"dynamic": "dynamic", "full": "full integer"}    # if there are several ways to run it: each with its title
    EXTRA = "int8"                                            # if they come with an extra of this project's: pip install -e '.[int8]'

The literals are read from the source, so that listing the cases imports no tool and nothing that a tool needs.  A further tool is a
further file with the prefix of its sort, such as ``prune_``.
"""

from __future__ import annotations

import ast
import importlib.util
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LITERALS = ("TITLE", "FRAMEWORK", "PACKAGES", "KINDS", "EXTRA")


@dataclass(frozen=True)
class Tool:
    """What a file says of the tool in it."""

    module: str
    """For ``python -m`` or `importlib.import_module`."""
    title: str
    framework: str
    packages: tuple[str, ...]
    kinds: Mapping[str, str] = field(default_factory=dict)
    extra: str = ""

    def missing(self) -> str | None:
        """Why the tool cannot run here: one line that names the first package that is not installed; None if all are."""
        for package in self.packages:
            if importlib.util.find_spec(package) is None:
                wanted = f"-e '.[{self.extra}]'" if self.extra else package
                return f"{self.title}: the package {package!r} is not installed; pip install {wanted}"
        return None


def found(package: str, prefix: str) -> tuple[Tool, ...]:
    """The tools in those files of a package whose names begin with the prefix, in alphabetical order of the files."""
    folder = ROOT.joinpath(*package.split("."))
    names = sorted(module.name for module in pkgutil.iter_modules([str(folder)]) if module.name.startswith(prefix))
    return tuple(read(f"{package}.{name}") for name in names)


def read(module: str) -> Tool:
    """What a module says of the tool in it.  Raises ValueError for one that does not say it in literals."""
    source = ROOT.joinpath(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8")
    literals: dict[str, Any] = {}
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
            if name in LITERALS:
                literals[name.lower()] = ast.literal_eval(statement.value)
    try:
        return Tool(module, **literals)
    except TypeError as error:
        raise ValueError(f"{module}: does not say what the tool in it is ({error}); see benchmarks.arrange.tools") from None
