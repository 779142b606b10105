"""LeNet-5 in NumPy as fast as the processor multiplies: how the numbers lie in memory decides, not how they are computed.

**From the definition to a matrix product.**  An output pixel of a convolution is a sum over a 5x5 window of the image,

    y[f, h, w] = bias[f] + sum over a, b, c of x[h + a, w + b, c] kernel[f, a, b, c]                   a, b = 0..4

so all outputs together are one matrix product, kernel (f, 25c) times windows (25c, places), once every window stands in a
column of its own: "im2col".  The products are cheap: conv1 of one 3x32x32 image takes 352,800 multiplications.  Building the
columns is dear: 25 copies of nearly every pixel, 58,800 floats (235 kB), gathered in runs of a few floats, and NumPy takes its
time over each run, however short.  Three changes of layout (`strips`) get rid of that.

1. **Images innermost.**  With an array (h, w, c, n) the smallest thing that is ever copied, added or compared is a run of n
   floats, one pixel of n images; 32 images are two full cache lines.  Every operation is then a few long loops.

2. **No window is ever built.**  A strip is a row of the image shifted by 0 to 5 columns: strips[h, b] (c, j, n) holds pixel 2j + b
   of row h for every j.  Row follows row, so 5 of them from row i on *are* all windows of output row i, one matrix (5*6*c, j*n)
   that starts 6c rows further down for each i.  `as_strided` hands all 28 overlapping matrices to np.matmul, which calls the BLAS
   for each, (12 x 90) times (90 x 448) in conv1 with 32 images; only the strips are copied: 32 * 6 * 3 * 14 = 8,064 floats an
   image instead of 58,800.  They are copied in runs of 14n, since even columns lie apart from odd ones: pixels 2j + b for all j
   are then neighbours.

3. **Two neighbours in one product.**  The windows are 6 wide, not 5, and the matrix holds the kernel twice, the second time
   shifted one column to the right (zeros elsewhere): one product gives the outputs at columns 2j and 2j + 1.  That costs a fifth
   more multiplications (423,360 for conv1, 288,000 for conv2), saves two fifths of the strips, and brings the rows of the matrix
   from 6 to 12, which a SIMD kernel needs.  The two results lie apart in memory, and max-pooling is what it should be: the larger
   of two long runs, first across the two columns, then across two rows.

Bias and activation come *after* pooling, on a quarter of the elements: both are monotone, so they commute with the maximum.

**One image** has no n to be innermost.  There the channels are, and what counts is the number of NumPy calls (`patches`).

Counts for one image, c = 3 (float32 multiplications; floats copied):

    layer    definition    strips (many)       patches (few)      im2col copies    strips copied    patches copied
    conv1       352,800    423,360 (x 1.2)    677,376 (x 1.9)            58,800            8,064            14,112
    conv2       240,000    288,000 (x 1.2)    345,600 (x 1.4)            15,000            2,520             5,400

**Threads.**  A batch is cut into chunks that fit the cache, and each thread takes its share of them; the BLAS is held to one thread
meanwhile (`blas`).  A thread that takes whole chunks meets the others once a batch, and NumPy releases the interpreter in every call
that counts.  Results do not depend on timing: which chunk goes to which thread, and the order in which gradients are added, is fixed.

Letters: n images, c channels in, f filters, h x w pixels in, i x j pooled pixels out.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5.architecture import CONVOLUTION_SIDE, CONVOLUTIONS, POOL_SIDE, checked, shapes_of
from lenet5.by_hand.backward import Backward
from lenet5.by_hand.blas import ONE_BLAS_THREAD
from lenet5.by_hand.flat_optimizers import FLAT_OPTIMIZERS
from lenet5.by_hand.forward import CHUNK_IMAGES, Forward
from lenet5.by_hand.layout import Array
from lenet5.by_hand.memory import Arena
from lenet5.by_hand.parameters import Parameters, ShiftedKernels
from lenet5.by_hand.team import Team
from lenet5.by_hand.threads import default_threads
from lenet5.by_hand.workers import Worker, job_of
from lenet5.contract import Weights, whole_number

MOST_IMAGES_TO_PREDICT = 7 * CHUNK_IMAGES
MOST_IMAGES_TO_TRAIN = CHUNK_IMAGES
"""Images that a network is prepared for at most: fewer to train, because training keeps what all of them left on their way."""


class FusedLeNet5:
    """LeNet-5 on images (n, c, 32, 32), fastest if they are `laid_out`; float32.

    ``threads``: how many take part in a call, at least one, if their memory fits into `workers.WORKSPACE_BYTES` together; default:
    OMP_NUM_THREADS, or one for each core.  Several threads of a program may share a network: it serves one call at a time, with all its
    own threads.
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
            name: ShiftedKernels(self._parameters.kernels[name], self._parameters.biases[name], CONVOLUTION_SIDE[name] // POOL_SIDE)
            for name in CONVOLUTIONS
        }
        self._activation = activation
        self._optimizer = FLAT_OPTIMIZERS[optimizer](size, learning_rate)
        self._classes = self._shapes["fc3.bias"][0]
        counter, threads = Arena(), default_threads() if threads is None else whole_number("threads", threads, 1)
        self._predicting = job_of(self._prepare_to_predict, MOST_IMAGES_TO_PREDICT, counter, 0, threads)
        self._training = job_of(self._prepare_to_train, MOST_IMAGES_TO_TRAIN, counter, size, threads)
        self._team = Team(self._predicting, self._training)
        self._lock = threading.Lock()
        self.load(weights)

    def weights(self) -> Weights:
        """A copy, in canonical layout."""
        with self._lock:
            return {name: np.array(array, order="C") for name, array in self._parameters.canonical.items()}

    def load(self, weights: Mapping[str, Any]) -> None:
        """Overwrite the weights in place; the optimizer starts afresh.  Raises InputError if a name or a shape differs."""
        fitting = checked(weights, like=self._shapes)
        with self._lock:
            for name, array in fitting.items():
                self._parameters.canonical[name][...] = array
            self._optimizer.reset()
            self._weights_have_changed()

    @property
    def workspace_bytes(self) -> int:
        """Memory held between calls beside the weights and the optimizer's state."""
        return self._team.workspace_bytes

    def predict(self, x: Array) -> NDArray[np.float32]:
        """Logits.   x (n, c, 32, 32) -> (n, classes)"""
        n = len(x)
        logits = np.empty((n, self._classes), np.float32)
        if n == 1:  # products too small for the BLAS to share out: holding it would only cost time
            with self._lock:
                self._write_kernels_for_patches()
                np.copyto(logits.T, self._team.workers[0].network(self._predicting, 1).forward(x))
            return logits

        def work(worker: Worker, images: list[slice]) -> None:
            for some in images:
                np.copyto(logits[some].T, worker.network(self._predicting, some.stop - some.start).forward(x[some]))

        with self._lock, ONE_BLAS_THREAD:
            self._write_kernels_for_patches()
            self._write_kernels_for_strips()
            self._team.share(self._predicting, n, work)
        return logits

    def train_step(self, x: Array, y: Array) -> float:
        """One update; the mean cross-entropy before it, in nats.   x (n, c, 32, 32), y (n,)"""
        with self._lock, ONE_BLAS_THREAD:
            loss, gradient = self._gradient(x, y)
            self._optimizer.update(self._parameters.flat, gradient)
            self._weights_have_changed()
        return loss

    def gradients(self, x: Array, y: Array) -> tuple[float, dict[str, Array]]:
        """The mean cross-entropy in nats, and its derivatives in canonical layout.   x (n, c, 32, 32), y (n,)"""
        with self._lock, ONE_BLAS_THREAD:
            loss, gradient = self._gradient(x, y)
            return loss, Parameters(gradient.copy(), self._shapes).canonical

    def _gradient(self, x: Array, y: Array) -> tuple[float, Array]:
        """Loss and flat gradient, summed chunk by chunk in each thread, then thread by thread."""
        share = 1 / len(x)

        def work(worker: Worker, images: list[slice]) -> tuple[float, Array]:
            loss, total = 0.0, worker.total(len(self._parameters.flat)) if len(images) > 1 else None
            for some in images:
                forward, backward = worker.network(self._training, some.stop - some.start)
                forward.forward(x[some])
                loss += backward.backward(y[some], share)
                gradient = backward.gradient if total is None else np.add(total, backward.gradient, out=total)
            return loss, gradient

        self._write_kernels_for_strips()
        (loss, gradient), *others = self._team.share(self._training, len(x), work)
        for other_loss, other_gradient in others:
            loss += other_loss
            np.add(gradient, other_gradient, out=gradient)
        return loss, gradient

    def _weights_have_changed(self) -> None:
        """The shifted copies of both kernels are to be written before they are used again."""
        self._stale_for_strips = self._stale_for_patches = True

    def _write_kernels_for_strips(self) -> None:
        if self._stale_for_strips:
            for kernels in self._kernels.values():
                kernels.write_for_strips()
            self._stale_for_strips = False

    def _write_kernels_for_patches(self) -> None:
        if self._stale_for_patches:
            for kernels in self._kernels.values():
                kernels.write_for_patches()
            self._stale_for_patches = False

    def _prepare_to_predict(self, arena: Arena, n: int) -> Forward:
        return Forward(arena, n, self._parameters, self._kernels, self._activation, keep=False)

    def _prepare_to_train(self, arena: Arena, n: int) -> tuple[Forward, Backward]:
        forward = Forward(arena, n, self._parameters, self._kernels, self._activation, keep=True)
        gradients = Parameters(arena.take(len(self._parameters.flat)), self._shapes)
        return forward, Backward(arena, forward, self._kernels, self._activation, gradients)
