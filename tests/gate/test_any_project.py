"""The gate of a project that knows nothing of this one: its own git, its own packages, its own configuration of pytest."""

from __future__ import annotations

import json
import shutil
import sys

import pytest

from tests.support import any_suite
from tests.support.fake_project import commit, git
from tests.support.gates import cells
from tests.support.rows import slow

PARALLEL = """
# Stands for pytest-parallel and pytest-cov: with their options a session would not be measured in this process, or traced.
import pytest


def pytest_addoption(parser):
    group = parser.getgroup("stand-ins")
    group.addoption("--workers")
    group.addoption("--cov", dest="cov_source", action="append", default=[])


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config):
    if early_config.known_args_namespace.cov_source:
        pytest.exit("everything is traced", returncode=9)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    if config.option.workers:
        pytest.exit("all of it runs at once", returncode=9)
"""

ODD = (
    "[tool.pytest.ini_options]\n"
    "addopts = '-p parallel --workers auto --cov=theirs -p no:benchmark --benchmark-disable --benchmark-only -x --strict-markers --strict-config'\n"
    "filterwarnings = ['error']\n"
)


WARNINGS = "[tool.pytest.ini_options]\nfilterwarnings = ['error']\n"
"""With these pytest-benchmark, which has nothing to save, ends in an error of its own."""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Commits by the name of what is true of them, compared with the first, `base`."""
    repository = any_suite.repository(
        tmp_path_factory.mktemp("theirs") / "project",
        ("base", {}),
        ("slower", {"seconds": 1.15e-3}),
        ("unconfigured", {"pyproject.toml": ""}),
        ("odd", {"pyproject.toml": ODD, "src/parallel.py": PARALLEL}),
        ("other-cases", {"tests/bench/test_more.py": any_suite.MORE_CASES.format(parameters=1).replace("test_more", "test_new")}),
        ("skipped", {"check": "pytest.skip('no such thing today')"}),
        ("wrong", {"check": "assert theirs.SECONDS > 1, 'far too quick'"}),
        ("all-wrong", {"check": "assert theirs.SECONDS > 1", "tests/bench/test_more.py": "", "pyproject.toml": WARNINGS}),
        ("broken", {"tests/bench/test_more.py": "import nothing_of_that_name"}),
        ("no-cases", {"tests/bench/test_more.py": "", "tests/bench/test_cases.py": "def test_plain(): pass"}),
    )
    git(repository, "checkout", "--quiet", "base")
    return repository


@pytest.fixture
def gate(project, tmp_path, capsys):
    """gate(*arguments) -> exit code, standard output, standard error; afterwards the repository has no worktree more than before."""
    with any_suite.gating(tmp_path) as run:
        yield lambda *arguments: (run("--project", project, *arguments), *capsys.readouterr())
    assert git(project, "worktree", "list").count("\n") == 0
    assert git(project, "status", "--porcelain") == ""


def verdicts(out):
    return {case: row[-1] for (case, _), row in cells(out.replace("| Test", "| test_Test").replace("\\|", "/")).items()}


EVERY_CASE = ("test_work[a=b/c]", "test_work[x::y z]", "test_TestMore::test_more")


@pytest.mark.slow
def test_the_same_code(gate, tmp_path):
    """Identical code is the same in every case, whatever its ids and groups are, and nothing else in the files is a case: exit 0."""
    code, out, err = gate("--base", "base", "--head", "base")

    assert code == 0, err
    assert verdicts(out) == dict.fromkeys(EVERY_CASE, "same")
    assert "Both sides have the same code, down to the last file, the same interpreter and the same versions." in out
    assert "The control, the same piece of pure Python each time, took from " in out
    saved = json.loads((tmp_path / "raw" / "base" / "process-001.json").read_text())
    assert "lenet5" not in saved["machine_info"]
    assert len(saved["gate"]["control"]) == 2


def test_slower(gate):
    """A package that takes 15 % longer: exit 1, and each of its cases is named."""
    code, out, err = gate("--base", "base", "--head", "slower", "--cases", "tests/bench")

    assert code == 1, err
    assert verdicts(out) == dict.fromkeys(EVERY_CASE, "SLOWER")
    assert "same code" not in out


@pytest.mark.slow
def test_some_cases(gate):
    """-k selects as in pytest, and one file can be named."""
    code, out, err = gate("--base", "base", "--head", "slower", "--cases", "tests/bench/test_cases.py", "-k", "work and x")

    assert code == 1, err
    assert verdicts(out) == {EVERY_CASE[1]: "SLOWER"}


@pytest.mark.slow
def test_their_configuration(gate):
    """What switches benchmarks off, traces them or runs them in parallel is overruled and said; the rest of the configuration holds."""
    code, out, err = gate("--base", "odd", "--head", "odd")

    assert code == 0, err
    assert verdicts(out) == dict.fromkeys(EVERY_CASE, "same")
    for said in (out, err):
        assert "Options of pytest are overruled: --benchmark-disable, --cov, --workers." in said


@pytest.mark.slow
def test_xdist(gate):
    """pytest-xdist, where it is installed, measures nothing in parallel."""
    pytest.importorskip("xdist")

    code, out, err = gate("--base", "base", "--head", "base", "-k", "more", "--", "-n", "2")

    assert code == 0, err
    assert "Options of pytest are overruled: -n." in out


@pytest.mark.slow
def test_no_configuration_from_above(project, tmp_path, gate):
    """A project without a configuration of pytest has none: not that of a folder above it, where the worktrees happen to lie."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (tmp_path / "conftest.py").write_text("raise ImportError('not theirs')")

    code, _, err = gate("--base", "unconfigured", "--head", "unconfigured", "-k", "more")

    assert code == 0, err


