"""TensorFlow's times in the original report, taken as it took them and as they should be, in a process that has done nothing before.

    python -m benchmarks.isolated.original_tensorflow dynamic|static [--dataset NAME] [--seconds S]

As the original: the network ends in softmax; "inference" is the first call ever, on the test images, with a mean squared error inside;
"training" is one forward pass over all training images with training=True, and no update.  Static wraps both in tf.function, so that the
same call traces.  Honest: the project's own network, warm, eager or graph, logits on the host; and one real epoch of updates.
"""

from __future__ import annotations

import argparse
import os
import sys
from statistics import median
from typing import Any

import numpy as np
from numpy.testing import assert_allclose

from lenet5.packages import importing_keras

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

with importing_keras():
    import keras
    import tensorflow as tf

import lenet5
from benchmarks.arrange.clock import interleaved, timed
from benchmarks.arrange.keras_models import model_of
from benchmarks.arrange.problem import LEARNING_RATE, SEED, initial_weights
from benchmarks.isolated import program
from lenet5 import channels_last, datasets, training, with_tensorflow

TITLE = "TensorFlow as in the original report"
FRAMEWORK = "tensorflow"
PACKAGES = ("tensorflow", "keras")

LeNet5: Any = with_tensorflow.LeNet5  # importing it has set the threads, which TensorFlow takes before its first call only

MODES = {"dynamic": "eager", "static": "graph"}
"""The original report's word -> ours."""


def measure(word: str, dataset: datasets.Dataset, weights: lenet5.Weights, budget_seconds: float) -> dict[str, float]:
    """Seconds of the original's two times, then of the honest ones beside them: a cold call comes first or not at all."""
    model = model_of(keras, weights, last_activation="softmax")
    test = tf.constant(channels_last.images(dataset.test.images))
    train = tf.constant(channels_last.images(dataset.train.images))
    truth = tf.one_hot(dataset.test.labels, dataset.classes)
    wrap: Any = tf.function if word == "static" else lambda function: function
    inference = wrap(lambda x, y: tf.reduce_mean(tf.square(model(x, training=False) - y)))
    forward = wrap(lambda x: model(x, training=True))

    loss, inference_seconds = timed(inference, test, truth)
    _, training_seconds = timed(forward, train)

    device = "cuda" if tf.config.list_physical_devices("GPU") else "cpu"  # where TensorFlow has put the original's calls, too
    net = LeNet5(weights, mode=MODES[word], learning_rate=LEARNING_RATE, device=device)
    x = net.tensor(dataset.test.images)
    assert_allclose(float(loss), np.mean((_softmax(net.predict(x)) - truth.numpy()) ** 2), rtol=1e-4)
    epoch = training.prepare(net, dataset.train, seed=SEED)
    training.train_epoch(net, epoch[:2])
    _, epoch_seconds = timed(training.train_epoch, net, epoch)
    return {
        "inference_as_original_seconds": inference_seconds,
        "inference_honest_seconds": median(interleaved({"predict": lambda: net.predict(x)}, budget_seconds)["predict"]),
        "training_as_original_seconds": training_seconds,
        "training_honest_seconds": epoch_seconds,
        "training_images": len(epoch) * training.BATCH,
    }


def _softmax(logits: Any) -> Any:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def main(arguments: list[str] | None = None) -> int:
    """Measure once and print the JSON; exit codes as in `program.answer`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.isolated.original_tensorflow", description=__doc__.splitlines()[0])
    parser.add_argument("word", choices=tuple(MODES))
    parser.add_argument("--dataset", default="colour-digits")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long to time the warm prediction")

    def measured(options: argparse.Namespace) -> dict[str, float]:
        dataset = datasets.load(options.dataset)
        return measure(options.word, dataset, initial_weights(dataset), options.seconds)

    return program.answer(parser, measured, arguments)


if __name__ == "__main__":
    sys.exit(main())
