"""What each framework's file tells of the work that is done in fact, against the definition; where nothing is known it says why."""

from __future__ import annotations

import pytest

import lenet5
from benchmarks.arrange import executed
from lenet5 import cost
from tests.support.by_hand import FAST, FRAMEWORK, PLAIN
from tests.support.networks import problem

TELLING = {f"{tool.framework}-{mode}": (tool, mode) for tool in executed.found() for mode in tool.kinds}

MANY = 12
"""Images that two threads take for many, each its half."""


@pytest.fixture(autouse=True)
def _two_threads(monkeypatch):
    """However many CPUs there are: a network by hand reads it when it is built.  Others read it when they are imported, and so have been before."""
    for tool, _ in TELLING.values():
        if not tool.missing():
            lenet5.implementation(tool.framework)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")


def told(name, batch):
    """What a mode does with that many images, or a skip where its framework is not installed."""
    tool, mode = TELLING[name]
    if reason := tool.missing():
        pytest.skip(reason)
    lenet5.implementation(tool.framework)
    weights, images, _ = problem(batch=batch)
    return weights, executed.predicting(tool, mode, weights, images)


@pytest.mark.parametrize("name", TELLING)
def test_not_less_than_the_definition(name):
    """Where multiplications are known, they are those of the definition and at most twice as many; where something is not, there is a reason."""
    weights, found = told(name, MANY)
    if found.macs is not None:
        assert MANY * cost.forward_macs(weights) <= found.macs <= 2 * MANY * cost.forward_macs(weights)
    assert bool(found.unknown) == (None in (found.macs, found.copied_bytes))
    assert found.calls >= 8  # two convolutions, two poolings, three dense layers, and something before or after them


@pytest.mark.parametrize("name", TELLING)
def test_twice_the_images(name):
    """Twice as many multiplications, and as many calls."""
    (_, few), (_, many) = told(name, MANY), told(name, 2 * MANY)
    assert many.macs == (None if few.macs is None else 2 * few.macs)
    assert many.calls == few.calls


def test_by_hand():
    """The definition's by im2col; a fifth more in the strips' convolutions, and the biases of the dense layers."""
    assert told(f"{FRAMEWORK}-{PLAIN}", MANY)[1].macs == MANY * 655_080
    assert told(f"{FRAMEWORK}-{FAST}", MANY)[1].macs == MANY * (423_360 + 288_000 + 120 * 401 + 84 * 121 + 50 * 85)


def test_files_tell_of_modes_that_there_are():
    """Each of them names a framework and its modes."""
    assert all(mode in lenet5.modes(tool.framework) for tool, mode in TELLING.values())