@pytest.mark.slow
def test_cases_on_one_side(gate, tmp_path):
    """Cases that only one side has are named and not judged; with --strict that is exit 2."""
    code, out, err = gate("--base", "base", "--head", "other-cases", "--json", "gate.json")

    assert code == 0, err
    assert verdicts(out) == dict.fromkeys(EVERY_CASE[:2], "same")
    assert "Only base has TestMore::test_more: not judged." in out
    assert "Only head has TestMore::test_new: not judged." in out
    only = {"base": ["tests/bench/test_more.py::TestMore::test_more"], "head": ["tests/bench/test_more.py::TestMore::test_new"]}
    assert json.loads((tmp_path / "gate.json").read_text())["only"] == only

    code, out, err = gate("--base", "base", "--head", "other-cases", "--strict", "--output", "strict")
    expected = "--head other-cases: does not have tests/bench/test_more.py::TestMore::test_more; --base base has"
    assert (code, out, err.splitlines()[-1]) == (2, "", expected)


@pytest.mark.slow
def test_skipped_on_one_side(gate):
    """A case that one side skips is named with the reason."""
    code, out, err = gate("--base", "base", "--head", "skipped")

    assert code == 0, err
    assert verdicts(out) == {EVERY_CASE[2]: "same"}
    assert "Only base has test_work[a=b\\|c] (no such thing today), test_work[x::y z] (no such thing today): not judged." in out
    assert "neither side" not in out

    code, out, err = gate("--base", "skipped", "--head", "base", "--output", "other-raw")

    assert code == 0, err
    assert "Only head has test_work[a=b\\|c] (no such thing today), " in out
    assert "neither side" not in out


@pytest.mark.slow
def test_failing_on_base(gate):
    """A case that fails on base has nothing to be compared with: named with the reason, and not judged, as is one that fails on both sides."""
    code, out, err = gate("--base", "wrong", "--head", "base")

    assert code == 0, err
    assert verdicts(out) == {EVERY_CASE[2]: "same"}
    assert "Only head has test_work[a=b\\|c] (failed: AssertionError: far too quick" in out
    assert "these files differ: tests/bench/test_cases.py. " in out

    code, out, err = gate("--base", "wrong", "--head", "wrong", "--output", "other-raw")

    assert code == 0, err
    assert verdicts(out) == {EVERY_CASE[2]: "same"}
    assert "Measured on neither side: test_work[a=b\\|c] (failed: AssertionError: far too quick" in out

    code, out, err = gate("--base", "wrong", "--head", "wrong", "--strict", "--output", "strict-raw")
    assert (code, out) == (2, "")
    assert "failed: AssertionError: far too quick" in err.splitlines()[-1]


