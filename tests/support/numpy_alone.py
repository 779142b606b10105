"""A program that predicts and trains a NumPy network where nothing but NumPy and threadpoolctl is installed beside lenet5.

It prints where lenet5 was imported from and what is missing for everything else, a line each.  It ends with exit code 1 where
something does not work that should, or the other way round.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

import lenet5
from lenet5 import datasets, training
from lenet5.compression import factorize, prune, quantize
from lenet5.datasets import Dataset, Split

CLASSES = 10


def problem() -> Dataset:
    """Noise with one bright pixel, whose place is the class."""
    labels = np.arange(320) % CLASSES
    images = np.random.RandomState(0).normal(scale=0.1, size=(320, 1, 32, 32)).astype(np.float32)
    images[np.arange(320), 0, 3 * labels, 3 * labels] += 5
    part = Split(images, labels)
    return Dataset("pixels", part, part, part, CLASSES, np.zeros(1, np.float32))


def missing(call: Callable[..., object], *arguments: object) -> str:
    """What a call says that needs a package which is not there."""
    try:
        call(*arguments)
    except lenet5.NotInstalled as error:
        return str(error)
    raise AssertionError(f"nothing was missing for {call.__name__}")


def main(folder: Path) -> None:
    data = problem()
    first = lenet5.initial_weights(lenet5.Architecture(channels=1, classes=CLASSES), seed=0)
    for mode in lenet5.modes("numpy"):
        net = lenet5.implementation("numpy")(first, mode=mode)
        few = net.tensor(data.train.images[:8]), net.tensor(data.train.labels[:8])
        assert net.train_step(*few) > net.train_step(*few), mode
    net = lenet5.implementation("numpy")(first, learning_rate=3e-3)
    history = training.train(net, data, epochs=3)
    assert history.train_loss_nats[-1] < 0.9 * history.train_loss_nats[0], history
    lenet5.save_weights(folder / "weights.npz", net.weights())
    weights = lenet5.load_weights(folder / "weights.npz")
    for way in (prune(weights, 0.9), factorize(weights, {"fc1": 32}), quantize(weights, data.train.images[:8])):
        assert way

    print(f"lenet5 is {Path(lenet5.__file__).parent}")
    print(missing(lenet5.save_weights, folder / "weights.safetensors", weights))
    print(missing(datasets.load, datasets.DEFAULT))
    for framework in lenet5.frameworks():
        if framework != "numpy":
            print(missing(lenet5.implementation, framework))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        main(Path(place))
