"""The plug-in for the suites of other projects: which cases, in which order, and what it says of them."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from benchmarks.saved import kinds, plain
from benchmarks.saved.fields import CONTROL
from benchmarks.sessions import baton, guest, left_out

CASES = """
import pytest


@pytest.fixture(scope="module", params=["p", "q"])
def each(request):
    return request.param


@pytest.mark.parametrize("n", range(4))
def test_it(benchmark, n):
    benchmark.pedantic(int, rounds=2)


def test_each(benchmark, each):
    benchmark.pedantic(int, rounds=2)


def test_other(benchmark, each):
    benchmark.pedantic(int, rounds=2)


class TestAll:
    def test_one(self, benchmark):
        benchmark.pedantic(int, rounds=2)

    def test_two(self, benchmark):
        benchmark.pedantic(int, rounds=2)


def test_plain():
    raise RuntimeError("it must not run")
"""

REASONS = """
import pytest


def test_good(benchmark):
    benchmark.pedantic(int, rounds=2)


def test_never(benchmark):
    pass


def test_skipped(benchmark):
    pytest.skip("not today")


@pytest.mark.xfail(reason="a bug", strict=True)
def test_expected(benchmark):
    assert benchmark.pedantic(int, rounds=2) == 1


def test_late(benchmark):
    benchmark.pedantic(int, rounds=2)
    raise ValueError("wrong\\nand more")


@pytest.fixture
def nothing():
    raise LookupError("no such thing")


def test_setup(benchmark, nothing):
    pass
"""


@pytest.fixture
def session(tmp_path):
    """session(*options, seed=...) -> the saved document of a session of the files in the folder, and the ids in the order that they ran."""
    guest.install(tmp_path / "plugins")
    usual = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON"))}

    def run(*options, seed="0", source=None):
        project = tmp_path / "project"
        saved = tmp_path / "saved.json"
        saved.unlink(missing_ok=True)
        path = os.pathsep.join(map(str, (source or project, tmp_path / "plugins")))
        told = [f"--gate-saved={saved}", f"--gate-order={seed}", f"--gate-source={source or project}", f"--rootdir={project}"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", f"--benchmark-json={saved}", *told, *options],
            cwd=project,
            env={**usual, "PYTEST_PLUGINS": guest.PLUGIN, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        ran = [line.split(" ")[0] for line in done.stdout.splitlines() if line.startswith("test_") and "::" in line]
        return json.loads(saved.read_text()), ran

    (tmp_path / "project").mkdir()
    return run


@pytest.fixture
def write(tmp_path):
    def write(**texts):
        for name, text in texts.items():
            path = tmp_path / "project" / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return write


def test_order(session, write):
    """The order is drawn, the same for the same seed whatever another plug-in does; what shares a file, a class or a fixture stays together."""
    write(
        test_a=CASES,
        test_b=CASES,
        conftest="def pytest_collection_modifyitems(items):\n    import random\n    random.shuffle(items)\n",
    )
    orders = [session(seed=seed)[1] for seed in ("0", "0", "1")]

    assert orders[0] == orders[1] != orders[2]
    for order in orders:
        assert len(order) == len(set(order)) == 20
        for together in ("test_a.py", "TestAll", "[p]", "[q]"):
            for file in ("test_a.py", "test_b.py"):
                places = [position for position, name in enumerate(order) if together in name and file in name]
                assert not places or places == list(range(places[0], places[-1] + 1))


OWN = """
import pytest


@pytest.fixture
def benchmark({asks_for}):
    return {returns}


def {name}(benchmark):
    benchmark.pedantic(int)
"""


def test_reasons(session, write):
    """Every case without a number has a reason, which says whether it failed.

    Plain tests are no cases, nor are those whose fixture `benchmark` is the project's own, unless it asks for pytest-benchmark's.
    """
    write(
        test_a=REASONS,
        test_b="def test_plain(): assert False",
        test_own=OWN.format(asks_for="", returns="None", name="test_own"),
        test_wrap=OWN.format(asks_for="benchmark", returns="benchmark", name="test_asks"),
        test_wrap2=OWN.format(asks_for="request", returns="request.getfixturevalue('benchmark')", name="test_may_ask"),
    )
    document, _ = session("--continue-on-collection-errors")
    facts = document["gate"]

    assert facts["cases"] == [
        *(f"test_a.py::test_{name}" for name in ("good", "never", "skipped", "expected", "late", "setup")),
        *("test_wrap.py::test_asks", "test_wrap2.py::test_may_ask"),
    ]
    assert facts["own_fixture"] == ["test_own.py"]
    assert facts["not_measured"] == {
        "test_a.py::test_never": "never calls benchmark",
        "test_a.py::test_skipped": "not today",
        "test_a.py::test_expected": "expected to fail a bug",
        "test_a.py::test_late": "failed: ValueError: wrong",
        "test_a.py::test_setup": "failed: LookupError: no such thing",
    }
    assert {case["fullname"] for case in document["benchmarks"]} >= {"test_a.py::test_good"}


ONCE = """
done = []


