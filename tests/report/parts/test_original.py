"""The original report's numbers in pairs, from cases small enough to check by hand."""

from __future__ import annotations

import pytest

from benchmarks.report import original_report
from benchmarks.report.original_pairs import PAIRS
from benchmarks.report.parts import comparison, original
from benchmarks.report.records import Dash
from benchmarks.report.text import whole
from benchmarks.saved.results import Case
from tests.support.runs import case, run_of


def redone(figure, seconds=1.0, framework="torch", **extra):
    return case("original", framework, "as the original", seconds, figure=figure, **extra)


COMPARED = case("predict", "torch", "eager", 1.0, batch=450, default_mode="eager")


def rows(*cases, **lenet5):
    """title -> what was printed, taken as the original did, honest."""
    first, *_ = original.sections(run_of(*cases, **lenet5))
    return {whole(title): [whole(cell) for cell in cells] for title, *cells, _ in first.table.rows}


def test_nothing_redone():
    """A run without the group has no such section; what the numbers really were is told where the comparison quotes them."""
    assert original.sections(run_of()) == []
    (only,) = original.sections(run_of(COMPARED))
    assert only.title == "What the original report's numbers really were"


def test_a_case_of_no_pair():
    """A case that says that it measures something else again is no row."""
    assert original.sections(run_of(redone("something"))) == []


def test_what_the_original_report_is():
    """It is introduced once: by the comparison, or here where there is none."""
    known = redone("tensorflow static training", honest_seconds=1.0)
    alone, compared = (original.sections(run_of(known, *more))[0] for more in ([], [COMPARED]))
    assert alone.before == [comparison.INTRODUCTION, *compared.before]


def test_one_case_can_answer_two_rows():
    """Seconds and FLOPs of PyTorch come from the same program."""
    found = rows(
        redone(
            "torch inference",
            0.05,
            honest_seconds=0.018,
            as_original_images=64,
            honest_images=450,
            as_original_flops=167_700_480,
            honest_flops=1_310_160,
            device="cpu",
        )
    )
    assert found == {
        "PyTorch inference, 450 images": ['"0.0022 s"', "50.0 ms (64 images, one cold call, cpu)", "18.0 ms (450 images, warm)"],
        "PyTorch FLOPs": [
            '"167.738624 MFLOPs"',
            "167,700,480 (a batch of 64, counted twice)",
            "1,310,160 (one image)",
        ],
    }


@pytest.mark.parametrize(
    ("known", "row"),
    [
        (
            redone("tensorflow static training", 0.5, honest_seconds=0.25),
            [
                "static graph training",
                '"5.5222 s"',
                "500 ms (one forward pass, tracing inside)",
                "250 ms (one epoch: losses, gradients, updates)",
            ],
        ),
        (
            redone("handcrafted inference", 8.0, honest_seconds=0.01, passes=10),
            [
                "handcrafted inference, 450 images",
                '"40.1202 s"',
                "8.00 s (10 passes by float64 loops, called one)",
                "10.0 ms (one pass by hand in the default mode)",
            ],
        ),
        (
            redone("pruning", as_original_zeros=0, honest_zeros=58_617, kernel_weights=65_130),
            [
                "pruned network",
                '"test accuracy 22.44 %"',
                "0 (zeros of 65,130 weights)",
                "58,617 (zeros of 65,130 weights)",
            ],
        ),
        (
            redone(
                "softmax twice",
                as_original_correct=45,
                honest_correct=405,
                as_original_last_loss_nats=2.98,
                honest_last_loss_nats=0.1,
                test_images=450,
            ),
            [
                "PyTorch accuracy",
                '"16.00 %"',
                "10.0 %, 2.98 nats (softmax twice)",
                "90.0 %, 0.100 nats (once)",
            ],
        ),
        (redone("softmax twice"), ["PyTorch accuracy", '"16.00 %"', "—", "—"]),  # a file that holds less shows less
    ],
    ids=lambda value: value.extra["figure"] if isinstance(value, Case) else "",
)
def test_row(known, row):
    """What was printed is quoted, both measurements say what is in them."""
    assert [whole(cell) for cell in original.sections(run_of(known))[0].table.rows[0][:4]] == row


@pytest.mark.parametrize("figure", sorted({pair.figure for pair in PAIRS}))
def test_a_case_need_hold_nothing_but_its_name(figure):
    """Every pair of which a file does not hold the values is a row of dashes with their reasons."""
    for row in original.sections(run_of(redone(figure)))[0].table.rows:
        needed = next(pair for pair in PAIRS if pair.title == whole(row[0])).needs
        assert needed
        assert next(cell.reason for cell in row if isinstance(cell, Dash)) == "this file does not hold it"
        assert all(cell.reason for cell in row if isinstance(cell, Dash))


def test_the_common_recipe_comes_from_the_cases_that_train():
    """The handcrafted recipe's twin is the same framework's accuracy, if the run has it, else the reason why it has not."""
    recipe = redone("handcrafted accuracy", framework="numpy", as_original_correct=9, test_images=450, epochs=30)
    trained = {"correct": 405, "test_images": 450}
    as_original = "2.0 % (sigmoid, plain gradient descent at 1e-3, 30 epochs)"
    assert rows(recipe) == {"handcrafted accuracy": ['"20.00 %"', as_original, "—"]}

    honest = "90.0 % [86.9, 92.4] (ReLU, Adam 1e-3, 30 epochs)"
    found = rows(recipe, case("train", "numpy", "fused", 1.0, epochs=30, **trained))
    assert found == {"handcrafted accuracy": ['"20.00 %"', as_original, honest]}
    found = rows(recipe, case("train", "numpy", "fused", 1.0, **trained))
    assert found["handcrafted accuracy"][-1] == "90.0 % [86.9, 92.4] (ReLU, Adam 1e-3)"

    why = {"benchmarks/test_training.py::test_accuracy[numpy-fused]": "ended early"}
    assert original.sections(run_of(recipe, not_measured=why))[0].table.rows[0][3].reason == "ended early"


def test_every_row_teaches_and_what_is_missing_is_named():
    """One or two sentences a row; the numbers of the original report that have no case in this run are listed."""
    section, _ = original.sections(run_of(redone("pruning", as_original_zeros=0, honest_zeros=1, kernel_weights=2)))
    assert all(whole(row[-1]).endswith(".") for row in section.table.rows)
    assert section.after[0].startswith("Not in this run: TensorFlow inference, 450 images; static graph")
    assert "pruned network" not in section.after[0]


def test_every_truth_is_told_once():
    """What a pair shows is not said again below; everything else is, and each name of a figure is one that a pair has."""
    shown = {truth.shown_by for truth in original_report.REALLY} - {""}
    assert shown <= {pair.figure for pair in PAIRS}

    def told(*cases):
        section = original.sections(run_of(*cases))[-1]
        return section.title, [whole(figure) for figure, _ in section.table.rows]

    assert told(COMPARED) == ("What the original report's numbers really were", [truth.figure for truth in original_report.REALLY])
    title, figures = told(redone("torch inference"))
    assert title == "What the original report's other numbers really were"
    assert [truth.figure for truth in original_report.REALLY if truth.figure not in figures] == [
        "inference time, PyTorch",
        "FLOPs, PyTorch",
    ]
