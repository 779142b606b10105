"""The fast NumPy network as a whole: a batch in chunks that fit the cache, a thread for every share of them, one update.

The BLAS is held to one thread meanwhile.  Its own threads would split products of a few microseconds, and wait for each other after
each; a thread that takes whole chunks meets the others once a batch, and NumPy lets go of the interpreter in every call that
counts.  Results do not depend on timing: which chunk goes to which thread, and the order in which gradients are added, is fixed.
"""

from __future__ import annotations

import math
import os
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from lenet5.architecture import CONVOLUTIONS, checked, shapes_of
from lenet5.by_hand.numpy_fused import CHUNK, FEW, POOLED_SIDE, Arena, Array, Forward, Parameters, ShiftedKernels, parts
from lenet5.by_hand.numpy_fused_backward import Backward
from lenet5.contract import ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON, Weights

T = TypeVar("T")

MOST = {False: 7 * CHUNK, True: CHUNK}
"""Training? -> images that a network is prepared for at most.  One that trains keeps what all of them left on their way."""

LEAST = 5
"""Fewer images than this are done before another thread has woken up."""

WORKSPACE_BYTES = 40_000_000
"""At most so much for all threads of a network together: about fourteen threads that predict, or six that train."""

PREPARED = 16
"""So many sizes of batches a thread stays prepared for."""

UFUNC_BUFFER = 512
"""Floats.  Where one operand is contiguous and another is not, NumPy copies up to 8,192 floats of the latter into a buffer, to
have fewer and longer loops.  Loops here are long enough; the copies take longer than what they save."""


# ----------------------------------------------------------------------------------------------------------------- threads


class OneBlasThread:
    """While anybody is inside, the BLAS computes on the calling thread alone; the last one out restores what the first one found.

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
                    release(library)  # from the first one in, who need not be the last one out
                    library.set_num_threads(threads)
                    release(library)


def release(library: Any) -> None:
    """Let any thread hold a BLAS: since threadpoolctl 3.8 the first one that does is the only one that can, as long as it lives."""
    if hasattr(library, "clear_controlling_thread"):
        library.clear_controlling_thread(force=True)


ONE_BLAS_THREAD = OneBlasThread()


Outcome = tuple[Any, BaseException | None]
"""What a call returned, or what it raised."""


class Helper:
    """A thread that makes one call after the other, for as long as somebody holds this.

    An executor does the same with a future, a condition and several locks for each call; among two milliseconds that is noticed.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[tuple[Callable[[], Any], SimpleQueue[Outcome]] | None] = SimpleQueue()
        threading.Thread(target=_help, args=(self._calls,), name="lenet5", daemon=True).start()
        weakref.finalize(self, self._calls.put, None)

    def start(self, call: Callable[[], Any]) -> SimpleQueue[Outcome]:
        """Begin a call; where its outcome will be.  A place for each: whoever is interrupted while he waits leaves nothing behind."""
        place: SimpleQueue[Outcome] = SimpleQueue()
        self._calls.put((call, place))
        return place


def _help(calls: SimpleQueue[tuple[Callable[[], Any], SimpleQueue[Outcome]] | None]) -> None:
    """Make calls, and keep nothing of them: of a call not even until the next, since it holds the images."""
    while (next_call := calls.get()) is not None:
        call, place = next_call
        outcome = _outcome(call)
        del next_call, call
        place.put(outcome)
        del outcome, place


def _outcome(call: Callable[[], Any]) -> Outcome:
    try:
        return call(), None
    except BaseException as error:
        return None, error


