"""What the cases share: one set of weights, one set of images, the oracle's answers, and how often to repeat.

Like the conftest above, this one is read before the numbers of threads are set: it imports NumPy in its fixtures, not at the top.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import BY_HAND

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    import lenet5
    from lenet5.datasets import Dataset


ORACLE = (BY_HAND, "loops")
"""The framework and mode that every other one has to agree with before its clock starts."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("lenet5")
    group.addoption("--heavy", action="store_true", help="also run the groups that take many minutes (see README)")
    group.addoption("--copies", type=int, default=10, metavar="N", help="of each case of benchmarks/twins.py (default: 10)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is heavy unless asked; and a warning from a framework fails a test but not a measurement.

    Other versions have other deprecations.
    """
    if not config.getoption("heavy", False):
        heavy = [item for item in items if item.get_closest_marker("heavy")]
        items[:] = [item for item in items if item not in heavy]
        config.hook.pytest_deselected(items=heavy)
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("default"))


@pytest.fixture(scope="session")
def device(pytestconfig: pytest.Config) -> str:
    """Where the networks run."""
    return str(pytestconfig.getoption("device"))


@pytest.fixture(scope="session")
def cpu_only(device: str) -> None:
    """For cases that measure on the CPU whatever ``--device`` says: elsewhere they are skipped, or would be taken for another's."""
    if device != "cpu":
        pytest.skip(f"measured on the CPU only; --device is {device!r}")


@pytest.fixture(scope="session")
def weights(dataset: Dataset) -> lenet5.Weights:
    """The weights that every network starts from.  Untrained: a time does not depend on them, and no case has to wait for a training."""
    import lenet5
    from benchmarks.arrange.measuring import SEED

    return lenet5.initial_weights(lenet5.Architecture(dataset.channels, dataset.classes), SEED)


@pytest.fixture(scope="session")
def oracle(weights: lenet5.Weights) -> Any:
    """The textbook network in float64.  Whoever trains it loads the weights first; whoever predicts with it too."""
    import lenet5
    from benchmarks.arrange.measuring import LEARNING_RATE

    framework, mode = ORACLE
    return lenet5.implementation(framework)(weights, mode=mode, learning_rate=LEARNING_RATE)


@pytest.fixture(scope="session")
def expected_logits(oracle: Any, weights: lenet5.Weights, dataset: Dataset) -> Callable[[int], NDArray[np.float32]]:
    """expected_logits(batch) -> the oracle's logits of `first_images`, computed once a session."""
    from benchmarks.arrange.measuring import first_images

    @lru_cache
    def logits(batch: int) -> NDArray[np.float32]:
        oracle.load(weights)
        found: NDArray[np.float32] = oracle.predict(oracle.tensor(first_images(dataset, batch)))
        return found

    return logits


@pytest.fixture(scope="session")
def expected_losses(weights: lenet5.Weights, dataset: Dataset) -> Callable[[str], list[float]]:
    """expected_losses(optimizer) -> the oracle's loss before each of two updates from the first batch of the first epoch.

    The second depends on every gradient of the first; on another batch it would hardly: what is learned from one says little of the next.
    """
    import lenet5
    from benchmarks.arrange.measuring import LEARNING_RATES, SEED
    from lenet5 import training

    @lru_cache
    def losses(optimizer: str) -> list[float]:
        framework, mode = ORACLE
        net = lenet5.implementation(framework)(weights, mode=mode, optimizer=optimizer, learning_rate=LEARNING_RATES[optimizer])
        first, *_ = training.prepare(net, dataset.train, seed=SEED)
        return [net.train_step(*first) for _ in range(2)]

    return losses


@pytest.fixture(scope="session")
def dense(weights: lenet5.Weights, dataset: Dataset, pytestconfig: pytest.Config) -> lenet5.Weights:
    """The trained network that everything smaller is made from and compared with; trained once a session."""
    import lenet5
    from benchmarks.arrange.measuring import LEARNING_RATES, SEED
    from lenet5 import training

    net = lenet5.implementation(BY_HAND)(weights, optimizer="adam", learning_rate=LEARNING_RATES["adam"])
    training.train(net, dataset, epochs=pytestconfig.getoption("epochs"), seed=SEED)
    trained: lenet5.Weights = net.weights()
    return trained


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
    import lenet5
    from lenet5 import cost

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
