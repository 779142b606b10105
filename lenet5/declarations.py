"""What the class LeNet5 of a framework's file declares, read from the source: which declarations there are, and what each has to be.

All of a file are checked together, whichever is asked for, so that a session ends before it measures and not in its report.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from lenet5 import literals
from lenet5.errors import InputError

COLOURS = ("blue", "orange", "green", "purple", "olive", "grey")

_EXAMPLE = "eager"

RULES: Mapping[str, literals.Rule] = {
    "modes": literals.texts(_EXAMPLE, least=1),
    "variants": literals.texts(_EXAMPLE),
    "gpu_only": literals.texts(_EXAMPLE),
    "dynamic": literals.text_by_text({"graph": _EXAMPLE}),
    "trained_in": literals.text(_EXAMPLE),
    "colour": lambda value: "" if value in COLOURS else f"choose one of {', '.join(COLOURS)}",
    "reference": literals.text(_EXAMPLE),
    "ladder": literals.texts(_EXAMPLE),
    "trains": lambda value: "" if isinstance(value, bool) else "use True or False",
    "packages": literals.packages("numpy"),
    "caches": literals.variables("MY_CACHE"),
    "thread_variables": literals.variables("MY_THREADS"),
}
"""Declaration -> what it has to be.  `contract.Network` says what each means."""

OF_MODES = ("variants", "gpu_only", "dynamic", "trained_in", "reference", "ladder")
"""Declarations that speak of modes: of none but the file's own."""


def read(file: Path) -> Mapping[str, Any]:
    """Declaration -> value, of those that the class has.  Raises InputError, one line that names the file, for a wrong one.

    Not to be written to: it is kept, since collecting cases asks more than a hundred times.
    """
    return _read(file.name, file.read_bytes())


@lru_cache  # Python 3.8 lacks functools.cache, and this module is imported before the line that refuses it
def _read(file: str, source: bytes) -> Mapping[str, Any]:
    classes = (node for node in literals.parsed(file, source).body if isinstance(node, ast.ClassDef) and node.name == "LeNet5")
    found = literals.assigned(statement for node in classes for statement in node.body)
    for name, value in found.items():
        if name not in RULES and not name.startswith("_") and literals.is_literal(value):
            raise InputError(f"{file}: {name!r} is no declaration; {_instead(name)}")
    declared = {
        name: literals.checked(file, name, found[name], rule, " in class LeNet5") for name, rule in RULES.items() if name in found
    }
    _check_modes(file, declared)
    return declared


def _instead(name: str) -> str:
    if close := get_close_matches(name, RULES, n=1):
        return f"did you mean {close[0]!r}?"
    return f"choose one of {', '.join(RULES)}, or let what is the class's own begin with _"


def _check_modes(file: str, declared: Mapping[str, Any]) -> None:
    """Raise InputError for a declaration that speaks of a mode that there is not, and for a default mode that may be left out."""
    modes = declared.get("modes", ())
    for name in OF_MODES if modes else ():
        for mode in _modes_in(declared.get(name, ())):
            if mode not in modes:
                raise InputError(f"{file}: {name} is {declared[name]!r}; {mode!r} is no mode, choose one of {', '.join(modes)}")
    if modes and modes[0] in declared.get("variants", ()):
        raise InputError(f"{file}: variants is {declared['variants']!r}; {modes[0]!r} is the default mode, which is never left out")


def _modes_in(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        return (*value, *value.values())
    return (value,) if isinstance(value, str) else value
