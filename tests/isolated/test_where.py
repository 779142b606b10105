"""The programs that say where the time of a prediction goes: parts sum to the whole, and what does not describe the call gets no number."""

from __future__ import annotations

import importlib
import json

import pytest

import lenet5
from benchmarks.arrange import problem, tools
from benchmarks.isolated import where
from benchmarks.isolated.where import BETWEEN, KINDS, NotToBeTold, Profile, Span, attributed, check, kind_by, told
from tests.support.by_hand import FAST, FRAMEWORK
from tests.support.networks import problem as random_problem

PROFILED = [(tool, mode) for tool in tools.found("benchmarks.isolated", "where_") for mode in tool.kinds]
CALL = Span("call", 10.0, 20.0)


@pytest.mark.parametrize(
    ("kernels", "parts"),
    [
        ([], {BETWEEN: 10}),
        ([Span("a", 11, 13)], {"a": 2, BETWEEN: 8}),
        ([Span("a", 5, 13), Span("a", 18, 30)], {"a": 5, BETWEEN: 5}),  # what began before or ends after the call
        ([Span("a", 1, 10), Span("b", 20, 22)], {BETWEEN: 10}),
        ([Span("outer", 11, 17), Span("inner", 12, 14)], {"outer": 4, "inner": 2, BETWEEN: 4}),
        ([Span("inner", 12, 14), Span("outer", 12, 17)], {"outer": 3, "inner": 2, BETWEEN: 5}),  # both begin at once
        ([Span("a", 10, 16, 1), Span("b", 14, 20, 2)], {"a": 5, "b": 5}),  # two threads at a time share the moment
        ([Span("a", 10, 20, 1), Span("a", 10, 20, 2)], {"a": 10}),
        ([Span("outer", 10, 20, 1), Span("inner", 10, 20, 1), Span("b", 10, 20, 2)], {"inner": 5, "b": 5}),
    ],
)
def test_every_moment_belongs_to_a_part(kernels, parts):
    """To the innermost kernel of each thread that runs one, else to what is between: together they are the call."""
    found = attributed(CALL, kernels)
    assert {name: seconds for name, seconds in found.items() if seconds} == parts
    assert sum(found.values()) == pytest.approx(10)


def test_the_median_call():
    """The parts are those of one call, the median one, the longest first; each has its kind."""
    calls = [Span("call", start, start + length) for start, length in ((0, 9), (10, 3), (20, 5))]
    kernels = [Span("conv x", 0, 9), Span("conv x", 10, 13), Span("conv x", 21, 23.5), Span("y", 23.5, 24)]
    found = told(Profile(calls, kernels), kind_by({"conv": "convolution"}))
    assert found == {
        "whole_seconds": [9, 3, 5],
        "parts": [("conv x", ["convolution", 2.5]), (BETWEEN, ["between", 2]), ("y", ["other", 0.5])],
    }


def test_no_call():
    """A profiler that saw none has failed."""
    with pytest.raises(ValueError, match="the profiler saw no call"):
        told(Profile([], [Span("a", 0, 1)]), kind_by({}))


def test_bounds():
    """A profiler that did not see every call, and one that makes another call of it."""
    check([1.0, 9.0], [1.4, 2.0, 9.0], 3)
    for seen in (2, 4):
        with pytest.raises(NotToBeTold, match=f"the profiler saw {seen} of 3 calls"):
            check([1.0], [1.0] * seen, 3)
    with pytest.raises(NotToBeTold, match=r"a call takes 1\.60 times as long under the profiler; expected at most 1\.5"):
        check([1.0, 5.0], [1.6, 1.7], 2)


def profiled(tool, mode, tmp_path, capsys, error=0.0):
    """What a program prints about 12 images."""
    if reason := tool.missing():
        pytest.skip(reason)
    weights, images, labels = random_problem(batch=12)
    framework, loops = lenet5.reference()
    expected = lenet5.implementation(framework)(weights, mode=loops).predict(images) + error
    path = problem.save(tmp_path / "problem.npz", weights, images, labels, expected)
    module = importlib.import_module(tool.module)
    assert where.main(tool.framework, module.profile, kind_by(module.KIND), [mode, str(path), "--seconds", "0.01"]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.parametrize(
    "one",
    [
        pytest.param((tool, mode), id=f"{tool.framework}-{mode}", marks=[] if tool.framework == FRAMEWORK else [pytest.mark.slow])
        for tool, mode in PROFILED
    ],
)
def test_every_profiler(one, tmp_path, capsys, monkeypatch):
    """Each sees the calls, both convolutions, and kinds that the report knows; the parts sum to the median call."""
    monkeypatch.setattr(where, "MOST_SLOWED", 1e9)  # other programs are busy while tests run

    found = profiled(*one, tmp_path, capsys)

    assert len(found["whole_seconds"]) >= where.FEWEST_ROUNDS
    kinds = {kind for _, (kind, _) in found["parts"]}
    assert {"convolution", "between"} <= kinds <= set(KINDS)
    assert sum(seconds for _, (_, seconds) in found["parts"]) == pytest.approx(
        sorted(found["whole_seconds"])[len(found["whole_seconds"]) // 2]
    )


def test_no_number(tmp_path, capsys, monkeypatch):
    """A profiler that slows calls too much is no failure: the program says why there is no number, which is the case's reason to be skipped."""
    monkeypatch.setattr(where, "MOST_SLOWED", 1e-9)
    ((tool, mode),) = [(tool, mode) for tool, mode in PROFILED if (tool.framework, mode) == (FRAMEWORK, FAST)]
    found = profiled(tool, mode, tmp_path, capsys)
    assert found.keys() == {"no_number"}
    assert found["no_number"].endswith(" times as long under the profiler; expected at most 1e-09")


def test_a_wrong_answer(tmp_path, capsys):
    """No time is told of it."""
    ((tool, mode),) = [(tool, mode) for tool, mode in PROFILED if (tool.framework, mode) == (FRAMEWORK, FAST)]
    with pytest.raises(AssertionError, match="Mismatched elements"):
        profiled(tool, mode, tmp_path, capsys, error=1e-3)
