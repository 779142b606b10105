"""The report's part on FLOPs, from cases small enough to check by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.quantities import units
from benchmarks.report import markdown
from benchmarks.report.parts import flops
from benchmarks.saved.results import Case, Run


def case(group, seconds=1.0, framework="torch", mode="eager", least=None, **extra):
    stats = {"median": seconds, "min": seconds if least is None else least}
    return Case(group, f"{group}-{framework}-{mode}", stats, {"framework": framework, "mode": mode, **extra}, (seconds,))


def predict(seconds, batch, group="predict", **names):
    return case(group, seconds, batch=batch, flops_per_image=1_000_000, training_flops_per_image=3_000_000, **names)


def run_of(*cases):
    return Run((Path("run.json"),), cases, {}, {}, {}, "", "")


SGEMM = case("sgemm", 2.0, "numpy", "sgemm 512", least=1.0, flops=1e9), case("sgemm", 2.0, "numpy", "sgemm 1024", flops=8e9)


def test_speeds():
    """Images times FLOPs an image over seconds, forward and training alike; the first group that has a batch counts."""
    run = run_of(
        predict(1e-3, 1),
        predict(5e-3, 4, group="graphs predict"),
        predict(9.0, 1, group="graphs predict"),
        predict(6e-3, 64, group="train step"),
    )
    assert flops.speeds(run) == {("torch", "eager"): {1: pytest.approx(1e9), 4: pytest.approx(0.8e9)}}
    assert flops.speeds(run, flops.TRAINING) == {("torch", "eager"): {64: pytest.approx(32e9)}}


def test_the_roof():
    """The fastest round of the fastest size is the roof."""
    assert flops.sgemm_speed(run_of(*SGEMM)) == 4e9
    assert flops.sgemm_speed(run_of(SGEMM[0])) == 1e9
    assert flops.sgemm_speed(run_of(predict(1.0, 1))) is None


def test_a_run_without_such_cases_has_no_such_section():
    """Nothing is said about what was not measured."""
    assert flops.sections(run_of(case("train"))) == []


def test_pages():
    """The whole Markdown of a small run: sums of named terms, speeds and shares."""
    counted = {"counter_unit": "FLOPs", "closed_form_per_image": 1000, "closed_form_training_per_image": 3000}
    run = run_of(
        case("flops", mode="profiler", counted_per_image=1111, differences=[["biases", 100], ["pooling", 11]],
             counted_training_per_image=3001, training_differences=[], **counted),
        case("flops", mode="exact", counted_per_image=1000, differences=[], training_differences=[], **counted),
        predict(1e-3, 1), predict(2.5e-2, 50),
        predict(20.0, 1, framework="numpy", mode="loops"), predict(3e-3, 2, group="train step"), *SGEMM,
    )  # fmt: skip
    assert markdown.render(flops.sections(run)) == (
        "# FLOPs: four counters and the closed form\n\n"
        "One image. The closed form is multiplications and additions of the five layers, FLOPs = 2 x MACs, with no biases, "
        "activations, pooling or optimizer. Each counter stands beside the closed form in its own unit.\n\n"
        "| counter  | its unit | forward | closed form, forward | training step | closed form, training step |\n"
        "| -------- | -------: | ------: | -------------------: | ------------: | -------------------------: |\n"
        "| profiler |    FLOPs |   1,111 |                1,000 |         3,001 |                      3,000 |\n"
        "| exact    |    FLOPs |   1,000 |                1,000 |             — |                      3,000 |\n\n"
        "profiler, forward: 1,111 = 1,000 + 100 (biases) + 11 (pooling).\n\n"
        "exact, forward: 1,000 = 1,000.\n\n"
        "profiler, training step: 3,001 = 3,000 + 1 (unexplained).\n\n"
        "## Speed reached, and its share of what the machine can\n\n"
        "The closed form's FLOPs divided by the median time. In brackets the share of the 4.00 GFLOP/s that NumPy's BLAS reached in "
        "this run, with as many threads, in its fastest product of two square float32 matrices.\n\n"
        "|             |       predict, batch 1 |     predict, batch 50 |   train step, batch 2 |\n"
        "| ----------- | ---------------------: | --------------------: | --------------------: |\n"
        "| torch eager |  1.00 GFLOP/s (25.0 %) | 2.00 GFLOP/s (50.0 %) | 2.00 GFLOP/s (50.0 %) |\n"
        "| numpy loops | 50.0 kFLOP/s (0.001 %) |                     — |                     — |\n\n"
        "FLOPs that the closed form does not count, such as those of Adam, take time all the same.\n\n"
    )


def test_a_share_needs_its_roof():
    """Without the machine's own speed there is a speed and no share, and the page says so."""
    page = markdown.render(flops.sections(run_of(predict(1e-3, 1))))
    assert "did not measure how fast the machine multiplies" in page
    assert "| torch eager |     1.00 GFLOP/s |" in page


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.31e10, "13.1 GFLOP/s"), (2.03e11, "203 GFLOP/s"), (9.999e11, "1.00 TFLOP/s"), (5e7, "50.0 MFLOP/s"), (12.0, "12.0 FLOP/s")],
)
def test_flops_per_second(value, text):
    """A speed has three digits and a prefix."""
    assert units.flops_per_second(value) == text
