"""The worklog, docs/fast-numpy.md: every step from the loops to the fast network, and the fast network without each of its tricks."""

# mypy: allow-untyped-defs
# pytest passes fixtures by name; their types stand where they are defined.

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from benchmarks.arrange import problem, worklog
from benchmarks.arrange.clock import enter, in_blocks, interleaved, recorded_time
from benchmarks.arrange.problem import ATOL, LEARNING_RATE, SEED, first_images, first_labels
from benchmarks.arrange.worklog.counting import counted
from benchmarks.isolated import program
from lenet5 import cost, training

TRIALS = {trial.id: trial for trial in worklog.trials()}

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.usefixtures("cpu_only"),
    pytest.mark.benchmark(group="worklog", timer=recorded_time),
    pytest.mark.parametrize("framework", [worklog.BY_HAND]),
]


@pytest.fixture(scope="session")
def first_batch(dataset):
    """Images and labels of the first batch of the first epoch, as they come."""
    chosen = next(training.batches(len(dataset.train.labels), training.BATCH, SEED))
    return dataset.train.images[chosen], dataset.train.labels[chosen]


@pytest.fixture
def asked(weights, dataset, first_batch):
    """asked(LeNet5, variant, question) -> the network and what it is asked: a call that takes nothing."""

    def ask(implementation, variant, question):
        net = implementation(weights, mode=variant.mode, learning_rate=LEARNING_RATE)
        kind, batch = question
        if kind == "predict":
            return net, partial(net.predict, net.tensor(first_images(dataset, batch)))
        assert batch == training.BATCH
        return net, partial(net.train_step, *map(net.tensor, first_batch))

    return ask


@pytest.fixture
def checked(asked, expected_logits, expected_losses):
    """checked(variant, question) -> as `asked`, of a network that answers as the reference does."""

    def check(variant, question):
        net, call = asked(variant.copy().network, variant, question)
        kind, batch = question
        if kind == "predict":
            assert_allclose(call(), expected_logits(batch), atol=ATOL)
        else:
            assert_allclose([call(), call()], expected_losses("adam"), atol=ATOL)
        return net, call

    return check


def beside(trial: worklog.Trial, seconds: Sequence[float]) -> dict[str, Any]:
    """What a case says of the network that it was timed in turns with."""
    return {"against": trial.against.name, "against_seconds": float(np.median(seconds))} if trial.against else {}


@pytest.fixture
def record_trial(record, asked, weights):
    """record_trial(trial, **values): the values, which trial it was, and what its network does in one call, counted."""

    def note(trial, **values):
        kind, batch = trial.question
        counts = counted(trial.variant.copy(), lambda network: asked(network, trial.variant, trial.question)[1])
        record(
            framework=worklog.BY_HAND,
            mode=trial.variant.name,
            part=trial.part,
            kind=kind,
            batch=batch,
            flops=batch * (cost.forward_flops(weights) if kind == "predict" else cost.training_flops(weights)),
            threads=len(counts.by),
            numpy_calls=counts.calls,
            copied_bytes=counts.copied_bytes,
            moved_bytes=counts.moved_bytes,
            product_macs=counts.macs,
            **values,
        )

    return note


@pytest.mark.parametrize("trial", TRIALS)
def test_worklog(benchmark, implementation, record_trial, checked, weights, seconds_a_case, trial):
    """One network in turns with the one that it is compared with: call by call, or where one's threads spin in blocks with a rest between.

    Each training step starts from the same weights.
    """
    trial = TRIALS[trial]
    both = {"own": trial.variant} | ({"against": trial.against} if trial.against else {})
    found = {name: checked(variant, trial.question) for name, variant in both.items()}

    kind, _ = trial.question
    reload = {name: partial(net.load, weights) for name, (net, _) in found.items()} if kind != "predict" else {}
    timed = in_blocks if trial.apart else interleaved
    seconds = timed({name: call for name, (_, call) in found.items()}, seconds_a_case, before=reload)
    record_trial(trial, workspace_bytes=found["own"][0].workspace_bytes, **beside(trial, seconds.get("against", ())))
    enter(benchmark, seconds["own"])


@pytest.mark.parametrize("batch", [64], ids="batch{}".format)
def test_worklog_pages(
    benchmark, implementation, record_trial, checked, weights, dataset, expected_logits, seconds_a_case, tmp_path, batch
):
    """The fast path without the pages of the BLAS's memory, and then with them, in a process of its own: they cannot be taken away again."""
    trial = worklog.Trial("trick", worklog.NO_PAGES, ("predict", batch), worklog.FAST_PATH)
    path = problem.save(
        tmp_path / "problem.npz", weights, first_images(dataset, batch), first_labels(dataset, batch), expected_logits(batch)
    )

    found = program.call("benchmarks.isolated.pages", path, "--seconds", seconds_a_case)

    net, _ = checked(trial.variant, trial.question)
    record_trial(trial, workspace_bytes=net.workspace_bytes, **beside(trial, found["against_seconds"]))
    enter(benchmark, found["own_seconds"])
