"""One name for the same case, group or field in every version of this project: old spellings become those of today.

Commit 67fa1dc and its predecessors wrote "batch=1" into the ids, which pytest's -k refuses, and "seed" where today's code says "original".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

GROUPS = {"seed": "original"}
FILES = {"benchmarks/test_seed_protocol.py": "benchmarks/test_original_protocol.py"}
FIELDS = {"as_seed_": "as_original_"}
"""How the name of a field began -> how it begins."""

SAID_ALONE = ("optimizer",)
"""Parameters whose value stands in an id without the parameter's name."""

PARAMETER = re.compile(r"\b([a-z_]\w*)=", re.IGNORECASE)


def canonical(node_id: str) -> str:
    """The id of a case as today's code spells it.   test_predict[numpy-fused-batch=64] -> test_predict[numpy-fused-batch64]

    An id of today comes back as it is, and so does the name of a folder or a file.
    """
    path, separator, test = node_id.partition("::")
    name, bracket, parameters = test.partition("[")
    spelled = PARAMETER.sub(lambda found: "" if found[1] in SAID_ALONE else found[1], parameters)
    return f"{FILES.get(path, path)}{separator}{name}{bracket}{spelled}"


def group(name: str) -> str:
    """A group as it is called today."""
    return GROUPS.get(name, name)


def fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same values under today's names.  Of a value under both its names, the one under today's name counts."""
    return {**{_field(name): value for name, value in values.items()}, **{n: v for n, v in values.items() if _field(n) == n}}


def _field(name: str) -> str:
    old = next((old for old in FIELDS if name.startswith(old)), "")
    return f"{FIELDS[old]}{name.removeprefix(old)}" if old else name
