"""A framework is one file: found by its name, imported only when asked for, skipped only if it is absent."""

from __future__ import annotations

import importlib
import inspect
import json
import sys
from pathlib import Path

import pytest

import lenet5
from lenet5 import InputError, NotInstalled
from lenet5.declarations import COLOURS
from tests.support.copies import RUNS_ON_THE_COPY, copy_of_project, run_pytest, run_python
from tests.support.frameworks import installed

INVENTED = "invented"
"""The name of a framework that these tests add: it must be none of those that are there."""

# The framework that has the reference, under another name, with two of its modes.
REFERENCE, LOOPS = lenet5.reference()
MODES = (LOOPS, next(mode for mode in lenet5.modes(REFERENCE) if mode != LOOPS))
OTHER = f"""
from lenet5 import with_{REFERENCE}


class LeNet5(with_{REFERENCE}.LeNet5):
    modes = {MODES}

    def __init__(self, weights, mode=modes[0], **options):
        super().__init__(weights, mode, **options)
"""


@pytest.fixture
def other(monkeypatch, tmp_path):
    """other(source) puts a file with_invented.py where lenet5 looks for its frameworks, until the test is over."""
    folder = tmp_path / "more_frameworks"
    folder.mkdir()
    monkeypatch.setattr(lenet5, "__path__", [*lenet5.__path__, str(folder)])

    def add(source):
        (folder / f"with_{INVENTED}.py").write_text(source)
        importlib.invalidate_caches()

    yield add
    sys.modules.pop(f"lenet5.with_{INVENTED}", None)
    vars(lenet5).pop(f"with_{INVENTED}", None)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of this project."""
    return copy_of_project(tmp_path_factory.mktemp("copy") / "project")


def broken(folder, package, source):
    """A folder with a package that is installed but does not import."""
    (folder / package).mkdir(parents=True)
    (folder / package / "__init__.py").write_text(source)
    return folder


# --------------------------------------------------------------------------------------------------------------- listing


def test_frameworks():
    """There is one for each file with_<name>.py, in alphabetical order, and no framework is called as the one that is added here."""
    files = Path(lenet5.__file__).parent.glob("with_*.py")
    assert lenet5.frameworks() == tuple(sorted(file.stem.removeprefix("with_") for file in files))
    assert len(lenet5.frameworks()) >= 3
    assert INVENTED not in lenet5.frameworks()


def test_listing_imports_none(project):
    """Frameworks and their modes can be listed without importing a single one of them, nor NumPy, whose threads that would fix."""
    code = """
import sys
before = set(sys.modules)
import lenet5
(*readers,) = (lenet5.modes, lenet5.variants, lenet5.gpu_only, lenet5.dynamic, lenet5.trained_in, lenet5.colour, lenet5.ladder)
for read in (*readers, lenet5.trains, lenet5.caches, lenet5.thread_variables, lenet5.missing):
    [read(name) for name in lenet5.frameworks()]
lenet5.reference()
print(*set(sys.modules) - before)
"""
    run = run_python(project, "-c", code)

    assert run.returncode == 0, run.stderr
    loaded = run.stdout.split()
    assert "lenet5" in loaded
    assert {name.partition(".")[0] for name in loaded} <= {"lenet5", *sys.stdlib_module_names}
    assert not [name for name in loaded if name.startswith("lenet5.with_")]


def test_variants(framework):
    """What a short run may leave out are modes, never the default; a framework without variants has none."""
    modes = lenet5.modes(framework)
    assert set(lenet5.variants(framework)) < set(modes)
    assert modes[0] not in lenet5.variants(framework)


def test_modes(implementation, framework):
    """The modes that are listed are the class's own, each once, and the first is the default."""
    modes = lenet5.modes(framework)
    assert modes == implementation.modes
    assert len(set(modes)) == len(modes)
    assert inspect.signature(implementation).parameters["mode"].default == modes[0]


