"""The networks of the worklog, docs/fast-numpy.md: each is the network by hand with something changed, and is timed in turns with another one.

RUNGS lead from the textbook's loops to the fast network; each is timed beside the rung below it.  TRICKS are the fast network without one
trick, TRIED is what did not pay; both are timed beside the fast network as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import lenet5
from benchmarks.arrange.worklog import convolving, keeping, tried
from benchmarks.arrange.worklog.copies import Copy

Change = Callable[[Copy], None]

Question = tuple[str, int]
"""What is asked for, and of how many images."""

ONE, MANY, MORE, STEP = ("predict", 1), ("predict", 64), ("predict", 450), ("train step", 64)
RUNGS_ARE_ASKED, TRICKS_ARE_ASKED = (ONE, MANY, STEP), (ONE, MANY, MORE, STEP)
SEVERAL = (MANY, MORE, STEP)
PREDICTIONS = (ONE, MANY, MORE)

BY_HAND, LOOPS = lenet5.reference()
*_, IM2COL, FAST = lenet5.ladder(BY_HAND)


@dataclass(frozen=True)
class Variant:
    """One network of the worklog."""

    name: str
    changes: Sequence[Change] = ()
    """What is changed in a copy of the modules, one after the other."""
    questions: Sequence[Question] = TRICKS_ARE_ASKED
    """What it is asked: what the changes could make a difference to."""
    mode: str = FAST

    @property
    def spins(self) -> bool:
        """Whether threads of the BLAS compute its products: they go on looking for work after a call, on the CPUs of the next one."""
        return self.mode == IM2COL or bool({keeping.blas_not_held, keeping.blas_threads_only} & {*self.changes})

    def copy(self) -> Copy:
        """A copy of the modules, changed."""
        made = Copy()
        for change in self.changes:
            change(made)
        return made


CLIMB: Mapping[str, Sequence[Change]] = {
    "images innermost": (),
    "strips, not windows": (convolving.windows,),
    "two columns in one product": (convolving.one_column_a_product,),
    "pooling first": (convolving.pooling_last,),
    "everything prepared": (keeping.fresh_memory,),
    "chunks that fit the cache": (keeping.chunks_of(64, most=64), keeping.nothing_overwritten),
    "patches for one image": (convolving.strips_for_few,),
    "how NumPy copies and compares": (
        keeping.runs_of_floats,
        keeping.maximum_with_a_number,
        keeping.long_ufunc_buffers,
        keeping.no_gap_between_images,
    ),
    "all weights in one buffer": (keeping.weights_one_by_one, keeping.bias_by_itself),
    "threads": (keeping.one_thread,),
}
"""Rung of the fast network -> the changes by which that network does without it."""


def _rungs() -> tuple[Variant, ...]:
    """From the loops up.  A rung of the fast network is that network without what all rungs above it bring."""
    names = list(CLIMB)
    without = [[change for above in names[place + 1 :] for change in CLIMB[above]] for place in range(len(names))]
    forwards_only = {"images innermost", "strips, not windows"}
    return (
        Variant("loops", questions=RUNGS_ARE_ASKED, mode=LOOPS),
        Variant("one product a layer", questions=RUNGS_ARE_ASKED, mode=IM2COL),
        *(
            Variant(name, changes, (ONE, MANY) if name in forwards_only else RUNGS_ARE_ASKED)
            for name, changes in zip(names, without, strict=True)
        ),
    )


RUNGS = _rungs()

FAST_PATH = RUNGS[-1]

TRICKS = (
    Variant("windows copied, not strips", (convolving.windows,), PREDICTIONS[1:]),
    Variant("one column in a product", (convolving.one_column_a_product,), PREDICTIONS[1:]),
    Variant("even columns not apart from odd ones", (convolving.columns_in_order,), SEVERAL),
    Variant("pooling last", (convolving.pooling_last,)),
    Variant("patches for many images", (convolving.patches_for_many,), PREDICTIONS[1:]),
    Variant("strips for one image", (convolving.strips_for_few,), (ONE,)),
    Variant("one pool a patch", (convolving.one_pool_a_patch,), (ONE,)),
    Variant("the matrix of patches the other way round", (convolving.outputs_first,), (ONE,)),
    Variant("fresh memory in every call", (keeping.fresh_memory,)),
    Variant("views made in every call", (keeping.views_made_anew,)),
    Variant("nothing overwritten in the cache", (keeping.nothing_overwritten,), SEVERAL),
    Variant("arrays begin anywhere in a line of the cache", (keeping.anywhere_in_a_line,)),
    Variant("no gap between images", (keeping.no_gap_between_images,), SEVERAL),
    Variant("images channels first", (keeping.images_as_they_come,)),
    Variant("runs copied as floats", (keeping.runs_of_floats,)),
    Variant("maximum with a number", (keeping.maximum_with_a_number,)),
    Variant("NumPy's long buffers", (keeping.long_ufunc_buffers,), SEVERAL),
    Variant("all images in one chunk", (keeping.chunks_of(450),), SEVERAL),
    Variant("chunks of 9 images", (keeping.chunks_of(9),), SEVERAL),
    Variant("chunks of 18 images", (keeping.chunks_of(18),), SEVERAL),
    Variant("dense layers chunk by chunk", (keeping.dense_by_chunks,), (MORE,)),
    Variant("shifted kernels written in every call", (keeping.kernels_written_every_time,), PREDICTIONS),
    Variant("biases added by themselves", (keeping.bias_by_itself,)),
    Variant("ten arrays of weights, Adam as published", (keeping.weights_one_by_one,), (STEP,)),
    Variant("Adam as published, on one buffer", (keeping.optimizer_as_published,), (STEP,)),
    Variant("pooling backwards by np.where", (convolving.pooling_back_by_choice,), (STEP,)),
    Variant("the kernel's derivative in one product", (convolving.one_product_for_the_kernel,), (STEP,)),
    Variant("the source's derivative row by row", (convolving.source_row_by_row,), (STEP,)),
    Variant("one thread", (keeping.one_thread,), SEVERAL),
    Variant("threads of an executor", (keeping.threads_of_an_executor,), SEVERAL),
    Variant("the BLAS keeps its threads", (keeping.blas_not_held,), SEVERAL),
    Variant("the BLAS held for one image", (keeping.blas_held_for_one_image,), (ONE,)),
    Variant("np.matmul in place of np.dot", (keeping.matmul_for_dot,), (ONE,)),
)
"""The fast network, each time without one of its tricks."""

NO_PAGES = Variant("no pages of the BLAS made", (keeping.no_pages,), (MANY,))
"""One more, which can be timed only in a process where no other network has made these pages."""

TRIED = (
    Variant("im2col in the plain network, for comparison", (), PREDICTIONS, IM2COL),
    Variant("Winograd F(2x2, 5x5)", (tried.convolution(tried.by_winograd),), PREDICTIONS, IM2COL),
    Variant("FFT", (tried.convolution(tried.by_fft),), PREDICTIONS, IM2COL),
    Variant("shifted maps (kn2row)", (tried.convolution(tried.by_shifted_maps),), PREDICTIONS, IM2COL),
    Variant("the BLAS's threads in place of the network's", (keeping.blas_threads_only,), SEVERAL),
    Variant("one maximum.reduce", (tried.one_maximum,), PREDICTIONS),
    Variant("chunks of 32 images", (keeping.chunks_of(32),), SEVERAL),
    Variant("chunks of 72 images", (keeping.chunks_of(72),), SEVERAL),
)
"""What did not pay: other algorithms, written as plainly as im2col is in the plain network, and other ways in the fast one."""


@dataclass(frozen=True)
class Trial:
    """One case: a network, what it is asked, and the network that it is timed in turns with."""

    part: str
    variant: Variant
    question: Question
    against: Variant | None

    @property
    def apart(self) -> bool:
        """Whether the two cannot be timed call by call, since the threads of one would disturb the other."""
        return self.variant.spins or bool(self.against and self.against.spins)

    @property
    def id(self) -> str:
        """Its name on the command line: words and hyphens, since `pytest -k` takes nothing else as it stands."""
        kind, batch = self.question
        return "-".join(re.findall(r"\w+", f"{self.part} {self.variant.name} {kind} batch{batch}"))


def trials() -> list[Trial]:
    """Every case of the worklog.  A rung is timed beside the highest rung below it that is asked the same."""
    found = []
    for place, rung in enumerate(RUNGS):
        for question in rung.questions:
            below = next((one for one in RUNGS[:place][::-1] if question in one.questions), None)
            found.append(Trial("rung", rung, question, below))
    for part, variants in (("trick", TRICKS), ("tried", TRIED)):
        found += [Trial(part, variant, question, FAST_PATH) for variant in variants for question in variant.questions]
    return found
