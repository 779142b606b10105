"""What an installation brings: extras, metadata, and a NumPy network that needs NumPy and threadpoolctl alone.

Light tests of the files that say it; `.ci/distributions` builds the wheel and the source distribution and tries them.
"""

from __future__ import annotations

import re
import runpy
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

import lenet5
from lenet5 import errors
from tests.support.copies import PROJECT, run_python

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # which pytest needs there

SETTINGS = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
ITS_OWN = SETTINGS["project"]
EXTRAS = ITS_OWN["optional-dependencies"]
ALONE = Path("tests", "support", "numpy_alone.py")

HIDE_ALL_BUT = """
import runpy, sys
from importlib.machinery import PathFinder

find_spec = PathFinder.find_spec
PathFinder.find_spec = lambda name, path=None, target=None: (
    find_spec(name, path, target) if name.partition(".")[0] in {{*{names}, *sys.stdlib_module_names}} else None
)
sys.argv = [{program!r}]
runpy.run_path({program!r}, run_name="__main__")
"""


def packages(requirements):
    """What requirements name: of "torch>=2.6" torch."""
    return {re.match(r"[\w.-]+", line)[0] for line in requirements}


def test_a_network_needs_numpy_alone():
    """With every other package out of sight the NumPy network trains and predicts; what else is asked for is one line with the command for pip."""
    needed = packages(ITS_OWN["dependencies"])
    assert needed == {"numpy", "threadpoolctl"}

    code = HIDE_ALL_BUT.format(names={"lenet5", *needed}, program=str(PROJECT / ALONE))
    done = run_python(PROJECT, "-c", code)

    assert done.returncode == 0, done.stderr
    place, *said = done.stdout.splitlines()
    assert place == f"lenet5 is {PROJECT / 'lenet5'}"
    assert len(said) == len(lenet5.frameworks()) + 1
    for line in said:
        assert re.fullmatch(r"[\w.-]+: the package '([\w-]+)' is not installed; pip install \1", line), line


@pytest.mark.parametrize(
    ("package", "line"),
    [
        ("lenet5", "python -m lenet5: the package 'numpy' is not installed; pip install numpy"),
        ("benchmarks", "No module named 'numpy'; install what this project needs: pip install "),
    ],
)
def test_commands_without_numpy(package, line):
    """One line and exit 2, whatever they are asked: 1 would say that a gate has found something slower."""
    code = HIDE_ALL_BUT.format(names={"lenet5", "benchmarks"}, program=str(PROJECT / package / "__main__.py"))
    done = run_python(PROJECT, "-c", code)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert done.stderr.startswith(line)


def test_an_older_python(monkeypatch, capsys):
    """One line and exit 2, from the module that is imported before all that an older Python lacks; the oldest is that of the metadata."""
    assert ITS_OWN["requires-python"] == f">={'.'.join(map(str, errors.OLDEST_PYTHON))}"
    monkeypatch.setattr(sys, "version_info", (3, 9, 18, "final", 0))
    with pytest.raises(SystemExit) as end:
        runpy.run_path(errors.__file__)
    assert end.value.code == 2
    assert capsys.readouterr() == ("", "This project needs Python 3.10 or later; this is 3.9.18\n")


def test_extras():
    """A framework is an extra of its name; ``all`` is what the README measures, ``test`` and ``dev`` contain it."""
    assert {"torch", "tensorflow", "harness", "all", "test", "dev"} <= EXTRAS.keys()
    assert packages(EXTRAS["torch"]) == {"torch"}
    assert packages(EXTRAS["tensorflow"]) == {"tensorflow", "tf-keras", "tensorflow-model-optimization"}
    assert {"pytest", "pytest-benchmark", "scipy", "jinja2", "matplotlib"} <= packages(EXTRAS["harness"])
    (line,) = EXTRAS["all"]
    assert set(re.fullmatch(r"lenet5-benchmarks\[(.*)\]", line)[1].split(",")) >= {"torch", "tensorflow", "harness"}
    assert "lenet5-benchmarks[all]" in EXTRAS["test"]
    assert "lenet5-benchmarks[test]" in EXTRAS["dev"]


