"""How much memory each framework takes in its default mode: importing, building, predicting, training, and over one epoch.

The time of a case is that of its child, from start to end; what counts is what the child found.
"""

# mypy: allow-untyped-defs
# pytest passes fixtures by name; their types stand where they are defined.

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.arrange.measuring import SEED, first_images
from benchmarks.isolated import first_call, fresh, memory
from lenet5 import cost, training

pytestmark = [pytest.mark.heavy, pytest.mark.default_mode]

BATCHES = pytest.mark.parametrize("batch", [1, 64, 450], ids="batch{}".format)


CHECKED = 4
"""Steps of an epoch that are checked: by then the oracle has taken its time, and the order of the batches is beyond doubt."""


@pytest.fixture(scope="session", autouse=True)
def _measurable():
    reason = memory.why_not()
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def losses_of(oracle, weights):
    """losses_of(*batches) -> the oracle's losses of one step from each of these batches of images and labels, in turn."""

    def losses(*batches):
        oracle.load(weights)
        found = [oracle.train_step(oracle.tensor(images), oracle.tensor(labels)) for images, labels in batches]
        oracle.load(weights)
        return found

    return losses


@pytest.fixture
def measured(benchmark, build, framework, mode, device, weights, record, tmp_path):
    """measured(kind, batch, images, labels, expected): run the child and keep its figures on the case."""

    def measure(kind, batch, images, labels, expected):
        build(weights)  # a skip where the framework is not installed or cannot reach the device
        path = first_call.save_problem(tmp_path / "problem.npz", weights, images, labels, expected)

        figures = benchmark.pedantic(
            fresh.figures, ("benchmarks.isolated.memory", framework, mode, kind, path, f"--device={device}")
        )
        record(
            batch=batch,
            kind=kind,
            gradient_bytes=cost.gradient_bytes(weights),
            optimizer_state_bytes=cost.optimizer_state_bytes(weights, "adam"),
            **figures,
        )

    return measure


@pytest.fixture
def pair(dataset, batch):
    """The first images of the test split, and their labels."""
    return first_images(dataset, batch), dataset.test.labels.take(range(batch), mode="wrap")


@BATCHES
@pytest.mark.benchmark(group="space predict")
def test_space_predict(measured, pair, expected_logits, batch):
    """The peak of predicting one batch, above what the process holds once warm."""
    measured("predict", batch, *pair, expected_logits(batch))


@BATCHES
@pytest.mark.benchmark(group="space train step")
def test_space_train_step(measured, pair, losses_of, batch):
    """The peak of one update from one batch, above what the process holds once warm."""
    measured("train_step", batch, *pair, losses_of(pair, pair))


@pytest.mark.benchmark(group="space epoch")
def test_space_epoch(measured, dataset, losses_of):
    """Resident memory over the first epoch of a training: its batches, in its order, already converted."""
    images, labels = dataset.train.images, dataset.train.labels
    batches = list(training.batches(len(labels), training.BATCH, SEED))
    rows = np.concatenate(batches)

    expected = losses_of(*((images[batch], labels[batch]) for batch in batches[:CHECKED]))
    measured("epoch", training.BATCH, images[rows], labels[rows], expected)
