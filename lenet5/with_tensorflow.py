"""LeNet-5 in TensorFlow, as its users write it: Keras 3 layers, eager, as a traced graph, or compiled by XLA."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lenet5 import channels_last, packages, threads
from lenet5.architecture import CONVOLUTIONS, DENSE, IMAGE_SIDE, KERNEL_SIDE, LAYERS, POOL_SIDE, checked, shapes_of
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

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # start-up notes; warnings and errors still show
if (backend := os.environ.setdefault("KERAS_BACKEND", "tensorflow")) != "tensorflow":
    raise ImportError(f"lenet5 runs Keras on TensorFlow, but the variable KERAS_BACKEND is {backend!r}; unset it")

# Both variables are read once, when these are imported.
with packages.importing_keras():
    import keras
    import tensorflow as tf

CPU, GPU = "/CPU:0", "/GPU:0"

# Said to all that takes them: what is not said is the user's to set, in ~/.keras/keras.json or by keras.config.
TYPE: dict[str, Any] = {"dtype": "float32"}
LAYOUT: dict[str, Any] = {"data_format": "channels_last"}

if keras.backend.backend() != "tensorflow":
    raise ImportError(f"lenet5 runs Keras on TensorFlow, but it was imported before with {keras.backend.backend()!r} under it")

if number := threads.asked():
    tf.config.threading.set_intra_op_parallelism_threads(number)
    tf.config.threading.set_inter_op_parallelism_threads(number)

for gpu in tf.config.list_physical_devices("GPU"):
    tf.config.experimental.set_memory_growth(gpu, True)  # or TensorFlow takes all memory at once, and leaves PyTorch none

# TF32 off, here as in PyTorch: it rounds what a GPU multiplies to 10 bits, three decimal digits, and float32 is float32 on the CPU.
tf.config.experimental.enable_tensor_float_32_execution(False)


class LeNet5:
    """LeNet-5 in TensorFlow.  Modes: eager, graph (tf.function), xla (tf.function with jit_compile), and Keras' own loops by name.

    predict_on_batch trains by train_on_batch, predict by fit: the calls that belong together, both around a graph without XLA.
    """

    modes = ("eager", "graph", "xla", "predict_on_batch", "predict")
    variants = ("predict_on_batch", "predict")
    dynamic: ClassVar[dict[str, str]] = {"graph": "eager", "xla": "eager", "predict_on_batch": "eager", "predict": "eager"}
    trained_in = "graph"  # as Keras' own fit trains
    colour = "orange"

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
        if device == "cuda" and not tf.config.list_physical_devices("GPU"):
            raise NoDevice("device: 'cuda' is asked for, but TensorFlow sees no GPU; use 'cpu'")
        if mode != "eager":
            _require_graphs(mode)
        arrays = checked(weights)
        self._shapes = shapes_of(arrays)
        self._mode = mode
        self._ran_eagerly = False
        self._device = GPU if device == "cuda" else CPU
        with tf.device(self._device):
            self._model = model(self._shapes, activation)
            self._optimizer = _optimizer(optimizer, learning_rate)
            self._optimizer.build(self._model.trainable_variables)
        if mode in KERAS_CALLS:
            self._predict, self._step = (partial(call, self._compiled()) for call in KERAS_CALLS[mode])
        else:
            self._predict, self._step = self._traced(self._forward), self._traced(self._update)
        self.load(arrays)

    def check_mode(self) -> None:
        # Keras' loops tell nothing of how they ran; the setting does.
        if self._ran_eagerly or (self._mode in KERAS_CALLS and tf.config.functions_run_eagerly()):
            raise NotHonoured(f"tensorflow: mode {self._mode!r} ran eagerly; tf.function made no graph of it")

    def tensor(self, array: NDArray[Any]) -> tf.Tensor:
        """As promised; images become channels last, the only layout that TensorFlow convolves on a CPU."""
        if is_labels(array):
            check_labels(array, classes=self._shapes["fc3.bias"][0])
            host: NDArray[Any] = np.asarray(array, np.int64)
        else:
            check_images(array, channels=self._shapes["conv1.weight"][1])
            host = channels_last.images(array)
        with tf.device(self._device):
            # identity: a copy of its own, since a tensor made from an array may go on sharing the array's memory.
            own = tf.identity(tf.constant(host))
        if self._device != CPU:
            tf.test.experimental.sync_devices()  # a copy to a GPU goes on after the call that ordered it
        return own

    def predict(self, x: Any) -> NDArray[np.float32]:
        with tf.device(self._device):
            logits = self._predict(self._own(x))
            return logits.numpy() if tf.is_tensor(logits) else logits  # type: ignore[no-any-return]

    def train_step(self, x: Any, y: Any) -> float:
        check_pair(len(x), len(y))
        with tf.device(self._device):
            return float(self._step(self._own(x), self._own(y)))

    def weights(self) -> Weights:
        arrays = {}
        for layer in LAYERS:
            factored = f"{layer}.basis" in self._shapes
            if factored:
                (kernel,) = self._model.get_layer(f"{layer}.basis").get_weights()
                arrays[f"{layer}.basis"] = channels_last.to_canonical(layer, kernel)
            kernel, bias = self._model.get_layer(layer).get_weights()
            arrays[f"{layer}.weight"] = channels_last.to_canonical(layer, kernel, factored)
            arrays[f"{layer}.bias"] = bias.copy()
        return arrays

    def load(self, weights: Mapping[str, Any]) -> None:
        arrays = checked(weights, like=self._shapes)
        for layer in LAYERS:
            factored = f"{layer}.basis" in arrays
            if factored:
                kernel = channels_last.from_canonical(layer, arrays[f"{layer}.basis"])
                self._model.get_layer(f"{layer}.basis").set_weights([kernel])
            kernel = channels_last.from_canonical(layer, arrays[f"{layer}.weight"], factored)
            self._model.get_layer(layer).set_weights([kernel, arrays[f"{layer}.bias"]])
        for variable in self._optimizer.variables:
            if variable is not self._optimizer._learning_rate:
                variable.assign(np.zeros(variable.shape, variable.dtype))

    @staticmethod
    def describe() -> dict[str, Any]:
        options = tf.config.optimizer.get_experimental_options()
        return {
            "version": tf.__version__,
            "threads": tf.config.threading.get_intra_op_parallelism_threads() or os.cpu_count(),
            "keras": keras.__version__,
            "gpu": ", ".join(device.name for device in tf.config.list_physical_devices("GPU")),
            "tf32": "on" if tf.config.experimental.tensor_float_32_execution_enabled() else "off",
            # What tf.config.optimizer was told.  TensorFlow does not say which instructions it uses.
            "settings": ", ".join(f"{name} {value}" for name, value in options.items() if value or not name.startswith("disable_")),
        }

    @staticmethod
    def device_peak_bytes(function: Callable[[], Any]) -> int:
        tf.config.experimental.reset_memory_stats("GPU:0")
        function()
        return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])

    def _own(self, x: Any) -> tf.Tensor:
        """What tensor() made, or what it makes of a host array."""
        return x if tf.is_tensor(x) else self.tensor(x)

    def _forward(self, x: tf.Tensor) -> tf.Tensor:
        return self._model(x, training=False)

    def _update(self, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            logits = self._model(x, training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
        variables = self._model.trainable_variables
        self._optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    def _traced(self, function: Callable[..., tf.Tensor]) -> Any:
        """What the mode does to a function.  Graphs are traced anew for every batch size, and note it if they are run and not traced."""
        if self._mode == "eager":
            return function

        @wraps(function)
        def traced(*tensors: tf.Tensor) -> tf.Tensor:
            self._ran_eagerly |= not tf.inside_function()
            return function(*tensors)

        return tf.function(traced, jit_compile=self._mode == "xla")

    def _compiled(self) -> keras.Model:
        """The model as Keras' loops want it.  jit_compile is said: Keras' own choice is XLA where there is a GPU.

        Keras' loops convert to the type that the process has set: that is set here, since it cannot be said to them.
        """
        keras.config.set_floatx(TYPE["dtype"])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, **TYPE)
        self._model.compile(self._optimizer, loss, jit_compile=False)
        return self._model


def model(shapes: Mapping[str, tuple[int, ...]], activation: str) -> keras.Model:
    """Images (n, 32, 32, c) -> logits (n, classes).  A factored layer is two: its basis, then itself on what the basis gives."""
    stack = [keras.Input((IMAGE_SIDE, IMAGE_SIDE, shapes["conv1.weight"][1]), **TYPE)]
    for layer in CONVOLUTIONS:
        filters, side = shapes[f"{layer}.bias"][0], KERNEL_SIDE
        if basis := shapes.get(f"{layer}.basis"):
            stack.append(keras.layers.Conv2D(basis[0], side, use_bias=False, name=f"{layer}.basis", **LAYOUT, **TYPE))
            side = 1
        stack.append(keras.layers.Conv2D(filters, side, activation=activation, name=layer, **LAYOUT, **TYPE))
        stack.append(keras.layers.MaxPooling2D(POOL_SIDE, **LAYOUT, **TYPE))
    stack.append(keras.layers.Flatten(**LAYOUT, **TYPE))
    for layer in DENSE:
        ends_in_logits = layer == DENSE[-1]
        units = shapes[f"{layer}.bias"][0]
        if basis := shapes.get(f"{layer}.basis"):
            stack.append(keras.layers.Dense(basis[0], use_bias=False, name=f"{layer}.basis", **TYPE))
        stack.append(keras.layers.Dense(units, activation=None if ends_in_logits else activation, name=layer, **TYPE))
    made = keras.Sequential(stack)
    made.dtype_policy = keras.DTypePolicy(
        TYPE["dtype"]
    )  # its constructor takes none; in half precision compile() would scale the loss
    return made


class PublishedAdam(keras.optimizers.Adam):
    """Adam as in Kingma & Ba (2015), algorithm 1, like the other implementations; all but the update of one variable is Keras' own Adam.

    Keras differs in two things.  It adds epsilon to the root before the bias correction, where it weighs 1/sqrt(1 - beta2^t) times
    more: 32 times at the first step.  Gradients of this network are small enough for that to be another optimizer: after one step some
    weights are most of a step elsewhere.  And it takes 1 - beta^t as it is written, of which float32 loses half of the digits: the first
    steps are up to 1e-5 of themselves too long or too short, and within twenty the network has parted from the others.  Tests hold both,
    and that the work is Keras' own and one product of two numbers more for each variable.
    """

    def update_step(self, gradient: tf.Tensor, variable: Any, learning_rate: tf.Tensor) -> None:
        step = tf.cast(self.iterations + 1, tf.float32)
        of_first, of_second = (-tf.math.expm1(step * math.log(beta)) for beta in (ADAM_BETA1, ADAM_BETA2))  # 1 - beta^step
        root = tf.sqrt(of_second)
        index = self._get_variable_index(variable)
        first, second = self._momentums[index], self._velocities[index]
        self.assign_add(first, (gradient - first) * (1 - ADAM_BETA1))
        self.assign_add(second, (tf.square(gradient) - second) * (1 - ADAM_BETA2))
        # rate (first / of_first) / (sqrt(second / of_second) + epsilon), with the correction taken once and not for every weight
        self.assign_sub(variable, first * (learning_rate * root / of_first) / (tf.sqrt(second) + ADAM_EPSILON * root))


def _optimizer(name: str, learning_rate: float) -> keras.optimizers.Optimizer:
    """An optimizer whose learning rate is float32: Keras keeps it in its default type, which is the user's to set."""
    usual = keras.config.floatx()
    keras.config.set_floatx("float32")
    try:
        if name == "sgd":
            return keras.optimizers.SGD(learning_rate)
        return PublishedAdam(learning_rate, ADAM_BETA1, ADAM_BETA2)
    finally:
        keras.config.set_floatx(usual)


