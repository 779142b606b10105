"""Smaller networks beside the dense one: bytes, multiplications, accuracy on the same images, and time in every implementation."""

# mypy: allow-untyped-defs
# pytest passes fixtures by name; their types stand where they are defined.

from __future__ import annotations

from functools import cache
from statistics import median

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import lenet5
from benchmarks.arrange import tools
from benchmarks.arrange.clock import enter, interleaved, recorded_time
from benchmarks.arrange.compressed import SWEEP, Compressed, label, make
from benchmarks.arrange.problem import TRAINED_ATOL, by_hand, first_images, reference
from benchmarks.isolated import program
from lenet5 import cost, training
from lenet5.architecture import kernel_names
from lenet5.compression import int8, int8_network, low_rank, weighing
from lenet5.compression.int8_network import QuantizedLeNet5
from lenet5.training import BATCH

POINTS = [(technique, setting) for technique, settings in SWEEP.items() for setting in settings]
HALF = ("structured", 0.5)
"""The point that is measured in every mode of every framework."""

CALIBRATION_IMAGES = 1024

BY_HAND, _ = lenet5.reference()
TOOLS = {
    f"{tool.title}, {title}": (tool, kind)
    for tool in tools.found("benchmarks.isolated", "quantize_")
    for kind, title in tool.kinds.items()
}
"""Title -> a tool, and one of its ways to run."""

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.usefixtures("cpu_only"),
    pytest.mark.benchmark(group="compression", timer=recorded_time),
]


