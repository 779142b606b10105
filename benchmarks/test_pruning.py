"""Pruned against dense: zeros in nine of ten weights of each kernel, by several tools, from one trained network, on the same batches."""

# mypy: allow-untyped-defs
# pytest passes fixtures by name; their types stand where they are defined.

from __future__ import annotations

from typing import Any

import pytest
from numpy.testing import assert_allclose

import lenet5
from benchmarks.arrange import tools
from benchmarks.arrange.clock import enter, interleaved, medians, recorded_time
from benchmarks.arrange.problem import ATOL, LEARNING_RATE, SEED, by_hand, first_images
from benchmarks.isolated import program
from lenet5 import cost, training
from lenet5.architecture import LAYERS
from lenet5.compression import gradual, weighing, zeros
from lenet5.training import BATCH

INITIAL, FINAL = 0.5, 0.9
"""Sparsity of each kernel at the first step and at the end."""

RATES = {"sgd": 0.03, "adam": LEARNING_RATE}
"""Learning rates while pruning.  Of 0.02, 0.03, 0.05, 0.1 and 0.2, 0.03 did best for gradient descent; above 0.05 it falls apart."""

BY_HAND, _ = lenet5.reference()
TOOLS = {tool.title: tool for tool in tools.found("benchmarks.isolated", "prune_")}

heavy = pytest.mark.heavy
"""The short run prunes once with each tool, by gradient descent, beside the dense network; the others are for a long one."""

pytestmark = [
    pytest.mark.usefixtures("cpu_only"),
    pytest.mark.benchmark(group="pruning", timer=recorded_time),
]


@pytest.fixture(scope="session")
def epochs(pytestconfig):
    """Epochs of training while pruning: two thirds of those that the dense network had."""
    return max(1, 2 * pytestconfig.getoption("epochs") // 3)


@pytest.fixture(scope="session")
def schedule(dataset, epochs):
    """Which share of the weights is zero after which step."""
    return gradual.schedule_for(len(dataset.train.labels) // BATCH * epochs, INITIAL, FINAL)


@pytest.fixture(scope="session")
def budget_seconds(seconds_a_case):
    """How long to time the three predictions, together."""
    return 3 * seconds_a_case


@pytest.fixture
def record_pruned(record, dataset, pytestconfig):
    """record_pruned(weights, **values): the values, what these weights hold and weigh, and how many test images they get right."""

    def update(weights, **values):
        found = training.predictions(by_hand(weights), dataset.test.images)
        macs, by_layer = cost.macs_by_layer(weights), weighing.sparsity_by_layer(weights)
        record(
            batch=BATCH,
            sparsity_initial=INITIAL,
            sparsity_wanted=FINAL,
            dense_epochs=pytestconfig.getoption("epochs"),
            correct=training.correct(found, dataset.test.labels),
            test_images=len(found),
            sparsity_kernels=weighing.sparsity(weights),
            sparsity_all=weighing.sparsity(weights, biases=True),
            **{f"sparsity_{layer}": by_layer[layer] for layer in LAYERS},
            dense_bytes=weighing.dense_bytes(weights),
            negative_zeros=weighing.negative_zeros(weights),
            gzip_bytes=weighing.gzip_bytes(weights),
            sparse_bytes=weighing.sparse_bytes(weights),
            macs_per_image=sum(macs.values()),
            nonzero_macs_per_image=round(sum(macs[layer] * (1 - by_layer[layer]) for layer in LAYERS)),
            **values,
        )

    return update


@pytest.mark.parametrize("trained_on", [pytest.param(False, id="as trained"), pytest.param(True, id="trained on", marks=heavy)])
def test_dense(benchmark, record_pruned, dense, dataset, epochs, budget_seconds, trained_on):
    """Nothing pruned: the network that the others start from, and what it becomes by training on as long as they do."""
    net = by_hand(dense, optimizer="sgd", learning_rate=RATES["sgd"])
    for epoch in range(epochs if trained_on else 0):
        training.train_epoch(net, training.prepare(net, dataset.train, seed=SEED + epoch))
    x = net.tensor(first_images(dataset, BATCH))

    weighing.check_sparsity(net.weights(), wanted=0)

    record_pruned(net.weights(), framework=BY_HAND, mode="dense, trained on" if trained_on else "dense", tool="dense")
    enter(benchmark, interleaved({"dense": lambda: net.predict(x)}, budget_seconds)["dense"])


@pytest.mark.parametrize("rule", ["regrow", pytest.param("nested", marks=heavy)])
def test_by_hand(benchmark, record_pruned, dense, dataset, epochs, schedule, budget_seconds, rule):
    """In NumPy, through nothing but weights() and load(): by tfmot's rule (regrow) and by PyTorch's (nested)."""
    unstripped = by_hand(dense, optimizer="sgd", learning_rate=RATES["sgd"])
    masks = gradual.fine_tune(unstripped, dataset, schedule, epochs, regrow=rule == "regrow", seed=SEED)
    pruned = unstripped.weights()
    before, stripped = by_hand(dense), by_hand(pruned)
    x = stripped.tensor(first_images(dataset, BATCH))

    def mask_and_predict() -> Any:
        unstripped.load(zeros.masked(pruned, masks))
        return unstripped.predict(x)

    weighing.check_sparsity(pruned, FINAL)
    assert_allclose(mask_and_predict(), stripped.predict(x), rtol=0, atol=ATOL)

    calls = {"dense": lambda: before.predict(x), "stripped": lambda: stripped.predict(x), "unstripped": mask_and_predict}
    seconds = interleaved(calls, budget_seconds)
    label = {"framework": BY_HAND, "mode": f"by hand, sgd, {rule}", "tool": "by hand"}
    record_pruned(pruned, **label, optimizer="sgd", epochs=epochs, **medians(seconds))
    enter(benchmark, seconds["stripped"])


@pytest.mark.parametrize("optimizer", ["sgd", pytest.param("adam", marks=heavy)])
@pytest.mark.parametrize("tool", TOOLS)
def test_tool(benchmark, require, record_pruned, dense, epochs, budget_seconds, pytestconfig, tmp_path, tool, optimizer):
    """By a library, in a process of its own, which checks sparsity and logits before it times its own predictions."""
    require(TOOLS[tool])
    files = tmp_path / "dense.npz", tmp_path / "pruned.npz"
    lenet5.save_weights(files[0], dense)
    options = {"dataset": pytestconfig.getoption("dataset"), "epochs": epochs, "initial": INITIAL, "final": FINAL}
    options |= {"optimizer": optimizer, "learning-rate": RATES[optimizer], "seconds": budget_seconds}
    seconds = program.call(TOOLS[tool].module, *files, *(f"--{name}={value}" for name, value in options.items()))
    pruned = lenet5.load_weights(files[1])

    weighing.check_sparsity(pruned, FINAL)

    label = {"framework": TOOLS[tool].framework, "mode": f"{tool}, {optimizer}", "tool": tool}
    record_pruned(pruned, **label, optimizer=optimizer, epochs=epochs, **medians(seconds))
    enter(benchmark, seconds["stripped"])