def _predict_on_batch(model: keras.Model, x: tf.Tensor) -> NDArray[np.float32]:
    logits: NDArray[np.float32] = model.predict_on_batch(x)
    return logits


def _predict(model: keras.Model, x: tf.Tensor) -> NDArray[np.float32]:
    """One batch as its users call it; the batch size is said, or Keras would cut the images into batches of 32."""
    logits: NDArray[np.float32] = model.predict(x, batch_size=len(x), verbose=0)
    return logits


AVERAGES = tuple(map(int, keras.__version__.split(".")[:2])) < (3, 15)
"""Whether train_on_batch gives the mean of all losses since the metrics were reset, and not the loss of its own batch."""


def _train_on_batch(model: keras.Model, x: tf.Tensor, y: tf.Tensor) -> float:
    if AVERAGES:
        model.reset_metrics()
    return float(model.train_on_batch(x, y))


def _fit(model: keras.Model, x: tf.Tensor, y: tf.Tensor) -> float:
    """One epoch of one batch."""
    history = model.fit(x, y, batch_size=len(x), shuffle=False, verbose=0)
    return float(history.history["loss"][0])


KERAS_CALLS: dict[str, tuple[Any, Any]] = {
    "predict_on_batch": (_predict_on_batch, _train_on_batch),
    "predict": (_predict, _fit),
}
"""Mode -> how Keras predicts a batch and how it trains on one."""


def _require_graphs(mode: str) -> None:
    """Raise NotSupported where a setting makes a graph run eagerly, or lets XLA compile parts of one that is to run without."""
    flags = os.environ.get("TF_XLA_FLAGS", "")
    clustering = "tf_xla_auto_jit" in flags or tf.config.optimizer.get_jit()
    found = {
        "tf.config.run_functions_eagerly": tf.config.functions_run_eagerly(),
        "XLA for parts of graphs (tf.config.optimizer.set_jit, or tf_xla_auto_jit in TF_XLA_FLAGS)": mode != "xla" and clustering,
        "code that an earlier process compiled (tf_xla_persistent_cache_directory in TF_XLA_FLAGS)": (
            mode == "xla" and "tf_xla_persistent_cache_directory" in flags
        ),
    }
    if setting := next((name for name, is_set in found.items() if is_set), None):
        raise NotSupported(f"tensorflow: mode {mode!r} would not be what its name says: {setting} is set; unset it")
