"""The network by hand, rung by rung, from the textbook loops to threads: what each rung buys in time and what it takes in memory."""

# mypy: allow-untyped-defs
# pytest passes fixtures by name; their types stand where they are defined.

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from numpy.testing import assert_allclose

from benchmarks import BY_HAND
from benchmarks.arrange.measuring import LEARNING_RATE, SEED, first_images, timed
from benchmarks.isolated import memory
from lenet5 import training

RUNGS = {
    "loops": ("loops", None),
    "im2col": ("im2col", None),
    "fused, one thread": ("fused", 1),
    "fused, threads": ("fused", None),
}
"""Rung -> the mode, and its threads where they are not those that everybody has (``--threads``)."""

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.usefixtures("cpu_only"),
    pytest.mark.benchmark(group="ladder"),
    pytest.mark.parametrize("rung", RUNGS, ids=lambda rung: rung.replace(",", "").replace(" ", "_")),
    pytest.mark.parametrize("framework", [BY_HAND]),
]

LEAST = 3
"""Rounds of a rung whose calls take longer than the time for a case."""


@pytest.fixture
def net(implementation, rung, weights, monkeypatch):
    """The network on this rung, which has not computed anything yet: its first call is the one that makes its workspace."""
    mode, threads = RUNGS[rung]
    with monkeypatch.context() as patch:
        if threads:
            patch.setenv("OMP_NUM_THREADS", str(threads))  # the fused mode asks when it is built
        return implementation(weights, mode=mode, optimizer="adam", learning_rate=LEARNING_RATE)


@pytest.fixture
def note(benchmark, framework, rung, net):
    """note(kind, batch, peak_bytes): what the case's times belong to."""

    def update(kind, batch, peak_bytes):
        benchmark.extra_info.update(
            framework=framework,
            mode=rung,
            kind=kind,
            batch=batch,
            traced_peak_bytes=peak_bytes,
            workspace_bytes=net.workspace_bytes,
        )

    return update


def traced(function: Callable[..., Any], *arguments: Any) -> tuple[Any, int]:
    """A function's value, and the most bytes that this one call held at a time in arrays and Python objects."""
    values: list[Any] = []
    peak_bytes = memory.traced_peak(lambda: values.append(function(*arguments)))
    return values[0], peak_bytes


@pytest.mark.parametrize("batch", [64, 450], ids="batch{}".format)
def test_ladder_predict(benchmark, net, note, dataset, expected_logits, repeats, batch):
    """One batch, already converted, to logits."""
    images = net.tensor(first_images(dataset, batch))

    logits, peak_bytes = traced(net.predict, images)
    assert_allclose(logits, expected_logits(batch), atol=1e-5)
    _, call_seconds = timed(net.predict, images)

    note("predict", batch, peak_bytes)
    benchmark.pedantic(net.predict, (images,), rounds=repeats(call_seconds, least=LEAST))


def test_ladder_train_step(benchmark, net, note, dataset, weights, expected_losses, repeats):
    """One update from one batch, already converted: loss, gradients, Adam.  Each round starts from the same weights."""
    first, *_ = training.prepare(net, dataset.train, seed=SEED)

    first_loss, peak_bytes = traced(net.train_step, *first)
    second_loss, call_seconds = timed(net.train_step, *first)
    assert_allclose([first_loss, second_loss], expected_losses("adam"), atol=1e-5)

    note("train step", training.BATCH, peak_bytes)
    benchmark.pedantic(net.train_step, first, setup=lambda: net.load(weights), rounds=repeats(call_seconds, least=LEAST))
