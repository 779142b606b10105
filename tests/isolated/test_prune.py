"""The pruning programs: by hand the same weights become zero as by each library, and a wrong tool gives no time."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import lenet5
from benchmarks.arrange.problem import by_hand
from benchmarks.isolated import program, prune
from lenet5.architecture import NAMES
from lenet5.compression import gradual, weighing, zeros
from tests.support.networks import grey_digits, trained

RATE = 0.03


def library(module, dense, tmp_path, *options):
    """What a library's program makes of the dense network in one epoch, and its times."""
    lenet5.save_weights(tmp_path / "dense.npz", dense)
    arguments = ["--dataset=digits", "--epochs=1", f"--learning-rate={RATE}", "--seconds=0", *options]
    seconds = program.call(module, tmp_path / "dense.npz", tmp_path / "pruned.npz", *arguments)
    return lenet5.load_weights(tmp_path / "pruned.npz"), seconds


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "regrow"),
    [
        pytest.param("benchmarks.isolated.prune_tfmot", True, id="tfmot"),
        pytest.param("benchmarks.isolated.prune_torch", False, id="torch"),
    ],
)
def test_by_hand_as_by_library(monkeypatch, module, regrow, tmp_path):
    """An epoch with 21 drawings: the same weights are zero, the others within 1e-3 (they moved by far more)."""
    data, dense = grey_digits(), trained(epochs=1)
    net = by_hand(dense, optimizer="sgd", learning_rate=RATE)
    gradual.fine_tune(net, data, gradual.schedule_for(64), epochs=1, regrow=regrow)
    ours = net.weights()

    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # what is right on one thread is right on many, and a busy machine is kind to one
    theirs, seconds = library(module, dense, tmp_path)

    weighing.check_sparsity(theirs, 0.9, tolerance=0)
    for name in NAMES:
        # Rounding can swap two weights at the edge of a mask, no more.
        swapped = (ours[name] == 0) != (theirs[name] == 0)
        assert swapped.sum() <= 0.001 * swapped.size, name
        assert_allclose(np.where(swapped, 0, theirs[name]), np.where(swapped, 0, ours[name]), rtol=0, atol=1e-3, err_msg=name)
    assert abs(ours["fc3.bias"] - dense["fc3.bias"]).max() > 0.01
    assert list(seconds) == ["dense", "stripped", "unstripped"]
    assert all(len(values) >= 5 and min(values) > 0 for values in seconds.values())


def test_a_library_that_did_not_prune_gives_no_time(tmp_path, capsys):
    """Sparsity other than asked for: exit 2, one line, no JSON and no weights."""
    lenet5.save_weights(tmp_path / "dense.npz", trained(epochs=1))

    def lazy(task):
        return prune.Pruned(task.weights, *([None] * 4))

    code = prune.main(lazy, [str(tmp_path / "dense.npz"), str(tmp_path / "pruned.npz"), "--dataset=digits", "--epochs=1"])

    assert code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "conv1: 0 of 150 weights are zero; a sparsity of 0.9 is 135\n"
    assert not (tmp_path / "pruned.npz").exists()


def test_a_library_that_answers_wrong_gives_no_time(tmp_path, capsys):
    """Logits other than those of its own weights are an error, not a time."""
    lenet5.save_weights(tmp_path / "dense.npz", trained(epochs=1))

    def wrong(task):
        pruned = zeros.prune(task.weights, 0.9)
        return prune.Pruned(pruned, lambda images: images, *([lambda x: np.zeros((64, 10), np.float32)] * 3))

    with pytest.raises(AssertionError, match="dense"):
        prune.main(wrong, [str(tmp_path / "dense.npz"), str(tmp_path / "pruned.npz"), "--dataset=digits", "--epochs=1"])
    assert capsys.readouterr().out == ""
