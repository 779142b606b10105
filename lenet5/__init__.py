"""LeNet-5, once per framework, from the same weights to the same numbers.

    import lenet5

    lenet5.frameworks()                                   # ('jax', 'numpy', 'onnxruntime', 'tensorflow', 'torch')
    LeNet5 = lenet5.implementation("numpy")               # imports it now
    net = LeNet5(lenet5.initial_weights(lenet5.Architecture(), seed=0))
    logits = net.predict(net.tensor(images))              # images float32 (n, 3, 32, 32) -> float32 (n, 50)

A framework is one file, ``with_<name>.py``: found by its name, imported only when it is asked for.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenet5 import declarations
from lenet5.errors import InputError, NoDevice, NotInstalled, NotSupported
from lenet5.packages import imported, is_installed, not_installed

if TYPE_CHECKING:
    from lenet5 import about, datasets, training
    from lenet5.architecture import Architecture, initial_weights
    from lenet5.contract import Network, Weights
    from lenet5.storage import load_network, load_weights, save_weights

__all__ = [
    "Architecture",
    "InputError",
    "Network",
    "NoDevice",
    "NotInstalled",
    "NotSupported",
    "Weights",
    "about",
    "caches",
    "colour",
    "datasets",
    "dynamic",
    "fitting",
    "frameworks",
    "gpu_only",
    "implementation",
    "initial_weights",
    "ladder",
    "load_network",
    "load_weights",
    "missing",
    "modes",
    "reference",
    "save_weights",
    "thread_variables",
    "trained_in",
    "training",
    "trains",
    "variants",
]

_HOMES = {
    "Architecture": "architecture",
    "initial_weights": "architecture",
    "Network": "contract",
    "Weights": "contract",
    "load_network": "storage",
    "load_weights": "storage",
    "save_weights": "storage",
}
"""Public name -> the module that it is imported from when it is first used.  They load NumPy, whose
threads are fixed from then on: so importing lenet5, to list frameworks or to raise an InputError, must not."""

_MODULES = ("about", "datasets", "training")
"""Public modules, imported likewise."""


def __getattr__(name: str) -> Any:
    """A public name that is not here yet (PEP 562)."""
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


_PREFIX = "with_"


def frameworks() -> tuple[str, ...]:
    """The frameworks that have a file here, in alphabetical order.  Imports none of them.

    Raises InputError for a file that no import statement could name.
    """
    names = (module.name for module in pkgutil.iter_modules(__path__))
    found = sorted(name.removeprefix(_PREFIX) for name in names if name.startswith(_PREFIX))
    for name in found:
        if not name.isidentifier():
            right = "letters, digits and _, such as with_mine.py"
            raise InputError(f"{_PREFIX}{name}.py: {name!r} cannot be the name of a framework; call the file by {right}")
    return tuple(found)


def implementation(framework: str) -> Any:
    """The class LeNet5 of a framework, a `Network`; imports the framework.

    That import has effects on the whole process, which last: a framework takes its number of threads from OMP_NUM_THREADS, PyTorch and
    TensorFlow turn off TF32 on a GPU, and JAX its cache of compiled code on disk, for other code in this process too.  Python looks for
    no garbage among what there is by then (gc.freeze).

    Raises InputError for an unknown name and NotInstalled where a package is absent.  A package that is there but broken raises
    its own ImportError: that is never a reason to skip.
    """
    _file(framework)
    return imported(framework, f"{__name__}.{_PREFIX}{framework}").LeNet5


def fitting(framework: str, weights: Mapping[str, Any], **options: Any) -> Network:
    """A framework's network of these weights, in the first of its modes that can run them: not each can run a factored layer.

    Raises NotSupported, the last mode's, if none can; and as `implementation` does.
    """
    for mode in modes(framework):
        try:
            net: Network = implementation(framework)(weights, mode=mode, **options)
        except NotSupported as error:
            refusal = error
        else:
            return net
    raise refusal


# What a class LeNet5 declares.  Each is a literal, explained in contract.Network, and read from the source: listing cases and drawing
# plots imports no framework.  All of these raise InputError for an unknown framework, and for a file in which any declaration is wrong.


def modes(framework: str) -> tuple[str, ...]:
    """The modes of a framework, the default first.  Raises InputError where its class declares none."""
    found = tuple(_declared(framework, "modes", ()))
    if not found:
        raise InputError(f"{_PREFIX}{framework}.py: class LeNet5 has no literal tuple 'modes'")
    return found


def variants(framework: str) -> tuple[str, ...]:
    """The modes of a framework that a short benchmark run may leave out."""
    return tuple(_declared(framework, "variants", ()))


def gpu_only(framework: str) -> tuple[str, ...]:
    """The modes of a framework that only a GPU can run; empty where it declares none."""
    return tuple(_declared(framework, "gpu_only", ()))


def dynamic(framework: str) -> dict[str, str]:
    """Each mode that makes a graph or compiles -> the mode of the same framework that does the same operation by operation."""
    return dict(_declared(framework, "dynamic", {}))


def trained_in(framework: str) -> str:
    """The mode in which a benchmark trains a framework's network to the end: the default mode where its class declares none."""
    return str(_declared(framework, "trained_in", modes(framework)[0]))


def colour(framework: str) -> str:
    """The colour that a framework has in every plot, a word of `declarations.COLOURS`; "" where it declares none."""
    return str(_declared(framework, "colour", ""))


def ladder(framework: str) -> tuple[str, ...]:
    """Modes of a framework in steps from the definition to the fast one; empty where it declares none."""
    return tuple(_declared(framework, "ladder", ()))


def trains(framework: str) -> bool:
    """Whether a framework trains; one that does not only predicts, and no case asks it for more."""
    return bool(_declared(framework, "trains", True))


def caches(framework: str) -> tuple[str, ...]:
    """The environment variables that name the folders in which a framework keeps compiled code; empty where it keeps none."""
    return tuple(_declared(framework, "caches", ()))


def thread_variables(framework: str) -> tuple[str, ...]:
    """The environment variables that a framework takes its number of threads from beside OMP_NUM_THREADS."""
    return tuple(_declared(framework, "thread_variables", ()))


def missing(framework: str) -> str:
    """Why a framework cannot be had here: one line that names the first package that its class declares and that is not installed.

    Empty where all are, and where its class declares none.  Imports nothing; whether what is installed works, `implementation` says.
    """
    absent = (package for package in _declared(framework, "packages", ()) if not is_installed(package))
    return next((not_installed(framework, package) for package in absent), "")


def reference() -> tuple[str, str]:
    """Framework and mode of the textbook loops in float64 that every network is checked against.

    Raises InputError unless exactly one framework declares it.
    """
    found = [(framework, mode) for framework in frameworks() if (mode := _declared(framework, "reference", None))]
    if len(found) != 1:
        names = ", ".join(framework for framework, _ in found) or "none"
        raise InputError(f"reference: declared by {names}; exactly one class LeNet5 must declare it")
    return found[0]


def _file(framework: object) -> Path:
    """The file of a framework.  Lists the others only to name them in the InputError for an unknown one: collecting cases asks thousands of times."""
    found = (Path(folder, f"{_PREFIX}{framework}.py") for folder in __path__ if str(framework).isidentifier())
    for path in found:
        if path.is_file():
            return path
    raise InputError(f"framework: {framework!r} is not known; choose one of {', '.join(frameworks())}")


def _declared(framework: str, name: str, default: Any) -> Any:
    """What a framework's class LeNet5 declares by that name, or the default where it declares nothing."""
    return declarations.read(_file(framework)).get(name, default)
