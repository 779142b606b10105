"""Static graph against dynamic: every mode at six batch sizes, its first call in a process of its own beside its time once warm."""

# mypy: allow-untyped-defs
# pytest passes fixtures by name; their types stand where they are defined.

from __future__ import annotations

from functools import lru_cache

import pytest
from numpy.testing import assert_allclose

import lenet5
from benchmarks.arrange import problem
from benchmarks.arrange.clock import timed
from benchmarks.arrange.problem import ATOL, LEARNING_RATE, first_images, first_labels
from benchmarks.isolated import program

pytestmark = [pytest.mark.heavy, pytest.mark.parametrize("batch", [1, 4, 16, 64, 256, 1024], ids="batch{}".format)]


@pytest.fixture(autouse=True)
def _not_the_reference(framework, mode):
    if (framework, mode) == lenet5.reference():
        pytest.skip("the textbook loops are what the others are checked against; no graph is compared with them")


@pytest.fixture(scope="session")
def expected_two_losses(losses_of, dataset):
    """expected_two_losses(batch) -> the reference's loss before the first and before the second update from one batch."""

    @lru_cache
    def losses(batch):
        pair = first_images(dataset, batch), first_labels(dataset, batch)
        return losses_of(pair, pair)

    return losses


@pytest.fixture
def fresh_first_call(framework, mode, device, weights, dataset, tmp_path):
    """fresh_first_call(kind, batch, expected) -> what this mode's first call takes in a process of its own, ready to be recorded."""

    def measure(kind, batch, expected):
        pair = first_images(dataset, batch), first_labels(dataset, batch)
        path = problem.save(tmp_path / "problem.npz", weights, *pair, expected)
        seconds = program.call("benchmarks.isolated.first_call", framework, mode, kind, path, f"--device={device}")
        return {name.replace("_seconds", "_fresh_seconds"): value for name, value in seconds.items()}

    return measure


@pytest.mark.benchmark(group="graphs predict")
def test_graph_predict(benchmark, build, record, subject, fresh_first_call, weights, dataset, expected_logits, batch):
    """One batch, already converted, to logits on the host."""
    net = build(weights)
    images = net.tensor(first_images(dataset, batch))

    assert_allclose(net.predict(images), expected_logits(batch), atol=ATOL)

    record(**subject, batch=batch, **fresh_first_call("predict", batch, expected_logits(batch)))
    benchmark(net.predict, images)


@pytest.mark.benchmark(group="graphs train step")
def test_graph_train_step(
    benchmark, build, record, subject, fresh_first_call, weights, dataset, expected_two_losses, repeats, batch
):
    """One real update from one batch, already converted: loss, gradients, Adam.  Each round starts from the same weights."""
    net = build(weights, optimizer="adam", learning_rate=LEARNING_RATE)
    pair = net.tensor(first_images(dataset, batch)), net.tensor(first_labels(dataset, batch))

    first_loss = net.train_step(*pair)
    second_loss, call_seconds = timed(net.train_step, *pair)
    assert_allclose([first_loss, second_loss], expected_two_losses(batch), atol=ATOL)

    record(**subject, batch=batch, optimizer="adam", **fresh_first_call("train_step", batch, expected_two_losses(batch)))
    benchmark.pedantic(net.train_step, pair, setup=lambda: net.load(weights), rounds=repeats(call_seconds))
