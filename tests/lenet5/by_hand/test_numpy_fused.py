"""The fast NumPy path: equal to the plain one wherever a chunk, a thread, a tie or another caller could make a difference."""

from __future__ import annotations

import gc
import os
import signal
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
import threadpoolctl
from numpy.testing import assert_allclose, assert_array_equal

import lenet5
from lenet5.architecture import NAMES
from lenet5.by_hand import numpy_chunks
from lenet5.by_hand.numpy_chunks import MOST, ONE_BLAS_THREAD, PREPARED, BlasPages, FusedLeNet5, Helper, all_of
from lenet5.by_hand.numpy_fused import CHUNK, FEW, Arena, parts
from lenet5.by_hand.numpy_plain import PlainLeNet5
from tests.lenet5.test_agreement import problem

LIMIT_BYTES = 40_000_000


def fused(weights, threads=2, activation="relu", optimizer="sgd", learning_rate=0.05):
    return FusedLeNet5(weights, activation, optimizer, learning_rate, threads)


def plain(weights, activation="relu"):
    return PlainLeNet5(weights, "loops", activation, "sgd", 0.05)


def blas_threads():
    """How many threads each BLAS may use now."""
    return [pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]


@pytest.mark.parametrize("threads", [1, 2, 3], ids="threads={}".format)
@pytest.mark.parametrize("batch", [2, FEW, FEW + 1, CHUNK, CHUNK + 1, 2 * CHUNK + FEW, 97, MOST[False] + 1], ids="batch={}".format)
def test_every_chunking(batch, threads):
    """Logits and gradients do not depend on how a batch falls into chunks and threads."""
    weights, images, labels = problem(batch=batch)
    net, reference = fused(weights, threads), plain(weights)

    assert_allclose(net.predict(images), reference.predict(images.astype(np.float64)), rtol=0, atol=1e-5)
    assert net.train_step(images, labels) == pytest.approx(reference.train_step(images.astype(np.float64), labels), abs=1e-5)
    for name in NAMES:
        assert_allclose(net.weights()[name], reference.weights()[name], rtol=0, atol=1e-5, err_msg=name)


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
    """However many threads are asked for, their workspaces stay within 40 MB together."""
    weights, images, labels = problem(batch=1024)
    net = fused(weights, threads)
    net.predict(images)
    net.train_step(images, labels)
    assert net.workspace_bytes <= LIMIT_BYTES


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


def test_the_blas_is_held_whoever_asks():
    """Threads that follow each other, and threads that are inside together and leave in the order they came."""
    before, both_in, first_out = blas_threads(), threading.Barrier(2), threading.Event()
    within = []

    def first():
        with ONE_BLAS_THREAD:
            both_in.wait()
            within.append(blas_threads())
        first_out.set()

    def last():
        with ONE_BLAS_THREAD:
            both_in.wait()
            first_out.wait()
            within.append(blas_threads())
        return blas_threads()

    with ThreadPoolExecutor(2) as others:
        for _ in range(2):
            with ONE_BLAS_THREAD:
                within.append(blas_threads())
            assert blas_threads() == before
            first_out.clear()
            leaving = others.submit(first)
            assert others.submit(last).result() == before
            leaving.result()
    assert within == [[1] * len(before)] * 6


def test_training_and_predicting_share_the_memory():
    """Sizes of batches and both kinds of calls in any order: what one leaves in the workspace never shows in the next."""
    weights, images, labels = problem(batch=80)
    net, reference = fused(weights), plain(weights)
    for step, size in enumerate((1, 40, 33, 80, 1, 11, 64, 5, 80)):
        part = images[:size]
        assert_allclose(net.predict(part), reference.predict(part.astype(np.float64)), rtol=0, atol=1e-5, err_msg=f"call {step}")
        ours, theirs = net.train_step(part, labels[:size]), reference.train_step(part.astype(np.float64), labels[:size])
        assert ours == pytest.approx(theirs, abs=1e-5)


def test_keeps_no_images():
    """After a call nothing refers to the images any more."""
    weights, images, labels = problem(batch=64)
    net = lenet5.implementation("numpy")(weights)
    x = net.tensor(images)
    net.predict(x)
    net.train_step(x, labels)
    memory = x
    while memory.base is not None:  # arrays that look at it keep it, not each other
        memory = memory.base
    gone = weakref.ref(memory)
    del x, memory
    gc.collect()
    assert gone() is None


