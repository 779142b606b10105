"""Smaller networks beside the dense one: bytes, multiplications, accuracy on the same images, and time in every implementation."""

# mypy: allow-untyped-defs
# pytest passes fixtures by name; their types stand where they are defined.

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from statistics import median

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

import lenet5
from benchmarks import BY_HAND
from benchmarks.arrange.compressed import SWEEP, Compressed, label, make
from benchmarks.arrange.measuring import first_images
from benchmarks.arrange.samples import enter, in_turns, recorded_time
from benchmarks.isolated import fresh
from lenet5 import cost, training
from lenet5.architecture import kernel_names
from lenet5.compression import compression, factorization, quantization
from lenet5.compression.quantization import QuantizedLeNet5
from lenet5.datasets import Dataset

BATCH = 64
POINTS = [(technique, setting) for technique, settings in SWEEP.items() for setting in settings]
HALF = ("structured", 0.5)
"""The point that is measured in every mode of every framework."""

CALIBRATION_IMAGES = 1024

TOOLS = {
    "LiteRT, dynamic": ("tensorflow", "benchmarks.isolated.quantize_litert", "dynamic", ("tensorflow",)),
    "LiteRT, full integer": ("tensorflow", "benchmarks.isolated.quantize_litert", "full", ("tensorflow",)),
    "torchao, PT2E": ("torch", "benchmarks.isolated.quantize_torch", "static", ("torch", "torchao")),
}
"""Tool -> the framework that it belongs to, the child that runs it and in which way, the packages that the child needs."""

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
    """compressed(technique, setting) -> that network, trained once a session and the same for every framework."""

    @cache
    def one(technique: str, setting: float) -> Compressed:
        return make(technique, setting, dense, dataset, epochs)

    return one


@pytest.fixture(scope="session")
def dense_predictions(dense, dataset):
    """The classes that the dense network sees in the test images."""
    return predictions(dense, dataset)


@pytest.fixture
def budget_seconds(pytestconfig):
    """How long to time two predictions, together."""
    return 2 * float(pytestconfig.getoption("benchmark_max_time"))


@pytest.fixture
def note(benchmark, dense, dataset, dense_predictions, epochs):
    """note(found, **values): what a compressed network holds, weighs and sees, beside the dense one on the same test images."""

    def update(found, **values):
        labels = dataset.test.labels
        now, before = found == labels, dense_predictions == labels
        benchmark.extra_info.update(
            batch=BATCH,
            epochs=epochs,
            test_images=len(labels),
            correct=int(now.sum()),
            dense_correct=int(before.sum()),
            gained=int((now & ~before).sum()),
            lost=int((before & ~now).sum()),
            dense_bytes=compression.dense_bytes(dense),
            dense_macs_per_image=cost.forward_macs(dense),
            **values,
        )

    return update


def predictions(weights: lenet5.Weights, dataset: Dataset) -> NDArray[np.intp]:
    """The classes that textbook products see in the test images: accuracy is a property of the weights, whoever is timed."""
    net = lenet5.implementation(BY_HAND)(weights, mode="im2col")
    found: NDArray[np.intp] = training.logits_of(net, dataset.test.images).argmax(1)
    return found


def check_claim(technique: str, setting: float, weights: lenet5.Weights, dense: lenet5.Weights) -> None:
    """Raise unless the weights are what the technique says: so few MACs, of that rank, so many zeros."""
    if technique == "structured":
        assert cost.forward_macs(weights) <= round(setting * cost.forward_macs(dense))
    elif technique == "sparse":
        compression.check_sparsity(weights, setting)
    else:
        layer = technique.split()[-1]
        assert len(weights[f"{layer}.basis"]) == setting
        assert factorization.rank(weights, layer) <= setting


@pytest.fixture
def measure(benchmark, build, note, dense, dataset, budget_seconds, framework, mode):
    """measure(technique, setting, small): check one point in one implementation against the oracle, then time it in turns with dense."""

    def against_dense(technique, setting, small):
        check_claim(technique, setting, small.weights, dense)
        net, before = build(small.weights), build(dense)
        images = first_images(dataset, BATCH)
        x = net.tensor(images)
        oracle = lenet5.implementation(BY_HAND)(small.weights, mode="loops")
        assert_allclose(net.predict(x), oracle.predict(images), rtol=0, atol=1e-4)

        seconds = in_turns({"dense": lambda: before.predict(x), "compressed": lambda: net.predict(x)}, budget_seconds)
        note(
            predictions(small.weights, dataset),
            framework=framework,
            mode=mode,
            technique=technique,
            point=label(technique, setting),
            stored_bytes=small.stored_bytes,
            form=small.form,
            gzip_bytes=compression.gzip_bytes(small.weights),
            weights_left=compression.weights_left(small.weights),
            macs_per_image=small.macs_per_image,
            dense_seconds=median(seconds["dense"]),
        )
        enter(benchmark, seconds["compressed"])

    return against_dense