@pytest.fixture(scope="session")
def epochs(pytestconfig):
    """Epochs of training after a cut: two fifths of those that the dense network had."""
    return max(1, 2 * pytestconfig.getoption("epochs") // 5)


@pytest.fixture(scope="session")
def compressed(dense, dataset, epochs):
    """compressed(technique, setting) -> that network; trained once a session, the same for every framework."""

    @cache
    def one(technique: str, setting: float) -> Compressed:
        return make(technique, setting, dense, dataset, epochs)

    return one


@pytest.fixture(scope="session")
def dense_predictions(dense, dataset):
    """The classes that the dense network gives the test images."""
    return training.predictions(by_hand(dense), dataset.test.images)


@pytest.fixture(scope="session")
def budget_seconds(seconds_a_case):
    """How long to time two predictions, together."""
    return 2 * seconds_a_case


@pytest.fixture
def record_smaller(record, dense, dataset, dense_predictions, epochs):
    """record_smaller(predictions, **values): the values, and what the network gets right beside the dense one on the same test images."""

    def update(predictions, **values):
        labels = dataset.test.labels
        now, before = predictions == labels, dense_predictions == labels
        record(
            batch=BATCH,
            epochs=epochs,
            test_images=len(labels),
            correct=training.correct(predictions, labels),
            dense_correct=training.correct(dense_predictions, labels),
            gained=int((now & ~before).sum()),
            lost=int((before & ~now).sum()),
            dense_bytes=weighing.dense_bytes(dense),
            dense_macs_per_image=cost.forward_macs(dense),
            **values,
        )

    return update


def check_claim(technique: str, setting: float, weights: lenet5.Weights, dense: lenet5.Weights) -> None:
    """Raise unless the weights are what the technique promises: at most these MACs, of this rank, or with this share of zeros."""
    if technique == "structured":
        assert cost.forward_macs(weights) <= round(setting * cost.forward_macs(dense))
    elif technique == "sparse":
        weighing.check_sparsity(weights, setting)
    else:
        layer = technique.split()[-1]
        assert len(weights[f"{layer}.basis"]) == setting
        assert low_rank.rank(weights, layer) <= setting


@pytest.fixture
def measure(benchmark, build, record_smaller, dense, dataset, budget_seconds, framework, mode):
    """measure(technique, setting, small): check a point in one implementation against the reference, then time it interleaved with dense.

    Accuracy is a property of the weights: it is always that of the network by hand.
    """

    def against_dense(technique, setting, small):
        check_claim(technique, setting, small.weights, dense)
        net, before = build(small.weights), build(dense)
        images = first_images(dataset, BATCH)
        x = net.tensor(images)
        assert_allclose(net.predict(x), reference(small.weights).predict(images), rtol=0, atol=TRAINED_ATOL)

        seconds = interleaved({"dense": lambda: before.predict(x), "compressed": lambda: net.predict(x)}, budget_seconds)
        record_smaller(
            training.predictions(by_hand(small.weights), dataset.test.images),
            framework=framework,
            mode=mode,
            technique=technique,
            point=label(technique, setting),
            stored_bytes=small.stored_bytes,
            form=small.form,
            gzip_bytes=weighing.gzip_bytes(small.weights),
            weights_left=weighing.weights_left(small.weights),
            macs_per_image=small.macs_per_image,
            dense_seconds=median(seconds["dense"]),
        )
        enter(benchmark, seconds["compressed"])

    return against_dense


@pytest.mark.default_mode
@pytest.mark.parametrize(("technique", "setting"), POINTS, ids=lambda value: str(value).replace(" ", "_"))
def test_point(measure, compressed, technique, setting):
    """Every point of the sweep in the default mode of every framework."""
    measure(technique, setting, compressed(technique, setting))


def test_every_mode(measure, compressed):
    """Half the multiplications in every mode of every framework: where that saves time, and where the call itself costs more."""
    measure(*HALF, compressed(*HALF))


@pytest.mark.parametrize("framework", [BY_HAND])
@pytest.mark.parametrize("arithmetic", int8_network.ARITHMETIC)
def test_int8_by_hand(benchmark, implementation, record_smaller, dense, dataset, budget_seconds, framework, arithmetic):
    """Whole numbers in NumPy, against the fast float32 network: there int8 saves bytes, not time."""
    quantized = int8.quantize(dense, dataset.train.images[:CALIBRATION_IMAGES])
    net, before = QuantizedLeNet5(quantized, arithmetic=arithmetic), implementation(dense)
    images = first_images(dataset, BATCH)
    x = before.tensor(images)
    by_definition = QuantizedLeNet5(quantized, arithmetic="int32").predict(images)
    assert_array_equal(net.predict(images), by_definition)
    assert int8.quantized_bytes(quantized) < weighing.dense_bytes(dense) / 3

    seconds = interleaved({"dense": lambda: before.predict(x), "compressed": lambda: net.predict(images)}, budget_seconds)
    record_smaller(
        net.predict(dataset.test.images).argmax(1),
        framework=framework,
        mode=f"int8 by hand, {arithmetic}",
        technique="int8",
        point=f"int8 by hand, {arithmetic}",
        stored_bytes=int8.quantized_bytes(quantized),
        form="int8",
        gzip_bytes=weighing.gzipped(b"".join(array.tobytes() for layer in quantized.values() for array in vars(layer).values())),
        weights_left=weighing.weights_left(dense),
        macs_per_image=cost.forward_macs(dense),
        dense_seconds=median(seconds["dense"]),
    )
    enter(benchmark, seconds["compressed"])


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.replace(",", "").replace(" ", "_"))
def test_int8_by_tool(benchmark, require, record_smaller, dense, budget_seconds, pytestconfig, tmp_path, tool):
    """By a library, in a process of its own, which checks the classes that int8 gives before it times it interleaved with float32."""
    quantizer, kind = TOOLS[tool]
    require(quantizer)
    lenet5.save_weights(tmp_path / "dense.npz", dense)
    options = {"dataset": pytestconfig.getoption("dataset"), "kind": kind, "images": CALIBRATION_IMAGES, "seconds": budget_seconds}
    found = program.call(quantizer.module, tmp_path / "dense.npz", *(f"--{name}={value}" for name, value in options.items()))

    # A tool may leave kernels of under 1,024 weights in float32.
    assert found["int8_weights"] >= sum(dense[name].size for name in kernel_names(dense) if dense[name].size >= 1024)
    assert found["weight_bytes"] < weighing.dense_bytes(dense) / 3

    record_smaller(
        np.array(found["predictions"]),
        framework=quantizer.framework,
        mode=tool,
        technique="int8",
        point=f"int8, {tool}",
        stored_bytes=found["weight_bytes"],
        form="int8",
        weights_left=weighing.weights_left(dense),
        macs_per_image=cost.forward_macs(dense),
        dense_seconds=median(found["dense"]),
    )
    enter(benchmark, found["compressed"])
