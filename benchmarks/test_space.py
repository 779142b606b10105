"""How much memory each framework takes in its default mode: importing, building, predicting, training, and over one epoch.

The time of a case is that of the program that it runs, from start to end; its results are the bytes that the program prints.
"""

# mypy: allow-untyped-defs
# pytest passes fixtures by name; their types stand where they are defined.

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.arrange import problem
from benchmarks.arrange.problem import SEED, different, first_images, first_labels, training_batch
from benchmarks.isolated import memory, program
from lenet5 import cost, training

pytestmark = pytest.mark.default_mode

BATCHES = pytest.mark.parametrize(
    "batch",
    [
        *(pytest.param(batch, id=f"batch{batch}", marks=[pytest.mark.heavy] * (batch != training.BATCH)) for batch in (1, 64, 450)),
        pytest.param(4096, id="batch4096", marks=[pytest.mark.heavy, pytest.mark.gpu]),
    ],
)
"""The batch that networks train on in the short run; the others with --heavy."""

CHECKED_STEPS = 4
"""Steps of an epoch that are checked: enough to prove the order of the batches, and few, as each takes the reference long."""


@pytest.fixture(scope="session", autouse=True)
def _measurable():
    reason = memory.why_not()
    if reason:
        pytest.skip(reason)


@pytest.fixture
def reachable(build, weights):
    """A skip where the framework is not installed or cannot reach the device, before the reference is asked."""
    build(weights)


@pytest.fixture
def measured(reachable, benchmark, framework, mode, device, weights, record, subject, tmp_path):
    """measured(kind, batch, images, labels, expected): run the program and record what it prints."""

    def measure(kind, batch, images, labels, expected):
        path = problem.save(tmp_path / "problem.npz", weights, images, labels, expected)

        found = benchmark.pedantic(program.call, ("benchmarks.isolated.memory", framework, mode, kind, path, f"--device={device}"))
        record(
            **subject,
            batch=batch,
            kind=kind,
            gradient_bytes=cost.gradient_bytes(weights),
            optimizer_state_bytes=cost.optimizer_state_bytes(weights, "adam"),
            **found,
        )

    return measure


@BATCHES
@pytest.mark.benchmark(group="space predict")
def test_space_predict(measured, dataset, expected_logits, batch):
    """The peak of predicting one batch, above what the process holds once warm."""
    measured("predict", batch, first_images(dataset, batch), first_labels(dataset, batch), expected_logits(batch))


@BATCHES
@pytest.mark.trains
@pytest.mark.benchmark(group="space train step")
def test_space_train_step(measured, dataset, losses_of, batch):
    """The peak of one update from one batch, above what the process holds once warm."""
    few = training_batch(dataset, different(batch))
    measured("train_step", batch, *training_batch(dataset, batch), losses_of(few, few))


@pytest.mark.heavy
@pytest.mark.trains
@pytest.mark.benchmark(group="space epoch")
def test_space_epoch(measured, dataset, losses_of):
    """Resident memory over the first epoch of a training: its batches, in its order, already converted."""
    images, labels = dataset.train.images, dataset.train.labels
    batches = list(training.batches(len(labels), training.BATCH, SEED))
    rows = np.concatenate(batches)

    expected = losses_of(*((images[batch], labels[batch]) for batch in batches[:CHECKED_STEPS]))
    measured("epoch", training.BATCH, images[rows], labels[rows], expected)
