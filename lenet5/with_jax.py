"""LeNet-5 in JAX: pure functions of the weights, compiled by XLA as a whole (jax.jit) or run operation by operation."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache, wraps
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lenet5 import channels_last, threads
from lenet5.architecture import CONVOLUTIONS, DENSE, POOL_SIDE, checked, shapes_of
from lenet5.contract import (
    ADAM_BETA1,
    ADAM_BETA2,
    ADAM_EPSILON,
    Weights,
    check_images,
    check_labels,
    check_options,
    check_pair,
    is_labels,
)
from lenet5.errors import NoDevice, NotHonoured, NotSupported

# JAX reads these when it is first asked for a device.
if number := threads.asked():
    os.environ["PJRT_NPROC"] = str(number)  # the size of XLA's pool of threads on the CPU
os.environ.setdefault(
    "XLA_PYTHON_CLIENT_PREALLOCATE", "false"
)  # or JAX takes most of a GPU's memory at once, and leaves the others little

import jax
import jaxlib
from jax import lax
from jax import numpy as jnp

# A network that found an earlier one's compiled code on disk would show a first call that is none.
jax.config.update("jax_enable_compilation_cache", False)

# Said to every product and convolution.  A GPU's default rounds what it multiplies to TF32, three decimal digits, and float32 is float32 on
# the CPU.  The setting jax_default_matmul_precision is the user's; what is said to an operation goes before it.
EXACT = lax.Precision.HIGHEST

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh}

POOL_OF_THREADS = "tf_XLAEigen"
"""What XLA calls each thread that it computes on a CPU with."""

TASKS = Path("/proc/self/task")
"""A folder for each thread of this process, where the system has that."""

LAYOUT = ("NHWC", "HWIO", "NHWC")
"""Of images, of a kernel and of maps in a convolution: channels last, the layout that XLA's kernels for CPUs take as it is."""

Arrays = dict[str, jax.Array]


