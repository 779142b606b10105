"""A copy of the modules of the network by hand, to change: the network itself stays as it is, so both can be timed in turns.

A trick of the fast network is a class, a function or a number of one of its modules.  In a copy it is replaced by what one would write
without the trick.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

import numpy as np

import lenet5

PACKAGE = "lenet5.by_hand"


class Copy:
    """The modules of the network by hand under their own names, imported once more: ``copy.strips`` is a second `by_hand.strips`."""

    def __init__(self) -> None:
        framework, _ = lenet5.reference()
        self._front = lenet5.implementation(framework).__module__
        self._modules = _imported_again(self._front)

    def __getattr__(self, name: str) -> Any:
        return self._modules[f"{PACKAGE}.{name}"]

    def replace(self, name: str, value: Any) -> None:
        """Give a name another value in every module that has it.  Raises ValueError if none has: the trick is called something else now."""
        holders = [module for module in self._modules.values() if hasattr(module, name)]
        if not holders:
            raise ValueError(f"{name} is in no module of {PACKAGE}")
        for module in holders:
            change(module, name, value)

    @property
    def network(self) -> Any:
        """The class LeNet5 of the copy."""
        return self._modules[self._front].LeNet5


def change(holder: Any, name: str, value: Any) -> None:
    """Give a name of one module, class or table of the copy another value.  Raises ValueError if it has no such name."""
    names = holder if isinstance(holder, dict) else dir(holder)
    if name not in names:
        raise ValueError(f"{name} is not in {getattr(holder, '__name__', 'the table')}")
    if isinstance(holder, dict):
        holder[name] = value
    else:
        setattr(holder, name, value)


def numpy_with(**functions: Any) -> Any:
    """A module like NumPy, with other functions under these names."""
    made = ModuleType("numpy")
    vars(made).update(vars(np) | functions)
    return made


def _imported_again(front: str) -> dict[str, ModuleType]:
    """Name -> a second module, for the network's front and everything of the package under it; the first ones stay where they were."""

    def own() -> dict[str, ModuleType]:
        return {name: module for name, module in sys.modules.items() if name in (front, PACKAGE) or name.startswith(f"{PACKAGE}.")}

    importlib.import_module(front)
    first, attributes = own(), dict(vars(lenet5))
    for name in first:
        del sys.modules[name]
    try:
        importlib.import_module(front)
        return own()
    finally:
        for name in own():
            del sys.modules[name]
        sys.modules.update(first)
        vars(lenet5).update({name: attributes[name] for name in ("by_hand", front.rpartition(".")[2])})