def all_of(helpers: Sequence[Helper], mine: Callable[[], T], others: Sequence[Callable[[], T]]) -> list[T]:
    """Make calls at the same time, the first one here; what each returned, in order.  All have ended before one of them raises."""
    places = [helper.start(other) for helper, other in zip(helpers, others, strict=True)]
    outcomes = [_outcome(mine), *(place.get() for place in places)]
    for _, error in outcomes:
        if error:
            raise error
    return [returned for returned, _ in outcomes]


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
        """For the calling thread and its helpers, unless there are pages for as many."""
        threads = 1 + len(helpers)
        if threads <= self._threads:
            return
        a, b = np.zeros((256, 512), np.float32), np.zeros((512, 512), np.float32)
        together = threading.Barrier(threads)

        def product() -> None:
            with suppress(threading.BrokenBarrierError):  # somebody was interrupted: nobody waits for him for ever
                together.wait(timeout=1)
            np.matmul(a, b)

        all_of(helpers, product, [product] * len(helpers))
        self._threads = threads


BLAS_PAGES = BlasPages()


@contextmanager
def short_ufunc_buffers() -> Iterator[None]:
    """For the calling thread."""
    before = np.setbufsize(UFUNC_BUFFER)
    try:
        yield
    finally:
        np.setbufsize(before)


def default_threads() -> int:
    """OMP_NUM_THREADS, as for everybody else, or one for each core that this process may use."""
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# --------------------------------------------------------------------------------------------------------------- optimizers


class SGD:
    """w -= learning_rate * g"""

    def __init__(self, size: int, learning_rate: float) -> None:
        self.learning_rate = np.float32(learning_rate)

    def reset(self) -> None:
        """Nothing is remembered between steps."""

    def update(self, w: Array, g: Array) -> None:
        """One step, in place; g is used up."""
        np.multiply(g, self.learning_rate, out=g)
        np.subtract(w, g, out=w)


