"""What the root conftest does for every session, a process of a gate's pair among them: the order of cases, and what is imported when."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

import lenet5
from benchmarks.saved.provenance import ROOT
from tests.support.by_hand import FRAMEWORK, PLAIN
from tests.support.frameworks import installed, packages
from tests.support.rows import slow


@pytest.fixture
def root(pytestconfig):
    """The root conftest as pytest has it."""
    return pytestconfig.pluginmanager.getplugin(str(ROOT / "conftest.py"))


def test_shuffle(root):
    """The same seed gives the same order, another seed another; what is placed first or last stays there."""

    def item(name):
        where = {"z": "first", "a": "last"}.get(name)
        mark = SimpleNamespace(args=(where,)) if where else None
        return SimpleNamespace(nodeid=name, get_closest_marker=lambda _: mark)

    def order(seed):
        items = [item(name) for name in "abcdefghijz"]
        root.pytest_collection_modifyitems(SimpleNamespace(stash={}, getoption=lambda _: seed), items)
        return "".join(item.nodeid for item in items)

    assert order(None) == "zbcdefghija"
    assert order("1") == order("1") != order("2")
    assert {order(seed)[0] + order(seed)[-1] for seed in "123"} == {"za"}
    assert sorted(order("1")) == sorted("abcdefghijz")


def test_frameworks_are_imported_first(root, monkeypatch):
    """In a gate's pair: those that the selected cases ask for, from the end of the alphabet, and then the data set, if a case asks for it.

    One that is broken is left to its cases.  Each framework's own tests say what depends on that order.
    """
    names, asked = lenet5.frameworks(), []

    def implementation(name):
        asked.append(name)
        if name == names[1]:
            raise ImportError("no such luck")

    def case(framework, *fixtures):
        return SimpleNamespace(fixturenames=fixtures, callspec=SimpleNamespace(params={"framework": framework}))

    def load(config):
        asked.append("data set")
        raise lenet5.InputError("no such data set")

    monkeypatch.setattr(lenet5, "implementation", implementation)
    monkeypatch.setattr(root, "_loaded", load)
    cases = [case(name, "benchmark", "implementation") for name in (*names, names[1])]
    others = [case("in a program", "benchmark"), SimpleNamespace(fixturenames=("implementation",)), SimpleNamespace()]

    def session(in_a_pair, *more):
        plugins = SimpleNamespace(has_plugin=lambda name: in_a_pair and name == "lenet5-baton")
        return SimpleNamespace(items=[*cases, *others, *more], config=SimpleNamespace(pluginmanager=plugins))

    assert root.pytest_runtestloop(session(in_a_pair=False)) is None  # or pytest would run no case
    assert asked == []
    assert root.pytest_runtestloop(session(in_a_pair=True)) is None
    assert asked == sorted(names, reverse=True)
    assert root.pytest_runtestloop(session(True, case(names[0], "dataset"))) is None
    assert asked[len(names) :] == [*sorted(names, reverse=True), "data set"]


def test_forks_are_refused(root):
    """With pytest-forked no number would come back: the session ends before anything else."""
    config = SimpleNamespace(getoption=lambda name, default=None: name == "forked")
    with pytest.raises(pytest.exit.Exception, match=r"^--forked: ") as end:
        root.pytest_configure(config)
    assert end.value.returncode == 2


EARLY = """
import numpy
"""


def test_numpy_that_a_plugin_loaded(tmp_path):
    """Where a plug-in of pytest has loaded NumPy before the number of threads was known, its BLAS still computes on that many."""
    (tmp_path / "early.py").write_text(EARLY)
    case = f"benchmarks/test_predict.py::test_predict[{FRAMEWORK}-{PLAIN}-batch1]"
    early = {
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "2"),
    }
    command = [sys.executable, "-m", "pytest", "-p", "early", case, "--threads=1", "--benchmark-disable", "-q"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider"], cwd=ROOT, env={**os.environ, **early}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


RECORDED = f"""
import pytest

def pytest_collection(session):
    root = session.config.pluginmanager.getplugin({str(ROOT / "conftest.py")!r})
    pytest.exit(str(session.config.stash[root.RUN_INFO]["variables"]))
"""


def test_options_of_python_are_recorded(tmp_path):
    """What an option turns on is among what steers a time, as it is where a variable does: each Python knows this one, or passes over it."""
    (tmp_path / "show.py").write_text(RECORDED)
    command = [sys.executable, "-X", "gil=1", "-m", "pytest", "benchmarks/test_control.py", "-p", "show", "-p", "no:cacheprovider"]
    path = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **path}, capture_output=True, text=True, check=False)
    assert "'-X gil': '1'" in done.stdout


PLUGIN = """
import sys
import pytest


def pytest_configure(config):
    if {in_a_pair}:
        config.pluginmanager.register(object(), "lenet5-baton")


def pytest_runtest_setup(item):
    pytest.exit("loaded: " + " ".join(sorted({packages} & set(sys.modules))))
"""

OTHERS = [framework for framework in installed() if framework != FRAMEWORK]


def loaded_with(*frameworks):
    """Modules that show which frameworks are there: each one's file, and the packages that it imports."""
    return {f"lenet5.with_{framework}" for framework in frameworks}.union(*map(packages, frameworks))


@pytest.mark.parametrize(
    ("frameworks", "in_a_pair"),
    [
        pytest.param(OTHERS, True, id="all but one, in a pair", marks=pytest.mark.slow),
        pytest.param([FRAMEWORK], True, id="one, in a pair"),
        pytest.param(OTHERS, False, id="alone"),
    ],
)
def test_in_a_real_session(tmp_path, frameworks, in_a_pair):
    """When the first case is set up in a gate's pair, the frameworks of its cases are there, and no others; alone there are none."""
    every = loaded_with(*installed()) - packages(FRAMEWORK)
    (tmp_path / "look.py").write_text(PLUGIN.format(in_a_pair=in_a_pair, packages=every))
    modes = " or ".join(f"{framework}-{lenet5.modes(framework)[0]}-batch1" for framework in frameworks)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "benchmarks", "-k", f"test_predict and ({modes})", "-p", "look", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])},
        capture_output=True,
        text=True,
        check=False,
    )
    expected = " ".join(sorted(loaded_with(*frameworks) & every)) if in_a_pair else ""
    assert f"Exit: loaded: {expected}".strip() + " !" in done.stdout


def test_help_of_pytest():
    """This project's options stand near the top, before those of plug-ins."""
    line = [sys.executable, "-m", "pytest", "benchmarks", "--help", "-p", "no:cacheprovider"]
    out = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    place = {
        option: next(index for index, line in enumerate(out) if line.startswith(f"  {option}"))
        for option in ("--dataset", "--heavy")
    }
    assert max(place.values()) < 100


@pytest.mark.parametrize(
    ("said", "expected"),
    [({}, "30000 None"), slow({"GOMP_SPINCOUNT": "7"}, "7 None"), slow({"OMP_WAIT_POLICY": "active"}, "None active")],
    ids=["nothing", "a count", "a policy"],
)
def test_threads_that_wait_soon_sleep(tmp_path, said, expected):
    """Before a framework loads, OpenMP's threads are told to spin for a short time only; what the user says of it stays."""
    names = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
    (tmp_path / "look.py").write_text(
        f"import os, pytest\ndef pytest_runtest_setup(item):\n    pytest.exit(' '.join(str(os.environ.get(name)) for name in {names}))\n"
    )
    environment = {name: value for name, value in os.environ.items() if name not in names}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "benchmarks/test_control.py", "-p", "look", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env={**environment, **said, "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"Exit: {expected} !" in done.stdout