@pytest.mark.slow
def test_directories(gate, project, tmp_path):
    """A directory is a side as it is, relative to the project; files that git does not track are part of its code."""
    code, out, err = gate("--base", ".", "--head", ".", "-k", "more")
    assert code == 0, err
    assert "same code" in out

    other = any_suite.write(tmp_path / "other", seconds=1.15e-3)
    code, out, err = gate("--base", "base", "--head", other, "-k", "more", "--output", "other-raw")
    assert code == 1, err
    assert "same code" not in out


@pytest.mark.slow
def test_in_a_subfolder(tmp_path, capsys):
    """A project that is a folder of its repository, with its cases in another place, is measured there on both sides."""
    repository = tmp_path / "all"
    project = any_suite.write(repository / "packages" / "one", folder="benchmarks-of-one")
    commit(repository, "first")
    any_suite.write(project, seconds=1.15e-3, folder="benchmarks-of-one")
    commit(repository, "second")

    with any_suite.gating(tmp_path) as run:
        code = run("--project", project, "--base", "HEAD~1", "--head", "HEAD", "--cases", "benchmarks-of-one", "-k", "more")

    out, err = capsys.readouterr()
    assert code == 1, err
    assert verdicts(out) == {EVERY_CASE[2]: "SLOWER"}


@pytest.mark.slow
def test_goes_on(gate, project, tmp_path, capsys):
    """A gate goes on with the pairs that it has, with what it was asked for, and with the commits that a branch meant when it began."""
    git(project, "branch", "moving", "slower")
    with any_suite.gating(tmp_path) as run:
        assert run("--project", project, "--base", "base", "--head", "moving", "-k", "more", "--budget", "1e-9") == 3
        capsys.readouterr()
        git(project, "branch", "--force", "moving", "base")
        code = run("--resume", "--budget", "15")
    git(project, "branch", "-D", "moving")

    err = capsys.readouterr().err
    assert code == 1, err
    assert err.count(": done;") == 2
    assert (
        gate("--base", "base", "--head", "base", "-k", "more", "--resume")[2]
        .splitlines()[-1]
        .startswith("raw/run.json: head.commit was ")
    )


LOOP = """
def work(steps):
    return sum(step * step for step in range(steps))
"""

LOOPS = """
import pytest
import theirs


@pytest.mark.parametrize("name", ["calibrated", "pedantic"])
def test_loop(benchmark, name):
    if name == "calibrated":
        benchmark(theirs.work, theirs.STEPS)
    else:
        benchmark.pedantic(theirs.work, (theirs.STEPS,), rounds=20, iterations=10)
"""


@pytest.mark.slow
def test_on_the_real_clock(tmp_path, capsys):
    """A package at the top of its repository whose loop becomes twice as long, by the clock of pytest-benchmark."""
    project = tmp_path / "project"
    for steps in (2000, 4000):
        for name, text in (("theirs.py", f"STEPS = {steps}\n{LOOP}"), ("benchmarks/test_loops.py", LOOPS)):
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            (project / name).write_text(text)
        commit(project, f"{steps} steps")

    with any_suite.gating(tmp_path) as run:
        code = run("--project", project, "--base", "HEAD~1", "--head", "HEAD", "--json", "gate.json")

    assert code == 1, capsys.readouterr().err
    found = json.loads((tmp_path / "gate.json").read_text())["verdicts"]
    assert {row["case"]: row["verdict"] for row in found} == {
        f"benchmarks/test_loops.py::test_loop[{name}]": "slower" for name in ("calibrated", "pedantic")
    }
    assert all(1.2 < row["ratio"] < 4 for row in found)


def interpreter(path, *lines):
    path.write_text("\n".join(["#!/bin/sh", *lines]))
    path.chmod(0o755)
    return path


def test_an_installed_copy(gate, tmp_path, project):
    """Where an interpreter prefers an installed copy to the side's own code, nothing is measured."""
    shutil.copytree(project / "src", tmp_path / "site")
    python = interpreter(tmp_path / "python", f'PYTHONPATH="{tmp_path}/site:$PYTHONPATH" exec {sys.executable} "$@"')

    code, out, err = gate("--base", "base", "--head", f"base@{python}")

    assert (code, out) == (2, "")
    last = err.splitlines()[-1]
    assert last.startswith(
        f"--head base@{python}: the cases import benchmarks from {tmp_path}/site/benchmarks/__init__.py, not this side's "
    )
    assert not (tmp_path / "raw").exists()


