"""The ladder: the network by hand in steps, called rungs, from the textbook's loops to threads.  Each rung's time and memory."""

# mypy: allow-untyped-defs
# pytest passes fixtures by name; their types stand where they are defined.

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from numpy.testing import assert_allclose

import lenet5
from benchmarks.arrange.clock import timed
from benchmarks.arrange.problem import ATOL, LEARNING_RATE, SEED, first_images
from benchmarks.isolated import memory
from lenet5 import training

BY_HAND, _ = lenet5.reference()
*LOWER, FAST = lenet5.ladder(BY_HAND)
RUNGS = {**{mode: (mode, None) for mode in LOWER}, f"{FAST}, one thread": (FAST, 1), f"{FAST}, threads": (FAST, None)}
"""Rung -> the mode, and its threads if they are not the run's (``--threads``)."""

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.usefixtures("cpu_only"),
    pytest.mark.benchmark(group="ladder"),
    pytest.mark.parametrize("rung", RUNGS, ids=lambda rung: rung.replace(",", "").replace(" ", "_")),
    pytest.mark.parametrize("framework", [BY_HAND]),
]

LEAST_ROUNDS = 3
"""Rounds of a rung whose calls take longer than the time for a case."""


@pytest.fixture
def net(implementation, rung, weights, monkeypatch):
    """The network on this rung before its first call, which makes its workspace."""
    mode, threads = RUNGS[rung]
    with monkeypatch.context() as patch:
        if threads:
            patch.setenv("OMP_NUM_THREADS", str(threads))  # read when a network is built
        return implementation(weights, mode=mode, optimizer="adam", learning_rate=LEARNING_RATE)


@pytest.fixture
def record_rung(record, framework, rung, net):
    """record_rung(**values): the values, and which rung it was with the memory that its network keeps."""
    return lambda **values: record(framework=framework, mode=rung, workspace_bytes=net.workspace_bytes, **values)


def traced(function: Callable[..., Any], *arguments: Any) -> tuple[Any, int]:
    """A function's value, and the most bytes that this one call held at a time in arrays and Python objects."""
    values: list[Any] = []
    peak_bytes = memory.traced_peak(lambda: values.append(function(*arguments)))
    return values[0], peak_bytes


@pytest.mark.parametrize("batch", [64, 450], ids="batch{}".format)
def test_ladder_predict(benchmark, net, record_rung, dataset, expected_logits, repeats, batch):
    """One batch, already converted, to logits."""
    images = net.tensor(first_images(dataset, batch))

    logits, peak_bytes = traced(net.predict, images)
    assert_allclose(logits, expected_logits(batch), atol=ATOL)
    _, call_seconds = timed(net.predict, images)

    record_rung(kind="predict", batch=batch, traced_peak_bytes=peak_bytes)
    benchmark.pedantic(net.predict, (images,), rounds=repeats(call_seconds, least=LEAST_ROUNDS))


def test_ladder_train_step(benchmark, net, record_rung, dataset, weights, expected_losses, repeats):
    """One update from one batch, already converted: loss, gradients, Adam.  Each round starts from the same weights."""
    first, *_ = training.prepare(net, dataset.train, seed=SEED)

    first_loss, peak_bytes = traced(net.train_step, *first)
    second_loss, call_seconds = timed(net.train_step, *first)
    assert_allclose([first_loss, second_loss], expected_losses("adam"), atol=ATOL)

    record_rung(kind="train step", batch=training.BATCH, traced_peak_bytes=peak_bytes)
    benchmark.pedantic(net.train_step, first, setup=lambda: net.load(weights), rounds=repeats(call_seconds, least=LEAST_ROUNDS))