def test_declarations(implementation, framework):
    """What the source declares is what the class has, and it speaks of modes that there are and of a colour that plots know."""
    own, modes = vars(implementation), set(lenet5.modes(framework))
    assert lenet5.gpu_only(framework) == own.get("gpu_only", ())
    assert lenet5.dynamic(framework) == own.get("dynamic", {})
    assert lenet5.trained_in(framework) == own.get("trained_in", implementation.modes[0])
    assert lenet5.colour(framework) == own.get("colour", "")
    assert lenet5.ladder(framework) == own.get("ladder", ())
    assert lenet5.trains(framework) == own.get("trains", True)
    assert lenet5.caches(framework) == own.get("caches", ())
    assert lenet5.thread_variables(framework) == own.get("thread_variables", ())

    assert set(lenet5.gpu_only(framework)) < modes
    graphs = lenet5.dynamic(framework)
    assert {*graphs, *graphs.values()} <= modes
    assert not set(graphs) & set(graphs.values())  # what a graph is compared with is not a graph itself
    assert lenet5.trained_in(framework) in modes - {*lenet5.variants(framework)}  # the short run trains in it
    assert lenet5.colour(framework) in ("", *COLOURS)
    rungs = lenet5.ladder(framework)
    assert set(rungs) <= modes
    assert len(set(rungs)) == len(rungs)


def test_reference():
    """One framework has the textbook loops, in one of its modes."""
    framework, mode = lenet5.reference()
    assert mode in lenet5.modes(framework)


READERS = (
    *(lenet5.implementation, lenet5.modes, lenet5.variants, lenet5.gpu_only, lenet5.dynamic),
    *(lenet5.trained_in, lenet5.colour, lenet5.ladder),
    *(lenet5.trains, lenet5.caches, lenet5.thread_variables, lenet5.missing),
)


@pytest.mark.parametrize("function", READERS, ids=lambda function: function.__name__)
@pytest.mark.parametrize("name", [INVENTED, "", REFERENCE.upper(), f"with_{REFERENCE}", None], ids=repr)
def test_unknown_framework(function, name):
    """A name for which there is no file is answered with those that there are."""
    with pytest.raises(InputError) as caught:
        function(name)
    assert str(caught.value) == f"framework: {name!r} is not known; choose one of {', '.join(lenet5.frameworks())}"


# ---------------------------------------------------------------------------------------------------- a fourth framework


def test_a_fourth_framework_is_one_file(other):
    """A file with_<name>.py is a framework: listed, with its modes read from the source, and imported when asked for."""
    before = lenet5.frameworks()
    other(OTHER)
    assert lenet5.frameworks() == tuple(sorted([*before, INVENTED]))
    assert lenet5.modes(INVENTED) == MODES
    assert f"lenet5.with_{INVENTED}" not in sys.modules

    assert lenet5.implementation(INVENTED).__module__ == f"lenet5.with_{INVENTED}"


@pytest.mark.slow
def test_a_fourth_framework_is_tested(tmp_path):
    """The tests of agreement run on a framework that is nothing but a new file, in each of its modes, or in the default alone."""
    project = copy_of_project(tmp_path / "project")
    (project / "lenet5" / f"with_{INVENTED}.py").write_text(OTHER)

    few = f"{INVENTED} and (sgd or bad_mode or bad_labels) or copy"
    verdict = run_pytest(project, "tests/lenet5/test_agreement.py", RUNS_ON_THE_COPY, "-k", few)

    assert verdict.exit_code == 0, verdict.output
    assert "test_runs_on_the_copy" in verdict.passed
    default, further = MODES
    wanted = {f"test_sgd[{INVENTED}-{default}]", f"test_sgd[{INVENTED}-{further}]", f"test_bad_mode[{INVENTED}]"}
    assert wanted <= set(verdict.passed)
    assert f"test_bad_labels[{INVENTED}-{default}-float]" in verdict.passed
    assert f"test_bad_labels[{INVENTED}-{further}-float]" not in verdict.passed
    assert not verdict.skipped


def test_annotated_modes(other):
    """Modes may be annotated, as in the contract."""
    other("class LeNet5:\n    modes: ClassVar[tuple[str, ...]] = ('plain', 'fancy')\n")
    assert lenet5.modes(INVENTED) == ("plain", "fancy")


