"""How long a network takes to train, and what it has learned by then."""

# mypy: allow-untyped-defs
# pytest passes fixtures by name; their types stand where they are defined.

from __future__ import annotations

import pytest
from numpy.testing import assert_allclose

from benchmarks.arrange import pictures
from benchmarks.arrange.clock import timed
from benchmarks.arrange.problem import ATOL, LEARNING_RATE, LEARNING_RATES, SEED
from lenet5 import training

STEPS = pytest.mark.parametrize(
    "optimizer",
    [
        pytest.param("adam", id=pytest.HIDDEN_PARAM, marks=pytest.mark.benchmark(group="train step")),
        pytest.param("sgd", id="sgd", marks=[pytest.mark.benchmark(group="train step sgd"), pytest.mark.heavy]),
    ],
)
"""Adam, under ids without an optimizer, as they were before there was a choice; and plain gradient descent, a group of its own."""


@pytest.fixture
def optimizer():
    """The optimizer of a case that is not parametrized by one."""
    return "adam"


@pytest.fixture
def learner(in_use, build, first_call, weights, dataset, expected_losses, optimizer):
    """A network with its first epoch prepared, checked against the reference and reset; the record of its first call, and a later call's seconds."""
    net = build(weights, optimizer=optimizer, learning_rate=LEARNING_RATES[optimizer])
    epoch = training.prepare(net, dataset.train, seed=SEED)
    first_loss, first = first_call(net.train_step, *epoch[0])
    second_loss, call_seconds = timed(net.train_step, *epoch[0])
    assert_allclose([first_loss, second_loss], expected_losses(optimizer), atol=ATOL)
    net.load(weights)
    return net, epoch, first, call_seconds


@STEPS
@pytest.mark.trains
def test_train_step(benchmark, learner, record, subject, weights, repeats, optimizer):
    """One update from one batch, already converted: loss, gradients, optimizer.  Each round starts from the same weights."""
    net, epoch, first, call_seconds = learner

    record(**subject, batch=training.BATCH, optimizer=optimizer, **first)
    benchmark.pedantic(net.train_step, epoch[0], setup=lambda: net.load(weights), rounds=repeats(call_seconds))


@pytest.mark.trains
@pytest.mark.benchmark(group="train epoch")
@pytest.mark.reference_heavy  # a quarter of a minute, which says no more than its step
def test_train_epoch(benchmark, learner, record, subject, weights, repeats, optimizer):
    """One update from each full batch of the training split, already converted; no validation.  Each round starts afresh."""
    net, epoch, _, call_seconds = learner

    record(**subject, batch=training.BATCH, optimizer=optimizer, steps=len(epoch))
    rounds = repeats(call_seconds * len(epoch), least=1, most=5)
    benchmark.pedantic(training.train_epoch, (net, epoch), setup=lambda: net.load(weights), rounds=rounds)


@pytest.mark.benchmark(group="train")
@pytest.mark.trained_mode
def test_accuracy(benchmark, build, record, subject, weights, dataset, expected_losses, keep, pytestconfig):
    """All epochs with validation after each, batches converted on the way; then, untimed, the test split and pictures of what was learned."""
    net = build(weights, optimizer="adam", learning_rate=LEARNING_RATE)
    epochs = pytestconfig.getoption("epochs")

    first, *_ = training.prepare(net, dataset.train, seed=SEED)
    assert_allclose([net.train_step(*first) for _ in range(2)], expected_losses("adam"), atol=ATOL)

    history = benchmark.pedantic(training.train, (net, dataset), {"epochs": epochs, "seed": SEED}, setup=lambda: net.load(weights))
    logits = training.logits_of(net, dataset.test.images)
    predictions = logits.argmax(1)
    record(
        **subject,
        batch=training.BATCH,
        optimizer="adam",
        epochs=epochs,
        correct=training.correct(predictions, dataset.test.labels),
        test_images=len(dataset.test.labels),
        test_predictions=predictions.tolist(),
        **pictures.seen(dataset, logits, weights, net.weights()),
        **vars(history),
    )
    keep(net)
