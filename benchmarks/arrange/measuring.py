"""The few moves that every case makes before its clock starts."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5.datasets import Dataset

SEED = 0
LEARNING_RATE = 1e-3
"""Adam's."""

LEARNING_RATES = {"adam": LEARNING_RATE, "sgd": 0.1}
"""At Adam's rate a step of plain gradient descent moves the next loss too little for a check of that to see a wrong gradient."""


def first_images(dataset: Dataset, count: int) -> NDArray[np.float32]:
    """The first images of the test split, from the start again if it has fewer.   -> float32 (count, c, 32, 32)"""
    return np.take(dataset.test.images, range(count), axis=0, mode="wrap")


def timed(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """A function's value and the seconds that this one call took."""
    start = time.perf_counter()
    value = function(*arguments)
    return value, time.perf_counter() - start
