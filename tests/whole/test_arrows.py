"""Imports run downwards: which room may import which, read off the source of every module.

The rooms and their order are those of CONTRIBUTING.md.  An import inside a function is an import too.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]

EVERYWHERE = ("lenet5.errors", "lenet5.packages")
"""How bad input is refused, and how a package is imported that may be absent.  They load nothing but the standard library, so every room may
import them."""

ARROWS: dict[str, set[str]] = {
    "launch": set(),
    "quantities": set(),
    "saved": {"quantities"},
    "report": {"saved", "quantities"},
    "sessions": {"saved", "quantities", "launch"},
    "gate": {"report", "sessions", "saved", "quantities"},
    "proof": {"gate", "report", "sessions", "saved", "quantities", "launch"},
    "__main__": {"proof", "gate", "report", "sessions", "saved", "quantities"},
    "lenet5": set(),
    "arrange": {"lenet5"},
    "isolated": {"arrange", "lenet5", "launch"},
    "cases": {"isolated", "arrange", "lenet5", "saved"},
}
"""Room -> the rooms that its modules may import beside their own; "cases" are the modules that lie in benchmarks/ itself."""


def room_of(module: str) -> str | None:
    """benchmarks.report.page -> report; benchmarks.test_predict -> cases; lenet5.cost -> lenet5; numpy -> None"""
    top, *inside = module.split(".")
    if top != "benchmarks":
        return top if top == "lenet5" else None
    if not inside:
        return "cases"
    return inside[0] if inside[0] in ARROWS else "cases"


def is_module(name: str) -> bool:
    path = PROJECT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def imported(source: str) -> Iterator[str]:
    """Every module that a source imports, wherever the import stands.   from benchmarks.saved import files -> benchmarks.saved.files"""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import hides its room"
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                yield inside if is_module(inside) else str(node.module)


def modules() -> list[Path]:
    return sorted(path for top in ("benchmarks", "lenet5") for path in (PROJECT / top).rglob("*.py"))


def wrong_arrows(module: str, source: str) -> list[str]:
    """The imports of a module that do not run downwards."""
    home = room_of(module)
    found = [(name, room_of(name)) for name in imported(source) if name not in EVERYWHERE]
    return [name for name, room in found if room is not None and room != home and room not in ARROWS[str(home)]]


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_imports_run_downwards(path):
    """No module imports from a room above its own, or beside it."""
    assert wrong_arrows(name_of(path), path.read_text(encoding="utf-8")) == []


def test_every_folder_is_a_room():
    """A new folder has to be given its place here; a room says in one sentence what it is for."""
    folders = [path for path in (PROJECT / "benchmarks").iterdir() if path.is_dir() and list(path.glob("*.py"))]
    assert {path.name for path in folders} == ARROWS.keys() - {"__main__", "lenet5", "cases"}
    for path in [*folders, PROJECT / "lenet5" / "by_hand", PROJECT / "lenet5" / "compression"]:
        assert ast.get_docstring(ast.parse((path / "__init__.py").read_text(encoding="utf-8"))), path


@pytest.mark.parametrize(
    ("module", "source", "wrong"),
    [
        ("benchmarks.saved.runs", "from benchmarks.report import page", ["benchmarks.report.page"]),
        ("benchmarks.report.page", "def late():\n    import benchmarks.gate.gate", ["benchmarks.gate.gate"]),
        ("benchmarks.gate.gate", "from lenet5 import cost", ["lenet5.cost"]),
        ("benchmarks.gate.gate", "from lenet5 import InputError", ["lenet5"]),
        ("benchmarks.gate.gate", "from lenet5.errors import InputError", []),
        ("benchmarks.gate.gate", "from benchmarks.saved import files\nimport json", []),
        ("lenet5.cost", "from benchmarks.quantities import units", ["benchmarks.quantities.units"]),
        ("benchmarks.test_predict", "from benchmarks.report import page", ["benchmarks.report.page"]),
        ("benchmarks.test_predict", "from benchmarks.conftest import device", []),
        ("benchmarks.arrange.clock", "from benchmarks.isolated import memory", ["benchmarks.isolated.memory"]),
    ],
)
def test_a_new_upward_arrow_is_seen(module, source, wrong):
    """The check itself: what it allows and what it does not."""
    assert wrong_arrows(module, source) == wrong


ROOMS_WITHOUT_A_NETWORK = ("launch", "quantities", "saved", "report", "sessions", "gate", "proof")


def loaded_after(*names: str) -> list[str]:
    """The modules of lenet5 that a fresh process has loaded once it has imported these."""
    code = f"""
import importlib, sys
for name in {names!r}:
    importlib.import_module(name)
print(*sorted(name for name in sys.modules if name.partition(".")[0] == "lenet5"))
"""
    return subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True).stdout.split()


def test_the_gate_needs_no_network():
    """Not through each other either: importing every module of these rooms loads no more of lenet5 than what every room may import."""
    names = [name_of(path) for room in ROOMS_WITHOUT_A_NETWORK for path in sorted((PROJECT / "benchmarks" / room).rglob("*.py"))]

    found = loaded_after(*names)

    assert found == loaded_after(*EVERYWHERE)
    assert "lenet5.contract" not in found


LINES_A_MODULE, LINES_A_FUNCTION = 400, 60


@pytest.mark.parametrize("path", [*modules(), PROJECT / "conftest.py"], ids=name_of)
def test_a_module_is_read_in_one_go(path):
    """A module answers one question, in at most 400 lines, and says which in its first sentence; a function fits on a screen."""
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= LINES_A_MODULE
    tree = ast.parse(source)
    assert ast.get_docstring(tree)
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    long = {
        f"{node.name}: {length} lines" for node in functions if (length := node.end_lineno - node.lineno + 1) > LINES_A_FUNCTION
    }
    assert not long
