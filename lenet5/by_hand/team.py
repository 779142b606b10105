"""The threads of one fast network: each takes its own share of a batch, and all together keep within a bound of memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from lenet5.by_hand.blas import BLAS_PAGES
from lenet5.by_hand.forward import parts
from lenet5.by_hand.threads import Helper, all_of
from lenet5.by_hand.workers import WORKSPACE_BYTES, Job, Worker, short_ufunc_buffers

T = TypeVar("T")

LEAST_IMAGES_OF_A_THREAD = 5
"""Fewer images than this are done before another thread has woken up."""


class Team:
    """A worker for each thread, the caller's own first, and the helpers that run the others.

    How many threads take part depends on the job and the number of images alone, not on earlier calls.
    """

    def __init__(self, predicting: Job[Any], training: Job[Any]) -> None:
        self.workers = [Worker() for _ in range(max(predicting.threads, training.threads))]
        self._always_fits = predicting.threads == training.threads
        self._most_bytes = max(WORKSPACE_BYTES, training.nbytes)
        self._helping: list[Helper] = []
        self._helpers_owner = os.getpid()

    @property
    def workspace_bytes(self) -> int:
        """Memory that all workers hold between calls."""
        return sum(worker.workspace_bytes for worker in self.workers)

    def share(self, job: Job[Any], n: int, work: Callable[[Worker, list[slice]], T]) -> list[T]:
        """Do a job on n images, each thread on its own share of them, one part after another; -> what each thread returned, in order.

        ``work`` gets a worker and the parts, slices of the batch of at most ``job.most_images``.
        """
        threads = min(job.threads, -(-n // LEAST_IMAGES_OF_A_THREAD))
        self._make_room(job, threads)
        helpers = self._helpers(threads - 1)
        BLAS_PAGES.make(helpers)

        def on(worker: Worker, share: slice) -> T:
            size = share.stop - share.start
            images = [slice(share.start + part.start, share.start + part.stop) for part in parts(size, -(-size // job.most_images))]
            with short_ufunc_buffers():
                return work(worker, images)

        mine, *others = (partial(on, *each) for each in zip(self.workers, parts(n, threads), strict=False))
        return all_of(helpers, mine, others)

    def _make_room(self, job: Job[Any], threads: int) -> None:
        """Forget all that is prepared if the threads of a call cannot have their memory within the bound beside it.

        Memory to train serves to predict as well.  So this happens only where more threads can predict than train (about six), when
        they all predict after training, and the other way round.
        """
        if self._always_fits:
            return
        held = [worker.workspace_bytes for worker in self.workers]
        wanted = sum(max(nbytes, job.nbytes) for nbytes in held[:threads]) + sum(held[threads:])
        if wanted > self._most_bytes:
            self.workers = [Worker() for _ in self.workers]

    def _helpers(self, count: int) -> list[Helper]:
        """Threads beside the caller's; made when first needed, and again in a forked process, which has none of them."""
        if self._helpers_owner != os.getpid():
            self._helping, self._helpers_owner = [], os.getpid()
        self._helping += [Helper() for _ in range(count - len(self._helping))]
        return self._helping[:count]
