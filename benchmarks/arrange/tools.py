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

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lenet5
from lenet5 import literals
from lenet5.errors import InputError
from lenet5.packages import is_installed

ROOT = Path(__file__).parents[2]


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
            if not is_installed(package):
                wanted = f"-e '.[{self.extra}]'" if self.extra else package
                return f"{self.title}: the package {package!r} is not installed; pip install {wanted}"
        return None


def found(package: str, prefix: str) -> tuple[Tool, ...]:
    """The tools in those files of a package whose names begin with the prefix, in alphabetical order of the files.

    Raises InputError as `read` does, and where two have one title: by that they are told apart.
    """
    folder = ROOT.joinpath(*package.split("."))
    names = sorted(module.name for module in pkgutil.iter_modules([str(folder)]) if module.name.startswith(prefix))
    tools: dict[str, Tool] = {}
    for tool in (read(f"{package}.{name}") for name in names):
        if (other := tools.setdefault(tool.title, tool)) is not tool:
            raise InputError(f"{tool.module}: TITLE is {tool.title!r}, as in {other.module}; use a title of its own")
    return tuple(tools.values())


def read(module: str) -> Tool:
    """What a module says of the tool in it.  Raises InputError for one that does not say it in literals, or says what cannot be."""
    source = ROOT.joinpath(*module.split(".")).with_suffix(".py").read_bytes()
    said = literals.assigned(literals.parsed(module, source).body)
    values = {name.lower(): literals.checked(module, name, said[name], rule) for name, rule in RULES.items() if name in said}
    try:
        return Tool(module, **values)
    except TypeError as error:
        raise InputError(f"{module}: does not say what the tool in it is ({error}); see benchmarks.arrange.tools") from None


def _framework(value: Any) -> str:
    known = lenet5.frameworks()
    return "" if value in known else f"choose one of {', '.join(known)}"


RULES: Mapping[str, literals.Rule] = {
    "TITLE": literals.text("LiteRT"),
    "FRAMEWORK": _framework,
    "PACKAGES": literals.packages("numpy"),
    "KINDS": literals.text_by_text({"full": "full integer"}),
    "EXTRA": literals.text("int8"),
}
"""Literal -> what it has to be."""
