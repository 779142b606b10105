"""How much memory each framework takes in its default mode: importing, building, predicting, training, and over one epoch.

The time of a case is that of its child, from start to end; what counts is what the child found.
"""

# mypy: allow-untyped-defs
# pytest passes fixtures by name; their types stand where they are defined.

from __future__ import annotations

import pytest

from benchmarks import first_call, fresh, memory
from benchmarks.measuring import first_images
from lenet5 import cost
from lenet5.training import BATCH

pytestmark = [pytest.mark.heavy, pytest.mark.default_mode]

BATCHES = pytest.mark.parametrize("batch", [1, 64, 450], ids="batch={}".format)


@pytest.fixture(scope="session", autouse=True)
def _measurable():
    reason = memory.why_not()
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def expected_of(expected_logits, oracle, weights, dataset):
    """expected_of(kind, images, labels) -> what a child has to answer: logits, or the losses of two steps from the same batch."""

    def answer(kind, images, labels):
        if kind == "predict":
            return expected_logits(len(images))
        oracle.load(weights)
        pair = oracle.tensor(images), oracle.tensor(labels)
        losses = [oracle.train_step(*pair) for _ in range(2)]
        oracle.load(weights)
        return losses

    return answer


@pytest.fixture
def measured(benchmark, build, framework, mode, weights, dataset, record, expected_of, tmp_path):
    """measured(kind, batch): run the child and keep its figures on the case."""

    def measure(kind, batch):
        build(weights)  # a skip where the framework is not installed
        images = first_images(dataset, batch)
        labels = dataset.test.labels.take(range(batch), mode="wrap")
        path = first_call.save_problem(tmp_path / "problem.npz", weights, images, labels, expected_of(kind, images, labels))

        figures = benchmark.pedantic(fresh.figures, ("benchmarks.memory", framework, mode, kind, path))
        record(
            batch=batch,
            kind=kind,
            gradient_bytes=cost.gradient_bytes(weights),
            optimizer_state_bytes=cost.optimizer_state_bytes(weights, "adam"),
            **figures,
        )

    return measure


@BATCHES
@pytest.mark.benchmark(group="space predict")
def test_space_predict(measured, batch):
    """The peak of predicting one batch, above what the process holds once warm."""
    measured("predict", batch)


@BATCHES
@pytest.mark.benchmark(group="space train step")
def test_space_train_step(measured, batch):
    """The peak of one update from one batch, above what the process holds once warm."""
    measured("train_step", batch)


@pytest.mark.benchmark(group="space epoch")
def test_space_epoch(measured):
    """Resident memory over one epoch of full batches; it is the same batch each time."""
    measured("epoch", BATCH)
