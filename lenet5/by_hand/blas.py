"""The BLAS, the library under NumPy's matrix products, as the fast network wants it: on one thread, its memory in place.

The BLAS's own threads would split products of a few microseconds, and wait for each other after each.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from lenet5.by_hand.threads import Helper, all_of


class OneBlasThread:
    """While any thread is inside, the BLAS computes on the calling thread alone; the last to leave restores what the first found.

    Where threadpoolctl finds no BLAS that it can hold, or another thread of this process holds it, only the speed and the last bits change.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._libraries: list[Any] | None = None
        self._restore: list[tuple[Any, int]] = []

    def __enter__(self) -> None:
        with self._lock:
            if self._libraries is None:  # looked for once, through all that is loaded
                self._libraries = ThreadpoolController().select(user_api="blas").lib_controllers
            if self._inside == 0:
                found = [(library, threads) for library in self._libraries if (threads := library.get_num_threads()) != 1]
                for library, _ in found:
                    library.set_num_threads(1)
                self._restore = [(library, threads) for library, threads in found if library.get_num_threads() == 1]
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                for library, threads in self._restore:
                    release(library)  # the first thread to enter holds it, which need not be the last to leave
                    library.set_num_threads(threads)
                    release(library)


def release(library: Any) -> None:
    """Let any thread hold a BLAS: since threadpoolctl 3.8 the first one that does is the only one that can, as long as it lives."""
    if hasattr(library, "clear_controlling_thread"):
        library.clear_controlling_thread(force=True)


ONE_BLAS_THREAD = OneBlasThread()


class BlasPages:
    """Every page of memory that the BLAS may read ahead of is there before it is needed.

    OpenBLAS copies the operands of a product into one of its own buffers.  A buffer that has seen small products only has no memory
    beyond what they filled, and until a larger one has been there, which takes a few milliseconds once, small products stay up to twice as
    slow: each prefetch from beyond, it seems, searches the page tables in vain.  So there is one larger product a thread, all at the
    same time, since each product under way has a buffer to itself.
    """

    def __init__(self) -> None:
        self._threads = 0

    def make(self, helpers: Sequence[Helper]) -> None:
        """For the calling thread and its helpers, unless there are pages for that number of threads already."""
        threads = 1 + len(helpers)
        if threads <= self._threads:
            return
        a, b = np.zeros((256, 512), np.float32), np.zeros((512, 512), np.float32)
        together = threading.Barrier(threads)

        def product() -> None:
            with suppress(threading.BrokenBarrierError):  # a thread that was interrupted never comes; the others go on without it
                together.wait(timeout=1)
            np.matmul(a, b)

        all_of(helpers, product, [product] * len(helpers))
        self._threads = threads


BLAS_PAGES = BlasPages()
