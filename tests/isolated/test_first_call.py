"""What a first call costs, measured on a network whose times are known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.arrange import clock
from benchmarks.isolated import first_call
from lenet5.errors import NotHonoured

IMPORT, BUILD, FIRST, SECOND, CONVERT = 1.0, 2.0, 4.0, 8.0, 16.0
"""Seconds, each twice the one before: any sum or mix-up of two shows."""


class Clock:
    """A clock that moves only in wait(): on a busy machine a real clock would move by more than what is known."""

    now = 0.0

    def wait(self, seconds):
        self.now += seconds


CLOCK = Clock()


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    monkeypatch.setattr(clock, "time", SimpleNamespace(perf_counter=lambda: CLOCK.now))


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
    return {"images": np.ones((2, 3, 2, 2), np.float32), "labels": np.arange(2), "expected": np.asarray(expected), "w": np.ones(1)}


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


@pytest.mark.parametrize(("kind", "expected"), [("predict", [12.0, 12.0]), ("train_step", [1.0, 2.0])])
def test_a_mode_that_was_not_honoured_gets_no_time(kind, expected):
    """A network whose calls ran in another way than its mode's name says is not measured, although its answers are right."""

    class Eager(SleepyNetwork):
        def check_mode(self):
            assert self.calls
            raise NotHonoured("it ran eagerly")

    with pytest.raises(NotHonoured, match=r"^it ran eagerly$"):
        first_call.measure(lambda: Eager, "graph", kind, problem(expected), "cuda")


def test_another_type_gets_no_time():
    """Logits that are not float32 are not measured."""
    double = problem([12.0, 12.0]) | {"images": np.ones((2, 3, 2, 2), np.float64)}
    with pytest.raises(NotHonoured, match=r"^graph: logits: float64; every network is measured in float32$"):
        first_call.measure(sleepy, "graph", "predict", double, "cuda")
