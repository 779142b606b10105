"""A project that a gate takes for this one and that costs nothing: its cases take the times that its source says, on a clock of their own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

CONFTEST = """
import os
from pathlib import Path

import pytest

import lenet5

NOT_MEASURED = {}


def pytest_addoption(parser):
    for option in ("--shuffle", "--threads", "--epochs"):
        parser.addoption(option)
    parser.addoption("--no-report", action="store_true")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.skipped:
        NOT_MEASURED[item.nodeid] = report.longrepr[2].removeprefix("Skipped: ")
    elif report.failed:
        NOT_MEASURED[item.nodeid] = f"failed: {call.excinfo.value}".splitlines()[0]


def pytest_benchmark_generate_machine_info():
    # The plug-in's own asks several programs about the CPU.
    return {"node": os.environ.get("FAKE_NODE", ""), "cpu": {"brand_raw": "a CPU", "count": 2}, "system": "a system", "release": "1"}


def pytest_benchmark_generate_commit_info():
    return {}


def pytest_benchmark_update_machine_info(config, machine_info):
    machine_info["lenet5"] = {
        "format": 1,
        "threads": int(config.getoption("threads")),
        "shuffle": config.getoption("shuffle"),
        "frameworks": {},
        "not_measured": NOT_MEASURED,
        "imported": str(Path(lenet5.__file__).parent),
        "interpreter": os.environ.get("INTERPRETER", "the usual one"),
    }
"""

CASES = """
import os
import random
from math import exp
from pathlib import Path

import pytest

import lenet5

_now = 0.0


@pytest.fixture(autouse=True)
def log(request):
    # Which side ran which case, in the order of time.
    if "CASE_LOG" in os.environ:
        with open(os.environ["CASE_LOG"], "a") as file:
            file.write(f"{Path(lenet5.__file__).parents[1].name} {request.node.name}\\n")


@pytest.mark.benchmark(group="control", timer=lambda: _now)
def test_control(benchmark):
    def product():
        global _now
        _now += 1e-4

    benchmark.extra_info.update(framework="control", mode="product first")
    benchmark.pedantic(product, rounds=5)


@pytest.mark.benchmark(group=lenet5.GROUP, timer=lambda: _now)
@pytest.mark.parametrize("name", lenet5.SECONDS)
def test_case(benchmark, name, request):
    noise = random.Random(f"{name} {request.config.getoption('shuffle')} {lenet5.SECONDS}").gauss(0, lenet5.NOISE)

    def work():
        global _now
        _now += lenet5.SECONDS[name] * exp(noise)

    lenet5.check(name)

    benchmark.extra_info.update(framework="fake", mode="eager", batch=1, **lenet5.EXTRA)
    benchmark.pedantic(work, rounds=5)
"""

PACKAGE = """
import pytest

GROUP = {group!r}
SECONDS = {seconds}
EXTRA = {extra}
NOISE = {noise}


def check(name):
    {check}
"""


def write(
    project: Path,
    seconds: dict[str, float] | None = None,
    extra: dict[str, float] | None = None,
    noise: float = 0.001,
    check: str = "pass",
    group: str = "predict",
) -> Path:
    """Write the project into a folder, over what is there.   seconds: name of a case -> what it takes"""
    package = PACKAGE.format(
        group=group, seconds=seconds or {"one": 1e-3, "two": 2e-3}, extra=extra or {"parameters": 10}, noise=noise, check=check
    )
    files = {
        "conftest.py": CONFTEST,
        "pyproject.toml": "[tool.pytest.ini_options]\naddopts = ['--benchmark-save-data', '-p', 'no:hypothesispytest']\n",
        ".gitignore": "__pycache__/\n",
        "lenet5/__init__.py": package,
        "benchmarks/__init__.py": "",
        "benchmarks/test_cases.py": CASES,
    }
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    return project


def git(repository: Path, *arguments: str) -> str:
    """Run git in a repository, as the same author on every machine.   -> what it says"""
    someone = {f"GIT_{who}_{what}": "someone@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(
        ["git", "-C", str(repository), *arguments], env={**os.environ, **someone}, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


DUBIOUS = (
    "fatal: detected dubious ownership in repository at '/project'",
    "To add an exception for this directory, call:",
    "",
    "\tgit config --global --add safe.directory /project",
)
"""What git says of a checkout that belongs to another user."""


def refusing_git(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the git on the path be one that says so, whatever it is asked."""
    folder.mkdir()
    (folder / "said").write_text("\n".join(DUBIOUS) + "\n")
    (folder / "git").write_text(f"#!/bin/sh\ncat '{folder}/said' >&2\nexit 128\n")
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


ENDS_OF_LINES = "\u2028one\x85two\x0cthree\x0bfour\x1cfive\rsix"
"""Letters at which Python's str.splitlines ends a line, or its text mode, and git does not."""


def commit(repository: Path, message: str) -> str:
    """Commit all there is; the name of the commit.  The repository is made if there is none."""
    if not (repository / ".git").exists():
        git(repository, "init", "--quiet", "--initial-branch=main")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--allow-empty", f"--message={message}")
    return git(repository, "rev-parse", "HEAD")
