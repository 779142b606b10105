"""The title says "at equal accuracy" where the run shows it, by initial weights or by its own trainings, and nowhere else."""

from __future__ import annotations

import pytest
from numpy.testing import assert_allclose

from benchmarks.quantities.statistics import paired_difference
from benchmarks.report import equal_accuracy, headline, report
from benchmarks.report.parts import initial_weights
from benchmarks.report.records import Quantity
from tests.report.test_headline import case, run_of

IMAGES = 400
TIMES = [case("numpy", "fused", 1e-3), case("torch", "eager", 2e-3)]
FASTEST, EQUAL = "LeNet-5: which framework is fastest?", "LeNet-5: which framework is fastest, at equal accuracy?"


def trained(framework, correct, changed=0, labels=None):
    """One training, whose predictions are class 0 but for some images."""
    predictions = [1] * changed + [0] * (IMAGES - changed)
    curves = {"train_loss_nats": [1.0], "validation_accuracy": [0.5], "validation_loss_nats": None, "epoch_seconds": None}
    extra = {"correct": correct, "test_images": IMAGES, "test_predictions": predictions, "test_labels": labels, "epochs": 1}
    return case(framework, "eager", 1.0, group="train", **extra, **curves)


def from_many(framework, *correct, seeds=None):
    """Trainings from some initial weights."""
    extra = {"test_images": IMAGES, "epochs": 30, "correct_by_seed": [*correct], "last_loss_nats_by_seed": [0.5] * len(correct)}
    return case(framework, "eager", 1.0, group="initial weights", seeds=seeds or [*range(len(correct))], **extra)


def title_of(*cases):
    run = run_of(*cases)
    return headline.title(run, headline.answers(run))


NEAR = [from_many("numpy", 380, 390, 384, 388), from_many("torch", 381, 389, 384, 388)]
FAR = [from_many("numpy", 380, 390, 384, 388), from_many("torch", 370, 380, 374, 378)]
LOOSE = [from_many("numpy", 380, 390, 384, 388), from_many("torch", 390, 380, 394, 378)]


@pytest.mark.parametrize(
    ("cases", "title"),
    [
        ([], FASTEST),
        ([trained("numpy", 380), trained("torch", 380)], EQUAL),
        ([trained("numpy", 380), trained("torch", 379, changed=2)], EQUAL),
        ([trained("numpy", 380), trained("torch", 380, changed=20)], FASTEST),  # every interval of the accuracies overlaps
        ([trained("numpy", 380), trained("torch", 370, changed=10)], FASTEST),
        ([trained("numpy", 380)], FASTEST),
        (NEAR, EQUAL),
        (FAR, FASTEST),
        (LOOSE, FASTEST),  # equal on average, but not shown
        ([*NEAR, trained("numpy", 380), trained("torch", 200, changed=200)], EQUAL),  # one training decides nothing beside many
        ([*LOOSE, trained("numpy", 380), trained("torch", 380)], FASTEST),
        ([NEAR[0], from_many("jax", 380, 390, 384, 388)], FASTEST),  # torch was timed and not trained
        ([NEAR[0], from_many("torch", 381, 389, seeds=[7, 8])], FASTEST),  # nothing that pairs
    ],
)
def test_title(cases, title):
    """It needs evidence for all frameworks that are compared."""
    assert title_of(*TIMES, *cases) == title


@pytest.mark.parametrize("odd", [None, "numpy", "torch", "jax"])
def test_three_frameworks_are_three_pairs(odd):
    """One framework that is not shown to be equal to the others is enough for no title."""
    alike = [trained(name, 380, changed=20 * (name == odd)) for name in ("numpy", "torch", "jax")]
    assert title_of(*TIMES, case("jax", "jit", 3e-3), *alike) == (FASTEST if odd else EQUAL)


def test_nothing_compared():
    """Where one framework stands alone nothing is shown to be equal."""
    run = run_of(TIMES[0], trained("numpy", 380), trained("torch", 380))
    assert not equal_accuracy.shown(run, headline.answers(run))


