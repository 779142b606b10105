"""Which frameworks the cases of this machine are of, and which packages each brings: where no framework is asked for, none may be loaded."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import lenet5


def installed() -> tuple[str, ...]:
    """The frameworks that cases are made of here: all but those of which a package that they declare is not installed."""
    return tuple(framework for framework in lenet5.frameworks() if not lenet5.missing(framework))


def packages(framework: str) -> set[str]:
    """The packages that a framework's file imports, but for NumPy, which all of them need."""
    source = Path(lenet5.__file__).with_name(f"with_{framework}.py").read_text(encoding="utf-8")
    nodes = list(ast.walk(ast.parse(source)))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names} - {"lenet5", "numpy"} - sys.stdlib_module_names
