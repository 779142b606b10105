"""The fast NumPy network: equal to the plain one wherever a chunk, a thread, a tie or another caller could make a difference."""

from __future__ import annotations

import gc
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lenet5 import InputError
from lenet5.architecture import NAMES
from lenet5.by_hand.forward import CHUNK_IMAGES, FEW_IMAGES, Forward
from lenet5.by_hand.fused import MOST_IMAGES_TO_PREDICT, FusedLeNet5
from lenet5.by_hand.plain import PlainLeNet5
from lenet5.by_hand.workers import MOST_PREPARED
from tests.lenet5.by_hand.test_blas import blas_threads
from tests.support.networks import problem

LIMIT_BYTES = 40_000_000

BATCHES = [
    2,
    FEW_IMAGES,
    FEW_IMAGES + 1,
    CHUNK_IMAGES,
    CHUNK_IMAGES + 1,
    2 * CHUNK_IMAGES + FEW_IMAGES,
    97,
    MOST_IMAGES_TO_PREDICT + 1,
]


def fused(weights, threads=2, activation="relu", optimizer="sgd", learning_rate=0.05):
    return FusedLeNet5(weights, activation, optimizer, learning_rate, threads)


def plain(weights, activation="relu"):
    return PlainLeNet5(weights, "loops", activation, "sgd", 0.05)


@cache
def by_reference(batch):
    """What textbook loops make of the problem of this batch: logits, loss, and the weights after one update."""
    weights, images, labels = problem(batch=batch)
    reference = plain(weights)
    logits = reference.predict(images.astype(np.float64))
    return logits, reference.train_step(images.astype(np.float64), labels), reference.weights()