def test_once(benchmark):
    assert not done
    done.append(True)
    benchmark.pedantic(int, rounds=2)


def test_wrong(benchmark):
    benchmark.pedantic(int, rounds=2)
    assert not done
"""

TWICE = """
import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    session.items.extend([*session.items])
"""


def test_a_case_that_works_once(session, write):
    """Where a process measures its cases again, one that fails then only has its number; one that fails the first time has none."""
    write(test_a=ONCE, conftest=TWICE)
    document, ran = session()

    assert ran[:4] == ["test_a.py::test_once", "test_a.py::test_wrong"] * 2
    assert [case["fullname"] for case in document["benchmarks"] if case["name"] == "test_once"] == ["test_a.py::test_once"]
    assert document["gate"]["not_measured"] == {"test_a.py::test_wrong": "failed: AssertionError: assert not [True]"}
    assert len(document["gate"]["control"]) == 2


@pytest.mark.parametrize(
    "options",
    [["-p", "no:benchmark"], ["--disable-plugin-autoload"], ["--disable-plugin-autoload", "-p", "pytest_benchmark.plugin"]],
    ids=" ".join,
)
def test_pytest_benchmark_is_loaded(session, write, options):
    """Whatever the project's configuration does with the plug-in: it blocks it, loads none, or loads it by the name of its module."""
    write(test_a=CASES)
    document, _ = session(*options, "-k", "one")
    assert [case["fullname"] for case in document["benchmarks"]] == ["test_a.py::TestAll::test_one"]


def test_control(session, write):
    """The control is measured before the first case and after the last; the rest of the document is pytest-benchmark's."""
    write(test_a=CASES)
    document, _ = session()

    assert [len(rounds) >= 5 and min(rounds) > 0 for rounds in document["gate"]["control"]] == [True, True]
    assert document["machine_info"]["cpu"]["count"] == os.cpu_count()
    assert all(case["stats"]["rounds"] == 2 == len(case["stats"]["data"]) for case in document["benchmarks"])
    assert guest.piece() == guest.piece()


ANOTHER_CLOCK = """
import time


def test_one(benchmark):
    benchmark.pedantic(int, rounds=2)

    def another():
        raise AssertionError("this clock is a case's own")

    time.perf_counter = another
"""


def test_a_case_that_leaves_another_clock(session, write):
    """The control is measured by the clock that there was before."""
    write(test_a=ANOTHER_CLOCK)
    document, _ = session()
    assert [len(rounds) >= 5 and min(rounds) > 0 for rounds in document["gate"]["control"]] == [True, True]


NO_TIMES = """
import pytest


@pytest.mark.benchmark(timer=lambda: 5.0)
def test_still(benchmark):
    benchmark.pedantic(int, rounds=2)


@pytest.mark.benchmark(timer=iter(range(9, 0, -1)).__next__)
def test_backwards(benchmark):
    benchmark.pedantic(int, rounds=2)


def test_other(benchmark):
    benchmark.pedantic(int, rounds=2)
"""


def test_a_timer_of_its_own(session, write, tmp_path):
    """A case whose timer measures no time has a reason instead of a number, and no other case has less for it."""
    write(test_a=NO_TIMES)
    document, _ = session()
    reasons = {"test_a.py::test_still": "a time of 0 s", "test_a.py::test_backwards": "a time of -1 s"}
    assert document["gate"]["not_measured"] == reasons

    measured = plain.load(tmp_path / "saved.json")
    assert [case.name for case in measured.cases if case.group != CONTROL] == ["test_a.py::test_other"]
    assert measured.not_measured == reasons
    assert guest.TIMES == kinds.PLAUSIBLE


def test_broken_file(session, write):
    """A file that cannot be collected is named with the last line of its error and the place that this names; the other files are measured."""
    write(test_a=CASES, test_b="import nothing_of_that_name", test_c="def f(:\n", test_d="\nimport deep", deep="\n\nimport deeper")
    write(deeper="\ndef g()\n")
    document, ran = session("--continue-on-collection-errors")

    assert document["gate"]["broken"] == {
        "test_b.py": "ModuleNotFoundError: No module named 'nothing_of_that_name'; test_b.py, line 1",
        "test_c.py": "SyntaxError: invalid syntax; test_c.py, line 1",
        "test_d.py": "SyntaxError: expected ':'; deeper.py, line 2",
    }
    assert len(ran) == 10


