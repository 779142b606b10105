"""What a gate's side keeps is what was computed, to the last bit, and is computed once; without a gate it is computed each time."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from benchmarks.arrange.kept import VARIABLE, kept


@pytest.fixture
def computed():
    """A function that gives an array of float64, and how often it did."""
    times = []

    def compute():
        times.append(1)
        return np.random.RandomState(0).standard_normal((3, 2)) / 3

    return compute, times


def test_once(monkeypatch, tmp_path, computed):
    """The same bits again, under the same name; under another name it is computed anew.  Nothing but whole arrays is left."""
    compute, times = computed
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    first, again = kept("logits-3", compute), kept("logits-3", compute)
    assert first.dtype == again.dtype == np.float64
    assert_array_equal(first, compute())
    assert_array_equal(again, first)
    assert len(times) == 2
    kept("logits-4", compute)
    assert len(times) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["logits-3.npy", "logits-4.npy"]


def test_interrupted(monkeypatch, tmp_path, computed):
    """Half an array that a killed process left is no answer."""
    compute, _ = computed
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    (tmp_path / "part-logits-3.npy").write_bytes(b"half")
    assert_array_equal(kept("logits-3", compute), compute())


def test_without_a_gate(monkeypatch, tmp_path, computed):
    """Nothing is kept."""
    compute, times = computed
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    assert_array_equal(kept("logits-3", compute), kept("logits-3", compute))
    assert (len(times), list(tmp_path.iterdir())) == (2, [])
