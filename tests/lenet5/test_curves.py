"""The picture of a training: readable with one epoch as with a hundred, the same under any settings of the user's, whole or not there."""

from __future__ import annotations

import os
import re
from xml.etree import ElementTree

import pytest

from lenet5 import InputError, curves
from lenet5.training import History

matplotlib = pytest.importorskip("matplotlib", reason="plot: the package 'matplotlib' is not installed; pip install matplotlib")


def history(epochs):
    falling = [2 / epoch for epoch in range(1, epochs + 1)]
    return History(falling, [loss + 0.25 for loss in falling], [1 - loss / 3 for loss in falling])


def words(path):
    """The texts of an SVG."""
    root = ElementTree.parse(path).getroot()
    return ["".join(node.itertext()).strip() for node in root.iter("{http://www.w3.org/2000/svg}text")]


def dots(path):
    """How many markers the curves and their legends have; the ticks of the axes are black."""
    return len(re.findall(r"<use [^>]*(?:#0f62b4|#bd5200)", path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("epochs", "ticks"),
    [(1, "1"), (3, "1 2 3"), (12, "2 4 6 8 10 12"), (100, "10 20 30 40 50 60 70 80 90 100")],
    ids=lambda value: value if isinstance(value, int) else "",
)
def test_epochs(tmp_path, epochs, ticks):
    """Whole epochs are written below both axes; names, units, and the last value of each curve stand there."""
    curves.draw(tmp_path / "a.svg", history(epochs), "photos $x$", best=1)

    found = words(tmp_path / "a.svg")
    assert {"photos $x$", "epoch", "loss (nats)", "right (%)", "kept: epoch 1"} <= {*found}
    assert f"training images, at last {2 / epochs:.3g}" in found
    assert f"validation images, at last {100 - 200 / epochs / 3:.3g}" in found
    assert " ".join(found).startswith(f"{ticks} epoch")
    assert os.listdir(tmp_path) == ["a.svg"]


@pytest.mark.parametrize(("epochs", "marked"), [(1, 3 * (1 + 1)), (2, 3 * (2 + 1)), (40, 0)])
def test_few_epochs_have_dots(tmp_path, epochs, marked):
    """Three curves and their legends; one epoch alone would be no line."""
    curves.draw(tmp_path / "a.svg", history(epochs), "x", best=1)
    assert dots(tmp_path / "a.svg") == marked


@pytest.mark.parametrize(("ending", "begins"), [("png", b"\x89PNG"), ("PDF", b"%PDF"), ("svg", b"<?xml")])
def test_endings(tmp_path, ending, begins):
    """The ending of the name says how it is drawn."""
    curves.draw(tmp_path / f"a.{ending}", history(2), "x", best=2)
    assert (tmp_path / f"a.{ending}").read_bytes().startswith(begins)


def test_settings_of_the_user(tmp_path):
    """A style for slides changes nothing, and stays the user's."""
    curves.draw(tmp_path / "plain.png", history(2), "x", best=2)
    with matplotlib.rc_context({"font.size": 40, "axes.facecolor": "black"}):
        curves.draw(tmp_path / "styled.png", history(2), "x", best=2)
        assert matplotlib.rcParams["font.size"] == 40
    assert (tmp_path / "plain.png").read_bytes() == (tmp_path / "styled.png").read_bytes()


def test_losses_that_are_no_numbers(tmp_path):
    """What can be drawn is drawn."""
    curves.draw(tmp_path / "a.svg", History([1.0, float("nan")], [1.0, float("inf")], [0.5, 0.5]), "x", best=1)
    assert "training images, at last nan" in words(tmp_path / "a.svg")


def test_a_drawing_that_breaks_off(monkeypatch, tmp_path):
    """An older picture stays, and nothing lies beside it."""
    (tmp_path / "a.svg").write_text("older")

    def savefig(figure, file, **_):
        with open(file, "w") as half:
            half.write("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", savefig)
    with pytest.raises(InputError, match="No space left on device"):
        curves.draw(tmp_path / "a.svg", history(2), "x", best=2)
    assert (tmp_path / "a.svg").read_text() == "older"
    assert os.listdir(tmp_path) == ["a.svg"]