def test_files_of_cases(session, write, tmp_path):
    """A session that only collects says what the files hold that have cases, and every conftest of the project; not those of other tests."""
    (tmp_path / "conftest.py").write_text("")
    write(**{"conftest": "", "bench/conftest": "X = 1", "bench/deep/conftest": "X = 2", "other/conftest": ""})
    write(
        **{"bench/test_a": "def test_it(benchmark): benchmark(int)", "bench/deep/test_b": "def test_it(benchmark): benchmark(int)"}
    )
    write(**{"bench/test_plain": "def test_plain(): pass"})
    found = session("bench", "--collect-only")[0]["gate"]["files"]

    assert list(found) == ["bench/conftest.py", "bench/deep/conftest.py", "bench/deep/test_b.py", "bench/test_a.py", "conftest.py"]
    assert found["conftest.py"] == hashlib.sha256(b"").hexdigest()
    assert found["bench/test_a.py"] == found["bench/deep/test_b.py"] != found["bench/conftest.py"]


def test_uncompiled(session, write, tmp_path):
    """A package of the project that is installed elsewhere with a compiled module, which the project's folder lacks, is named with that."""
    ending = EXTENSION_SUFFIXES[0]
    for name in ("quick", "both", "plain"):
        write(**{f"{name}/__init__": "", f"{name}/deep/__init__": ""})
        (tmp_path / "elsewhere" / name / "deep").mkdir(parents=True)
    for place in (tmp_path / "elsewhere" / "quick", tmp_path / "elsewhere" / "both", tmp_path / "project" / "both"):
        (place / "deep" / f"_parse{ending}").touch()
    write(
        conftest=f"import sys\nsys.path.append({str(tmp_path / 'elsewhere')!r})\n",
        test_a="import quick, both, plain\n\ndef test_it(benchmark): benchmark(int)\n",
    )

    assert session("--collect-only")[0]["gate"]["uncompiled"] == {"quick": f"quick/deep/_parse{ending}"}


def test_imported_from_elsewhere(session, write, tmp_path):
    """A package of the project that comes from another place is named with both places; vendored copies, and what the cases bring, are not."""
    elsewhere = tmp_path / "elsewhere"
    for name in ("one", "two", "three"):
        (elsewhere / name).mkdir(parents=True)
        (elsewhere / name / "__init__.py").write_text("")
        write(**{f"{'lib' if name == 'two' else 'vendor'}/{name}/__init__": ""})
    (elsewhere / "four.py").write_text("")
    for name in ("a", "b", "c"):  # a package that is none of the project's, which has a part of the same name
        write(**{f"acme/six/{name}": ""})
        (elsewhere / "six").mkdir(exist_ok=True)
        (elsewhere / "six" / f"other_{name}.py").write_text("")
    write(**{"acme/six/__init__": ""})
    (elsewhere / "six" / "__init__.py").write_text("")
    (tmp_path / "common" / "seven").mkdir(parents=True)
    (tmp_path / "common" / "seven" / "__init__.py").write_text("")
    (tmp_path / "project" / "seven").symlink_to("../common/seven")
    write(
        one="",
        four="",
        five="",
        os="",
        conftest=f"import sys\nsys.path.insert(0, {str(elsewhere)!r})\n",
        **{
            "tests/helper": "",
            "tests/test_a": "import one, two, three, four, five, six, seven, helper, os\n\ndef test_it(benchmark): benchmark.pedantic(int)\n",
        },
    )
    document, _ = session("tests")

    project = tmp_path / "project"
    assert document["gate"]["elsewhere"] == {
        "one": [str(elsewhere / "one" / "__init__.py"), str(project / "one.py")],
        "two": [str(elsewhere / "two" / "__init__.py"), str(project / "lib" / "two" / "__init__.py")],
        "four": [str(elsewhere / "four.py"), str(project / "four.py")],
    }


def test_not_asked(write, tmp_path):
    """Without its options the plug-in does nothing."""
    write(test_a=CASES)
    guest.install(tmp_path / "plugins")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", guest.PLUGIN, "--benchmark-disable"],
        cwd=tmp_path / "project",
        env={**os.environ, "PYTHONPATH": str(tmp_path / "plugins")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "1 failed, 10 passed" in done.stdout


@pytest.mark.parametrize("plugin", [baton, guest, left_out], ids=lambda module: module.__name__)
def test_for_any_python(plugin):
    """What a side's own Python reads has the syntax of 3.8, and imports nothing but pytest and the standard library."""
    tree = ast.parse(Path(plugin.__file__).read_text(encoding="utf-8"), feature_version=(3, 8))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} - sys.stdlib_module_names == {"pytest"}
