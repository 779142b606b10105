"""Static graph against dynamic: every mode at six batch sizes, its first call in a process of its own beside its time once warm."""

# mypy: allow-untyped-defs
# pytest passes fixtures by name; their types stand where they are defined.

from __future__ import annotations

from functools import lru_cache

import pytest
from numpy.testing import assert_allclose

import lenet5
from benchmarks.arrange import problem, witness
from benchmarks.arrange.clock import timed
from benchmarks.arrange.problem import ATOL, LEARNING_RATE, different, first_images, first_labels, training_batch
from benchmarks.isolated import program

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.parametrize("batch", [1, 4, 16, 64, 256, 1024, pytest.param(4096, marks=pytest.mark.gpu)], ids="batch{}".format),
]


@pytest.fixture(autouse=True)
def _not_the_reference(framework, mode):
    if (framework, mode) == lenet5.reference():
        pytest.skip("the textbook loops are what the others are checked against; no graph is compared with them")


@pytest.fixture(scope="session")
def expected_two_losses(losses_of, dataset):
    """expected_two_losses(batch) -> the reference's loss before the first and before the second update from one batch."""

    @lru_cache
    def losses(batch):
        pair = training_batch(dataset, different(batch))
        return losses_of(pair, pair)

    return losses


@pytest.fixture
def fresh_first_call(framework, mode, device, weights, tmp_path):
    """fresh_first_call(kind, images, labels, expected) -> what this mode's first call takes in a process of its own, ready to be recorded."""

    def measure(kind, images, labels, expected):
        path = problem.save(tmp_path / "problem.npz", weights, images, labels, expected)
        before = witness.snapshot()
        seconds = program.call("benchmarks.isolated.first_call", framework, mode, kind, path, f"--device={device}")
        others = witness.around_first_call(before, witness.snapshot())
        return {**{name.replace("_seconds", "_fresh_seconds"): value for name, value in seconds.items()}, **others}

    return measure


@pytest.mark.benchmark(group="graphs predict")
def test_graph_predict(benchmark, build, record, subject, fresh_first_call, weights, dataset, expected_logits, batch):
    """One batch, already converted, to logits on the host."""
    net = build(weights)
    first = first_images(dataset, batch), first_labels(dataset, batch)
    images = net.tensor(first[0])

    assert_allclose(net.predict(images), expected_logits(batch), atol=ATOL)

    record(**subject, batch=batch, **fresh_first_call("predict", *first, expected_logits(batch)))
    benchmark(net.predict, images)


@pytest.mark.trains
@pytest.mark.benchmark(group="graphs train step")
def test_graph_train_step(
    benchmark, build, record, subject, fresh_first_call, weights, dataset, expected_two_losses, repeats, batch
):
    """One real update from one batch, already converted: loss, gradients, Adam.  Each round starts from the same weights."""
    net = build(weights, optimizer="adam", learning_rate=LEARNING_RATE)
    first = training_batch(dataset, batch)
    pair = net.tensor(first[0]), net.tensor(first[1])

    first_loss = net.train_step(*pair)
    second_loss, call_seconds = timed(net.train_step, *pair)
    assert_allclose([first_loss, second_loss], expected_two_losses(batch), atol=ATOL)

    record(**subject, batch=batch, optimizer="adam", **fresh_first_call("train_step", *first, expected_two_losses(batch)))
    benchmark.pedantic(net.train_step, pair, setup=lambda: net.load(weights), rounds=repeats(call_seconds))