def test_only_many():
    """A run of the group alone asks its own question, and answers it."""
    found = report.of(run_of(*NEAR))
    assert found.title == "LeNet-5: are the frameworks equally accurate?"
    assert found.summary == [
        "**Equally accurate within 1 point**: differences paired by 4 initial weights, each 90% interval within it."
    ]


def test_in_one_sentence():
    """Which pairs are not shown to be equal, and by which evidence; nothing where nothing was trained."""
    assert equal_accuracy.sentences(run_of(*TIMES)) == []
    assert equal_accuracy.sentences(run_of(*FAR)) == [
        "Not shown to be equally accurate within 1 point: numpy and torch (differences paired by 4 initial weights, 90% intervals)."
    ]
    assert equal_accuracy.sentences(run_of(trained("numpy", 380), trained("torch", 380))) == [
        "**Equally accurate within 1 point**: one training of each, differences paired by test images, each 90% interval within it."
    ]


def test_the_margin_in_words():
    """What the text calls one point is what decides."""
    assert f"{100 * equal_accuracy.MARGIN:g} point" == equal_accuracy.POINT


def test_by_images_the_widest_that_fits():
    """Ten images on which two networks differ, four more right: at most seven against three, and Bonett and Price's interval of that."""
    (found,) = equal_accuracy.by_images(run_of(trained("numpy", 384), trained("torch", 380, changed=10)))
    error = ((8 + 4) / (IMAGES + 2) - ((8 - 4) / (IMAGES + 2)) ** 2) ** 0.5 / (IMAGES + 2) ** 0.5
    half = 1.6448536269514722 * error
    assert_allclose(found.found[:3], [4 / IMAGES, 4 / (IMAGES + 2) - half, 4 / (IMAGES + 2) + half], rtol=1e-9)


def test_by_images_one_by_one():
    """Where a file has the labels: of ten images on which two networks differ, eight that both get wrong count for neither."""
    labels = [1, 0] + [2] * 8 + [0] * 390
    (known,), (unknown,) = (
        equal_accuracy.by_images(run_of(trained("numpy", 391, 0, said), trained("torch", 391, 10, said))) for said in (labels, None)
    )
    assert_allclose(known.found[:3], paired_difference(1, 1, IMAGES, 0.9))
    assert_allclose(unknown.found[:3], paired_difference(5, 5, IMAGES, 0.9))
    assert (known.found.shown, unknown.found.shown) == (True, False)
    labels[1] = 1
    (other,) = equal_accuracy.by_images(run_of(trained("numpy", 390, 0, labels), trained("torch", 392, 10, labels)))
    assert_allclose(other.found[:3], paired_difference(0, 2, IMAGES, 0.9))


def test_sections():
    """Mean, ends and spread of each framework, and each pair with its interval and its verdict."""
    spread, pairs = initial_weights.sections(run_of(*NEAR))
    name, accuracy, deviation, loss = spread.table.rows[0]
    assert name.text == "numpy eager"
    assert_allclose([accuracy.value, *accuracy.interval], [385.5 / IMAGES, 380 / IMAGES, 390 / IMAGES])
    assert_allclose(deviation.value, 4.434712 / IMAGES, rtol=1e-6)
    assert loss == Quantity(0.5, loss.unit, (0.5, 0.5))
    ((label, difference, verdict),) = pairs.table.rows
    assert (label.text, verdict.text) == ("numpy and torch", "yes")
    half = 2.353363434802 * (2 / 3) ** 0.5 / 2  # Student's t of 3 degrees, one side 5 %, times the standard error of -1, 1, 0, 0
    assert_allclose([difference.value, *difference.interval], [0, -half / IMAGES, half / IMAGES], rtol=1e-9, atol=1e-15)
    assert initial_weights.sections(run_of(*FAR))[1].table.rows[0][2].text == "not shown"
    assert initial_weights.sections(run_of(*TIMES)) == []


def test_epochs_are_a_fact():
    """The first line says how many epochs the trainings had."""
    assert "30 epochs" in headline.facts(run_of(*NEAR, epochs=30))