@pytest.mark.slow
def test_an_installed_copy_that_comes_late(tmp_path, capsys):
    """So it is where a case imports the package only while it runs."""
    lazy = "def test_lazy(benchmark):\n    import lazy\n    benchmark.pedantic(int)\n"
    project = any_suite.repository(tmp_path / "project", ("base", {"src/lazy.py": "", "tests/bench/test_lazy.py": lazy}))
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "lazy.py").write_text("")
    python = interpreter(tmp_path / "python", f'PYTHONPATH="{tmp_path}/site:$PYTHONPATH" exec {sys.executable} "$@"')

    with any_suite.gating(tmp_path) as run:
        code = run("--project", project, "--base", f"base@{python}", "--head", "base", "-k", "lazy or more")

    last = capsys.readouterr().err.splitlines()[-1]
    assert (code, last.startswith(f"--base base@{python}: the cases import lazy from {tmp_path}/site/lazy.py, not this")) == (
        2,
        True,
    )
    assert not list(tmp_path.glob("raw/base/*.json"))


@pytest.mark.slow
def test_their_own_interpreter(tmp_path, capsys):
    """The path of an interpreter begins in the project, too; the number of threads is told to the libraries that ask the environment."""
    project = any_suite.repository(
        tmp_path / "project", ("base", {"check": "import os; assert os.environ['OMP_NUM_THREADS'] == '2'"})
    )
    (project / ".venv").mkdir()
    python = interpreter(project / ".venv" / "python", f'exec {sys.executable} "$@"')

    with any_suite.gating(tmp_path) as run:
        asked = ("--project", project, "--base", "base@.venv/python", "--threads", "2", "--budget", "1e-9", "--json", "gate.json")
        code = run(*asked)

    assert code == 3, capsys.readouterr().err
    sides = json.loads((tmp_path / "gate.json").read_text())["sides"]
    assert {role: side["interpreter"] for role, side in sides.items()} == {"base": str(python), "head": sys.executable}


