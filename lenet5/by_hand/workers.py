"""What one thread of the fast network keeps between calls, and what each of the network's two jobs takes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from lenet5.by_hand.forward import FEW_IMAGES
from lenet5.by_hand.layout import Array
from lenet5.by_hand.memory import Arena

N = TypeVar("N")

WORKSPACE_BYTES = 40_000_000
"""The most that all threads of a network hold together: enough for about fourteen threads that predict, or six that train."""

MOST_PREPARED = 16
"""Sizes of batches that a thread stays prepared for."""

UFUNC_BUFFER_FLOATS = 512
"""Where one operand is contiguous and another is not, NumPy copies up to 8,192 floats of the latter into a buffer, to have fewer and
longer loops.  Loops here are long enough; the copies take longer than what they save."""


@dataclass(frozen=True, eq=False)
class Job(Generic[N]):
    """One of the two things that a network does, to predict or to train, and what that takes."""

    prepare: Callable[[Arena, int], N]
    """Makes the network on n images, in an arena."""
    most_images: int
    """The most that a network is prepared for; of a larger batch a thread does one part after another."""
    floats: tuple[int, int, int]
    """Sizes of an arena that holds the network on any number of images up to that."""
    nbytes: int
    """The most memory that one thread holds for it."""
    threads: int
    """The threads that take part: as many as were asked for and fit into `WORKSPACE_BYTES`, at least one."""


def job_of(prepare: Callable[[Arena, int], N], most_images: int, counter: Arena, summed_floats: int, threads: int) -> Job[N]:
    """A job, measured on an arena that only counts.  ``summed_floats``: the size of the array that a thread sums gradients in.

    With a counter that another job has used, an arena of this job serves for that one too.
    """
    for n in (FEW_IMAGES, most_images):  # the largest network of each kind of convolution
        counter.restart()
        prepare(counter, n)
    nbytes = 4 * (sum(counter.floats) + summed_floats)
    return Job(prepare, most_images, counter.floats, nbytes, min(threads, max(1, WORKSPACE_BYTES // nbytes)))


class Worker:
    """One thread's memory, and the networks prepared in it, one for each number of images."""

    def __init__(self) -> None:
        self._arena = Arena()
        self._prepared: dict[tuple[Job[Any], int], tuple[Any, list[tuple[Array, float]]]] = {}
        self._latest: Any = None
        self._total = np.empty(0, np.float32)

    @property
    def workspace_bytes(self) -> int:
        """Bytes of the arena and of the sum of gradients."""
        return self._arena.nbytes + self._total.nbytes

    def total(self, size: int) -> Array:
        """Zeros (size,), to sum the gradients of several chunks in."""
        if len(self._total) != size:
            self._total = np.empty(size, np.float32)
        self._total.fill(0)
        return self._total

    def network(self, job: Job[N], n: int) -> N:
        """The network of a job on n images, ready for a call."""
        if (job, n) not in self._prepared:
            if self._arena.nbytes < 4 * sum(job.floats):
                self._arena = Arena(job.floats)
                self._prepared.clear()
            if len(self._prepared) == MOST_PREPARED:
                self._prepared.clear()
            self._arena.restart()
            self._prepared[job, n] = job.prepare(self._arena, n), self._arena.constants
        network: N
        network, constants = self._prepared[job, n]
        if network is not self._latest:  # another one has used the memory since
            for array, value in constants:
                array.fill(value)
            self._latest = network
        return network


@contextmanager
def short_ufunc_buffers() -> Iterator[None]:
    """NumPy's buffer (see `UFUNC_BUFFER_FLOATS`) is short meanwhile, for the calling thread only."""
    before = np.setbufsize(UFUNC_BUFFER_FLOATS)
    try:
        yield
    finally:
        np.setbufsize(before)
