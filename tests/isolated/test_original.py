"""The original report's protocol: what its programs count is known, and what they time is right before it is timed."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

import lenet5
from benchmarks.arrange.keras_models import model_of
from benchmarks.isolated import original_tensorflow, original_torch, program
from lenet5 import datasets


@pytest.fixture(scope="module")
def data():
    """Colour digits, cut down to what a test needs."""
    whole = datasets.load("colour-digits")
    parts = {name: getattr(whole, name) for name in ("train", "validation", "test")}
    cut = {name: datasets.Split(part.images[:128], part.labels[:128]) for name, part in parts.items()}
    return dataclasses.replace(whole, **cut)


@pytest.fixture(scope="module")
def weights():
    return lenet5.initial_weights(lenet5.Architecture(), seed=0)


@pytest.fixture
def one_thread():
    """Two threads of PyTorch on a busy machine spend their time waiting for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_torch_inference(data, weights):
    """64 images where it is said to be 128, and four times 64 times the MACs where it is twice one image's."""
    found = original_torch.inference(data, weights, 0)
    assert found["as_original_flops"] == 2 * 64 * 2 * 655_080 == 167_700_480
    assert found["honest_flops"] == 2 * 655_080
    assert (found["as_original_images"], found["honest_images"]) == (64, 128)
    assert found["as_original_seconds"] > 0
    assert found["honest_seconds"] > 0


def test_the_floor_of_softmax_twice():
    """The most certain and right of all networks still has a loss of ln(1 + 49/e), 2.9458 nats."""
    probabilities = torch.zeros(1, 50)
    probabilities[0, 7] = 1
    loss = torch.nn.functional.cross_entropy(probabilities, torch.tensor([7]))
    assert float(loss) == pytest.approx(math.log1p(49 / math.e), abs=1e-6)
    assert math.log1p(49 / math.e) == pytest.approx(2.9458, abs=5e-5)


def test_softmax_twice(one_thread, data, weights):
    """Same weights, same batches: with one softmax it learns more than with two, whose loss stays between its floor and ln 50."""
    found = original_torch.softmax_twice(data, weights, epochs=10)
    assert found["floor_nats"] == pytest.approx(math.log1p(49 / math.e))
    assert found["floor_nats"] < found["as_original_last_loss_nats"] < math.log(50)
    assert found["honest_last_loss_nats"] < found["as_original_last_loss_nats"]
    assert found["test_images"] == 128


@pytest.mark.parametrize("word", original_tensorflow.MODES)
def test_tensorflow(data, weights, word):
    """The original's model has the probabilities of ours; all four times are there, and training counts the images that it saw."""
    logits = lenet5.implementation("numpy")(weights).predict(data.test.images)
    probabilities = model_of(original_tensorflow.keras, weights, "softmax")(np.moveaxis(data.test.images, 1, 3)).numpy()
    assert_allclose(probabilities.sum(1), 1, rtol=0, atol=1e-5)
    assert_allclose(np.log(probabilities) - logits, (np.log(probabilities) - logits)[:, :1].repeat(50, 1), rtol=0, atol=1e-4)

    found = original_tensorflow.measure(word, data, weights, 0)

    figures = [f"{figure}_{how}_seconds" for figure in ("inference", "training") for how in ("as_original", "honest")]
    assert all(found[figure] > 0 for figure in figures)
    assert found["training_images"] == 128


@pytest.mark.slow
def test_thrown_away(monkeypatch, weights, tmp_path):
    """With the wrapper thrown away not one weight is zero, with the wrapper used nine in ten are."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    lenet5.save_weights(tmp_path / "weights.npz", weights)
    found = program.call("benchmarks.isolated.original_tfmot", tmp_path / "weights.npz", "--epochs=1", "--seconds=0")
    assert (found["as_original_zeros"], found["honest_zeros"], found["kernel_weights"]) == (0, 58_617, 65_130)


@pytest.mark.parametrize(("module", "figure"), [(original_torch, "inference"), (original_tensorflow, "static")])
def test_no_dataset(capsys, module, figure):
    """A wrong name is one line and exit 2."""
    assert module.main([figure, "--dataset=nothing"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("dataset: 'nothing' is not known; choose one of colour-digits")
    assert printed.err.count("\n") == 1