@pytest.mark.slow
def test_packages_in_another_folder(tmp_path, capsys):
    """Packages that lie neither in src nor at the top: an installed copy would be measured instead, unless --source says where they are."""
    project = any_suite.repository(tmp_path / "project", ("base", {"source": "lib"}))
    site = tmp_path / "site"
    shutil.copytree(project / "lib", site)
    python = interpreter(tmp_path / "python", f'PYTHONPATH="$PYTHONPATH:{site}" exec {sys.executable} "$@"')
    asked = ("--project", project, "--base", f"base@{python}", "--head", f"base@{python}", "-k", "more")

    with any_suite.gating(tmp_path) as run:
        codes = run(*asked), run(*asked, "--source", "lib")

    assert codes == (2, 0)
    assert "/site/benchmarks/__init__.py, not this side's " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--base", "v9", "--head", "base"), "--base v9: neither a revision of {project} nor a directory; one is written with ./"),
        (("--base", "base", "--head", "./nowhere"), "--head ./nowhere: neither a revision of "),
        (("--base", "base", "--head", "base", "--cases", "benches"), "--base base: has no benches; expected the file or folder"),
        (
            ("--base", "base", "--head", "base", "--cases", "tests/bench/test_more.py::TestMore"),
            "--base base: has no tests/bench/test_more.py::TestMore; expected the file or folder of the cases, relative to the project; "
            "single cases are selected by -k",
        ),
        (("--base", "base", "--head", "base", "--source", "lib"), "--source lib: no such folder in "),
        (
            ("--base", "base", "--head", "base", "--cases", "src"),
            "no case found: looked in src for tests that use the fixture benchmark; say with --cases where they are",
        ),
        slow(("--base", "no-cases", "--head", "no-cases"), "no case found: looked in tests/bench, tests for tests that use "),
        slow(("--base", "base", "--head", "no-cases"), "tests/bench: no case is on both sides (--base base has tests/bench/test_"),
        slow(("--base", "base", "--head", "base", "-k", "nothing"), "-k nothing selects none of the 3 cases in tests/bench, tests"),
        slow(
            ("--base", "base", "--head", "base", "--", "-m", "slow"),
            "the project's own configuration of pytest, such as -m in its addopts,",
        ),
        slow(
            ("--base", "base", "--head", "broken"),
            "--head broken: tests/bench/test_more.py cannot be collected (ModuleNotFoundError: No module named 'nothing_of_that_name'; tests/bench/",
        ),
        slow(
            ("--base", "base", "--head", "wrong"),
            "--head wrong: tests/bench/test_cases.py::test_work[a=b|c] failed: AssertionError: far too quick",
        ),
        slow(
            ("--base", "base", "--head", "all-wrong"),
            "--head all-wrong: tests/bench/test_cases.py::test_work[a=b|c] failed: AssertionError: assert 0.001 > 1, tests/bench/test_cases.py",
        ),
        (
            ("--base", "base@{tmp}/none"),
            "--base base@{tmp}/none: {tmp}/none has no pytest-benchmark; install it there, or name another",
        ),
        (("--base", "base@{tmp}/old"), "--base base@{tmp}/old: {tmp}/old has pytest-benchmark 3.1.9; expected 3.2.3 or later"),
        (("--base", "base@{tmp}/mute"), "--base base@{tmp}/mute: {tmp}/mute cannot say which packages it has (no Python today)"),
        slow(("--base", "base", "--", "--no-such-option"), "--base base: pytest cannot collect tests/bench (exit code 4): "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_cannot_be_measured(gate, tmp_path, project, monkeypatch, arguments, reason):
    """What cannot be gated is one line that names the option and says what would be right: exit 2, and no number is kept."""
    monkeypatch.setenv("FORCE_COLOR", "1")  # as CI often has it: the lines of pytest that are quoted have no colours
    interpreter(tmp_path / "none", """echo '{"pytest": "8.0", "python": "3.9"}'""")
    interpreter(tmp_path / "old", """echo '{"pytest": "8.0", "pytest-benchmark": "3.1.9", "python": "3.9"}'""")
    interpreter(tmp_path / "mute", "echo no Python today", "exit 1")

    code, out, err = gate(*(word.format(tmp=tmp_path) for word in arguments))

    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith(reason.format(tmp=tmp_path, project=project))
    assert not list(tmp_path.glob("raw/head/*.json"))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--project", "{tmp}/none", "--base", "v1"), "--project {tmp}/none: is no directory; expected the folder of a project"),
        (("--project", "{tmp}/plain", "--base", "v1"), "--base v1: neither a revision of {tmp}/plain (fatal: not a git repository"),
        (
            ("--project", "{tmp}/shallow", "--base", "base"),
            "--base base: neither a revision of {tmp}/shallow (a shallow clone, which lacks",
        ),
        (
            ("--project", "{tmp}/hidden", "--base", "v1"),
            "--base v1: has none of tests/bench, tests/benchmarks, tests/benchmark, benchmarks,",
        ),
        (
            ("--project", "{tmp}/hidden", "--base", "moved", "--head", "found"),
            "no case found: none of tests/bench, tests/benchmarks, tests/benchmark, benchmarks, bench, benchmark, tests, test is on both",
        ),
        (
            ("--project", "{tmp}/n:o", "--base", "base"),
            "--head .: there is a ':' in {tmp}/n:o, where Python splits its search path;",
        ),
        (("--base", "HEAD", "--strict"), "--strict: is for the project that --project names; leave it out, or name one"),
        (("--base", "HEAD", "--source", "lib"), "--source: is for the project that --project names; leave it out, or name one"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_no_project(project, tmp_path, capsys, arguments, reason):
    """A folder that is no repository, or lacks the revision because it is a shallow clone, is one line that says so."""
    any_suite.write(tmp_path / "plain")
    any_suite.repository(tmp_path / "n:o", ("base", {}))
    hidden = any_suite.repository(tmp_path / "hidden", ("v1", {"folder": "checks"}), ("moved", {"folder": "bench"}))
    git(hidden, "mv", "bench", "test")
    commit(hidden, "found")
    git(hidden, "tag", "found")
    git(tmp_path, "clone", "--quiet", "--depth=1", "--no-tags", f"file://{project}", str(tmp_path / "shallow"))

    with any_suite.gating(tmp_path) as run:
        code = run(*(word.format(tmp=tmp_path) for word in arguments))

    assert (code, capsys.readouterr().err.splitlines()[-1].startswith(reason.format(tmp=tmp_path))) == (2, True)
