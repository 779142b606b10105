"""Real sessions that a user's environment changes, or that end before they are done: what is saved, and what is said of it."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import lenet5
from benchmarks.report import markdown, report
from benchmarks.saved.results import load
from tests.support.by_hand import FAST, FRAMEWORK, PLAIN
from tests.support.copies import PROJECT

PREDICT = "benchmarks/test_predict.py::test_predict"
CASES = (
    "benchmarks/test_control.py::test_no_network",
    f"{PREDICT}[{FRAMEWORK}-{FAST}-batch1]",
    f"{PREDICT}[{FRAMEWORK}-{PLAIN}-batch1]",
)
INTERRUPTED = "not run: the session was interrupted"

# A plug-in: the second case ends so, after it was measured.
END = """
import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    yield
    if item.name == {name!r}:
        raise {error}
"""

# Another: every network of NumPy's says that it ran in another way than its mode's name says.
OTHERWISE = """
def pytest_runtest_setup(item):
    from lenet5 import with_numpy
    from lenet5.errors import NotHonoured

    def check_mode(net):
        raise NotHonoured("it ran otherwise")

    with_numpy.LeNet5.check_mode = check_mode
"""


@dataclass(frozen=True)
class Ended:
    """How a session ended: its exit code, what it printed, and what it saved."""

    exit_code: int
    output: str
    path: Path

    @property
    def saved(self) -> Any:
        return json.loads(self.path.read_text(encoding="utf-8"))

    @property
    def numbers(self) -> list[str]:
        return [case["fullname"] for case in self.saved["benchmarks"]]

    @property
    def not_measured(self) -> dict[str, str]:
        return dict(self.saved["machine_info"]["lenet5"]["not_measured"])


def session(folder: Path, cases: Sequence[str], *options: str, **variables: str) -> Ended:
    """Measure cases as a user would; the report is left out, and what is saved lies in the folder, where the session runs."""
    path = folder / "saved.json"
    here = ("-c", f"{PROJECT}/pyproject.toml", f"--rootdir={PROJECT}", *(f"{PROJECT}/{case}" for case in cases))
    quick = ("--threads=1", "--dataset=digits", "--benchmark-max-time=0.02", "--no-report", "-p", "no:cacheprovider")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *here, *quick, f"--benchmark-json={path}", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(PROJECT), str(folder)]), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    return Ended(done.returncode, done.stdout + done.stderr, path)


def end_with(folder: Path, error: str) -> tuple[str, str]:
    """The options that make the second case end with this error."""
    (folder / "ends.py").write_text(END.format(name=CASES[1].partition("::")[2], error=error))
    return "-p", "ends"


@pytest.mark.slow
def test_variables_that_steer_libraries(tmp_path):
    """OPENBLAS_CORETYPE makes NumPy slower, TORCHDYNAMO_DISABLE makes a compiled mode eager: both stand in the file, and the second has no number."""
    pytest.importorskip("torch")
    compiled = f"{PREDICT}[torch-compile-batch1]"

    ended = session(
        tmp_path, [CASES[2], compiled], "-rs", OPENBLAS_CORETYPE="Prescott", TORCHDYNAMO_DISABLE="1", OMP_DYNAMIC="false"
    )

    assert ended.exit_code == 0, ended.output
    assert ended.numbers == [CASES[2]]
    reason = "torch: mode 'compile' does not compile here: TORCHDYNAMO_DISABLE=1 is set; unset it"
    assert ended.not_measured == {compiled: reason}
    assert reason in ended.output
    ours = ended.saved["machine_info"]["lenet5"]
    set_here = {"OPENBLAS_CORETYPE": "Prescott", "TORCHDYNAMO_DISABLE": "1", "OMP_DYNAMIC": "false"}
    assert ours["variables"].items() >= set_here.items()
    assert not {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TORCHINDUCTOR_CACHE_DIR", "HOME"} & ours["variables"].keys()
    facts = ours["frameworks"][FRAMEWORK]
    if platform.machine() in ("x86_64", "AMD64") and "openblas" in facts["blas"]:
        own = lenet5.implementation(FRAMEWORK).describe()["architecture"]
        assert facts["architecture"] not in ("", own)  # OpenBLAS calls it by the name of an older core than the variable
    assert "OPENBLAS_CORETYPE=Prescott" in markdown.render(report.of(load(ended.path)))


def test_interrupted(tmp_path):
    """Ctrl-C: the case that it hit, measured or not, and those after it were not run, in the file, in its report and in a comparison."""
    before = session(tmp_path, CASES, "--benchmark-autosave")
    assert before.exit_code == 0, before.output
    assert before.not_measured == {}

    ended = session(tmp_path, CASES, *end_with(tmp_path, "KeyboardInterrupt"), "--benchmark-compare")

    assert ended.exit_code == 2, ended.output
    assert ended.numbers == [CASES[0]]
    assert ended.not_measured == dict.fromkeys(CASES[1:], INTERRUPTED)
    text = markdown.render(report.of(load(ended.path)))
    assert "cases that were asked for and have not run: 2" in text
    assert text.partition("What is missing")[2].count(INTERRUPTED) == 2
    assert f"not run: {CASES[1]} and 1 more (the session was interrupted)" in ended.output
    assert "vanished" not in ended.output


def test_stopped_after_a_failure(tmp_path):
    """With -x the cases after the first failure were not run, and the failure itself is one."""
    ended = session(tmp_path, CASES, *end_with(tmp_path, "AssertionError('wrong')"), "-x")
    assert ended.exit_code == 1
    assert ended.numbers == [CASES[0]]
    assert ended.not_measured == {CASES[1]: "failed: wrong", CASES[2]: "not run: stopping after 1 failures"}


def test_left_out_on_purpose(tmp_path):
    """What -k leaves out was not asked for: nothing is said of it."""
    ended = session(tmp_path, CASES, "-k", f"not {FAST}")
    assert ended.exit_code == 0, ended.output
    assert ended.numbers == [CASES[0], CASES[2]]
    assert ended.not_measured == {}


def test_a_mode_that_was_not_honoured(tmp_path):
    """Whatever case builds it: a network that ran in another way than its mode's name says fails its case, before any clock."""
    (tmp_path / "otherwise.py").write_text(OTHERWISE)
    training = f"benchmarks/test_training.py::test_train_step[{FRAMEWORK}-{PLAIN}]"

    ended = session(tmp_path, [CASES[0], CASES[2], training], "-p", "otherwise")

    assert ended.exit_code == 1
    assert ended.numbers == [CASES[0]]
    assert ended.not_measured == dict.fromkeys([CASES[2], training], "failed: it ran otherwise")