def test_declares_nothing_else(other):
    """All but the modes may be absent; an annotation without a value declares nothing."""
    other("class LeNet5:\n    modes = ('plain',)\n    dynamic: ClassVar[dict[str, str]]\n")
    readers = (lenet5.variants, lenet5.gpu_only, lenet5.dynamic, lenet5.trained_in, lenet5.colour, lenet5.ladder)
    assert [read(INVENTED) for read in readers] == [(), (), {}, "plain", "", ()]
    readers = (lenet5.trains, lenet5.caches, lenet5.thread_variables, lenet5.missing)
    assert [read(INVENTED) for read in readers] == [True, (), (), ""]


def test_what_was_read_stays(other):
    """A caller may write to what it was given."""
    other("class LeNet5:\n    modes = ('plain', 'fancy')\n    dynamic = {'fancy': 'plain'}\n")
    lenet5.dynamic(INVENTED).clear()
    assert lenet5.dynamic(INVENTED) == {"fancy": "plain"}


def test_no_literal(other):
    """A declaration that cannot be read without importing is named."""
    other("class LeNet5:\n    modes = tuple('ab')\n")
    with pytest.raises(InputError) as caught:
        lenet5.modes(INVENTED)
    assert str(caught.value) == f"with_{INVENTED}.py: modes = tuple('ab') in class LeNet5 is not a literal; write the value out"


def test_one_reference(other, monkeypatch):
    """Two references, or none, are none to check against."""
    framework, _ = lenet5.reference()
    other("class LeNet5:\n    reference = 'loops'\n")
    names = ", ".join(sorted([framework, INVENTED]))
    with pytest.raises(InputError) as caught:
        lenet5.reference()
    assert str(caught.value) == f"reference: declared by {names}; exactly one class LeNet5 must declare it"

    other("class LeNet5:\n    modes = ('plain',)\n")
    monkeypatch.setattr(lenet5, "frameworks", lambda: (INVENTED,))
    with pytest.raises(InputError, match=r"^reference: declared by none; exactly one class LeNet5 must declare it$"):
        lenet5.reference()


@pytest.mark.parametrize(
    "source", ["", "modes = ('plain',)\n", "class LeNet5:\n    _other = 1\n", "class Other:\n    modes = ('plain',)\n"]
)
def test_no_modes(other, source):
    """A file whose class has no modes to read is named."""
    other(source)
    with pytest.raises(InputError) as caught:
        lenet5.modes(INVENTED)
    assert str(caught.value) == f"with_{INVENTED}.py: class LeNet5 has no literal tuple 'modes'"


# --------------------------------------------------------------------------------------------------- absent, and broken


@pytest.mark.parametrize("statement", ["import absent_package", "from absent_package.deep import thing"])
def test_not_installed(other, statement):
    """A framework whose package is absent is NotInstalled, and the line says what to install."""
    other(statement)
    with pytest.raises(NotInstalled) as caught:
        lenet5.implementation(INVENTED)
    assert str(caught.value) == f"{INVENTED}: the package 'absent_package' is not installed; pip install absent_package"


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        (
            "raise ImportError('libfoo.so.1: cannot open shared object file')",
            ImportError,
            "libfoo.so.1: cannot open shared object file",
        ),
        ("import broken_package.lost", ModuleNotFoundError, "No module named 'broken_package.lost'"),
        ("raise RuntimeError('driver too old')", RuntimeError, "driver too old"),
    ],
    ids=["library", "part-missing", "other-error"],
)
def test_installed_but_broken(monkeypatch, tmp_path, other, source, error, message):
    """A package that is there but does not import raises its own error: that is never a reason to skip."""
    monkeypatch.syspath_prepend(broken(tmp_path / "site", "broken_package", source))
    other("import broken_package")
    with pytest.raises(error) as caught:
        lenet5.implementation(INVENTED)
    assert type(caught.value) is error
    assert str(caught.value) == message


