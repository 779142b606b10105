"""What both sides have: what a session said that only collects, and the line where it found nothing."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from benchmarks.sessions import guest, survey
from benchmarks.sessions.plan import Plan
from benchmarks.sessions.process import Place
from benchmarks.sessions.signals import Signals
from lenet5.errors import InputError
from tests.support.fake_project import git

FACTS = {"cases": ["test_a"], "elsewhere": {}, "broken": {}, "collected": 0, "own_fixture": [], "files": {}, "uncompiled": {}}


class Collects:
    """Stands for pytest: saves facts, says something, and ends with an exit code."""

    def __init__(self, place, code, words):
        self.place, self._code, self._words = place, code, words

    def command(self, saved):
        saved.write_text(json.dumps({guest.FACTS: FACTS}))
        return [sys.executable, "-c", f"print({self._words!r}); raise SystemExit({self._code})"]


def side(folder, code=0, words="ERROR: not like this", temporary=False):
    place = Place(folder, sys.executable, {})
    of = SimpleNamespace(session=lambda *_: Collects(place, code, words), repository=folder)
    facts = {"option": "--base v1", "role": "base", "scratch": folder, "python": "/some/python", "temporary": temporary}
    return SimpleNamespace(**facts, place=lambda: place, of=of, project=folder)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (0, nullcontext(FACTS)),
        (1, nullcontext(FACTS)),
        (4, pytest.raises(InputError, match=r"^--base v1: pytest cannot collect bench \(exit code 4\): ERROR: not like this$")),
    ],
)
def test_exit_code(tmp_path, code, outcome):
    """A file that cannot be collected is said later; where pytest refuses what it was asked for, what it collected does not count."""
    with Signals() as signals, outcome as expected:
        assert survey._collected(side(tmp_path, code), Plan("bench"), signals) == expected


def test_files_that_differ(tmp_path):
    """A file of cases of both sides, and a conftest that one side alone has, are named; a file whose cases are not common is not."""
    both = {"bench/a.py": "1", "bench/b.py": "1", "bench/new.py": "1"}
    cases = ["bench/a.py::x", "bench/b.py::y"]
    facts = {
        "base": {**FACTS, "overruled": [], "cases": cases, "files": {**both, "conftest.py": "1"}},
        "head": {**FACTS, "overruled": [], "cases": cases, "files": {**both, "bench/b.py": "2", "bench/new.py": "2"}},
    }
    sides = {role: SimpleNamespace(of=SimpleNamespace(strict=False)) for role in facts}

    (remark,) = survey._compared(sides, Plan("bench"), facts).remarks
    assert remark.startswith("Each side runs the cases of its own, and these files differ: bench/b.py, conftest.py. ")
    assert survey._compared(sides, Plan("bench"), {"base": facts["base"], "head": facts["base"]}).remarks == []


@pytest.mark.parametrize(
    ("uncompiled", "who"),
    [((True, True), "base and head run"), ((True, False), "base runs"), ((False, True), "head runs"), ((False, False), None)],
)
def test_without_compiled_modules(tmp_path, uncompiled, who):
    """A package that is measured without the compiled modules which its interpreter has is named with the sides that do so."""
    facts = {
        role: {**FACTS, "overruled": [], "uncompiled": {"yarl": "yarl/_quick.so"} if lacks else {}}
        for role, lacks in zip(("base", "head"), uncompiled, strict=True)
    }
    sides = {role: SimpleNamespace(of=SimpleNamespace(strict=False), python="/some/python") for role in facts}

    remarks = survey._compared(sides, Plan("bench"), facts).remarks
    assert [
        remark.partition(" yarl without its compiled modules, such as yarl/_quick.so, which /some/python has ")[0]
        for remark in remarks
    ] == ([who] if who else [])


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            "python -m pytest: error: unrecognized arguments: --cov=odd",
            "error: unrecognized arguments: --cov=odd; /some/python lacks the plug-in that has them: install it there",
        ),
        (
            "ImportError while loading conftest '/p/conftest.py'.\nconftest.py:1: in <module>\nE   ModuleNotFoundError: No module named 'x'",
            "ImportError while loading conftest '/p/conftest.py': ModuleNotFoundError: No module named 'x'",
        ),
    ],
)
def test_what_pytest_says(tmp_path, words, line):
    """An option of a plug-in that is not there, and a conftest that cannot be imported, are called by their names."""
    with Signals() as signals, pytest.raises(InputError) as error:
        survey._collected(side(tmp_path, 4, words), Plan("bench"), signals)
    assert str(error.value).endswith(line)


@pytest.mark.parametrize(
    ("reason", "file"),
    [
        ("ModuleNotFoundError: No module named 'odd._version'", "src/odd/_version.py"),
        ("ImportError: cannot import name 'version' from 'odd._version' (unknown location)", "src/odd/_version.py"),
        (
            "ModuleNotFoundError: No module named 'odd._quick'; src/odd/__init__.py, line 3",
            "src/odd/_quick.cpython-311-x86_64-linux-gnu.so",
        ),
        ("ModuleNotFoundError: No module named 'version'", None),
        ("SyntaxError: invalid syntax", None),
    ],
)
def test_a_module_that_git_ignores(tmp_path, reason, file):
    """A generated file or a compiled module is in the working tree and in no revision: the line says so, for a revision."""
    (tmp_path / "src" / "odd").mkdir(parents=True)
    for name in ("_version.py", "_quick.cpython-311-x86_64-linux-gnu.so", "seen.py"):
        (tmp_path / "src" / "odd" / name).touch()
    (tmp_path / ".gitignore").write_text("*.so\n_version.py\n")
    git(tmp_path, "init", "--quiet")

    found = {"broken": {"bench/a.py": reason, "bench/b.py": reason}}
    line = survey._no_case({"base": side(tmp_path, temporary=True)}, [Plan("bench")], {"base": {**FACTS, **found}})
    here = survey._no_case({"base": side(tmp_path)}, [Plan("bench")], {"base": {**FACTS, **found}})

    assert here == f"--base v1: bench/a.py and 1 more cannot be collected ({reason})"
    assert line == (f"{here}; {file} is ignored by git, so no revision has it: name directories as sides" if file else here)


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({}, "no case found: looked in bench for tests that use the fixture benchmark; say with --cases "),
        ({"own_fixture": ["tests/conftest.py"]}, "--base v1: the fixture benchmark in bench is that of tests/conftest.py, not "),
        ({"broken": {"bench/a.py": "SyntaxError"}}, "--base v1: bench/a.py cannot be collected (SyntaxError)"),
        (
            {"collected": 3},
            "the project's own configuration of pytest, such as -m in its addopts, selects none of the 3 cases in bench",
        ),
    ],
)
def test_no_case(tmp_path, facts, line):
    """Where nothing was found, one line says what speaks most."""
    assert survey._no_case({"base": side(tmp_path)}, [Plan("bench")], {"base": {**FACTS, **facts}}).startswith(line)