class LeNet5:
    """LeNet-5 in JAX.  Modes: jit (one program of XLA a call, the old weights' memory given to the new ones) and eager.

    XLA compiles anew for every batch size; in eager mode each operation for itself, once a process.
    """

    modes = ("jit", "eager")
    variants = ("eager",)  # a step makes 156 programs of XLA before it runs, and few who train in JAX leave jit out
    dynamic: ClassVar[dict[str, str]] = {"jit": "eager"}
    trained_in = "jit"
    colour = "purple"
    packages = ("jax",)
    thread_variables = ("PJRT_NPROC",)

    def __init__(
        self,
        weights: Mapping[str, Any],
        mode: str = modes[0],
        activation: str = "relu",
        optimizer: str = "adam",
        learning_rate: float = 1e-3,
        device: str = "cpu",
    ) -> None:
        learning_rate = check_options(self.modes, mode, activation, optimizer, learning_rate, device)
        self._device = _device(device)
        if mode == "jit":
            _require_jit()
        arrays = checked(weights)
        self._shapes = shapes_of(arrays)
        self._ran_eagerly = False
        self._activation = ACTIVATIONS[activation]
        self._move = _adam if optimizer == "adam" else _descend
        self._weights: Arrays = {}
        self._state: dict[str, Any] = {}
        self._keeps_moments = optimizer == "adam"
        self._learning_rate = learning_rate
        # JAX knows compiled code by the function that it was made of: these are the instance's own, and so is their code.
        self._predict, self._step = self._logits, self._update
        if mode == "jit":
            self._predict = jax.jit(self._noting(self._logits))
            self._step = jax.jit(self._noting(self._update), donate_argnums=(0, 1))
        self.load(arrays)

    def check_mode(self) -> None:
        if self._ran_eagerly:
            raise NotHonoured("jax: mode 'jit' ran eagerly; jax.jit did not compile it")

    def tensor(self, array: NDArray[Any]) -> jax.Array:
        """As promised; images become channels last."""
        if is_labels(array):
            check_labels(array, classes=self._shapes["fc3.bias"][0])
            return self._put(np.array(array, np.int32))
        check_images(array, channels=self._shapes["conv1.weight"][1])
        return self._put(np.array(np.transpose(array, (0, 2, 3, 1)), order="C"))

    def predict(self, x: Any) -> NDArray[np.float32]:
        # JAX's own array can be read only, and shares its memory.
        return np.array(self._predict(self._weights, self._own(x)))

    def train_step(self, x: Any, y: Any) -> float:
        check_pair(len(x), len(y))
        self._weights, self._state, loss = self._step(self._weights, self._state, self._own(x), self._own(y))
        # The loss can be known before the weights are.
        jax.block_until_ready((self._weights, self._state))
        return float(loss)

    def weights(self) -> Weights:
        arrays = {}
        for name in self._shapes:
            array, (layer, _, kind) = np.array(self._weights[name]), name.partition(".")
            arrays[name] = array if kind == "bias" else channels_last.to_canonical(layer, array, self._is_second(name))
        return arrays

    def load(self, weights: Mapping[str, Any]) -> None:
        arrays = checked(weights, like=self._shapes)
        for name, array in arrays.items():
            layer, _, kind = name.partition(".")
            kernel = array if kind == "bias" else channels_last.from_canonical(layer, array, self._is_second(name))
            self._weights[name] = self._put(np.array(kernel, order="C"))
        moments = ("first", "second") if self._keeps_moments else ()
        self._state = {
            moment: {name: self._put(np.zeros(array.shape, np.float32)) for name, array in self._weights.items()}
            for moment in moments
        } | {"steps": self._put(np.zeros((), np.float32))}

    @staticmethod
    def describe() -> dict[str, Any]:
        return {
            "version": jax.__version__,
            "threads": _threads(),
            "jaxlib": jaxlib.__version__,
            "gpu": ", ".join(device.device_kind for device in _devices("gpu")),
            "settings": _settings(),
        }

    def _put(self, own: NDArray[Any]) -> jax.Array:
        """An array that nothing else holds, on the device; it has arrived."""
        return jax.device_put(own, self._device).block_until_ready()

    def _own(self, x: Any) -> jax.Array:
        """What tensor() made, or what it makes of a host array."""
        return x if isinstance(x, jax.Array) else self.tensor(x)

    def _is_second(self, name: str) -> bool:
        """Whether an array is the second factor of a layer that has a basis."""
        layer, _, kind = name.partition(".")
        return kind == "weight" and f"{layer}.basis" in self._shapes

    def _noting(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, which notes if it is run and not traced; the compiled code has nothing of this in it."""

        @wraps(function)
        def traced(weights: Arrays, *arguments: Any) -> Any:
            self._ran_eagerly |= not isinstance(weights["fc3.bias"], jax.core.Tracer)
            return function(weights, *arguments)

        return traced

    def _logits(self, weights: Arrays, x: jax.Array) -> jax.Array:
        """x (n, 32, 32, c) -> (n, classes)"""
        pool = (1, POOL_SIDE, POOL_SIDE, 1)
        for layer in CONVOLUTIONS:
            for kernel in _kernels(weights, layer):
                x = lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=LAYOUT, precision=EXACT)
            x = self._activation(x + weights[f"{layer}.bias"])
            x = lax.reduce_window(x, -jnp.inf, lax.max, pool, pool, "VALID")
        x = x.reshape(len(x), -1)
        for layer in DENSE:
            for kernel in _kernels(weights, layer):
                x = jnp.matmul(x, kernel, precision=EXACT)
            x = x + weights[f"{layer}.bias"]
            if layer != DENSE[-1]:
                x = self._activation(x)
        return x

    def _loss(self, weights: Arrays, x: jax.Array, y: jax.Array) -> jax.Array:
        """The mean cross-entropy in nats."""
        likelihoods = jax.nn.log_softmax(self._logits(weights, x))
        return -jnp.mean(jnp.take_along_axis(likelihoods, y[:, None], axis=1))

    def _update(
        self, weights: Arrays, state: dict[str, Any], x: jax.Array, y: jax.Array
    ) -> tuple[Arrays, dict[str, Any], jax.Array]:
        loss, gradients = jax.value_and_grad(self._loss)(weights, x, y)
        return *self._move(weights, state, gradients, self._learning_rate), loss


def _kernels(weights: Arrays, layer: str) -> list[jax.Array]:
    """What a layer's inputs are multiplied by, one after the other: its basis, if it has one, and its weight."""
    return [weights[name] for kind in ("basis", "weight") if (name := f"{layer}.{kind}") in weights]


def _descend(weights: Arrays, state: dict[str, Any], gradients: Arrays, rate: float) -> tuple[Arrays, dict[str, Any]]:
    """One step of plain gradient descent.   -> the weights and the state after it"""
    return {name: weights[name] - rate * gradients[name] for name in weights}, state


def _adam(weights: Arrays, state: dict[str, Any], gradients: Arrays, rate: float) -> tuple[Arrays, dict[str, Any]]:
    """One step of Adam as in Kingma & Ba (2015), algorithm 1.   -> the weights and the state after it"""
    steps = state["steps"] + 1
    # 1 - beta^steps, of which float32 would lose half of the digits if it were written so.
    of_first, of_second = (-jnp.expm1(steps * float(np.log(beta))) for beta in (ADAM_BETA1, ADAM_BETA2))
    first = {name: ADAM_BETA1 * old + (1 - ADAM_BETA1) * gradients[name] for name, old in state["first"].items()}
    second = {name: ADAM_BETA2 * old + (1 - ADAM_BETA2) * gradients[name] ** 2 for name, old in state["second"].items()}
    moved = {
        name: weights[name] - rate * (first[name] / of_first) / (jnp.sqrt(second[name] / of_second) + ADAM_EPSILON)
        for name in weights
    }
    return moved, {"first": first, "second": second, "steps": steps}


def _devices(platform: str) -> list[Any]:
    """The devices of a platform, which JAX calls "cpu" or "gpu"; empty where it has none."""
    try:
        return list(jax.local_devices(backend=platform))
    except RuntimeError:
        return []


def _device(name: str) -> Any:
    """The device of that name in the contract.  Raises NoDevice where JAX sees none."""
    _threads()  # they start with the first device
    found = _devices({"cpu": "cpu", "cuda": "gpu"}[name])
    if not found and name == "cpu":
        raise NoDevice(f"device: 'cpu' is asked for, but JAX_PLATFORMS is {os.environ.get('JAX_PLATFORMS')!r}; add cpu to it")
    if not found:
        raise NoDevice("device: 'cuda' is asked for, but JAX sees no GPU; use 'cpu'")
    return found[0]


@cache
def _threads() -> int | None:
    """The threads in XLA's pool for the CPU, counted as they start, for TensorFlow's XLA gives its own the same name.

    None where the system does not tell, and where other code has started them before.  JAX has no function that says it.
    """
    try:
        before = _pool()
        _devices("cpu")  # the first one who asks has them started
        return _pool() - before or None
    except OSError:
        return None


def _pool() -> int:
    """The threads of this process that bear the name of those in XLA's pool."""
    names = []
    for task in TASKS.iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended since
            names.append((task / "comm").read_text().strip())
    return names.count(POOL_OF_THREADS)


def _settings() -> str:
    """Switches of the process that cost time or precision elsewhere, where they are not as JAX has them by itself."""
    found = {
        name: getattr(jax.config, name, None) for name in ("jax_enable_x64", "jax_disable_jit", "jax_debug_nans", "jax_debug_infs")
    }
    return ", ".join(name for name, is_set in found.items() if is_set)


def _require_jit() -> None:
    """Raise NotSupported where a setting makes jax.jit run a function operation by operation."""
    if jax.config.jax_disable_jit:
        raise NotSupported("jax: mode 'jit' does not compile here: jax_disable_jit (JAX_DISABLE_JIT) is set; unset it")
