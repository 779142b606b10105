"""A program in a process of its own: what it prints is the answer, and anything but an answer is an error of one line."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import lenet5
from benchmarks.arrange import problem
from benchmarks.isolated import caches, program
from tests.support.by_hand import FRAMEWORK, PLAIN


@pytest.fixture
def saved(tmp_path):
    """A real problem for predict, on disk."""
    weights = lenet5.initial_weights(lenet5.Architecture(), seed=0)
    images = np.random.RandomState(0).standard_normal((2, 3, 32, 32)).astype(np.float32)
    expected = problem.reference(weights).predict(images)
    return problem.save(tmp_path / "problem.npz", weights, images, np.array([0, 1]), expected)


def test_a_program_answers(saved):
    """The command prints four times, all above zero."""
    seconds = program.call("benchmarks.isolated.first_call", FRAMEWORK, PLAIN, "predict", saved)
    assert list(seconds) == ["import_seconds", "build_seconds", "first_call_seconds", "second_call_seconds"]
    assert all(value > 0 for value in seconds.values())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nosuch", "eager", "predict"), "exit 2: framework: 'nosuch' is not known; choose one of"),
        ((FRAMEWORK, "turbo", "predict"), "exit 2: mode: 'turbo' is not known; choose one of"),
        ((FRAMEWORK, PLAIN, "train_step"), "exit 1: "),  # logits are no losses: a wrong answer
    ],
)
def test_a_failure_is_one_line(saved, arguments, message):
    """A program that fails gives no number: the last line that it wrote is in the error."""
    with pytest.raises(program.ProgramFailed) as error:
        program.call("benchmarks.isolated.first_call", *arguments, saved)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """module(source) -> the name of a module that `program.call` can run."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)

    def write(source):
        (tmp_path / "some_program.py").write_text(source)
        return "some_program"

    return write


def test_no_compiled_code_is_inherited(module, monkeypatch, tmp_path):
    """Every process has an empty folder of its own for what each framework keeps of compiled code, and the folder is gone afterwards."""
    variables = caches.variables()
    assert "TORCHINDUCTOR_CACHE_DIR" in variables
    for variable in variables:
        monkeypatch.setenv(variable, str(tmp_path))
    name = module(
        f"import json, os; paths = map(os.environ.get, {variables}); print(json.dumps({{p: os.listdir(p) for p in paths}}))"
    )
    first, second = program.call(name), program.call(name)
    assert [*first.values(), *second.values()] == [[]] * 2 * len(variables)
    assert len({*first, *second, str(tmp_path)}) == 2 * len(variables) + 1
    assert not any(map(os.path.exists, first))
    assert {os.path.dirname(os.path.dirname(path)) for path in first} == {
        str(tmp_path)
    }  # a user has it where code can be loaded from


@pytest.mark.parametrize("source", ["print('half', 3)", "print('[1]')", ""])
def test_only_an_object_is_an_answer(module, source):
    """Output that is no JSON object is refused."""
    with pytest.raises(program.ProgramFailed, match="expected one JSON object"):
        program.call(module(source))


def test_a_program_that_hangs(module):
    """A program has a time limit."""
    with pytest.raises(program.ProgramFailed, match=r"not done after 0\.5 s"):
        program.call(module("import time; time.sleep(60)"), timeout_seconds=0.5)


def test_a_program_that_is_killed(module):
    """A program that is killed before it writes anything is an error that says so."""
    with pytest.raises(program.ProgramFailed, match=r"exit -9: nothing on standard error"):
        program.call(module("import os; os.kill(os.getpid(), 9)"))


def test_the_frame_of_a_program_reads_no_saved_run():
    """What runs in the process to be measured is no more than it needs: nothing that reads or writes saved runs."""
    code = "import sys, benchmarks.isolated.first_call, benchmarks.isolated.memory; print([m for m in sys.modules if 'benchmarks.saved' in m])"
    done = subprocess.run([sys.executable, "-c", code], cwd=program.ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
