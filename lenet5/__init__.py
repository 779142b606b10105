"""LeNet-5, once per framework, from the same weights to the same numbers.

    import lenet5

    lenet5.frameworks()                                   # ('numpy', 'tensorflow', 'torch')
    LeNet5 = lenet5.implementation("numpy")               # imports it now
    net = LeNet5(lenet5.initial_weights(lenet5.Architecture(), seed=0))
    logits = net.predict(net.tensor(images))              # images float32 (n, 3, 32, 32) -> float32 (n, 50)

A framework is one file, ``with_<name>.py``: found by its name, imported only when it is asked for.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import pkgutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenet5.errors import InputError, NoDevice, NotInstalled, NotSupported

if TYPE_CHECKING:
    from lenet5.architecture import Architecture, initial_weights
    from lenet5.contract import Network, Weights
    from lenet5.storage import load_weights, save_weights

__all__ = [
    "Architecture",
    "InputError",
    "Network",
    "NoDevice",
    "NotInstalled",
    "NotSupported",
    "Weights",
    "frameworks",
    "implementation",
    "initial_weights",
    "load_weights",
    "modes",
    "save_weights",
    "variants",
]

_HOMES = {
    "Architecture": "architecture",
    "initial_weights": "architecture",
    "Network": "contract",
    "Weights": "contract",
    "load_weights": "storage",
    "save_weights": "storage",
}
"""Public name -> the module that it is imported from when it is first used.  They load NumPy, whose
threads are fixed from then on: so importing lenet5, to list frameworks or to raise an InputError, must not."""


def __getattr__(name: str) -> Any:
    """A public name that is not here yet (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


_PREFIX = "with_"


def frameworks() -> tuple[str, ...]:
    """The frameworks that have a file here, in alphabetical order.  Imports none of them."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name.removeprefix(_PREFIX) for name in names if name.startswith(_PREFIX)))


def implementation(framework: str) -> Any:
    """The class LeNet5 of a framework, a `Network`; imports the framework.

    Raises InputError for an unknown name and NotInstalled where a package is absent.  A package that is there but broken raises
    its own ImportError: that is never a reason to skip.
    """
    _check(framework)
    try:
        return importlib.import_module(f"{__name__}.{_PREFIX}{framework}").LeNet5
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if not package or importlib.util.find_spec(package) is not None:
            raise
        raise NotInstalled(f"{framework}: the package {package!r} is not installed; pip install {package}") from error


def _check(framework: object) -> None:
    if framework not in frameworks():
        raise InputError(f"framework: {framework!r} is not known; choose one of {', '.join(frameworks())}")


def modes(framework: str) -> tuple[str, ...]:
    """The modes of a framework, the default first, read from the source so that listing cases imports nothing."""
    found = _literal(framework, "modes")
    if not found:
        raise InputError(f"{_PREFIX}{framework}.py: class LeNet5 has no literal tuple 'modes'")
    return found


def variants(framework: str) -> tuple[str, ...]:
    """Those of its modes that a short benchmark run may leave out, read from the source."""
    return _literal(framework, "variants")


def _literal(framework: str, name: str) -> tuple[str, ...]:
    """A tuple of strings that stands in a framework's class LeNet5; empty if there is none of that name."""
    _check(framework)
    source = next(path for folder in __path__ if (path := Path(folder, f"{_PREFIX}{framework}.py")).is_file())
    return _literal_of_class(source.read_text(encoding="utf-8"), name)


@cache
def _literal_of_class(source: str, name: str) -> tuple[str, ...]:
    """The same from the source itself, parsed once: collecting cases asks for it more than a hundred times."""
    for definition in ast.parse(source).body:
        if isinstance(definition, ast.ClassDef) and definition.name == "LeNet5":
            for statement in definition.body:
                target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
                if isinstance(target, ast.Name) and target.id == name:
                    return tuple(ast.literal_eval(statement.value))  # type: ignore[attr-defined]
    return ()
