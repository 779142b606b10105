"""The seed's figures in pairs, from cases small enough to check by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.report import original_report
from benchmarks.report.parts import original
from benchmarks.saved.results import Case, Run


def case(figure, seconds=1.0, group=original.GROUP, framework="torch", **extra):
    known = {"framework": framework, "mode": "as the seed", "figure": figure, **extra}
    return Case(group, figure, {"median": seconds}, known, (seconds,))


def run_of(*cases):
    return Run((Path("run.json"),), cases, {}, {}, {}, "", "")


def rows(*cases):
    """title -> what was printed, as the seed did, honest."""
    return {title: cells for title, *cells, _ in original._pairs(run_of(*cases)).table.rows}


def test_nothing_redone():
    """A run without the group has no section."""
    assert original._pairs(run_of()) is None


def test_one_case_can_answer_two_figures():
    """Seconds and FLOPs of PyTorch come from the same child."""
    found = rows(
        case(
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
            case("tensorflow static training", 0.5, honest_seconds=0.25),
            [
                "static graph training",
                '"5.5222 s"',
                "500 ms (one forward pass, tracing inside)",
                "250 ms (one epoch: losses, gradients, updates)",
            ],
        ),
        (
            case("handcrafted inference", 8.0, honest_seconds=0.01, passes=10),
            [
                "handcrafted inference, 450 images",
                '"40.1202 s"',
                "8.00 s (10 passes by float64 loops, called one)",
                "10.0 ms (one pass, NumPy's default mode)",
            ],
        ),
        (
            case("pruning", as_original_zeros=0, honest_zeros=58_617, kernel_weights=65_130),
            [
                "pruned network",
                '"test accuracy 22.44 %"',
                "0 of 65,130 weights are zero",
                "58,617 of 65,130 weights are zero",
            ],
        ),
        (
            case(
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
                "10.0 %, loss 2.98 nats (softmax twice)",
                "90.0 %, loss 0.100 nats (once)",
            ],
        ),
        (case("softmax twice"), ["PyTorch accuracy", '"16.00 %"', "—", "—"]),  # a file that holds less shows less
    ],
    ids=lambda value: value.name if isinstance(value, Case) else "",
)
def test_row(known, row):
    """What was printed is quoted, both measurements say what is in them."""
    assert original._pairs(run_of(known)).table.rows[0][:4] == row


def test_the_common_recipe_comes_from_the_cases_that_train():
    """The handcrafted recipe's twin is the same framework's accuracy, if the run has it."""
    redone = case("handcrafted accuracy", framework="numpy", as_original_correct=9, test_images=450, epochs=30)
    trained = case("", group="train", framework="numpy", correct=405, test_images=450, epochs=30)
    as_seed = "2.0 % (sigmoid, plain gradient descent at 1e-3, 30 epochs)"
    assert rows(redone) == {"handcrafted accuracy": ['"20.00 %"', as_seed, "—"]}
    assert rows(redone, trained) == {"handcrafted accuracy": ['"20.00 %"', as_seed, "90.0 % (ReLU, Adam 1e-3, 30 epochs)"]}


def test_every_row_teaches_and_what_is_missing_is_named():
    """One or two sentences a row; the figures of the seed that have no case in this run are listed."""
    section = original._pairs(run_of(case("pruning", as_original_zeros=0, honest_zeros=1, kernel_weights=2)))
    assert all(row[-1].endswith(".") for row in section.table.rows)
    assert section.after[0].startswith("Not in this run: TensorFlow inference, 450 images, static graph")
    assert "pruned network" not in section.after[0]


def test_every_truth_is_told_once():
    """What a pair shows is not said again below; everything else is, and each name of a figure is one that a pair has."""
    shown = {truth.shown_by for truth in original_report.REALLY} - {""}
    assert shown <= {pair.figure for pair in original.PAIRS}

    def told(*cases):
        section = original._other_figures(run_of(*cases))
        return section.title, [figure for figure, _ in section.table.rows]

    assert told() == ("What the seed's figures really were", [truth.figure for truth in original_report.REALLY])
    title, figures = told(case("torch inference"))
    assert title == "What the seed's other figures really were"
    assert [truth.figure for truth in original_report.REALLY if truth.figure not in figures] == [
        "inference time, PyTorch",
        "FLOPs, PyTorch",
    ]
