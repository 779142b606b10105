"""Fixtures of several tests here: a small trained network, and the same in int8."""

from __future__ import annotations

import pytest

from lenet5.compression import quantize
from tests.support import networks
from tests.support.networks import grey_digits


@pytest.fixture(scope="session")
def data():
    return grey_digits()


@pytest.fixture(scope="session")
def trained():
    """A grey network after three epochs."""
    return networks.trained(epochs=3)


@pytest.fixture(scope="session")
def quantized(trained, data):
    return quantize(trained, data.train.images[:200])
