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


def not_installed(user: str, *packages: str) -> str:
    """The line that says what to install."""
    absent = [_NAMES_TO_INSTALL.get(package, package) for package in packages]
    named = f"{'package' if len(absent) == 1 else 'packages'} {', '.join(map(repr, absent))} {'is' if len(absent) == 1 else 'are'}"
    return f"{user}: the {named} not installed; pip install {' '.join(absent)}"


def need(user: str, *modules: str) -> None:
    """Raise NotInstalled, which names all at once, unless these packages are there.  Imports nothing."""
    if absent := [module for module in modules if importlib.util.find_spec(module) is None]:
        raise NotInstalled(not_installed(user, *absent))
