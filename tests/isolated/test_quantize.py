"""Int8 by the libraries, each in the process of its own that the benchmark runs it in."""

from __future__ import annotations

import numpy as np
import pytest

import lenet5
from benchmarks.isolated import program, quantize
from lenet5 import training
from tests.support.networks import grey_digits, quick_network, trained


@pytest.fixture(scope="module")
def dense(tmp_path_factory):
    """A grey network after two epochs, on disk, and the classes that it sees in the test images."""
    weights = trained(epochs=2)
    path = tmp_path_factory.mktemp("dense") / "dense.npz"
    lenet5.save_weights(path, weights)
    return path, training.predictions(quick_network(weights), grey_digits().test.images)


@pytest.mark.parametrize(
    ("module", "kind", "package", "float_weights", "biases_and_scales"),
    [
        pytest.param("benchmarks.isolated.quantize_litert", "dynamic", "tensorflow", 990, (236, 220), marks=pytest.mark.slow),
        pytest.param("benchmarks.isolated.quantize_litert", "full", "tensorflow", 0, (236, 472), marks=pytest.mark.slow),
        ("benchmarks.isolated.quantize_torchao", "static", "torchao", 0, (236, 236)),
    ],
    ids=["litert-dynamic", "litert-full", "torchao"],
)
def test_int8_by_library(dense, monkeypatch, module, kind, package, float_weights, biases_and_scales):
    """Every kernel weight that the tool rounds is one byte, all constants together weigh what that makes, and classes stay."""
    pytest.importorskip(package, reason=f"the package {package!r} is not installed; pip install {package}")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    path, expected = dense

    found = program.call(module, path, "--dataset=digits", f"--kind={kind}", "--images=256", "--seconds=0")

    kernels = 150 + 2_400 + 48_000 + 10_080 + 840
    assert found["int8_weights"] == kernels - float_weights
    least = kernels + 3 * float_weights + 4 * sum(biases_and_scales)
    assert least <= found["weight_bytes"] <= least + 100
    assert (np.array(found["predictions"]) == expected).mean() > 0.98
    assert all(len(found[name]) >= 5 and min(found[name]) > 0 for name in ("dense", "compressed"))


def test_agreement():
    """Of all images eight in ten, of those that float32 is sure of nineteen in twenty; without sure ones the first alone counts."""
    sure, unsure = np.eye(10, dtype=np.float32)[:5] * 9, np.eye(10, dtype=np.float32)[:5] * 0.1
    both, classes = np.concatenate([sure, unsure]), np.tile(np.arange(5), 2)

    def but(*wrong):
        return np.where(np.isin(np.arange(10), wrong), 9, classes)

    quantize.check_agreement(both, but())
    quantize.check_agreement(both, but(6, 9))
    with pytest.raises(AssertionError, match=r"float32 is sure of in 80\.0%"):
        quantize.check_agreement(both, but(3))
    with pytest.raises(AssertionError, match=r"float32 sees in 70\.0%"):
        quantize.check_agreement(both, but(6, 8, 9))
    quantize.check_agreement(unsure, classes[:5])


def test_calibration_without_images(dense, capsys):
    """Less than a batch is nothing to calibrate with: one line, exit 2."""
    assert quantize.main(lambda task: None, ("static",), [str(dense[0]), "--dataset=digits", "--images=63"]) == 2
    line = "images: 63 are too few to calibrate with; use at least one batch of 64\n"
    assert capsys.readouterr().err == line


def test_a_wrong_answer_gives_no_time(dense):
    """An int8 network that sees other classes is stopped before its clock starts."""

    def broken(task):
        def logits(images):
            return np.eye(10, dtype=np.float32)[np.zeros(len(images), int)]

        return quantize.Int8(np.asarray, logits, logits, 1, 1)

    with pytest.raises(AssertionError, match="int8 sees the class that float32 sees in"):
        quantize.main(broken, ("static",), [str(dense[0]), "--dataset=digits", "--images=64"])
