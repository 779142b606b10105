"""TensorFlow's Adam is the published one, for the work of Keras' own."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import lenet5
from lenet5 import datasets, training
from lenet5.contract import ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON
from tests.support.networks import problem, quick_network

pytestmark = pytest.mark.skipif(bool(lenet5.missing("tensorflow")), reason="needs TensorFlow")

RATE, STEPS = 1e-3, 12


@pytest.fixture(scope="module")
def optimizers():
    """Our optimizer and Keras' own, of the same rate and betas."""
    keras = pytest.importorskip("keras")
    from lenet5 import with_tensorflow

    return with_tensorflow.PublishedAdam(RATE, ADAM_BETA1, ADAM_BETA2), keras.optimizers.Adam(RATE, ADAM_BETA1, ADAM_BETA2)


def moves(optimizer, gradients):
    """How far each of some gradients moves a weight, one after the other.  The weight is 0 before each, so that no digit is lost."""
    import tensorflow as tf

    weight = tf.Variable([0.0])
    optimizer.build([weight])
    found = []
    for gradient in gradients:
        weight.assign([0.0])
        optimizer.apply([tf.constant([gradient], tf.float32)], [weight])
        found.append(float(weight[0]))
    return found


def published(gradients):
    """The same by Kingma & Ba's algorithm 1 in float64."""
    first = second = 0.0
    for step, gradient in enumerate(gradients, start=1):
        first += (1 - ADAM_BETA1) * (gradient - first)
        second += (1 - ADAM_BETA2) * (gradient**2 - second)
        yield -RATE * (first / (1 - ADAM_BETA1**step)) / (np.sqrt(second / (1 - ADAM_BETA2**step)) + ADAM_EPSILON)


def test_the_published_adam(optimizers):
    """Each of twelve steps is right to float32's last digits; Keras' own are 1e-6 to 1e-5 off, as it takes 1 - beta^t in float32."""
    gradients = np.random.RandomState(3).uniform(0.5, 1, STEPS)  # large enough for epsilon to be of no consequence
    expected = [*published(gradients)]
    ours, keras = optimizers
    assert_allclose(moves(ours, gradients), expected, rtol=5e-7)
    off = abs(np.divide(moves(keras, gradients), expected) - 1)
    assert 3e-6 < off.max() < 3e-5


@pytest.mark.slow  # two graphs are traced
def test_the_work_is_keras_own(monkeypatch):
    """A graph of a training step holds one operation more for each of the ten arrays than with Keras' own Adam, on one number: epsilon's."""
    tensorflow = lenet5.implementation("tensorflow")
    import keras

    from lenet5 import with_tensorflow

    weights, images, labels = problem(batch=2)

    def operations():
        net = tensorflow(weights, mode="graph")
        net.train_step(net.tensor(images), net.tensor(labels))
        (traced,) = net._step._list_all_concrete_functions_for_serialization()
        return len(traced.graph.get_operations())

    ours = operations()
    monkeypatch.setattr(with_tensorflow, "PublishedAdam", keras.optimizers.Adam)
    assert ours <= operations() + len(weights)


@pytest.mark.slow  # three epochs each
@pytest.mark.parametrize("seed", [1, 6, 9])  # from some other initial weights rounding alone leads elsewhere within an epoch
def test_where_the_offset_came_from(monkeypatch, seed):
    """An epoch ends where that by hand does; with 1 - beta^t in float32, and nothing else changed, a thousand times further away."""
    tensorflow = lenet5.implementation("tensorflow")
    import tensorflow as tf

    from lenet5 import with_tensorflow

    data = datasets.load("colour-digits")
    weights = lenet5.initial_weights(lenet5.Architecture(data.channels, data.classes), seed)

    def loss(net):
        return training.train_epoch(net, training.prepare(net, data.train, seed=seed))

    class InFloat32(with_tensorflow.PublishedAdam):
        def update_step(self, gradient, variable, learning_rate):
            def correction(kind):
                of_first, of_second = (
                    1 - tf.constant(beta, kind) ** tf.cast(self.iterations + 1, kind) for beta in (ADAM_BETA1, ADAM_BETA2)
                )
                return tf.cast(tf.sqrt(of_second) / of_first, tf.float64)

            off = tf.cast(correction(tf.float32) / correction(tf.float64), tf.float32)
            super().update_step(gradient, variable, learning_rate * off)

    expected = loss(quick_network(weights))
    assert abs(loss(tensorflow(weights, mode="graph")) - expected) < 1e-6
    monkeypatch.setattr(with_tensorflow, "PublishedAdam", InFloat32)
    assert abs(loss(tensorflow(weights, mode="graph")) - expected) > 1e-3
