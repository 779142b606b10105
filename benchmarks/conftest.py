"""What the cases share: one set of weights, one set of images, the reference's answers, and how a case records what it measured.

Like the conftest above, this one is read before the numbers of threads are set: it imports NumPy in its fixtures, not at the top.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.arrange import codspeed, witness
from benchmarks.saved import fields

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    import lenet5
    from benchmarks.arrange.tools import Tool
    from lenet5.contract import Network
    from lenet5.datasets import Dataset


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("lenet5", "LeNet-5", after="general")
    group.addoption("--heavy", action="store_true", help="also run the groups that take many minutes (see docs/options.md)")
    group.addoption(
        "--save-weights", type=Path, metavar="DIR", help="keep each network that is trained to the end, DIR/FRAMEWORK.safetensors"
    )
    group.addoption("--copies", type=int, default=10, metavar="N", help="of each case of benchmarks/twins.py (default: 10)")
    group.addoption("--initial-weights", type=int, default=20, metavar="N", help="of the group of that name (default: 20)")
    group.addoption(
        "--resume", action="store_true", help="group initial weights: do not run again what the same command has finished before"
    )


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """End the session with exit 2 where trained networks could not be kept.  Imports NumPy: the conftest above has set the threads then."""
    folder = config.getoption("save_weights", None)
    if folder is None or config.option.collectonly:
        return
    from benchmarks.arrange import trained
    from lenet5.errors import InputError, NotInstalled

    try:
        trained.check(folder)
    except (InputError, NotInstalled) as error:
        pytest.exit(f"--save-weights {error}", returncode=2)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is heavy unless asked, on the CPU what is for a GPU, and in a gate what is not timed; and a warning from a framework fails a test but not a measurement.

    Other versions have other warnings.  What a framework deprecates inside itself is no concern of a measurement.
    """
    unwanted = {
        "heavy": not config.getoption("heavy", False),
        "gpu": config.getoption("device") == "cpu",
        "untimed": config.pluginmanager.has_plugin("lenet5-baton"),  # a process of a gate's pair
    }
    left_out = [item for item in items if any(unwanted[mark.name] for mark in item.iter_markers() if mark.name in unwanted)]
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("default", "ignore::DeprecationWarning"))


# Where and with what


@pytest.fixture(scope="session")
def device(pytestconfig: pytest.Config) -> str:
    """Where the networks run."""
    return str(pytestconfig.getoption("device"))


@pytest.fixture(scope="session")
def cpu_only(device: str) -> None:
    """For cases that measure on the CPU whatever ``--device`` says: with another device they are skipped, as their times would mislead."""
    if device != "cpu":
        pytest.skip(f"measured on the CPU only; --device is {device!r}")


@pytest.fixture(scope="session")
def require() -> Callable[[Tool], None]:
    """require(tool) skips the case, with the reason, where a package that the tool needs is not installed."""

    def check(tool: Tool) -> None:
        if reason := tool.missing():
            pytest.skip(reason)

    return check


@pytest.fixture(scope="session")
def weights(dataset: Dataset) -> lenet5.Weights:
    """The weights that every network starts from.  Untrained: a time does not depend on them, and no case has to wait for a training."""
    from benchmarks.arrange import problem

    return problem.initial_weights(dataset)


@pytest.fixture(scope="session")
def dense(weights: lenet5.Weights, dataset: Dataset, pytestconfig: pytest.Config) -> lenet5.Weights:
    """The trained network that everything smaller is made from and compared with; trained once a session."""
    from benchmarks.arrange.problem import LEARNING_RATES, SEED, by_hand
    from lenet5 import training

    net = by_hand(weights, optimizer="adam", learning_rate=LEARNING_RATES["adam"])
    training.train(net, dataset, epochs=pytestconfig.getoption("epochs"), seed=SEED)
    return net.weights()


@pytest.fixture
def keep(framework: str, dataset: Dataset, pytestconfig: pytest.Config) -> Callable[[Network], None]:
    """keep(net): a trained network's weights go where ``--save-weights`` says, if it says so."""
    from benchmarks.arrange import trained

    folder = pytestconfig.getoption("save_weights")

    def save(net: Network) -> None:
        if folder is not None:
            trained.save(folder, framework, net, dataset)

    return save


# What the reference answers