@pytest.mark.default_mode
@pytest.mark.parametrize(("technique", "setting"), POINTS, ids=lambda value: str(value).replace(" ", "_"))
def test_point(measure, compressed, mode, technique, setting):
    """Every point of the sweep in the default mode of every framework."""
    if technique == "low rank conv2" and mode == "fused":
        pytest.skip("numpy: mode 'fused' convolves with whole kernels only")
    measure(technique, setting, compressed(technique, setting))


def test_every_mode(measure, compressed):
    """Half the multiplications in every mode of every framework: where structure saves time, and where a call costs more than that."""
    measure(*HALF, compressed(*HALF))


@pytest.mark.parametrize("framework", [BY_HAND])
@pytest.mark.parametrize("arithmetic", quantization.ARITHMETIC)
def test_int8_by_hand(benchmark, implementation, note, dense, dataset, budget_seconds, framework, arithmetic):
    """Whole numbers in NumPy, against the fast float32 network: bytes are what int8 saves there."""
    quantized = quantization.quantize(dense, dataset.train.images[:CALIBRATION_IMAGES])
    net, before = QuantizedLeNet5(quantized, arithmetic=arithmetic), implementation(dense)
    images = first_images(dataset, BATCH)
    x = before.tensor(images)
    by_definition = QuantizedLeNet5(quantized, arithmetic="int32").predict(images)
    assert_array_equal(net.predict(images), by_definition)
    assert quantization.quantized_bytes(quantized) < compression.dense_bytes(dense) / 3

    seconds = in_turns({"dense": lambda: before.predict(x), "compressed": lambda: net.predict(images)}, budget_seconds)
    note(
        net.predict(dataset.test.images).argmax(1),
        framework=framework,
        mode=f"int8 by hand, {arithmetic}",
        technique="int8",
        point=f"int8 by hand, {arithmetic}",
        stored_bytes=quantization.quantized_bytes(quantized),
        form="int8",
        gzip_bytes=compression.gzipped(b"".join(array.tobytes() for layer in quantized.values() for array in vars(layer).values())),
        weights_left=compression.weights_left(dense),
        macs_per_image=cost.forward_macs(dense),
        dense_seconds=median(seconds["dense"]),
    )
    enter(benchmark, seconds["compressed"])


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.replace(",", "").replace(" ", "_"))
def test_int8_by_tool(benchmark, note, dense, budget_seconds, pytestconfig, tmp_path, tool):
    """By a library, in a process of its own, which checks what int8 sees before it times it in turns with float32."""
    framework, child, kind, packages = TOOLS[tool]
    if missing := [package for package in packages if find_spec(package) is None]:
        pytest.skip(f"{tool}: the package {missing[0]!r} is not installed; pip install {missing[0]}")
    lenet5.save_weights(tmp_path / "dense.npz", dense)
    options = {"dataset": pytestconfig.getoption("dataset"), "kind": kind, "images": CALIBRATION_IMAGES, "seconds": budget_seconds}
    found = fresh.figures(child, tmp_path / "dense.npz", *(f"--{name}={value}" for name, value in options.items()))

    # LiteRT's dynamic way leaves kernels of under 1,024 weights alone.
    assert found["int8_weights"] >= sum(dense[name].size for name in kernel_names(dense) if dense[name].size >= 1024)
    assert found["weight_bytes"] < compression.dense_bytes(dense) / 3

    note(
        np.array(found["predictions"]),
        framework=framework,
        mode=tool,
        technique="int8",
        point=f"int8, {tool}",
        stored_bytes=found["weight_bytes"],
        form="int8",
        weights_left=compression.weights_left(dense),
        macs_per_image=cost.forward_macs(dense),
        dense_seconds=median(found["dense"]),
    )
    enter(benchmark, found["compressed"])
