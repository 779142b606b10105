"""The report's part on FLOPs, from cases small enough to check by hand."""

from __future__ import annotations

import pytest

from benchmarks.quantities import units
from benchmarks.report.parts import flops
from tests.support.runs import case, run_of, said


def call(seconds, batch, group="predict", framework="torch", mode="eager", forward=1_000_000, training=3_000_000):
    counts = {"flops_per_image": forward, "training_flops_per_image": training}
    return case(group, framework, mode, seconds, batch=batch, **counts)


SGEMM = (
    case("sgemm", "numpy", "sgemm 512", 2.0, least=1.0, flops=1e9),
    case("sgemm", "numpy", "sgemm 1024", 2.0, flops=8e9),
)


def test_speeds():
    """Images times FLOPs an image over seconds, forward and training alike; the first group that has a batch counts."""
    run = run_of(
        call(1e-3, 1),
        call(5e-3, 4, group="graphs predict"),
        call(9.0, 1, group="graphs predict"),
        call(6e-3, 64, group="train step"),
    )
    assert flops.speeds(run) == {("torch", "eager"): {1: pytest.approx(1e9), 4: pytest.approx(0.8e9)}}
    assert flops.speeds(run, flops.TRAINING) == {("torch", "eager"): {64: pytest.approx(32e9)}}


def test_the_roof():
    """The fastest round of the fastest size is the roof."""
    assert flops.sgemm_speed(run_of(*SGEMM)) == 4e9
    assert flops.sgemm_speed(run_of(SGEMM[0])) == 1e9
    assert flops.sgemm_speed(run_of(call(1.0, 1))) is None


def test_a_run_without_such_cases_has_no_such_section():
    """Nothing is said about what was not measured, or of which a file does not say how many FLOPs it takes."""
    assert flops.sections(run_of(case("train", "torch", "eager", 1.0))) == []
    assert flops.sections(run_of(call(1.0, 1, forward=None, training=None))) == []


def counted(mode, forward, differences, training, training_differences):
    closed = {"counter_unit": "FLOPs", "closed_form_per_image": 1000, "closed_form_training_per_image": 3000}
    found = {"counted_per_image": forward, "differences": differences}
    learnt = {"counted_training_per_image": training, "training_differences": training_differences}
    return case("flops", "torch", mode, 1.0, **closed, **found, **learnt)


def test_pages():
    """The whole Markdown of a small run: sums of named terms, speeds and shares."""
    run = run_of(
        counted("profiler", 1111, [["biases", 100], ["pooling", 11]], 3001, []), counted("exact", 1000, [], None, []),
        call(1e-3, 1), call(2.5e-2, 50),
        call(20.0, 1, framework="numpy", mode="loops"), call(3e-3, 2, group="train step"), *SGEMM,
    )  # fmt: skip
    assert said(flops, run) == (
        "## FLOPs: what counters see, and the closed form\n\n"
        "One image. The closed form is multiplications and additions of the five layers, FLOPs = 2 x MACs (multiply-accumulates), with no "
        "biases, activations, pooling or optimizer. Each counter stands beside the closed form in its own unit.\n\n"
        "| counter  | its unit | forward | closed form, forward | training step | closed form, training step |\n"
        "| -------- | -------- | ------: | -------------------: | ------------: | -------------------------: |\n"
        "| profiler | FLOPs    |   1,111 |                1,000 |         3,001 |                      3,000 |\n"
        "| exact    | FLOPs    |   1,000 |                1,000 |             — |                      3,000 |\n\n"
        "— the counter sees no training step\n\n"
        "profiler, forward: 1,111 = 1,000 + 100 (biases) + 11 (pooling).\n\n"
        "exact, forward: 1,000 = 1,000.\n\n"
        "profiler, training step: 3,001 = 3,000 + 1 (unexplained).\n\n"
        "## Speed reached, and its share of what the machine can\n\n"
        "The closed form's FLOPs divided by the median time. In brackets the share of 4.00 GFLOP/s: the speed of the fastest product of "
        "two square float32 matrices (sgemm) in this run, with as many threads.\n\n"
        "|             |       predict, batch 1 |     predict, batch 50 |   train step, batch 2 |\n"
        "| ----------- | ---------------------: | --------------------: | --------------------: |\n"
        "| torch eager |  1.00 GFLOP/s (25.0 %) | 2.00 GFLOP/s (50.0 %) | 2.00 GFLOP/s (50.0 %) |\n"
        "| numpy loops | 50.0 kFLOP/s (0.001 %) |                     — |                     — |\n\n"
        "— not in this run: left out, or not possible here\n\n"
        "FLOPs that the closed form does not count, such as those of Adam, take time all the same.\n\n"
    )


def test_why_there_is_no_speed():
    """A dash has the reason of the case that would have given the speed, and a counter without training says so."""
    why = {
        "benchmarks/test_cases.py::test_train_step[numpy-fused-batch64]": "no step by hand",
        "benchmarks/test_cases.py::test_graphs_predict[numpy-fused-batch4]": "no such batch",
    }
    run = run_of(
        counted("exact", 1000, [], None, []), call(1.0, 1), call(1.0, 4, group="graphs predict"), call(1.0, 64, group="train step"),
        call(1.0, 1, framework="numpy", mode="fused"), not_measured=why,
    )  # fmt: skip
    counts, speeds = flops.sections(run)
    assert counts.table.rows[0][4].reason == "the counter sees no training step"
    assert [cell.reason for cell in speeds.table.rows[1][2:]] == ["no such batch", "no step by hand"]


def test_a_share_needs_its_roof():
    """Without the machine's own speed there is a speed and no share, and the page says so."""
    page = said(flops, run_of(call(1e-3, 1)))
    assert "did not measure how fast the machine multiplies" in page
    assert "| torch eager |     1.00 GFLOP/s |" in page


@pytest.mark.parametrize(("seconds", "said_so"), [(1e-3, False), (0.2e-3, True)])
def test_more_than_the_machine_can(seconds, said_so):
    """A share above 100 % is shown, with what it says of the product that it is a share of."""
    page = said(flops, run_of(call(seconds, 1), *SGEMM))
    assert f"({'125.0' if said_so else '25.0'} %)" in page
    assert ("A share above 100 % says that the matrix product was measured too slow" in page) == said_so


def test_training_alone_has_its_speeds():
    """A run that only trained says how fast."""
    assert "train step, batch 64" in said(flops, run_of(call(1e-3, 64, group="train step")))


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.31e10, "13.1 GFLOP/s"), (2.03e11, "203 GFLOP/s"), (9.999e11, "1.00 TFLOP/s"), (5e7, "50.0 MFLOP/s"), (12.0, "12.0 FLOP/s")],
)
def test_flops_per_second(value, text):
    """A speed has three digits and a prefix."""
    assert units.flops_per_second(value) == text
