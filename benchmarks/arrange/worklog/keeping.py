"""The fast network without one of the tricks of its memory, its weights or its threads: each function changes a copy of it (`copies`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.arrange.worklog.copies import Copy, change, numpy_with

# Memory


def fresh_memory(copy: Copy) -> None:
    """Every call makes its arrays anew, in memory that the operating system may have to bring."""

    Worker: Any = copy.workers.Worker

    class Fresh(Worker):  # type: ignore[misc]
        def network(self, *job_and_n: Any) -> Any:
            Worker.__init__(self)
            return super().network(*job_and_n)

    copy.replace("Worker", Fresh)


def views_made_anew(copy: Copy) -> None:
    """Every call cuts its arrays and makes its views anew, from memory that is kept."""

    Worker: Any = copy.workers.Worker

    class Anew(Worker):  # type: ignore[misc]
        def network(self, *job_and_n: Any) -> Any:
            self._prepared.clear()
            return super().network(*job_and_n)

    copy.replace("Worker", Anew)


def nothing_overwritten(copy: Copy) -> None:
    """What only the next operation reads has memory of its own, and goes through the cache on its way back."""
    change(copy.memory.Arena, "scratch", lambda self, area, *shape: self.take(*shape))


def anywhere_in_a_line(copy: Copy) -> None:
    """An array begins where the one before it ends, not on a line of the cache."""
    change(copy.memory, "CACHE_LINE_FLOATS", 1)


def no_gap_between_images(copy: Copy) -> None:
    """Images lie channels last, one right behind the other: a pixel of many images falls on the same lines of the cache."""
    change(copy.layout, "CACHE_LINE_FLOATS", 0)


def images_as_they_come(copy: Copy) -> None:
    """Images lie channels first, as they come."""
    copy.replace("laid_out", lambda images: np.array(images, order="C"))


def runs_of_floats(copy: Copy) -> None:
    """NumPy copies runs as floats, not as opaque items that it moves by one memmove."""
    copy.replace("items", lambda runs: runs)


def chunks_of(images: int, most: int | None = None) -> Callable[[Copy], None]:
    """So many images are convolved together at most, and ``most`` go through the dense layers together."""

    def changed(copy: Copy) -> None:
        copy.replace("CHUNK_IMAGES", images)
        copy.replace("MOST_IMAGES_TO_PREDICT", most or 7 * images)
        copy.replace("MOST_IMAGES_TO_TRAIN", images)
        copy.replace("WORKSPACE_BYTES", 10**10)

    return changed


def dense_by_chunks(copy: Copy) -> None:
    """The dense layers take a chunk, not all images of a part."""
    copy.replace("MOST_IMAGES_TO_PREDICT", copy.forward.CHUNK_IMAGES)


def maximum_with_a_number(copy: Copy) -> None:
    """relu compares with the number 0, not with an array of zeros."""
    change(copy.activations.ACTIVATE, "relu", lambda x, zeros, out: np.maximum(x, np.float32(0), out=out))


def long_ufunc_buffers(copy: Copy) -> None:
    """NumPy's own buffer of 8,192 elements."""
    copy.replace("UFUNC_BUFFER_FLOATS", 8192)


# Weights


def bias_by_itself(copy: Copy) -> None:
    """A dense layer's bias is added after the product, and its derivative is a sum: no column of the weight."""

    Dense: Any = copy.dense.Dense

    class BiasAdded(Dense):  # type: ignore[misc]
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self.features, self.kernel, self.bias = self.source[:-1], self.weight[:, :-1], self.weight[:, -1:]

        def forward(self) -> None:
            np.dot(self.kernel, self.features, out=self.out)
            np.add(self.out, self.bias, out=self.out)
            if self.activate:
                self.activate(self.out, self.zeros, self.out)

    DenseBackward: Any = copy.dense.DenseBackward

    class BiasSummed(DenseBackward):  # type: ignore[misc]
        def __init__(self, arena: Any, source: Any, weight: Any, d_out: Any, d_weight: Any) -> None:
            super().__init__(arena, source, weight, d_out, d_weight)
            features = weight.shape[1]
            self.features, self.d_kernel, self.d_bias = source[:features].T, d_weight[:, :features], d_weight[:, features:]

        def backward(self) -> None:
            np.matmul(self.d_out, self.features, out=self.d_kernel)  # a part of an array: no place for np.dot
            np.add.reduce(self.d_out, axis=1, out=self.d_bias[:, 0])
            np.dot(self.weight, self.d_out, out=self.d_source)

    copy.replace("Dense", BiasAdded)
    copy.replace("DenseBackward", BiasSummed)