@pytest.fixture(scope="session")
def reference(weights: lenet5.Weights) -> Any:
    """The textbook network in float64.  Shared between cases: call ``load(weights)`` before every use."""
    from benchmarks.arrange import problem

    return problem.reference(weights, learning_rate=problem.LEARNING_RATE)


@pytest.fixture(scope="session")
def expected_logits(reference: Any, weights: lenet5.Weights, dataset: Dataset) -> Callable[[int], NDArray[np.float32]]:
    """expected_logits(batch) -> the reference's logits of `first_images`, computed once a session; of an image that comes again, once."""
    import numpy as np

    from benchmarks.arrange.kept import kept
    from benchmarks.arrange.problem import first_images

    @lru_cache
    def logits(batch: int) -> NDArray[np.float32]:
        def compute() -> NDArray[np.float32]:
            reference.load(weights)
            answer: NDArray[np.float32] = reference.predict(reference.tensor(first_images(dataset, count)))
            return answer

        count = min(batch, len(dataset.test.images))
        return np.take(kept(f"logits-{count}", compute), range(batch), axis=0, mode="wrap")

    return logits


@pytest.fixture(scope="session")
def expected_losses(weights: lenet5.Weights, dataset: Dataset) -> Callable[[str], list[float]]:
    """expected_losses(optimizer) -> the reference's loss before each of two updates from the first batch of the first epoch.

    The second depends on every gradient of the first; on another batch it would hardly: what is learned from one says little of the next.
    """
    from benchmarks.arrange import problem
    from benchmarks.arrange.kept import kept
    from lenet5 import training

    @lru_cache
    def losses(optimizer: str) -> list[float]:
        def compute() -> list[float]:
            net = problem.reference(weights, optimizer=optimizer, learning_rate=problem.LEARNING_RATES[optimizer])
            first, *_ = training.prepare(net, dataset.train, seed=problem.SEED)
            return [net.train_step(*first) for _ in range(2)]

        found: list[float] = kept(f"losses-{optimizer}", compute).tolist()
        return found

    return losses


@pytest.fixture(scope="session")
def losses_of(reference: Any, weights: lenet5.Weights) -> Callable[..., list[float]]:
    """losses_of(*batches) -> the reference's loss before a step of Adam from each of these (images, labels), one after the other."""

    def losses(*batches: Any) -> list[float]:
        reference.load(weights)
        return [reference.train_step(reference.tensor(images), reference.tensor(labels)) for images, labels in batches]

    return losses


# What the first network of a process pays for all that follow


@pytest.fixture(scope="session")
def used() -> set[tuple[str, str]]:
    """The frameworks and modes in which this process has called a network."""
    return set()


@pytest.fixture
def in_use(build: Callable[..., Any], framework: str, mode: str, used: set[tuple[str, str]]) -> None:
    """In this framework and mode a network has predicted in this process: another one, which no case measures.

    When a framework is first used it loads code, starts threads, and asks the compiler what the processor can do.  Without this, the case
    that comes first would pay for all of that in its first call.  The groups ``graphs predict`` and ``graphs train step`` have first calls
    in processes of their own, which pay for everything.
    """
    from benchmarks.arrange import problem

    if (framework, mode) in used:
        return
    used.add((framework, mode))
    weights, images = problem.another()
    with suppress(Exception, pytest.skip.Exception):  # the case, which calls the mode too, says what is wrong with it
        net = build(weights)
        net.predict(net.tensor(images))


# What the operating system knows about each measurement


CALLED = pytest.StashKey[witness.Snapshot]()
"""The system before anything of a case ran, where the case enters times that it took itself."""

TAKEN = pytest.StashKey[dict[str, float | int]]()
"""What happened while the times of a case were taken, where an earlier case may have taken them: its fields."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Look at the system before a case that enters its times: those are taken before ``benchmark`` is called."""
    from benchmarks.arrange.clock import recorded_time  # not at the top, as it imports NumPy

    marker = item.get_closest_marker("benchmark")
    if marker and marker.kwargs.get("timer") is recorded_time:
        item.stash[CALLED] = witness.snapshot()


