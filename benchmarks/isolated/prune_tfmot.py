"""tfmot's prune_low_magnitude as it is meant to be used, in a process of its own: it works with Keras 2 (tf_keras) only.

Clone first, since the wrapper shares its layers with what it wraps; use what it returns; give fit the callback, without which nothing
happens; strip before the clock starts.  Arguments and JSON: see `prune`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5.packages import importing_keras

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

with importing_keras():
    import tensorflow_model_optimization as tfmot  # isort: skip  # before TensorFlow, whose Keras it replaces in this process
    import tensorflow as tf
    import tf_keras

from benchmarks.arrange.keras_models import model_of, weights_of
from benchmarks.isolated.prune import Pruned, Task, main
from lenet5 import channels_last, threads
from lenet5.contract import ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON
from lenet5.training import BATCH

TITLE = "tfmot"
FRAMEWORK = "tensorflow"
PACKAGES = ("tensorflow", "tf_keras", "tensorflow_model_optimization")

if number := threads.asked():
    tf.config.threading.set_intra_op_parallelism_threads(number)
    tf.config.threading.set_inter_op_parallelism_threads(number)

tf.config.set_visible_devices([], "GPU")  # like the other tools, which run where NumPy does


def prune(task: Task) -> Pruned:
    """Wrap a clone of the dense model, fit it with the callback, strip it."""
    dense = model_of(tf_keras, task.weights)
    schedule = task.schedule
    decay = tfmot.sparsity.keras.PolynomialDecay(
        schedule.initial, schedule.final, schedule.begin, schedule.end, schedule.power, schedule.frequency
    )
    wrapped = tfmot.sparsity.keras.prune_low_magnitude(clone(dense), decay)
    fit(wrapped, task, [tfmot.sparsity.keras.UpdatePruningStep()])
    stripped = tfmot.sparsity.keras.strip_pruning(clone(wrapped))
    return Pruned(
        weights=weights_of(stripped),
        convert=lambda images: tf.constant(channels_last.images(images)),
        dense=graph(dense),
        stripped=graph(stripped),
        unstripped=graph(wrapped),
    )


def clone(model: tf_keras.Model) -> tf_keras.Model:
    """The same model with layers of its own; clone_model alone copies the structure, not the weights."""
    with tfmot.sparsity.keras.prune_scope():
        copy = tf_keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def fit(model: tf_keras.Model, task: Task, callbacks: list[Any]) -> None:
    """Train on the task's batches in the task's order."""
    if task.optimizer == "sgd":
        optimizer = tf_keras.optimizers.SGD(task.learning_rate)
    else:
        optimizer = tf_keras.optimizers.Adam(task.learning_rate, ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON)
    model.compile(optimizer, tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    for number in range(task.epochs):
        images, labels = task.epoch(number)
        model.fit(channels_last.images(images), labels, BATCH, epochs=1, shuffle=False, callbacks=callbacks, verbose=0)


def graph(model: tf_keras.Model) -> Callable[[Any], NDArray[np.float32]]:
    """A traced prediction with its result on the host: the fastest of TensorFlow's own ways to call a model this small."""
    traced = tf.function(lambda x: model(x, training=False))

    def predict(x: Any) -> NDArray[np.float32]:
        logits: NDArray[np.float32] = traced(x).numpy()
        return logits

    return predict


if __name__ == "__main__":
    sys.exit(main(prune))