def kernels_written_every_time(copy: Copy) -> None:
    """The shifted copies of the kernels are written in every call, whether the weights have changed or not."""

    FusedLeNet5: Any = copy.fused.FusedLeNet5

    class EveryTime(FusedLeNet5):  # type: ignore[misc]
        def predict(self, x: Any) -> Any:
            self._weights_have_changed()
            return super().predict(x)

    copy.replace("FusedLeNet5", EveryTime)


def optimizer_as_published(copy: Copy) -> None:
    """Adam's formula, as published, on the one flat buffer."""

    Adam: Any = copy.optimizers.Adam

    class Published(Adam):  # type: ignore[misc]
        def __init__(self, size: int, learning_rate: float) -> None:
            super().__init__(learning_rate)

        def update(self, w: Any, g: Any) -> None:
            super().update({"all": w}, {"all": g})

    change(copy.flat_optimizers.FLAT_OPTIMIZERS, "adam", Published)


def weights_one_by_one(copy: Copy) -> None:
    """Adam's formula, as published, on each of the ten arrays by itself."""

    FusedLeNet5: Any = copy.fused.FusedLeNet5

    class OneByOne(FusedLeNet5):  # type: ignore[misc]
        def __init__(self, weights: Any, activation: str, optimizer: str, learning_rate: float) -> None:
            super().__init__(weights, activation, optimizer, learning_rate)
            self._optimizer = copy.optimizers.OPTIMIZERS[optimizer](learning_rate)
            update, self._optimizer.update = self._optimizer.update, self._update
            self._update_arrays, self._latest = update, np.empty(0, np.float32)

        def _update(self, w: Any, g: Any) -> None:
            if g.ctypes.data != self._latest.ctypes.data:  # a network that is kept leaves its gradient where it was
                self._latest, self._gradients = g, copy.parameters.Parameters(g, self._shapes).canonical
            self._update_arrays(self._parameters.canonical, self._gradients)

    copy.replace("FusedLeNet5", OneByOne)


# Threads


def one_thread(copy: Copy) -> None:
    """The network computes on the caller's thread alone."""
    copy.replace("default_threads", lambda: 1)


def threads_of_an_executor(copy: Copy) -> None:
    """The shares go to threads of concurrent.futures, not to helpers that wait at a queue."""

    @cache
    def executor(threads: int) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(threads)

    def all_of(helpers: Sequence[Any], mine: Callable[[], Any], others: Sequence[Callable[[], Any]]) -> list[Any]:
        futures = [executor(len(others)).submit(other) for other in others]
        return [mine(), *(future.result() for future in futures)]

    copy.replace("all_of", all_of)


def blas_not_held(copy: Copy) -> None:
    """The BLAS may use its own threads beside those of the network."""
    copy.replace("ONE_BLAS_THREAD", nullcontext())


def no_pages(copy: Copy) -> None:
    """No page of the BLAS's memory is made before it is needed.  In a process where another network made them, they are there."""
    copy.replace("BLAS_PAGES", SimpleNamespace(make=lambda helpers: None))


def blas_threads_only(copy: Copy) -> None:
    """The BLAS's threads split each product; the network has none of its own."""
    one_thread(copy)
    blas_not_held(copy)


def blas_held_for_one_image(copy: Copy) -> None:
    """The BLAS is held to one thread for one image, too."""

    FusedLeNet5: Any = copy.fused.FusedLeNet5

    class Held(FusedLeNet5):  # type: ignore[misc]
        def predict(self, x: Any) -> Any:
            with copy.blas.ONE_BLAS_THREAD:
                return super().predict(x)

    copy.replace("FusedLeNet5", Held)


def matmul_for_dot(copy: Copy) -> None:
    """np.matmul in place of np.dot, which does the same for two matrices."""
    for module in (copy.patches, copy.dense):
        change(module, "np", numpy_with(dot=np.matmul))
