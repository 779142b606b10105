"""What the cases share: one set of weights, one set of images, the oracle's answers, and how often to repeat."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import lenet5
from lenet5 import cost
from lenet5.datasets import Dataset

SEED = 0
LEARNING_RATE = 1e-3


@pytest.fixture(scope="session")
def weights(dataset: Dataset) -> lenet5.Weights:
    """The weights that every network starts from.  Untrained: a time does not depend on them, and no case has to wait for a training."""
    return lenet5.initial_weights(lenet5.Architecture(dataset.channels, dataset.classes), SEED)


@pytest.fixture(scope="session")
def oracle(weights: lenet5.Weights) -> Any:
    """The textbook network in float64 that every other one has to agree with before its clock starts."""
    return lenet5.implementation("numpy")(weights, mode="loops", learning_rate=LEARNING_RATE)


@pytest.fixture(scope="session")
def expected_logits(oracle: Any, dataset: Dataset) -> Callable[[int], NDArray[np.float32]]:
    """expected_logits(batch) -> the oracle's logits of `first_images`, computed once a session."""

    @lru_cache
    def logits(batch: int) -> NDArray[np.float32]:
        found: NDArray[np.float32] = oracle.predict(oracle.tensor(first_images(dataset, batch)))
        return found

    return logits


@pytest.fixture
def repeats(pytestconfig: pytest.Config) -> Callable[..., int]:
    """repeats(seconds_each) -> rounds that fit ``--benchmark-max-time``, for cases that need a set-up before each round."""
    budget_seconds = float(pytestconfig.getoption("benchmark_max_time"))

    def rounds(seconds_each: float, least: int = 5, most: int = 1000) -> int:
        return int(min(max(budget_seconds / seconds_each, least), most))

    return rounds


@pytest.fixture
def record(benchmark: Any, framework: str, mode: str, weights: lenet5.Weights) -> Callable[..., None]:
    """record(**values) -> what this case's times belong to, in raw SI units, beside them in the JSON."""

    def note(**values: Any) -> None:
        benchmark.extra_info.update(
            framework=framework,
            mode=mode,
            default_mode=lenet5.modes(framework)[0],
            parameters=cost.parameters(weights),
            weight_bytes=cost.weight_bytes(weights),
            macs_per_image=cost.forward_macs(weights),
            flops_per_image=cost.forward_flops(weights),
            training_flops_per_image=cost.training_flops(weights),
            **values,
        )

    return note


def first_images(dataset: Dataset, count: int) -> NDArray[np.float32]:
    """The first images of the test split, from the start again if it has fewer.   -> float32 (count, c, 32, 32)"""
    return np.take(dataset.test.images, range(count), axis=0, mode="wrap")


def timed(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """A function's value and the seconds that this one call took."""
    start = time.perf_counter()
    value = function(*arguments)
    return value, time.perf_counter() - start