@pytest.mark.parametrize("batch", BATCHES, ids="batch={}".format)
@pytest.mark.parametrize("threads", [1, 2, 3], ids="threads={}".format)
def test_every_chunking(batch, threads):
    """Logits and gradients do not depend on how a batch falls into chunks and threads."""
    weights, images, labels = problem(batch=batch)
    net = fused(weights, threads)
    logits, loss, weights_after = by_reference(batch)

    assert_allclose(net.predict(images), logits, rtol=0, atol=1e-5)
    assert net.train_step(images, labels) == pytest.approx(loss, abs=1e-5)
    for name in NAMES:
        assert_allclose(net.weights()[name], weights_after[name], rtol=0, atol=1e-5, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("threads", [0, -1, 1.5])
def test_no_threads(threads):
    """Fewer than one thread compute nothing; None is for the number that the environment says."""
    with pytest.raises(InputError, match=r"^threads: .* does not fit; use a whole number of at least 1$"):
        fused(problem()[0], threads=threads)


def test_large_batch_in_bounded_memory():
    """A batch of 1,024 is predicted and learned from with the workspace of a few chunks, which the network reports."""
    weights, images, labels = problem(batch=1024)
    net = fused(weights)
    assert net.workspace_bytes < LIMIT_BYTES

    assert_allclose(net.predict(images), plain(weights).predict(images.astype(np.float64)), rtol=0, atol=1e-5)
    net.train_step(images, labels)

    assert 0 < net.workspace_bytes <= LIMIT_BYTES


@pytest.mark.parametrize("threads", [1, 16, 64], ids="threads={}".format)
def test_more_threads_do_not_break_the_bound(threads):
    """Whatever number of threads is asked for, their workspaces stay within 40 MB together."""
    weights, images, labels = problem(batch=1024)
    net = fused(weights, threads)
    net.predict(images)
    net.train_step(images, labels)
    assert net.workspace_bytes <= LIMIT_BYTES


@pytest.mark.parametrize("threads", [2, 8, 64])
def test_training_leaves_predictions_their_threads(monkeypatch, threads):
    """As many threads predict after training as before it, with the same logits, and their memory stays within the bound each time."""
    weights, images, labels = problem(batch=400)
    at_work, forward = set(), Forward.forward

    def watched(self, x):
        at_work.add(threading.get_ident())
        return forward(self, x)

    monkeypatch.setattr(Forward, "forward", watched)
    net = fused(weights, threads)

    def threads_of(call, *batch):
        at_work.clear()
        call(*batch)
        assert 0 < net.workspace_bytes <= LIMIT_BYTES
        return len(at_work)

    expected = net.predict(images)
    predict, train, few = (
        threads_of(net.predict, images),
        threads_of(net.train_step, images, labels),
        threads_of(net.predict, images[:20]),
    )
    assert (predict, few) == (min(threads, 14), min(threads, 4))
    assert train <= predict
    for _ in range(2):
        assert threads_of(net.predict, images) == predict
        assert threads_of(net.train_step, images, labels) == train
        assert threads_of(net.predict, images[:20]) == few
    net.load(weights)
    assert_array_equal(net.predict(images), expected)


@pytest.mark.parametrize("layer", ["conv1", "conv2"])
@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh"])
def test_ties(activation, layer):
    """Where all of a pool is equal the first element takes the derivative, as in the plain network: two filters of zeros.

    What they convolve differs from place to place, so that it shows in their gradient which element took the derivative.
    """
    weights, images, labels = problem(batch=33)
    weights[f"{layer}.weight"][:2], weights[f"{layer}.bias"][:2] = 0, 0.5
    net, reference = fused(weights, activation=activation, learning_rate=2), PlainLeNet5(weights, "loops", activation, "sgd", 2)

    net.train_step(images, labels)
    reference.train_step(images.astype(np.float64), labels)

    assert np.abs(net.weights()[f"{layer}.weight"][:2]).max() > 5e-5  # five times what the comparison lets pass
    for name in NAMES:
        assert_allclose(net.weights()[name], reference.weights()[name], rtol=0, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("layout", ["channels first", "channels last", "every second image"])
def test_any_memory_layout(layout):
    """Images may lie in memory as they like; channels last is only the fastest."""
    weights, images, _ = problem(batch=40)
    laid_out = {
        "channels first": images,
        "channels last": np.ascontiguousarray(images.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2),
        "every second image": np.repeat(images, 2, axis=0)[::2],
    }[layout]
    assert_allclose(fused(weights).predict(laid_out), plain(weights).predict(images.astype(np.float64)), rtol=0, atol=1e-5)


def test_one_network_from_many_threads():
    """Several callers may use one network at once: each gets the logits of its own images."""
    weights, images, _ = problem(batch=128)
    net = fused(weights)
    parts = [images[start : start + size] for start, size in ((0, 1), (1, 7), (8, 64), (72, 33), (3, 1), (40, 50))] * 8
    expected = plain(weights).predict(images.astype(np.float64))
    starts = [0, 1, 8, 72, 3, 40] * 8

    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(net.predict, parts))

    for start, part, logits in zip(starts, parts, answers, strict=True):
        assert_allclose(logits, expected[start : start + len(part)], rtol=0, atol=1e-5)


def test_many_networks_at_once():
    """Networks that train side by side end where they would have ended alone, and BLAS has the threads again that it had."""
    problems = [problem(batch=70, seed=seed) for seed in range(4)]
    before = blas_threads()

    def trained(job):
        weights, images, labels = job
        net = fused(weights)
        for _ in range(3):
            net.train_step(images, labels)
        return net.weights()

    alone = [trained(job) for job in problems]
    with ThreadPoolExecutor(4) as callers:
        together = list(callers.map(trained, problems))

    for one, other in zip(alone, together, strict=True):
        for name in NAMES:
            assert_array_equal(one[name], other[name], err_msg=name)
    assert blas_threads() == before


def test_training_and_predicting_share_the_memory():
    """Sizes of batches and both kinds of calls in any order: what one leaves in the workspace never shows in the next."""
    weights, images, labels = problem(batch=80)
    net, reference = fused(weights), plain(weights)
    for step, size in enumerate((1, 40, 33, 80, 1, 11, 64, 5, 80)):
        part = images[:size]
        assert_allclose(net.predict(part), reference.predict(part.astype(np.float64)), rtol=0, atol=1e-5, err_msg=f"call {step}")
        ours, theirs = net.train_step(part, labels[:size]), reference.train_step(part.astype(np.float64), labels[:size])
        assert ours == pytest.approx(theirs, abs=1e-5)


def test_helpers_end_with_their_network():
    """The threads of a network end when nothing refers to it any more."""
    weights, images, _ = problem(batch=64)
    before = set(threading.enumerate())
    net = fused(weights, threads=3)
    net.predict(images)
    helping = set(threading.enumerate()) - before
    assert len(helping) == 2
    del net
    gc.collect()
    for thread in helping:
        thread.join(timeout=60)
        assert not thread.is_alive()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_after_a_fork():
    """A forked process has none of its parent's threads, and makes its own."""
    weights, images, _ = problem(batch=64)
    net = fused(weights)
    expected = net.predict(images)
    child = os.fork()
    if child == 0:
        signal.alarm(30)  # a child that waits for a thread it does not have must not wait for ever
        status = 1
        try:
            status = int(not np.array_equal(net.predict(images), expected))
        finally:
            os._exit(status)  # whatever happens: the rest of the tests is the parent's
    assert os.waitpid(child, 0)[1] == 0


def test_the_ufunc_buffer_is_the_callers_again():
    """A call leaves NumPy's buffer as large as it was, even one that fails."""
    weights, images, labels = problem(batch=12)
    net = fused(weights)
    usual = np.setbufsize(4096)
    try:
        net.predict(images)
        net.train_step(images, labels)
        with pytest.raises(IndexError):
            net.train_step(images, labels + 1000)
        assert np.getbufsize() == 4096
    finally:
        np.setbufsize(usual)


def test_batches_of_any_size():
    """What a thread prepares for a size of batch is forgotten after many others, not kept for good."""
    weights, images, _ = problem(batch=60)
    net, expected = fused(weights, threads=1), plain(weights).predict(images.astype(np.float64))
    for size in range(20, 60):
        assert_allclose(net.predict(images[:size]), expected[:size], rtol=0, atol=1e-5)
        assert len(net._team.workers[0]._prepared) <= MOST_PREPARED
