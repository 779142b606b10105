"""The memory of the fast network: one block for each purpose, cut into arrays once, so that no call allocates anything.

32 images pass through nearly 4 MB of arrays on their way, more than a second-level cache holds.  What is no longer needed is therefore
overwritten where it lies in the cache, instead of being written back to make room for new memory (`Arena.scratch`).
"""

from __future__ import annotations

import numpy as np

from lenet5.by_hand.layout import CACHE_LINE_FLOATS, Array


class Block:
    """One block of memory, cut into arrays one after another, each beginning on a cache line.

    A block of no floats only counts: it hands out arrays of their own, which are never touched, and untouched memory costs nothing.
    """

    def __init__(self, floats: int) -> None:
        block = np.empty(floats + CACHE_LINE_FLOATS, np.float32)
        first = -block.ctypes.data // block.itemsize % CACHE_LINE_FLOATS
        self.block = block[first : first + floats]
        self.used = self.most = 0

    def take(self, *shape: int, dtype: type = np.float32) -> Array:
        """The next array, of that shape; what it holds is arbitrary."""
        size = int(np.prod(shape))
        first, floats = self.used, -(-size * np.dtype(dtype).itemsize // 4)
        self.used += -(-floats // CACHE_LINE_FLOATS) * CACHE_LINE_FLOATS
        self.most = max(self.most, self.used)
        if not len(self.block):
            return np.empty(shape, dtype)
        return self.block[first : first + floats].view(dtype)[:size].reshape(shape)


class Arena:
    """The memory of a network: arrays that stay, and two areas for what only the next operation reads.

    An operation that reads from one area writes to the other, over what the operation before it has read.

    ``floats`` is the size of the three blocks; an arena of (0, 0, 0) only counts how much a network would take.
    """

    def __init__(self, floats: tuple[int, int, int] = (0, 0, 0)) -> None:
        self.lasting, *self.areas = (Block(count) for count in floats)
        self.restart()

    def restart(self) -> None:
        """Cut the memory anew, from its beginning, for another network."""
        self.lasting.used = 0
        self.constants: list[tuple[Array, float]] = []

    def take(self, *shape: int, dtype: type = np.float32) -> Array:
        """An array that stays, of that shape; what it holds is arbitrary."""
        return self.lasting.take(*shape, dtype=dtype)

    def scratch(self, area: int, *shape: int) -> Array:
        """An array that lasts until the next one is taken from the same area, 0 or 1."""
        self.areas[area].used = 0
        return self.areas[area].take(*shape)

    def constant(self, array: Array, value: float) -> Array:
        """Note that (part of) an array must hold a value.  The arena's owner writes it, and again whenever another network was here."""
        self.constants.append((array, value))
        return array

    @property
    def floats(self) -> tuple[int, int, int]:
        """The most that has been taken: of arrays that stay, and from each area at a time."""
        first, second = self.areas
        return self.lasting.most, first.most, second.most

    @property
    def nbytes(self) -> int:
        """Bytes of the three blocks."""
        return sum(block.block.nbytes for block in (self.lasting, *self.areas))
