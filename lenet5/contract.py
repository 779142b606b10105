"""What every implementation promises: the only shapes and names that cross from one module to another.

An implementation is a class called ``LeNet5`` in a file ``with_<framework>.py`` that satisfies `Network`.  Everything else
(training, measuring, counting, reporting) is written against this page and knows no framework.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from lenet5.errors import InputError

Weights = dict[str, NDArray[np.float32]]
"""Canonical weights: the names and the layout of a PyTorch state_dict, as NumPy arrays (see `architecture`).

Ten arrays, and ``<layer>.basis`` before the weight of a layer that is factored (see `compression.low_rank`): the inputs are multiplied by the
basis first.
"""

ACTIVATIONS = ("relu", "sigmoid", "tanh")
OPTIMIZERS = ("sgd", "adam")
DEVICES = ("cpu", "cuda")

SEEDS = 2**32
"""There are so many: 0 to 4,294,967,295."""

# Adam as in Kingma & Ba (2015), algorithm 1: the epsilon is added to the bias-corrected root.  One value for all
# frameworks; where a framework uses it differently, that stands beside its optimizer.
ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON = 0.9, 0.999, 1e-8


class Network(Protocol):
    """LeNet-5 in one framework, in one mode.  Safe to discard; holds no reference to the arrays that it was given.

    Float32 is float32: TF32, bfloat16 and whatever else rounds what is multiplied are off, on a GPU too, and a setting of the user's does
    not turn them on.  Threads: the import of the framework takes OMP_NUM_THREADS, where it is set, for every pool that computes.
    A second network of a process may find what the first one compiled, as in PyTorch: the first call of a graph is one in a fresh process.
    """

    # What a class declares about itself.  Each value is a literal, written out: it is read from the source, without importing the
    # framework, by the function of the same name in the package lenet5.  All but modes may be absent.

    modes: ClassVar[tuple[str, ...]]
    """Ways to run the same arithmetic; the first is the default."""

    variants: ClassVar[tuple[str, ...]]
    """Modes that a short benchmark run may leave out, never the default.  Absent: none."""

    gpu_only: ClassVar[tuple[str, ...]]
    """Modes that only a GPU can run: with another device they raise NotSupported.  Absent: none."""

    dynamic: ClassVar[dict[str, str]]
    """Each mode that makes a graph or compiles -> the mode that does the same operation by operation: what it is compared with."""

    trained_in: ClassVar[str]
    """The mode in which a benchmark trains to the end: the one that the framework's users train in.  Absent: the default mode."""

    colour: ClassVar[str]
    """The framework's own colour in every plot, one of `declarations.COLOURS`; other frameworks do not change it.  Absent: a plot chooses."""

    reference: ClassVar[str]
    """The mode that is the textbook loops in float64, which every network is checked against.  Exactly one framework has it."""

    ladder: ClassVar[tuple[str, ...]]
    """Modes in steps from the definition to the fast one, each rung equal to the others.  Absent: the framework has no such steps."""

    trains: ClassVar[bool]
    """False for an engine that only predicts: no case that trains is made for it, and it is no candidate for the fastest framework.
    Absent: True."""

    packages: ClassVar[tuple[str, ...]]
    """Packages without which the framework is left out: no case, and one line in the report that says what to install.

    Absent: its cases are there, and skipped where its import raises NotInstalled.  A package that is installed but broken is an error
    either way."""

    caches: ClassVar[tuple[str, ...]]
    """Environment variables, each of which names a folder in which the framework keeps compiled code on disk.

    A benchmark sets them all to an empty folder of its own.  Absent: the framework keeps nothing on disk, or its file turns that off."""

    thread_variables: ClassVar[tuple[str, ...]]
    """Environment variables that the framework takes its number of threads from, beside OMP_NUM_THREADS.  A benchmark sets them all."""

    def __init__(
        self,
        weights: Mapping[str, Any],
        mode: str = ...,
        activation: str = "relu",
        optimizer: str = "adam",
        learning_rate: float = 1e-3,
        device: str = "cpu",
    ) -> None:
        """Build the network from canonical weights; layer sizes are read off their shapes.

        Raises InputError for anything unknown or misshapen.  Two kinds of InputError say that the request is right but cannot be met
        here: NotSupported where this mode cannot run such a network, or where a setting of the user's turns the mode or float32 off;
        NoDevice where the device is out of reach.  Raises NotInstalled where this machine lacks what the mode needs.
        """

    def check_mode(self) -> None:
        """Raise NotHonoured unless every call so far ran as the mode's name says: a compiled mode must not have run eagerly.

        Asked outside every clock, after the first call.  An implementation whose modes are plain code has no such member.
        """

    def tensor(self, array: NDArray[Any]) -> Any:
        """A host array as the framework wants it: checked, converted, on the device; the copy has finished.

        The time that this takes is reported apart, and is not part of the time of predict or train_step.

        Images float32 (n, c, 32, 32) or labels integer (n,).  Raises InputError for another dtype or shape, for values that are
        not finite and for labels that are not a class.
        """

    def predict(self, x: Any) -> NDArray[np.float32]:
        """Logits of a batch on the host; the device has finished.   x from tensor(), or a host array -> float32 (n, classes)

        The weights are those that the network has now: a load() or a train_step since an earlier call counts, for the same x too.

        A host array is checked and converted first, as tensor() does.  The logits are the caller's own array: it can be written to,
        what is written there changes no network, and no later call changes it.
        """

    def train_step(self, x: Any, y: Any) -> float:
        """One update of the weights from one batch; the mean cross-entropy *before* it, in nats.

        x and y from tensor(), images and labels, or host arrays, which are checked and converted first.  When this returns the update has
        finished: no thread and no device computes any more, for the weights as for the loss.

        Raises InputError unless there is one label for each image, and for a host array that tensor() refuses; neither the weights nor the
        optimizer's state have changed then.  A step that broke off in another way, by Ctrl-C or for lack of memory, leaves a network of
        which nothing is known until load() has made it whole.  Raises NotSupported if the class does not train.
        """

    def weights(self) -> Weights:
        """A copy of the weights in canonical layout."""

    def load(self, weights: Mapping[str, Any]) -> None:
        """Overwrite the weights in place; the optimizer starts afresh, compiled code is kept.

        Raises InputError if a name or a shape differs from the network's own; nothing is changed then.
        """

    @staticmethod
    def describe() -> dict[str, Any]:
        """The framework as loaded: ``version``, ``threads`` that one operation may use, and its own extras.

        ``threads`` is what the framework itself says, what can be counted, or what every network tells the framework in a call; never a
        variable that the framework may have read.  None where it is not to be had.
        """

    @staticmethod
    def device_peak_bytes(function: Callable[[], Any]) -> int:
        """Call ``function``; bytes that the framework's allocator held on the GPU at most meanwhile: weights, gradients, inputs, workspace.

        An implementation that reaches no device beside the CPU has no such member.
        """


