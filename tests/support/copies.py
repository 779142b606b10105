"""Copies of this project, to break or extend, and pytest's verdict on them in a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).parents[2]

# Goes into each copy: without it a copy could pass, or fail, by the installed package's code.
PROOF = """
from pathlib import Path

import lenet5


def test_runs_on_the_copy():
    assert Path(lenet5.__file__) == Path(__file__).parents[1] / "lenet5" / "__init__.py"
"""
RUNS_ON_THE_COPY = "tests/test_copy.py"

# A plug-in for pytest, or a module to import first, after which a package is as absent as if it had never been installed.
HIDE = """
from importlib.machinery import PathFinder

find_spec = PathFinder.find_spec
PathFinder.find_spec = lambda name, path=None, target=None: (
    None if name.partition(".")[0] == "{package}" else find_spec(name, path, target)
)
"""


@dataclass
class Verdict:
    """How a run of pytest ended, and the names of its cases by their outcome, with messages where there are any."""

    exit_code: int
    output: str
    passed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


def copy_of_project(folder: Path) -> Path:
    """Everything that the tests need, in a folder that does not exist yet."""
    folder.mkdir()
    for name in ("lenet5", "tests", "benchmarks"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(PROJECT / name, folder / name)
    (folder / RUNS_ON_THE_COPY).write_text(PROOF)
    return folder


def blind(project: Path) -> None:
    """Let the copy's cases be measured as on a system that tells nothing of other programs: its reports are the same however busy this one is."""
    source = project / "benchmarks" / "arrange" / "witness.py"
    text = source.read_text(encoding="utf-8")
    assert text.count('Path("/proc")') == 1
    source.write_text(text.replace('Path("/proc")', 'Path("/nowhere")'), encoding="utf-8")


def hidden(folder: Path, package: str) -> Path:
    """A folder with a module hide_<package>, after whose import the package is not installed."""
    folder.mkdir(exist_ok=True)
    (folder / f"hide_{package}.py").write_text(HIDE.format(package=package))
    return folder


def not_installed(folder: Path, framework: str, package: str) -> list[str]:
    """Two lines: what asking for a framework says where a package is absent, and whether another framework can be used then."""
    code = f"""
import hide_{package}, lenet5
try:
    lenet5.implementation({framework!r})
except lenet5.NotInstalled as error:
    print(error)
ours, _ = lenet5.reference()
print(lenet5.implementation(ours).__module__ == "lenet5.with_" + ours)
"""
    run = run_python(PROJECT, "-c", code, path=(hidden(folder, package),))
    return run.stdout.splitlines() or [run.stderr]


LONGEST_SECONDS = 600
"""So long a process may take that needs a few seconds on an idle machine."""


def run_python(
    project: Path, *arguments: str, path: tuple[Path, ...] = (), longest_seconds: float = LONGEST_SECONDS
) -> subprocess.CompletedProcess[str]:
    """Python in the copy's folder; what lies in the folders of ``path`` is imported before anything that is installed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "KERAS", "PYTHON"))}
    environment["PYTHONPATH"] = os.pathsep.join(map(str, (*path, project)))
    line = [sys.executable, *arguments]
    return subprocess.run(line, cwd=project, env=environment, capture_output=True, text=True, timeout=longest_seconds, check=False)


def run_pytest(project: Path, *arguments: str, path: tuple[Path, ...] = (), longest_seconds: float = LONGEST_SECONDS) -> Verdict:
    """pytest in the copy's folder, on the copy's code; what is marked slow is run as well."""
    report = project / "verdict.xml"
    report.unlink(missing_ok=True)
    quiet = ("-m", "", "-p", "no:cacheprovider", "-rs", "--tb=short", "--show-capture=no", f"--junitxml={report}")
    run = run_python(project, "-m", "pytest", *quiet, *arguments, path=path, longest_seconds=longest_seconds)
    verdict = Verdict(run.returncode, run.stdout + run.stderr)
    for case in ElementTree.parse(report).iter("testcase") if report.exists() else ():
        name = case.get("name", "")
        for kind, cases in (("failure", verdict.failed), ("error", verdict.errors), ("skipped", verdict.skipped)):
            if (found := case.find(kind)) is not None:
                cases[name] = found.get("message", "")
                break
        else:
            verdict.passed.append(name)
    return verdict
