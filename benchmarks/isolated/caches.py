"""Empty folders for what frameworks keep of compiled code: whatever finds an earlier process's code has a first call that is none."""

from __future__ import annotations

from pathlib import Path

import lenet5


def variables() -> list[str]:
    """The environment variables by which all frameworks together find such folders, as their classes declare them.  Imports none of them."""
    return sorted({variable for framework in lenet5.frameworks() for variable in lenet5.caches(framework)})


def empty(folder: str) -> dict[str, str]:
    """Each of these variables with an empty folder of its own in a folder, made now."""
    folders = {variable: Path(folder, variable.lower()) for variable in variables()}
    for path in folders.values():
        path.mkdir()
    return {variable: str(path) for variable, path in folders.items()}
