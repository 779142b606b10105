"""The program that times the network before the BLAS's pages are made and after that: what it prints, and that a wrong answer gets no time."""

from __future__ import annotations

import json

import numpy as np
import pytest

import lenet5
from benchmarks.arrange import problem
from benchmarks.arrange import worklog as networks
from benchmarks.isolated import pages
from lenet5.by_hand import blas
from tests.support import networks as support


@pytest.fixture
def path(tmp_path):
    """path(error) -> a problem whose expected logits are wrong by that."""

    def write(error=0.0):
        weights, images, labels = support.problem(batch=5)
        expected = lenet5.implementation(networks.BY_HAND)(weights, mode=networks.LOOPS).predict(images)
        return problem.save(tmp_path / "problem.npz", weights, images, labels, expected + error)

    return write


def test_before_and_after(path, monkeypatch, capsys):
    """Two lists of times; the pages are made between them, and not before."""
    made = []
    monkeypatch.setattr(pages, "interleaved", lambda calls, budget: made.append("timed") or {"own": [budget]})
    monkeypatch.setattr(networks, "FAST_PATH", networks.Variant("", (lambda copy: noted(copy, made),)))

    assert pages.main([str(path()), "--seconds", "0.25"]) == 0

    assert json.loads(capsys.readouterr().out) == {"own_seconds": [0.25], "against_seconds": [0.25]}
    assert made == ["timed", "timed", "pages", "timed", "timed"]


def noted(copy, made):
    copy.replace("BLAS_PAGES", type("Pages", (), {"make": lambda self, helpers: made.append("pages")})())


def test_a_wrong_answer(path):
    """No time is printed for it."""
    with pytest.raises(AssertionError):
        pages.main([str(path(1e-3))])


def test_a_missing_problem(tmp_path, capsys):
    """One line and exit code 2."""
    assert pages.main([str(tmp_path / "none.npz")]) == 2
    assert "none.npz" in capsys.readouterr().err


def test_without_pages():
    """The copy makes none, and predicts all the same; the network itself still does."""
    copy = networks.NO_PAGES.copy()
    weights, images, _ = support.problem(batch=5)
    net = copy.network(weights)
    assert np.isfinite(net.predict(net.tensor(images))).all()
    assert not hasattr(copy.team.BLAS_PAGES, "_threads")
    assert isinstance(blas.BLAS_PAGES, blas.BlasPages)