def check_option(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """Raise InputError unless value is one of the allowed words."""
    if value not in allowed:
        raise InputError(f"{name}: {value!r} is not known; choose one of {', '.join(allowed)}")


def is_whole(value: object) -> bool:
    """Whether a value is a whole number, Python's or NumPy's; True is none, though Python counts with it."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def whole_number(name: str, value: Any, least: int, most: int | None = None) -> int:
    """The value as Python's own number.  Raises InputError unless it is a whole one, from ``least`` on and to ``most`` if that is given."""
    if not is_whole(value) or value < least or (most is not None and value > most):
        right = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise InputError(f"{name}: {value!r} does not fit; use a whole number {right}")
    return int(value)


def real_number(value: object) -> float:
    """The value as Python's own number; nan for what is no number of Python's or NumPy's, as True is none, or too large for one."""
    try:
        return float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    except OverflowError:
        return math.nan


def check_options(modes: tuple[str, ...], mode: str, activation: str, optimizer: str, learning_rate: float, device: str) -> float:
    """The learning rate as Python's own number.  Raises InputError for any constructor argument that no implementation could honour."""
    check_option("mode", mode, modes)
    check_option("activation", activation, ACTIVATIONS)
    check_option("optimizer", optimizer, OPTIMIZERS)
    check_option("device", device, DEVICES)
    rate = real_number(learning_rate)
    if not 0 < rate < math.inf:
        raise InputError(f"learning_rate: {learning_rate!r} does not fit; use a finite number above 0")
    return rate


def is_labels(array: NDArray[Any]) -> bool:
    """Whether a host array is meant as labels: anything one-dimensional is."""
    return np.ndim(array) == 1


def check_images(images: NDArray[Any], channels: int) -> None:
    """Raise InputError unless images are finite float32 (n, channels, 32, 32) with n >= 1."""
    images = np.asarray(images)
    wanted = f"float32 (n, {channels}, 32, 32) with n >= 1"
    if images.ndim != 4 or images.shape[1:] != (channels, 32, 32) or len(images) == 0:
        raise InputError(f"images: shape {images.shape} does not fit; this network takes {wanted}")
    if images.dtype != np.float32:
        raise InputError(f"images: dtype {images.dtype} does not fit; this network takes {wanted}")
    if not np.isfinite(images).all():
        n, c, h, w = (int(i) for i in np.argwhere(~np.isfinite(images))[0])
        raise InputError(f"images: {images[n, c, h, w]} at image {n}, channel {c}, row {h}, column {w}; every value must be finite")


def check_labels(labels: NDArray[Any], classes: int) -> None:
    """Raise InputError unless labels are integers (n,) in [0, classes) with n >= 1."""
    labels = np.asarray(labels)
    wanted = f"integers (n,) from 0 to {classes - 1} with n >= 1"
    if labels.ndim != 1 or len(labels) == 0:
        raise InputError(f"labels: shape {labels.shape} does not fit; this network takes {wanted}")
    if not np.issubdtype(labels.dtype, np.integer):
        raise InputError(f"labels: dtype {labels.dtype} does not fit; this network takes {wanted}")
    outside = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(outside):
        raise InputError(f"labels: {labels[outside[0]]} at position {outside[0]} is not a class; this network takes {wanted}")


def check_pair(n_images: int, n_labels: int) -> None:
    """Raise InputError unless there is one label for each image."""
    if n_images != n_labels:
        raise InputError(f"train_step: {n_images} images but {n_labels} labels; it takes one label an image")
