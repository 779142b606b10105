"""A project that knows nothing of this one: packages in src, a small suite of pytest-benchmark cases, and a git repository.

Its cases take the times that its package says, on a clock of their own, so that a gate of it is quick and its verdict certain.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from functools import partial

import pytest

from benchmarks.__main__ import main
from benchmarks.gate import command as gate_command
from benchmarks.gate.rules import Rules
from tests.support.fake_project import commit, git
from tests.support.gates import FEW_PAIRS

PACKAGE = """
SECONDS = {seconds}


def work(clock):
    clock.now += SECONDS
"""

CLOCK = """
import random

NOISE = 1e-3


class Clock:
    now = 0.0

    def __call__(self):
        return self.now
"""

CASES = """
import pytest

import theirs
from benchmarks import clock

CLOCK = clock.Clock()


@pytest.fixture(scope="module")
def heavy():
    return list(range(1000))


@pytest.mark.benchmark(timer=CLOCK)
@pytest.mark.parametrize("what", ["a=b|c", "x::y z"])
def test_work(benchmark, heavy, what):
    {check}
    benchmark.pedantic(theirs.work, (CLOCK,), rounds=5)


def test_plain():
    assert theirs.SECONDS > 0
"""

MORE_CASES = """
import pytest

import theirs
from benchmarks import clock

CLOCK = clock.Clock()


class TestMore:
    @pytest.mark.benchmark(group="space of theirs", timer=CLOCK)
    def test_more(self, benchmark):
        benchmark.extra_info["parameters"] = {parameters}
        benchmark.pedantic(theirs.work, (CLOCK,), rounds=5)
"""

CONFIGURATION = "[tool.pytest.ini_options]\naddopts = '-p no:hypothesispytest'\n"
"""Without that plug-in, which would cost a quarter of a session's time here."""


def write(project, seconds=1e-3, check="pass", parameters=1, folder="tests/bench", source="src", **files):
    """Write the project over what is there; ``files`` are more of them, "/" written as two underscores, and None removes one."""
    texts = {
        f"{source}/theirs/__init__.py": PACKAGE.format(seconds=seconds),
        f"{source}/benchmarks/__init__.py": "",
        f"{source}/benchmarks/clock.py": CLOCK,
        f"{folder}/test_cases.py": CASES.format(check=check),
        f"{folder}/test_more.py": MORE_CASES.format(parameters=parameters),
        ".gitignore": "__pycache__/\n.pytest_cache/\n.venv/\n",
        "pyproject.toml": CONFIGURATION,
        **files,
    }
    for name, text in texts.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    return project


def repository(folder, *versions):
    """A repository whose commits are these versions, keywords of `write`, each under the tag of its name."""
    for name, facts in versions:
        write(folder, **facts)
        commit(folder, name)
        git(folder, "tag", name)
    return folder


@contextmanager
def gating(folder):
    """Within the block: gate(*arguments) -> exit code, of a gate with few pairs that works in a folder and leaves nothing elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(gate_command, "Rules", partial(Rules, **FEW_PAIRS))
        patch.delenv("GITHUB_STEP_SUMMARY", raising=False)
        (folder / "tmp").mkdir(exist_ok=True)
        patch.setattr(tempfile, "tempdir", str(folder / "tmp"))

        def gate(*arguments):
            try:
                code = main(["gate", "--output", "raw", *map(str, arguments)])
            except SystemExit as end:
                code = end.code
            assert not list((folder / "tmp").iterdir())
            return code

        yield gate
