"""What is measured in a fresh process: against a network whose times are known, and through a child of its own."""

from __future__ import annotations

import os
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import lenet5
from benchmarks.arrange import measuring
from benchmarks.isolated import first_call, fresh

IMPORT, BUILD, FIRST, SECOND, CONVERT = 1.0, 2.0, 4.0, 8.0, 16.0
"""Seconds: whatever is added up or mixed up shows."""


class Clock:
    """A clock that moves only when somebody waits: on a busy machine a real one would not move by what is known."""

    now = 0.0

    def wait(self, seconds):
        self.now += seconds


CLOCK = Clock()


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    monkeypatch.setattr(measuring, "time", SimpleNamespace(perf_counter=lambda: CLOCK.now))


class SleepyNetwork:
    """Takes its time to build, to convert, to call first and to call again."""

    def __init__(self, weights, mode, optimizer, learning_rate, device):
        assert list(weights) == ["w"]
        assert (mode, optimizer, device) == ("graph", "adam", "cuda")
        CLOCK.wait(BUILD)
        self.calls = 0

    def tensor(self, array):
        CLOCK.wait(CONVERT)
        return array

    def predict(self, images):
        CLOCK.wait(SECOND if self.calls else FIRST)
        self.calls += 1
        return images.sum((1, 2, 3))

    def train_step(self, images, labels):
        self.predict(images)
        return float(self.calls)


def sleepy():
    CLOCK.wait(IMPORT)
    return SleepyNetwork


def problem(expected):
    return {"images": np.ones((2, 3, 2, 2)), "labels": np.arange(2), "expected": np.asarray(expected), "w": np.ones(1)}


@pytest.mark.parametrize(("kind", "expected"), [("predict", [12.0, 12.0]), ("train_step", [1.0, 2.0])])
def test_each_phase_has_its_own_seconds(kind, expected):
    """Import, build, first and second call are timed apart, and converting the images is in none of them."""
    seconds = first_call.measure(sleepy, "graph", kind, problem(expected), "cuda")

    assert seconds == {
        "import_seconds": IMPORT,
        "build_seconds": BUILD,
        "first_call_seconds": FIRST,
        "second_call_seconds": SECOND,
    }


@pytest.mark.parametrize(("kind", "expected"), [("predict", [12.0, 13.0]), ("train_step", [1.0, 1.0])])
def test_a_wrong_answer_gets_no_time(kind, expected):
    """A network that answers something else than expected is not measured."""
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        first_call.measure(sleepy, "graph", kind, problem(expected), "cuda")


@pytest.fixture
def saved(tmp_path):
    """A real problem for predict, as a child reads it."""
    weights = lenet5.initial_weights(lenet5.Architecture(), seed=0)
    images = np.random.RandomState(0).standard_normal((2, 3, 32, 32)).astype(np.float32)
    expected = lenet5.implementation("numpy")(weights, mode="loops").predict(images)
    return first_call.save_problem(tmp_path / "problem.npz", weights, images, np.array([0, 1]), expected)


def test_a_child_measures(saved):
    """The command prints four times, all above zero."""
    seconds = fresh.figures("benchmarks.isolated.first_call", "numpy", "im2col", "predict", saved)
    assert list(seconds) == ["import_seconds", "build_seconds", "first_call_seconds", "second_call_seconds"]
    assert all(value > 0 for value in seconds.values())


def test_a_problem_travels_whole(saved):
    """What was saved is what a child loads."""
    with np.load(saved) as problem:
        assert problem["images"].shape == (2, 3, 32, 32)
        assert_array_equal(problem["fc3.bias"], lenet5.initial_weights(lenet5.Architecture(), seed=0)["fc3.bias"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("jax", "eager", "predict"), "exit 2: framework: 'jax' is not known; choose one of"),
        (("numpy", "turbo", "predict"), "exit 2: mode: 'turbo' is not known; choose one of"),
        (("numpy", "im2col", "train_step"), "exit 1: "),  # logits are no losses: a wrong answer
    ],
)
def test_a_childs_failure_is_one_line(saved, arguments, message):
    """A child that fails is never a number: its last words are in the error."""
    with pytest.raises(fresh.ChildFailed) as error:
        fresh.figures("benchmarks.isolated.first_call", *arguments, saved)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """module(source) -> the name of a module that a child can run."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)

    def write(source):
        (tmp_path / "some_child.py").write_text(source)
        return "some_child"

    return write


def test_no_compiled_code_is_inherited(module, monkeypatch, tmp_path):
    """Every child has an empty folder of its own for what TorchInductor keeps, and it is gone afterwards."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    name = module("import json, os; path = os.environ['TORCHINDUCTOR_CACHE_DIR']; print(json.dumps({path: os.listdir(path)}))")
    ((first, held),) = fresh.figures(name).items()
    ((second, _),) = fresh.figures(name).items()
    assert held == []
    assert len({first, second, str(tmp_path)}) == 3
    assert not os.path.exists(first)


@pytest.mark.parametrize("source", ["print('half', 3)", "print('[1]')", ""])
def test_only_an_object_is_a_figure(module, source):
    """Output that is no JSON object is refused."""
    with pytest.raises(fresh.ChildFailed, match="expected one JSON object"):
        fresh.figures(module(source))


def test_a_child_that_hangs(module):
    """A child has a time limit."""
    with pytest.raises(fresh.ChildFailed, match=r"not done after 0\.5 s"):
        fresh.figures(module("import time; time.sleep(60)"), timeout_seconds=0.5)


def test_a_child_that_dies(module):
    """A child that is killed without a word is an error that says so."""
    with pytest.raises(fresh.ChildFailed, match=r"exit -9: no word"):
        fresh.figures(module("import os; os.kill(os.getpid(), 9)"))
