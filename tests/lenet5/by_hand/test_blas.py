"""The BLAS under the fast network: held to one thread for all callers, and its memory in place."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import threadpoolctl

from lenet5.by_hand import blas
from lenet5.by_hand.blas import ONE_BLAS_THREAD, BlasPages
from lenet5.by_hand.threads import Helper


def blas_threads():
    """How many threads each BLAS may use now."""
    return [pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]


def test_the_blas_is_held_for_every_caller():
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


def test_pages_of_the_blas(monkeypatch):
    """As many products as threads, all under way at the same time; once made, the pages are there for fewer threads too."""
    at_once = []

    class Barrier(threading.Barrier):
        def wait(self, timeout=None):
            at_once.append(self.parties)
            return super().wait(timeout=60)

    monkeypatch.setattr(blas.threading, "Barrier", Barrier)
    pages = BlasPages()
    helpers = [Helper(), Helper()]
    pages.make([])
    assert at_once == [1]
    pages.make(helpers)
    assert at_once == [1, 3, 3, 3]
    pages.make(helpers)
    pages.make(helpers[:1])
    assert at_once == [1, 3, 3, 3]


def test_pages_without_an_interrupted_thread(monkeypatch):
    """A thread that is interrupted on its way to the others does not keep them waiting for ever."""
    together = threading.Barrier(3)  # one more than will come
    monkeypatch.setattr(blas.threading, "Barrier", lambda parties: together)
    BlasPages().make([Helper()])
    assert together.broken
