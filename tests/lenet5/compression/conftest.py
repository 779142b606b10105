"""Fixtures of several tests here: a small trained network, and the same in int8."""

from __future__ import annotations

import pytest

import lenet5
from lenet5 import datasets, training
from lenet5.compression import quantize
from tests.support.networks import quick_network


@pytest.fixture(scope="session")
def data():
    return datasets.load("digits")


@pytest.fixture(scope="session")
def trained(data):
    """A grey network after three epochs."""
    net = quick_network(lenet5.initial_weights(lenet5.Architecture(data.channels, data.classes)))
    training.train(net, data, epochs=3)
    return net.weights()


@pytest.fixture(scope="session")
def quantized(trained, data):
    return quantize(trained, data.train.images[:200])
