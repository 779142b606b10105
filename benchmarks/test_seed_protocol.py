"""The seed's figures taken as the seed took them, each beside its honest twin from the same process: what the mistakes are worth.

The time of a case is the seed's figure, the twin rides along as ``honest_seconds`` or the like.  What depends on a cold start comes from a
child that has done nothing before.
"""

# mypy: allow-untyped-defs
# pytest passes fixtures by name; their types stand where they are defined.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from statistics import median
from typing import Any

import pytest
from numpy.testing import assert_allclose

import lenet5
from benchmarks import BY_HAND
from benchmarks.arrange.measuring import LEARNING_RATE, SEED, timed
from benchmarks.arrange.samples import enter, in_turns, recorded_time
from benchmarks.isolated import fresh
from lenet5 import training

PASSES = 10
"""Passes over the test images that the seed's handcrafted "inference time" consisted of."""

pytestmark = pytest.mark.benchmark(group="seed", timer=recorded_time)


@pytest.fixture(scope="session")
def children(pytestconfig):
    """children(packages, module, *arguments) -> what each of some fresh processes printed; each command is run once a session.

    One process, or five where --heavy measures, unless count says otherwise.  Skips where a package is absent.
    """
    usual = 5 if pytestconfig.getoption("heavy", False) and not pytestconfig.getoption("benchmark_disable") else 1
    dataset = f"--dataset={pytestconfig.getoption('dataset')}"

    @lru_cache
    def printed(module, arguments, count):
        return [fresh.figures(module, *arguments, dataset) for _ in range(count)]

    def run(packages, module, *arguments, count=usual):
        if missing := [package for package in packages if find_spec(package) is None]:
            pytest.skip(f"the package {missing[0]!r} is not installed; pip install {missing[0]}")
        return printed(module, arguments, count)

    return run


def middle(found: Sequence[Mapping[str, Any]], key: str) -> Any:
    """The median over the processes of one figure."""
    return median(each[key] for each in found)


@pytest.mark.parametrize("figure", ["inference", "training"])
@pytest.mark.parametrize("word", ["dynamic", "static"])
def test_tensorflow(benchmark, children, word, figure):
    """Inference: one cold call with a loss inside.  Training: one forward pass, no update.  Static: tracing inside as well."""
    found = children(("tensorflow",), "benchmarks.isolated.seed_tensorflow", word)

    benchmark.extra_info.update(
        framework="tensorflow",
        mode=f"as the seed, {word}",
        figure=f"tensorflow {word} {figure}",
        honest_seconds=middle(found, f"{figure}_honest_seconds"),
        processes=len(found),
    )
    enter(benchmark, [each[f"{figure}_as_seed_seconds"] for each in found])


def test_torch_inference(benchmark, children):
    """One cold call on 64 images, and the FLOPs of that batch counted twice."""
    found = children(("torch",), "benchmarks.isolated.seed_torch", "inference")

    names = ("honest_seconds", "as_seed_images", "honest_images", "as_seed_flops", "honest_flops")
    benchmark.extra_info.update(
        framework="torch",
        mode="as the seed",
        figure="torch inference",
        device=found[0]["device"],
        processes=len(found),
        **{name: middle(found, name) for name in names},
    )
    enter(benchmark, [each["as_seed_seconds"] for each in found])


@pytest.mark.heavy  # ten seconds: no pair of the default run takes as long
def test_handcrafted_inference(benchmark, oracle, weights, dataset, pytestconfig):
    """Ten passes over the test images by float64 loops, called one; beside it one pass by NumPy's own default mode."""
    net = lenet5.implementation(BY_HAND)(weights)
    oracle.load(weights)
    slow, fast = oracle.tensor(dataset.test.images), net.tensor(dataset.test.images)

    logits, ten_passes_seconds = timed(lambda: [oracle.predict(slow) for _ in range(PASSES)])
    assert_allclose(net.predict(fast), logits[-1], rtol=0, atol=1e-5)

    budget_seconds = float(pytestconfig.getoption("benchmark_max_time"))
    benchmark.extra_info.update(
        framework=BY_HAND,
        mode="as the seed",
        figure="handcrafted inference",
        passes=PASSES,
        honest_seconds=median(in_turns({"predict": lambda: net.predict(fast)}, budget_seconds)["predict"]),
    )
    enter(benchmark, [ten_passes_seconds])


@pytest.mark.heavy
def test_handcrafted_recipe(benchmark, weights, dataset, pytestconfig):
    """The seed's handcrafted recipe, sigmoid and plain gradient descent at 1e-3: how far a correct network gets with it."""
    epochs = pytestconfig.getoption("epochs")
    net = lenet5.implementation(BY_HAND)(weights, activation="sigmoid", optimizer="sgd", learning_rate=LEARNING_RATE)

    _, seconds = timed(lambda: training.train(net, dataset, epochs, seed=SEED))
    found = training.logits_of(net, dataset.test.images).argmax(1)
    benchmark.extra_info.update(
        framework=BY_HAND,
        mode="as the seed, recipe",
        figure="handcrafted accuracy",
        epochs=epochs,
        as_seed_correct=int((found == dataset.test.labels).sum()),
        test_images=len(found),
    )
    enter(benchmark, [seconds])


@pytest.mark.heavy
def test_torch_softmax_twice(benchmark, children, pytestconfig):
    """A training with softmax in the network and again in the loss; beside it the same training with one softmax."""
    epochs = pytestconfig.getoption("epochs")
    found = children(("torch",), "benchmarks.isolated.seed_torch", "softmax-twice", f"--epochs={epochs}", count=1)

    benchmark.extra_info.update(framework="torch", mode="as the seed, softmax twice", figure="softmax twice", **found[0])
    enter(benchmark, [each["as_seed_seconds"] for each in found])


@pytest.mark.heavy
def test_pruning_thrown_away(benchmark, children, weights, tmp_path_factory):
    """prune_low_magnitude with its result thrown away leaves not one zero; beside it the same with the result used."""
    path = tmp_path_factory.mktemp("seed") / "weights.npz"
    lenet5.save_weights(path, weights)
    packages = ("tensorflow", "tf_keras", "tensorflow_model_optimization")
    found = children(packages, "benchmarks.isolated.seed_tfmot", path, count=1)

    assert [each["as_seed_zeros"] for each in found] == [0] * len(found)

    names = ("honest_seconds", "as_seed_zeros", "honest_zeros", "kernel_weights", "epochs")
    benchmark.extra_info.update(
        framework="tensorflow",
        mode="as the seed, pruned",
        figure="pruning",
        processes=len(found),
        **{name: middle(found, name) for name in names},
    )
    enter(benchmark, [each["as_seed_seconds"] for each in found])