def test_a_mistake_of_our_own_is_no_absence(other):
    """A module of this package that is missing is a mistake, not a package to install."""
    other("import lenet5.lost")
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'lenet5\.lost'$") as caught:
        lenet5.implementation(INVENTED)
    assert not isinstance(caught.value, NotInstalled)


def cases(*frameworks):
    """One quick case of each."""
    return [f"tests/lenet5/test_agreement.py::test_bad_mode[{framework}]" for framework in frameworks]


def test_absent_skips(tmp_path):
    """In the tests a framework that is not installed skips, with the reason in the output, and the others run."""
    project = copy_of_project(tmp_path / "project")
    (project / "lenet5" / f"with_{INVENTED}.py").write_text(f"import absent_package\n{OTHER}")
    ours, _ = lenet5.reference()

    verdict = run_pytest(project, *cases(INVENTED, ours), RUNS_ON_THE_COPY)

    reason = f"{INVENTED}: the package 'absent_package' is not installed; pip install absent_package"
    assert verdict.exit_code == 0, verdict.output
    assert verdict.skipped == {f"test_bad_mode[{INVENTED}]": reason}
    assert verdict.passed == [f"test_bad_mode[{ours}]", "test_runs_on_the_copy"]
    assert reason in verdict.output


ABSENT = "    packages = ('absent_package',)\n"


def test_left_out(other):
    """A framework that declares a package which is not installed says so without an import of it, in the words of that import."""
    other(f"import absent_package\n{OTHER}{ABSENT}")
    with pytest.raises(NotInstalled) as caught:
        lenet5.implementation(INVENTED)
    assert lenet5.missing(INVENTED) == str(caught.value)
    other(OTHER + ABSENT.replace("absent_package", "numpy"))
    assert lenet5.missing(INVENTED) == ""


@pytest.mark.slow
def test_left_out_costs_nothing(tmp_path):
    """Such a framework has no case, neither run nor skipped, and no column; what is missing has one line of it."""
    project = copy_of_project(tmp_path / "project")
    (project / "lenet5" / f"with_{INVENTED}.py").write_text(f"import absent_package\n{OTHER}{ABSENT}")
    ours, _ = lenet5.reference()
    case = f"benchmarks/test_predict.py::test_predict[{ours}-{lenet5.modes(ours)[0]}-batch1]"

    options = ("--benchmark-json=run.json", "--benchmark-max-time=0.01")
    verdict = run_pytest(project, case, "tests/lenet5/test_agreement.py", "-k", f"{INVENTED} or batch1]", *options)

    assert verdict.exit_code == 0, verdict.output
    assert verdict.passed == [case.partition("::")[2]]
    assert not verdict.skipped
    report = (project / "report" / "report.md").read_text()
    (line,) = [line for line in report.splitlines() if INVENTED in line]
    said = f"{INVENTED}: the package 'absent_package' is not installed; pip install absent_package"
    assert [cell.strip() for cell in line.strip("|").split("|")] == [INVENTED, said]
    recorded = json.loads((project / "run.json").read_text())["machine_info"]["lenet5"]
    assert recorded["not_installed"].keys() >= {INVENTED}
    assert INVENTED not in recorded["modes"]


COLD = """
    caches = ("INVENTED_CACHE_DIR",)
    thread_variables = ("INVENTED_THREADS",)

    def tensor(self, array):
        found = {name: os.environ[name] for name in (*self.caches, *self.thread_variables)}
        raise AssertionError(f"{os.listdir(found['INVENTED_CACHE_DIR'])} {found['INVENTED_THREADS']}")
"""