class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1) without a new array, in ten passes: fresh memory and passes cost more than arithmetic.

    The running means are kept divided by what each new value is multiplied by, 1 - beta: a decay and a sum then update them, and the
    factors that are left, with those that take out the bias, are numbers that are multiplied together before any array is touched.
    """

    def __init__(self, size: int, learning_rate: float) -> None:
        self.learning_rate = learning_rate
        self.mean, self.square = np.zeros((2, size), np.float32)
        self.steps = 0

    def reset(self) -> None:
        """Forget all steps."""
        self.steps = 0
        self.mean.fill(0)
        self.square.fill(0)

    def update(self, w: Array, g: Array) -> None:
        """One step, in place; g is used up."""
        self.steps += 1
        m, v = self.mean, self.square
        of_mean = (1 - ADAM_BETA1) / (1 - ADAM_BETA1**self.steps)
        of_root = math.sqrt((1 - ADAM_BETA2) / (1 - ADAM_BETA2**self.steps))
        np.multiply(m, np.float32(ADAM_BETA1), out=m)
        np.add(m, g, out=m)
        np.multiply(v, np.float32(ADAM_BETA2), out=v)
        np.multiply(g, g, out=g)
        np.add(v, g, out=v)
        np.sqrt(v, out=g)
        np.add(g, np.float32(ADAM_EPSILON / of_root), out=g)
        np.divide(m, g, out=g)
        np.multiply(g, np.float32(self.learning_rate * of_mean / of_root), out=g)
        np.subtract(w, g, out=w)


OPTIMIZERS: dict[str, type[SGD] | type[Adam]] = {"sgd": SGD, "adam": Adam}


# ------------------------------------------------------------------------------------------------------------------ network


class Worker:
    """What one thread needs: memory, and the network prepared in it for each number of images."""

    def __init__(self, prepare: Callable[[Arena, int, bool], T], floats: Mapping[bool, tuple[int, int, int]]) -> None:
        self._prepare, self._floats = prepare, floats
        self._arena = Arena()
        self._for_training = False
        self._prepared: dict[tuple[int, bool], tuple[Any, list[tuple[Array, float]]]] = {}
        self._latest: Any = None
        self._total = np.empty(0, np.float32)

    @property
    def workspace_bytes(self) -> int:
        """The arena, and the sum of gradients."""
        return self._arena.nbytes + self._total.nbytes

    def total(self, size: int) -> Array:
        """Zeros, to sum gradients of chunks in."""
        if len(self._total) != size:
            self._total = np.empty(size, np.float32)
        self._total.fill(0)
        return self._total

    def network(self, n: int, training: bool) -> Any:
        """The network on n images, with its way back if training."""
        if (n, training) not in self._prepared:
            if not self._arena.nbytes or training > self._for_training:
                self._arena, self._for_training = Arena(self._floats[training]), training
                self._prepared.clear()
            if len(self._prepared) == PREPARED:
                self._prepared.clear()
            self._arena.restart()
            self._prepared[n, training] = self._prepare(self._arena, n, training), self._arena.constants
        network, constants = self._prepared[n, training]
        if network is not self._latest:
            for array, value in constants:
                array.fill(value)
            self._latest = network
        return network


def floats_of(prepare: Callable[[Arena, int, bool], T]) -> dict[bool, tuple[int, int, int]]:
    """Training? -> memory for any number of images, as much as the largest of each kind takes.  Who trains also predicts."""
    counter, floats = Arena(), {}
    for training in (False, True):
        for n in (FEW, MOST[training]):
            counter.restart()
            prepare(counter, n, training)
        floats[training] = counter.floats
    return floats


class FusedLeNet5:
    """LeNet-5 on images (n, c, 32, 32), fastest if they are `laid_out`; float32.

    Threads may share a network: it does one thing at a time, and each of them with all its own threads.
    """

    def __init__(
        self,
        weights: Mapping[str, Any],
        activation: str = "relu",
        optimizer: str = "adam",
        learning_rate: float = 1e-3,
        threads: int | None = None,
    ) -> None:
        self._shapes = shapes_of(checked(weights))
        size = sum(int(np.prod(shape)) for shape in self._shapes.values())
        self._parameters = Parameters(np.empty(size, np.float32), self._shapes)
        self._kernels = {
            name: ShiftedKernels(self._parameters.kernels[name], self._parameters.biases[name], POOLED_SIDE[name])
            for name in CONVOLUTIONS
        }
        self._stale: set[bool] = set()
        self._activation = activation
        self._optimizer = OPTIMIZERS[optimizer](size, learning_rate)
        self._classes = self._shapes["fc3.bias"][0]
        floats = floats_of(self._prepare)
        affordable = {kind: max(1, WORKSPACE_BYTES // (4 * (sum(floats[kind]) + kind * size))) for kind in (False, True)}
        self._workers = [Worker(self._prepare, floats) for _ in range(min(threads or default_threads(), affordable[False]))]
        self._trainers = affordable[True]
        self._helping: list[Helper] = []
        self._helpers_owner = os.getpid()
        self._lock = threading.Lock()
        self.load(weights)

    def weights(self) -> Weights:
        """A copy, in canonical layout."""
        with self._lock:
            return {name: np.array(array, order="C") for name, array in self._parameters.canonical.items()}

    def load(self, weights: Mapping[str, Any]) -> None:
        """Overwrite the weights in place; the optimizer starts afresh."""
        fitting = checked(weights, like=self._shapes)
        with self._lock:
            for name, array in fitting.items():
                self._parameters.canonical[name][...] = array
            self._optimizer.reset()
            self._stale = {True, False}

    @property
    def workspace_bytes(self) -> int:
        """Memory held between calls beside the weights and the optimizer's state."""
        return sum(worker.workspace_bytes for worker in self._workers)

    def predict(self, x: Array) -> NDArray[np.float32]:
        """Logits.   x (n, c, 32, 32) -> (n, classes)"""
        n = len(x)
        logits = np.empty((n, self._classes), np.float32)
        if n == 1:  # products too small for the BLAS to share out: holding it would only cost time
            with self._lock:
                self._write_kernels(few=True)
                np.copyto(logits.T, self._workers[0].network(1, False).forward(x))
            return logits

        def work(worker: Worker, images: list[slice]) -> None:
            for some in images:
                np.copyto(logits[some].T, worker.network(some.stop - some.start, False).forward(x[some]))

        with self._lock, ONE_BLAS_THREAD:
            self._write_kernels(few=True)
            self._write_kernels(few=False)
            self._share(n, MOST[False], work)
        return logits

    def train_step(self, x: Array, y: Array) -> float:
        """One update; the mean cross-entropy before it.   x (n, c, 32, 32), y (n,)"""
        with self._lock, ONE_BLAS_THREAD:
            loss, gradient = self._gradient(x, y)
            self._optimizer.update(self._parameters.flat, gradient)
            self._stale = {True, False}
        return loss

    def gradients(self, x: Array, y: Array) -> tuple[float, dict[str, Array]]:
        """The mean cross-entropy, and its derivatives in canonical layout.   x (n, c, 32, 32), y (n,)"""
        with self._lock, ONE_BLAS_THREAD:
            loss, gradient = self._gradient(x, y)
            return loss, Parameters(gradient.copy(), self._shapes).canonical

    def _gradient(self, x: Array, y: Array) -> tuple[float, Array]:
        """Loss and flat gradient, summed chunk by chunk in each thread, then thread by thread."""
        share = 1 / len(x)

        def work(worker: Worker, images: list[slice]) -> tuple[float, Array]:
            loss, total = 0.0, worker.total(len(self._parameters.flat)) if len(images) > 1 else None
            for some in images:
                forward, backward = worker.network(some.stop - some.start, True)
                forward.forward(x[some])
                loss += backward.backward(y[some], share)
                gradient = backward.gradient if total is None else np.add(total, backward.gradient, out=total)
            return loss, gradient

        del self._workers[self._trainers :]  # for good: what is prepared for training stays that large
        self._write_kernels(few=False)
        (loss, gradient), *others = self._share(len(x), MOST[True], work)
        for other_loss, other_gradient in others:
            loss += other_loss
            np.add(gradient, other_gradient, out=gradient)
        return loss, gradient

    def _share(self, n: int, most: int, work: Callable[[Worker, list[slice]], T]) -> list[T]:
        """Do work on n images, at most so many at a time, every thread on its own share; what each returned, in order."""
        threads = min(len(self._workers), -(-n // LEAST))
        helpers = self._helpers(threads - 1)
        BLAS_PAGES.make(helpers)

        def job(worker: Worker, share: slice) -> T:
            size = share.stop - share.start
            images = [slice(share.start + part.start, share.start + part.stop) for part in parts(size, -(-size // most))]
            with short_ufunc_buffers():
                return work(worker, images)

        mine, *others = (partial(job, *each) for each in zip(self._workers, parts(n, threads), strict=False))
        return all_of(helpers, mine, others)

    def _helpers(self, count: int) -> list[Helper]:
        """Threads beside the caller's; made when first needed, and again in a forked process, which has none of them."""
        if self._helpers_owner != os.getpid():
            self._helping, self._helpers_owner = [], os.getpid()
        self._helping += [Helper() for _ in range(count - len(self._helping))]
        return self._helping[:count]

    def _write_kernels(self, few: bool) -> None:
        """Bring the shifted copies up to date, if this kind of them is not."""
        if few in self._stale:
            for kernels in self._kernels.values():
                kernels.write_few() if few else kernels.write_many()
            self._stale.discard(few)

    def _prepare(self, arena: Arena, n: int, training: bool) -> Any:
        """A `Forward` on n images, for training with its `Backward`."""
        forward = Forward(arena, n, self._parameters, self._kernels, self._activation, keep=training)
        if not training:
            return forward
        gradients = Parameters(arena.take(len(self._parameters.flat)), self._shapes)
        return forward, Backward(arena, forward, self._kernels, self._activation, gradients)