def test_workspace_bytes_is_public():
    """The front door reports the workspace: bounded in the fused mode, none in the plain ones."""
    weights, images, _ = problem(batch=64)
    LeNet5 = lenet5.implementation("numpy")
    for mode in LeNet5.modes:
        net = LeNet5(weights, mode=mode)
        net.predict(net.tensor(images))
        assert (0 < net.workspace_bytes <= LIMIT_BYTES) == (mode == "fused")


@pytest.mark.parametrize(("n", "count"), [(7, 1), (7, 3), (450, 14), (64, 64)])
def test_parts(n, count):
    """Parts follow each other from the first image to the last, and differ by one image at most."""
    slices = parts(n, count)
    sizes = [part.stop - part.start for part in slices]
    assert [image for part in slices for image in range(n)[part]] == list(range(n))
    assert len(sizes) == count
    assert max(sizes) - min(sizes) <= 1


def test_arena():
    """Arrays that stay never overlap; of those from one area the next overlaps the last, and the areas stay apart."""
    counter = Arena()

    def cut(arena):
        return arena.take(5), arena.scratch(0, 40), arena.scratch(1, 20), arena.take(3), arena.scratch(0, 7)

    cut(counter)
    assert counter.floats == (32, 48, 32)  # whole cache lines of 16 floats; of an area the most at a time
    arena = Arena(counter.floats)
    first, zeroth_area, first_area, second, again = cut(arena)
    assert np.shares_memory(zeroth_area, again)
    apart = [first, second, zeroth_area, first_area]
    assert not any(np.shares_memory(one, other) for k, one in enumerate(apart) for other in apart[:k])
    assert arena.nbytes == 4 * sum(counter.floats)


def test_pages_of_the_blas(monkeypatch):
    """As many products as threads, all under way at the same time; once made, the pages are there for fewer threads too."""
    at_once = []

    class Barrier(threading.Barrier):
        def wait(self, timeout=None):
            at_once.append(self.parties)
            return super().wait(timeout=10)

    monkeypatch.setattr(numpy_chunks.threading, "Barrier", Barrier)
    pages = BlasPages()
    helpers = [Helper(), Helper()]
    pages.make([])
    assert at_once == [1]
    pages.make(helpers)
    assert at_once == [1, 3, 3, 3]
    pages.make(helpers)
    pages.make(helpers[:1])
    assert at_once == [1, 3, 3, 3]


def test_pages_without_somebody(monkeypatch):
    """Whoever is interrupted on his way to the others holds nobody up for ever."""
    together = threading.Barrier(3)  # one more than will come
    monkeypatch.setattr(numpy_chunks.threading, "Barrier", lambda parties: together)
    BlasPages().make([Helper()])
    assert together.broken


def test_helpers():
    """Calls run at the same time, come back in order, raise here what they raised there, and never mix with the next ones."""
    helpers = [Helper(), Helper()]
    together = threading.Barrier(3)

    def call(k):
        together.wait(timeout=10)
        return k, threading.current_thread().name

    assert all_of(helpers, partial(call, 0), [partial(call, 1), partial(call, 2)]) == [
        (0, threading.current_thread().name),
        (1, "lenet5"),
        (2, "lenet5"),
    ]
    with pytest.raises(ZeroDivisionError):
        all_of(helpers, lambda: 0, [lambda: 1, lambda: 1 // 0])
    with pytest.raises(ZeroDivisionError):
        all_of(helpers, lambda: 1 // 0, [lambda: 1, lambda: 2])
    helpers[0].start(lambda: "given up")  # by somebody who was interrupted while he waited
    assert all_of(helpers, lambda: 0, [lambda: 1, lambda: 2]) == [0, 1, 2]


def test_helpers_end_with_their_network():
    """Threads of a network that nobody holds any more come to an end."""
    weights, images, _ = problem(batch=64)
    before = set(threading.enumerate())
    net = fused(weights, threads=3)
    net.predict(images)
    helping = set(threading.enumerate()) - before
    assert len(helping) == 2
    del net
    gc.collect()
    for thread in helping:
        thread.join(timeout=10)
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
        assert len(net._workers[0]._prepared) <= PREPARED
