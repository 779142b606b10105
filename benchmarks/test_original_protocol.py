"""The original report's measurements taken as it took them, each beside an honest one from the same process: what its mistakes are worth.

The time of a case is the original's measurement; the honest one rides along as ``honest_seconds`` or the like.  What depends on a cold
start comes from a program in a process that has done nothing before.

These cases, and only these, name TensorFlow, PyTorch and tfmot: the original report did.
"""

# mypy: allow-untyped-defs
# pytest passes fixtures by name; their types stand where they are defined.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import pytest
from numpy.testing import assert_allclose

import lenet5
from benchmarks.arrange import tools
from benchmarks.arrange.clock import enter, interleaved, recorded_time, timed
from benchmarks.arrange.problem import ATOL, LEARNING_RATE, SEED, by_hand
from benchmarks.isolated import program
from benchmarks.saved.fields import ORIGINAL
from lenet5 import training

PASSES = 10
"""Passes over the test images that the original's handcrafted "inference time" consisted of."""

PROCESSES = 5
"""Processes of each program that is quick, where --heavy measures."""

BY_HAND, _ = lenet5.reference()
TENSORFLOW, TORCH, TFMOT = (tools.read(f"benchmarks.isolated.original_{name}") for name in ("tensorflow", "torch", "tfmot"))

pytestmark = pytest.mark.benchmark(group=ORIGINAL, timer=recorded_time)


@pytest.fixture
def answers(require, once, pytestconfig):
    """answers(tool, *arguments) -> what the tool's program printed in each of some processes; each command is run once a session.

    One process, or five where --heavy measures, unless ``count`` says otherwise.
    """
    usual = PROCESSES if pytestconfig.getoption("heavy", False) and not pytestconfig.getoption("benchmark_disable") else 1
    dataset = f"--dataset={pytestconfig.getoption('dataset')}"

    def run(tool, *arguments, count=usual):
        require(tool)
        return once(printed, tool.module, (*arguments, dataset), count)

    return run


def printed(module: str, arguments: Sequence[Any], count: int) -> list[dict[str, Any]]:
    """What a program prints in each of so many processes, one after the other."""
    return [program.call(module, *arguments) for _ in range(count)]


def middle(found: Sequence[Mapping[str, Any]], key: str) -> Any:
    """The median over the processes of one measurement."""
    return median(each[key] for each in found)


@pytest.mark.parametrize("figure", ["inference", "training"])
@pytest.mark.parametrize("word", ["dynamic", "static"])
def test_tensorflow(benchmark, record, answers, word, figure):
    """Inference: one cold call with a loss inside.  Training: one forward pass, no update.  Static: tracing inside as well."""
    found = answers(TENSORFLOW, word)

    record(
        framework=TENSORFLOW.framework,
        mode=f"as the original, {word}",
        figure=f"tensorflow {word} {figure}",
        honest_seconds=middle(found, f"{figure}_honest_seconds"),
        processes=len(found),
    )
    enter(benchmark, [each[f"{figure}_as_original_seconds"] for each in found])


def test_torch_inference(benchmark, record, answers):
    """One cold call on 64 images, and the FLOPs of that batch counted twice."""
    found = answers(TORCH, "inference")

    names = ("honest_seconds", "as_original_images", "honest_images", "as_original_flops", "honest_flops")
    record(
        framework=TORCH.framework,
        mode="as the original",
        figure="torch inference",
        device=found[0]["device"],
        processes=len(found),
        **{name: middle(found, name) for name in names},
    )
    enter(benchmark, [each["as_original_seconds"] for each in found])


@pytest.mark.heavy  # ten seconds: no pair of the default run takes as long
def test_handcrafted_inference(benchmark, record, reference, weights, dataset, seconds_a_case):
    """Ten passes over the test images by float64 loops, called one; beside it one pass by hand in the fastest mode."""
    net = by_hand(weights)
    reference.load(weights)
    slow, fast = reference.tensor(dataset.test.images), net.tensor(dataset.test.images)

    logits, ten_passes_seconds = timed(lambda: [reference.predict(slow) for _ in range(PASSES)])
    assert_allclose(net.predict(fast), logits[-1], rtol=0, atol=ATOL)

    record(
        framework=BY_HAND,
        mode="as the original",
        figure="handcrafted inference",
        passes=PASSES,
        honest_seconds=median(interleaved({"predict": lambda: net.predict(fast)}, seconds_a_case)["predict"]),
    )
    enter(benchmark, [ten_passes_seconds])


@pytest.mark.heavy
def test_handcrafted_recipe(benchmark, record, weights, dataset, pytestconfig):
    """The original's handcrafted recipe, sigmoid and plain gradient descent at 1e-3: how far a correct network gets with it."""
    epochs = pytestconfig.getoption("epochs")
    net = by_hand(weights, activation="sigmoid", optimizer="sgd", learning_rate=LEARNING_RATE)

    _, seconds = timed(lambda: training.train(net, dataset, epochs, seed=SEED))
    found = training.predictions(net, dataset.test.images)
    record(
        framework=BY_HAND,
        mode="as the original, recipe",
        figure="handcrafted accuracy",
        epochs=epochs,
        as_original_correct=training.correct(found, dataset.test.labels),
        test_images=len(found),
    )
    enter(benchmark, [seconds])


@pytest.mark.heavy
def test_torch_softmax_twice(benchmark, record, answers, pytestconfig):
    """A training with softmax in the network and again in the loss; beside it the same training with one softmax."""
    epochs = pytestconfig.getoption("epochs")
    (found,) = answers(TORCH, "softmax-twice", f"--epochs={epochs}", count=1)

    record(framework=TORCH.framework, mode="as the original, softmax twice", figure="softmax twice", **found)
    enter(benchmark, [found["as_original_seconds"]])


@pytest.mark.heavy
def test_pruning_thrown_away(benchmark, record, answers, weights, tmp_path_factory):
    """prune_low_magnitude with its result thrown away leaves not one zero; beside it the same with the result used."""
    path = tmp_path_factory.mktemp("original") / "weights.npz"
    lenet5.save_weights(path, weights)
    (found,) = answers(TFMOT, path, count=1)

    assert found["as_original_zeros"] == 0

    names = ("honest_seconds", "as_original_zeros", "honest_zeros", "kernel_weights", "epochs")
    record(
        framework=TFMOT.framework,
        mode="as the original, pruned",
        figure="pruning",
        processes=1,
        **{name: found[name] for name in names},
    )
    enter(benchmark, [found["as_original_seconds"]])