def test_a_session_has_its_own_caches_and_threads(tmp_path, monkeypatch):
    """What the class names is set for the session: an empty folder for compiled code, and the number of threads; no circumstance of the user's."""
    project = copy_of_project(tmp_path / "project")
    (project / "lenet5" / f"with_{INVENTED}.py").write_text(f"import os\n{OTHER}{COLD}")
    (tmp_path / "kept").write_text("compiled")
    monkeypatch.setenv("INVENTED_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("INVENTED_THREADS", "9")
    case = f"benchmarks/test_predict.py::test_predict[{INVENTED}-{MODES[1]}-batch1]"

    verdict = run_pytest(project, case, "--threads=2", "--benchmark-disable")

    assert verdict.failed == {case.partition("::")[2]: "AssertionError: [] 2"}, verdict.output


def test_predicts_only(tmp_path):
    """A framework that declares that it does not train has the cases that predict, and none that trains."""
    project = copy_of_project(tmp_path / "project")
    (project / "lenet5" / f"with_{INVENTED}.py").write_text(f"{OTHER}\n    trains = False\n")

    run = run_python(
        project, "-m", "pytest", "benchmarks", "--heavy", "--collect-only", "-q", "-p", "no:cacheprovider", "-k", INVENTED
    )

    tests = {line.partition("::")[2].partition("[")[0] for line in run.stdout.splitlines() if "::" in line}
    assert tests == {"test_predict", "test_transfer", "test_graph_predict", "test_space_predict", "test_point", "test_every_mode"}


def test_broken_fails(tmp_path):
    """In the tests a framework that is installed but broken is an error, with its own message, and the run fails."""
    project = copy_of_project(tmp_path / "project")
    (project / "lenet5" / f"with_{INVENTED}.py").write_text(f"import broken_package\n{OTHER}")
    site = broken(tmp_path / "site", "broken_package", "raise ImportError('libbroken.so: cannot open shared object file')")
    ours, _ = lenet5.reference()

    verdict = run_pytest(project, *cases(INVENTED, ours), RUNS_ON_THE_COPY, path=(site,))

    assert verdict.exit_code == 1, verdict.output
    assert list(verdict.errors) == [f"test_bad_mode[{INVENTED}]"]
    assert "ImportError: libbroken.so: cannot open shared object file" in verdict.output
    assert verdict.passed == [f"test_bad_mode[{ours}]", "test_runs_on_the_copy"]
    assert not verdict.skipped


# --------------------------------------------------------------------------------------------------------------- threads


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
def test_threads_are_equal(project, threads):
    """The number of threads that is asked for is what every framework that is installed runs on, and all agree on as many."""
    few = " or ".join(f"{framework}-{lenet5.modes(framework)[0]}]" for framework in installed())
    verdict = run_pytest(project, f"--threads={threads}", "tests/lenet5/test_agreement.py", "-k", f"test_logits_are and ({few})")
    assert verdict.exit_code == 0, verdict.output
    expected = {f"test_logits_are_the_callers_own[{framework}-{lenet5.modes(framework)[0]}]" for framework in installed()}
    assert {*verdict.passed, *verdict.skipped} == expected


def test_unequal_threads_are_an_error(tmp_path):
    """A framework that runs on another number of threads is not compared: the case is an error that says so."""
    project = copy_of_project(tmp_path / "project")
    several = f'{{**with_{REFERENCE}.LeNet5.describe(), "threads": 99}}'
    (project / "lenet5" / f"with_{INVENTED}.py").write_text(
        f"{OTHER}\n    @staticmethod\n    def describe():\n        return {several}\n"
    )

    verdict = run_pytest(project, "--threads=2", *cases(INVENTED))

    assert verdict.exit_code == 1, verdict.output
    assert list(verdict.errors) == [f"test_bad_mode[{INVENTED}]"]
    expected = f"RuntimeError: {INVENTED} runs on 99 threads, not 2: with unequal threads there is no comparison"
    assert expected in verdict.errors[f"test_bad_mode[{INVENTED}]"]


@pytest.mark.parametrize(
    ("option", "value"), [("--threads", "0"), ("--threads", "-3"), ("--epochs", "0")], ids=lambda value: value.strip("-")
)
def test_no_threads(project, option, value):
    """A number of threads or epochs below one ends the run before it starts: one line, exit 2."""
    run = run_python(project, "-m", "pytest", f"{option}={value}", RUNS_ON_THE_COPY)
    assert run.returncode == 2
    assert run.stdout + run.stderr == f"Exit: {option} {value}: use a whole number of at least 1\n"
