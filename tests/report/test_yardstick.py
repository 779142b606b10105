"""Two trained networks are held against the network by hand that was trained again from weights one last digit away."""

from __future__ import annotations

import pytest

from benchmarks.report import markdown, report, yardstick
from tests.report.test_headline import case, run_of


def trained(framework, *losses):
    curves = {"validation_accuracy": [0.5] * len(losses), "validation_loss_nats": None, "epoch_seconds": None}
    extra = {
        "correct": 1,
        "test_images": 2,
        "test_predictions": [0, 1],
        "test_labels": None,
        "epochs": len(losses),
        "train_loss_nats": [*losses],
    }
    return case(framework, "eager", 1.0, group="train", **extra, **curves)


def measured(again=(0.0, 0.0), moved=((0.0, 1e-3), (0.002, 0.001))):
    gaps = {"again_gaps_nats": [*again], "last_digit_gaps_nats": [[*one] for one in moved]}
    return case("numpy", "fused", 1.0, group="last digit", epochs=2, **gaps)


TRAINED = [trained("numpy", 3.0, 2.0, 1.0), trained("torch", 3.0, 2.0, 0.5), trained("jax", 3.0005, 2.0, 1.0)]


@pytest.mark.parametrize(
    ("moved", "within", "beyond"),
    [
        ([(0.0, 1e-3), (0.002, 0.001)], "numpy and torch (0.0e+00), numpy and jax (5.0e-04), torch and jax (5.0e-04)", ""),
        ([(0.0, 1e-5)], "numpy and torch (0.0e+00)", "numpy and jax (5.0e-04), torch and jax (5.0e-04)"),
        ([(1e-5, 0.0), (0.0, 6e-4)], "numpy and torch (0.0e+00), numpy and jax (5.0e-04), torch and jax (5.0e-04)", ""),
    ],
)
def test_within_and_beyond(moved, within, beyond):
    """By the largest distance of any draw, in the epochs that the yardstick has: what comes later is not compared."""
    found = yardstick.sentences(run_of(measured(moved=moved), *TRAINED), TRAINED)
    expected = [f"No further apart than that in the first 2 epochs: {within}. Rounding alone can make such a difference."]
    if beyond:
        expected.append(
            f"**Further apart than that** in the first 2 epochs: {beyond}. The last digit alone did not make such a difference."
        )
    assert found[1:] == expected


def test_what_it_is():
    """The same network twice, and each draw, from the nearest to the furthest."""
    first, *_ = yardstick.sentences(run_of(measured(), *TRAINED), TRAINED)
    assert first == (
        "The yardstick is the network by hand (numpy fused) against itself, in the first 2 epochs. Trained twice from the same weights, "
        "its training losses are 0.0e+00 nats apart at most. Trained from weights that differ in the last digit of each, 2 times: "
        "1.0e-03, 2.0e-03."
    )


def test_one_epoch():
    """A run of one epoch compares that."""
    first, second = yardstick.sentences(run_of(measured((0.0,), ((1e-3,),)), *TRAINED), TRAINED)
    assert "in the first epoch. Trained twice" in first
    assert second.startswith("No further apart than that in the first epoch: numpy and torch")


def test_in_the_report():
    """It stands below the distances; a run without it, such as one that was saved before, says what it said."""
    with_it, without = (markdown.render(report.of(run_of(*more, *TRAINED))) for more in ([measured()], []))
    assert "jax: training loss 5.0e-04 nats apart in the first epoch" in with_it
    assert "\nThe yardstick is the network by hand" in with_it
    assert yardstick.WITHOUT not in with_it
    assert f"\n{yardstick.WITHOUT}\n" in without
    assert "yardstick" not in without
