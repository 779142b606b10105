"""Import a module that only some users need, and say what to install where its package is absent."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from lenet5.errors import NotInstalled

_NAMES_TO_INSTALL = {"PIL": "pillow", "keras": "tensorflow"}
"""Package as it is imported -> the one to install, where the two differ: Keras alone has nothing to compute with."""


def imported(user: str, module: str) -> Any:
    """The module; ``user`` is what needs it, the first word of a message.

    Raises NotInstalled where its package, or one that this package needs, is absent.  A package that is there but broken raises its
    own error.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if not package or importlib.util.find_spec(package) is not None:
            raise
        raise NotInstalled(not_installed(user, package)) from error


def not_installed(user: str, package: str) -> str:
    """The line that says what to install."""
    package = _NAMES_TO_INSTALL.get(package, package)
    return f"{user}: the package {package!r} is not installed; pip install {package}"


def need(user: str, *modules: str) -> None:
    """Raise NotInstalled, which names all at once, unless these packages are there.  Imports nothing."""
    absent = [_NAMES_TO_INSTALL.get(module, module) for module in modules if importlib.util.find_spec(module) is None]
    if absent:
        names = ", ".join(map(repr, absent))
        verb = "package {} is" if len(absent) == 1 else "packages {} are"
        raise NotInstalled(f"{user}: the {verb.format(names)} not installed; pip install {' '.join(absent)}")
