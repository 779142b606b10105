"""A mistake in a copy of the code, of a kind that is easily made, and the case that must fail for it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

from tests.support.frameworks import installed


class Mutation(NamedTuple):
    """A mistake: what stands in a file of lenet5, what stands there instead, and a case that must fail for it."""

    file: str
    right: str
    wrong: str
    case: str
    harmless: Callable[[], str] = str
    """Why the mistake is none with the versions that are installed, or nothing; asked only where the case passes."""


def logits(framework_and_mode: str, batch: int = 7) -> str:
    """The case in which a mode's logits are those of the reference."""
    return f"lenet5/test_agreement.py::test_logits[{framework_and_mode}-batch={batch}-channels=3-classes=50-relu]"


def found() -> dict[str, Mutation]:
    """Every mistake by its name: each framework's tests may list some as MUTATIONS."""
    modules = [import_module(f"tests.lenet5.test_with_{framework}") for framework in frameworks_with_tests()]
    return {name: mutation for module in modules for name, mutation in getattr(module, "MUTATIONS", {}).items()}


def frameworks_with_tests() -> list[str]:
    from tests.support.copies import PROJECT

    return [name for name in installed() if (PROJECT / "tests" / "lenet5" / f"test_with_{name}.py").exists()]
