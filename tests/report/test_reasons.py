"""A dash says why there is no number, in the words of the cases that have none."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.report.reasons import NOT_IN_RUN, dash
from benchmarks.saved.results import Case, Run

MISSING = {
    "benchmarks/test_predict.py::test_predict[torch-compile-batch1]": "no compiler",
    "benchmarks/test_predict.py::test_predict[torch-compile-batch64]": "too long",
    "benchmarks/test_training.py::test_train_step[torch-compile]": "no step",
    "benchmarks/test_training.py::test_train[jax-jit]": "not installed",
    "benchmarks/test_predict.py::test_predict[torch-eager-channels_last-batch1]": "no room",
    "benchmarks/test_ladder.py::test_ladder_predict[batch64-loops-numpy]": "too slow",
}
MODES = {"torch": ["eager", "compile", "eager-channels_last"]}


def run_of(**lenet5):
    case = Case("predict", "benchmarks/test_predict.py::test_predict[torch-eager-batch1]", {}, {}, (1.0,))
    return Run((Path("run.json"),), (case,), {}, {"not_measured": MISSING, "modes": MODES, **lenet5}, {}, "", "")


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (("torch", "compile", 1, "predict"), "no compiler"),
        (("torch", "compile", 64, "predict"), "too long"),
        (("torch", "compile", 6, "predict"), NOT_IN_RUN),
        (("torch", "compile", None, "predict"), "no compiler; too long"),
        (("torch", "compile"), "no compiler; too long; no step"),
        (("torch", "comp"), NOT_IN_RUN),
        (("torch", "eager", 1, "predict"), NOT_IN_RUN),
        (("torch", "eager-channels_last", 1, "predict"), "no room"),
        (("numpy", "loops", 64), "too slow"),
        (("jax",), "not installed"),
        (("jax", "", None, "predict"), NOT_IN_RUN),
    ],
)
def test_reason(asked, why):
    """Only the cases of the same framework, mode, batch size and group are asked; without any the dash says that too."""
    assert dash(run_of(), *asked).reason == why


def test_out_of_reach():
    """Where the device is out of reach, that is the reason for everything."""
    assert dash(run_of(out_of_reach={"numpy": "no GPU by hand"}), "numpy", "fused", 1, "predict").reason == "no GPU by hand"


def test_what_only_predicts():
    """It has no training and nothing that is counted of one, and says so; a prediction that is not there has another reason."""
    run = run_of(trains={"engine": False, "torch": True})
    assert dash(run, "engine", group="train").reason == "engine only predicts"
    assert dash(run, "engine").reason == "engine only predicts"
    assert dash(run, "engine", "fast", 1, "predict").reason == NOT_IN_RUN
    assert dash(run, "numpy", "im2col", 1, "train").reason == NOT_IN_RUN
