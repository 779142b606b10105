"""Import a module that only some users need, and say what to install where its package is absent."""

from __future__ import annotations

import gc
import importlib
import importlib.util
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from lenet5.errors import InputError, NotInstalled

_NAMES_TO_INSTALL = {"PIL": "pillow", "keras": "tensorflow"}
"""Package as it is imported -> the one to install, where the two differ: Keras alone has nothing to compute with."""

_SETTINGS = "matplotlibrc"


def imported(user: str, module: str) -> Any:
    """The module; ``user`` is what needs it, the first word of a message.

    Raises NotInstalled where its package, or one that this package needs, is absent.  A package that is there but broken raises its
    own error.
    """
    try:
        with _without_looking_for_garbage(module):
            return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if not package or importlib.util.find_spec(package) is not None:
            raise
        raise NotInstalled(not_installed(user, package)) from error


@contextmanager
def _without_looking_for_garbage(module: str) -> Iterator[None]:
    """The block in which a module is imported: Python looks for no garbage in it, nor ever among what was made by its end.

    TensorFlow and PyTorch are hundreds of thousands of objects, which stay.  To look through them, now and then while they come and once more
    when the process ends, is a third of what their import costs.  Where the module is there already, or cannot be imported, nothing changes.
    """
    if module in sys.modules:
        yield
        return
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if collects:
            gc.enable()


def not_installed(user: str, *packages: str) -> str:
    """The line that says what to install."""
    absent = [_NAMES_TO_INSTALL.get(package, package) for package in packages]
    named = f"{'package' if len(absent) == 1 else 'packages'} {', '.join(map(repr, absent))} {'is' if len(absent) == 1 else 'are'}"
    return f"{user}: the {named} not installed; pip install {' '.join(name.partition('.')[0] for name in absent)}"


def is_installed(module: str) -> bool:
    """Whether there is such a module, which may be a part of a package.  Imports nothing.

    Of a part, `importlib.util.find_spec` would import the whole, and raise an error where that is absent.
    """
    whole, *parts = module.split(".")
    spec = importlib.util.find_spec(whole)
    for part in parts:
        if spec is None or spec.submodule_search_locations is None:
            return False
        whole = f"{whole}.{part}"
        spec = PathFinder.find_spec(whole, spec.submodule_search_locations)
    return spec is not None


def need(user: str, *modules: str) -> None:
    """Raise NotInstalled, which names all at once, unless these packages are there.  Imports nothing."""
    if absent := [module for module in modules if not is_installed(module)]:
        raise NotInstalled(not_installed(user, *absent))


def matplotlib(user: str) -> Any:
    """matplotlib, with the user's settings for plots if it can read them, and without if not.

    A file of settings that is no text, or a backend that is not there, would end the import.  Raises NotInstalled, and InputError as
    `without_settings_for_plots` does.
    """
    try:
        with _without_advice_on_folders():
            return imported(user, "matplotlib")
    except ValueError:  # UnicodeDecodeError is one
        for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
            del sys.modules[name]  # parts that were imported before it broke, which a new one would not know of
        with without_settings_for_plots():
            return imported(user, "matplotlib")


@contextmanager
def _without_advice_on_folders() -> Iterator[None]:
    """While this lasts, matplotlib says nothing of a home folder that it cannot write: it makes a temporary one, and draws the same."""
    logger = logging.getLogger("matplotlib")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def importing_keras() -> Iterator[None]:
    """The block in which Keras is imported, or TensorFlow, which imports it: Keras imports matplotlib where that is installed.

    Raises InputError as `matplotlib` does.
    """
    with suppress(NotInstalled):
        matplotlib("keras")
    with _without_looking_for_garbage("keras"):
        yield


@contextmanager
def without_settings_for_plots() -> Iterator[None]:
    """While this lasts, matplotlib is imported as it comes: without the backend and the file of settings that the environment names.

    A notebook sets MPLBACKEND for itself and all that it starts.  Raises InputError where the working directory has a file of settings that
    is no text: matplotlib looks for one there before all else.
    """
    package = importlib.util.find_spec("matplotlib")
    files = [Path(place, "mpl-data", _SETTINGS) for place in (package.submodule_search_locations or () if package else ())]
    users = {name: os.environ.pop(name) for name in ("MPLBACKEND", _SETTINGS.upper()) if name in os.environ}
    os.environ.update({_SETTINGS.upper(): str(file) for file in files if file.is_file()})
    try:
        with _without_advice_on_folders():
            yield
    except UnicodeDecodeError as error:
        here = Path(_SETTINGS).absolute()
        raise InputError(f"{here}: is no UTF-8 text ({error.reason}), so matplotlib cannot begin; mend it") from None
    finally:
        os.environ.pop(_SETTINGS.upper(), None)
        os.environ.update(users)