def test_every_extra_is_documented():
    """docs/networks.md has a row for each."""
    table = (PROJECT / "docs" / "networks.md").read_text(encoding="utf-8").partition("| extra | brings |")[2].partition("\n\n")[0]
    assert {name for name in EXTRAS if f"`{name}`" not in table} == set()


def test_metadata():
    """The Pythons are those of tox, the wheel holds every package and says that it has types."""
    tox = (PROJECT / "tox.ini").read_text(encoding="utf-8")
    pythons = {f"3.{minor}" for group in re.findall(r"py\{([\d,]+)\}", tox) for minor in re.findall(r"3(\d+)", group)}
    said = ITS_OWN["classifiers"]

    assert {line.rpartition(" ")[2] for line in said if re.fullmatch(r"Programming Language :: Python :: 3\.\d+", line)} == pythons
    assert ITS_OWN["requires-python"] == f">={min(pythons, key=lambda python: int(python[2:]))}"
    assert "Typing :: Typed" in said
    assert (PROJECT / "lenet5" / "py.typed").exists()
    wheel = SETTINGS["tool"]["setuptools"]
    assert "py.typed" in wheel["package-data"]["lenet5"]
    found = {".".join(path.parent.relative_to(PROJECT).parts) for path in (PROJECT / "lenet5").rglob("__init__.py")}
    assert set(wheel["packages"]) == found


def test_the_gate_of_others_asks_for_the_same():
    """What the gate's action installs are requirements of this project, with the same lowest versions."""
    script = (PROJECT / ".github" / "actions" / "gate" / "install").read_text(encoding="utf-8")
    asked = set(re.findall(r'"([\w-]+>=[\d.]+)"', script))

    assert {"pytest", "numpy", "scipy"} <= packages(asked)
    assert asked <= {*ITS_OWN["dependencies"], *EXTRAS["harness"]}


def test_lowest_versions():
    """`tox -e lowest` tries, for all that the tests need, exactly the lower bounds of pyproject.toml."""

    def wanted(extra):
        for line in EXTRAS[extra]:
            own = re.fullmatch(r"lenet5-benchmarks\[(.*)\]", line)
            yield from (bound for name in own[1].split(",") for bound in wanted(name)) if own else [line]

    def plain(version):
        return re.sub(r"(\.0)+$", "", version)

    bounds = dict(re.fullmatch(r"([\w-]+)>=([\d.]+)", line).groups() for line in (*ITS_OWN["dependencies"], *wanted("test")))
    lines = (PROJECT / "lowest.txt").read_text(encoding="utf-8").splitlines()
    tried = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert {name: plain(version) for name, version in tried.items()} == {name: plain(bound) for name, bound in bounds.items()}


def test_no_environment_takes_the_cuda_build():
    """Every environment of tox inherits the index with PyTorch's CPU builds: none has a set_env of its own, which would empty it."""
    tox = ConfigParser(interpolation=None)
    tox.read(PROJECT / "tox.ini")
    assert "PIP_EXTRA_INDEX_URL" in tox["testenv"]["set_env"]
    assert [name for name in tox.sections() if name != "testenv" and "set_env" in tox[name]] == []


@pytest.mark.parametrize(
    ("requires", "expected"),
    [
        (["numpy>=1.26", "scipy>=1; extra == 'harness'", 'pip; extra == "all"'], {"numpy", "pip", "python", "scipy"}),
        (
            ["numpy", 'ruff; extra == "dev"', "lenet5-benchmarks[all]; extra == 'jax'", "psutil; extra == 'test'"],
            {"numpy", "python"},
        ),
        (None, {"python"}),
    ],
    ids=["extras", "not for measuring", "no metadata"],
)
def test_versions(monkeypatch, requires, expected):
    """A run records the version of every package that measuring can use, from whichever extra it comes."""
    from benchmarks.saved import provenance

    monkeypatch.setattr(provenance.metadata, "requires", lambda name: requires)
    monkeypatch.setattr(provenance.metadata, "version", lambda name: "1.0")
    assert provenance.versions().keys() == expected
