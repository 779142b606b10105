"""Threads beside the caller's: calls run at the same time, and none is mixed up with another."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from lenet5.by_hand.threads import Helper, all_of


def test_helpers():
    """Calls run at the same time, come back in order, raise here what they raised there, and never mix with the next ones."""
    helpers = [Helper(), Helper()]
    together = threading.Barrier(3)

    def call(k):
        together.wait(timeout=60)
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
    helpers[0].start(lambda: "given up")  # by a caller that was interrupted while it waited
    assert all_of(helpers, lambda: 0, [lambda: 1, lambda: 2]) == [0, 1, 2]