class Watched(BenchmarkFixture):
    """pytest-benchmark's fixture, which also looks at the system before and after a measurement.  Nothing of that is in a time."""

    stash: pytest.Stash
    """Of the case: its fixtures are made before it is called."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._watch(super().__call__, *args, **kwargs)

    def pedantic(self, *args: Any, **kwargs: Any) -> Any:
        return self._watch(super().pedantic, *args, **kwargs)

    def _watch(self, measure: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        before = self.stash.get(CALLED, None) or witness.snapshot()
        value = measure(*args, **kwargs)
        found = self.stash.get(TAKEN, None) or witness.between(before, witness.snapshot())
        self.extra_info.update(fields.checked(self.group, found, whole=False))
        return value


@pytest.fixture
def benchmark(benchmark: Any, request: pytest.FixtureRequest) -> Any:
    """pytest-benchmark's own, which records beside a case's times what the operating system knows about them.

    With ``--codspeed`` it is that plug-in's, and a case that it cannot measure is skipped.
    """
    if not issubclass(type(benchmark), BenchmarkFixture):
        if reason := codspeed.why_not(request.node):
            pytest.skip(reason)
        return codspeed.adapt(benchmark, request.node)
    if benchmark.enabled:
        vars(benchmark)["stash"] = request.node.stash
        benchmark.__class__ = Watched  # the same object: the plug-in goes on to use its own
    return benchmark


@pytest.fixture(scope="session")
def _taken() -> dict[tuple[Any, ...], tuple[Any, dict[str, float | int]]]:
    """What `once` has called: its value, and what happened meanwhile."""
    return {}


@pytest.fixture
def once(request: pytest.FixtureRequest, _taken: dict[tuple[Any, ...], tuple[Any, dict[str, float | int]]]) -> Callable[..., Any]:
    """once(measure, *arguments) -> what that measures: called in the first case of the session that asks, and kept for the others.

    What the operating system knew while it was called is recorded with each case that asks: the call took the times of all of them.
    """

    def ask(measure: Callable[..., Any], *arguments: Any) -> Any:
        asked = (measure, *arguments)
        if asked not in _taken:
            before = witness.snapshot()
            value = measure(*arguments)
            _taken[asked] = value, witness.between(before, witness.snapshot())
        value, request.node.stash[TAKEN] = _taken[asked]
        return value

    return ask


@pytest.fixture
def first_call() -> Callable[..., tuple[Any, dict[str, float]]]:
    """first_call(function, *arguments) -> its value, and what is recorded of this call: its seconds, and what others used meanwhile."""
    from benchmarks.arrange.clock import timed  # not at the top, as it imports NumPy

    def call(function: Callable[..., Any], *arguments: Any) -> tuple[Any, dict[str, float]]:
        before = witness.snapshot()
        value, seconds = timed(function, *arguments)
        return value, {"first_call_seconds": seconds, **witness.around_first_call(before, witness.snapshot())}

    return call


# How long, and what is kept


@pytest.fixture(scope="session")
def seconds_a_case(pytestconfig: pytest.Config) -> float:
    """How long a case may time its calls, ``--benchmark-max-time``, for cases that time them themselves."""
    return float(pytestconfig.getoption("benchmark_max_time"))


@pytest.fixture
def repeats(seconds_a_case: float) -> Callable[..., int]:
    """repeats(seconds_each) -> rounds that fit ``--benchmark-max-time``, for cases that need a set-up before each round."""

    def rounds(seconds_each: float, least: int = 5, most: int = 1000) -> int:
        return int(min(max(seconds_a_case / seconds_each, least), most))

    return rounds


@pytest.fixture
def record(benchmark: Any) -> Callable[..., None]:
    """record(**values): what this case's times belong to, in raw SI units, beside them in the JSON.

    Raises ValueError unless these are the fields of the case's group, by the one table that the report reads by.
    """

    def note(**values: Any) -> None:
        benchmark.extra_info.update(fields.checked(benchmark.group, values))

    return note


@pytest.fixture
def subject(framework: str, mode: str, weights: lenet5.Weights) -> dict[str, Any]:
    """What a case measures, for its record: the framework and mode, what those are compared with, and the network's counts."""
    import lenet5
    from lenet5 import cost

    dynamic = lenet5.dynamic(framework)
    return {
        "framework": framework,
        "mode": mode,
        "default_mode": lenet5.modes(framework)[0],
        **({"dynamic_mode": dynamic[mode]} if mode in dynamic else {}),
        "parameters": cost.parameters(weights),
        "weight_bytes": cost.weight_bytes(weights),
        "macs_per_image": cost.forward_macs(weights),
        "flops_per_image": cost.forward_flops(weights),
        **({"training_flops_per_image": cost.training_flops(weights)} if lenet5.trains(framework) else {}),
    }
