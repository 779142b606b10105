"""The memory of the fast network: which arrays overlap, and how much they take."""

from __future__ import annotations

import numpy as np

from lenet5.by_hand.memory import Arena


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
