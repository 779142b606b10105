"""Empty folders for what frameworks keep of compiled code: whatever finds an earlier process's code has a first call that is none.

Nothing here loads NumPy: the variables have to be set before anything is imported that reads them.
"""

from __future__ import annotations

import os
from pathlib import Path

import lenet5
from benchmarks.launch import temporary
from lenet5.errors import InputError


def variables() -> list[str]:
    """The environment variables by which all frameworks together find such folders, as their classes declare them.  Imports none of them."""
    return sorted({variable for framework in lenet5.frameworks() for variable in lenet5.caches(framework)})


def empty(folder: str) -> dict[str, str]:
    """Each of these variables with an empty folder of its own in a folder, made now."""
    folders = {variable: Path(folder, variable.lower()) for variable in variables()}
    for path in folders.values():
        path.mkdir()
    return {variable: str(path) for variable, path in folders.items()}


def place() -> str | None:
    """Where the user, or the session, has compiled code lie, for code may not be loaded from everywhere; None leaves it to the system."""
    chosen = map(os.environ.get, variables())
    return next((folder for folder in chosen if folder and os.path.isdir(folder)), None)


def own_folder() -> temporary.Folder:
    """A new folder, to be removed at the session's end, with one in it for each of the variables, which name them from now on.

    A folder of the user's for one of them says where code can be loaded from, so the new one is made in there.  Raises InputError, one line,
    where none can be made.
    """
    variable = next((variable for variable in variables() if os.environ.get(variable)), None)
    chosen = os.environ[variable] if variable else None
    try:
        if chosen:
            os.makedirs(chosen, exist_ok=True)
        made = temporary.folder("lenet5-caches-", chosen)
    except OSError as error:
        raise InputError(
            f"{variable or 'TMPDIR'}: no folder can be made there ({error}); set it to a place where one can"
        ) from None
    os.environ.update(empty(made.name))
    return made
