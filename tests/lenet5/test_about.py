"""What a prediction needs travels in the file of the weights, in either format; files without it load, and what does not fit is refused."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import lenet5
from lenet5 import InputError, NotInstalled, about
from lenet5.about import About
from lenet5.storage import check_place, load_network, load_weights, save_weights
from tests.lenet5.test_datasets import hide
from tests.support.networks import grey_digits

WEIGHTS = lenet5.initial_weights(lenet5.Architecture(channels=3, classes=2), seed=3)
ABOUT = About(mean=(0.1, 0.2, 0.7), names=("a cat", "Hündin\t\n"), activation="tanh", side=28, dataset="imagefolder:x")
FORMATS = pytest.mark.parametrize("suffix", [".npz", ".safetensors"])


@FORMATS
@pytest.mark.parametrize("kept", [ABOUT, replace(ABOUT, names=None, side=None), About()], ids=["all", "some", "empty"])
def test_round_trip(tmp_path, suffix, kept):
    """What was saved comes back to the last bit, beside the same weights; whoever asks for the weights alone gets them alone."""
    path = tmp_path / f"net{suffix}"
    save_weights(path, WEIGHTS, kept)

    weights, found = load_network(path)

    assert found == kept
    for loaded in (weights, load_weights(path)):
        assert tuple(loaded) == tuple(WEIGHTS)
        for name, array in loaded.items():
            assert_array_equal(array, WEIGHTS[name])
    assert os.listdir(tmp_path) == [path.name]


@FORMATS
def test_files_without(tmp_path, suffix):
    """A file that holds weights alone says nothing about them, and is the same as before there was anything to say."""
    save_weights(tmp_path / f"net{suffix}", WEIGHTS)
    assert load_network(tmp_path / f"net{suffix}")[1] == About()


def test_of_a_data_set():
    """The mean is exactly that of the data set, the side that of its images before they were padded."""
    data = grey_digits()
    found = about.of(data, "sigmoid")
    assert np.array(found.mean, np.float32).tobytes() == data.mean.tobytes()
    assert (found.names, found.activation, found.side, found.dataset) == (tuple("0123456789"), "sigmoid", 28, "digits")


BAD = {
    "no JSON": "mine",
    "no object": "[1]",
    "nested": "[" * 100000,
    "mean of one channel": {"mean": [0.5]},
    "mean of text": {"mean": ["a", "b", "c"]},
    "mean of NaN": {"mean": [0.1, float("nan"), 0.2]},
    "mean of a number too large": {"mean": [10**399, 0, 0]},
    "mean of truths": {"mean": [True, 0, 0]},
    "mean of 0..255": {"mean": [100, 120, 130]},
    "too few names": {"names": ["a"]},
    "names of numbers": {"names": [1, 2]},
    "activation": {"activation": "gelu"},
    "side": {"side": 64},
    "odd side": {"side": 27},
    "broken side": {"side": 28.0},
    "dataset": {"dataset": 3},
}


@FORMATS
@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_what_does_not_fit(tmp_path, suffix, bad):
    """A text that cannot be of this network is refused in one line that names the file and what would be right; the weights alone load."""
    path, text = tmp_path / f"net{suffix}", bad if isinstance(bad, str) else json.dumps(bad)
    if suffix == ".npz":
        np.savez(path, **WEIGHTS, lenet5=np.array(text))
    else:
        from safetensors.numpy import save_file

        save_file(WEIGHTS, path, metadata={"lenet5": text})

    with pytest.raises(InputError) as caught:
        load_network(path)

    assert str(caught.value).isprintable()
    assert str(caught.value).startswith(f"{path}: lenet5: ")
    assert str(caught.value).endswith(" would be right")
    assert tuple(load_weights(path)) == tuple(WEIGHTS)


def test_no_metadata(tmp_path):
    """A header of .safetensors that says so is one without them."""
    save_weights(tmp_path / "net.safetensors", WEIGHTS)
    content = (tmp_path / "net.safetensors").read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.dumps({"__metadata__": None, **json.loads(content[8 : 8 + size])}).encode()
    (tmp_path / "net.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + content[8 + size :])

    assert load_network(tmp_path / "net.safetensors")[1] == About()


def test_objects_are_not_unpickled(tmp_path):
    """Nor in the place of that text."""
    np.savez(tmp_path / "net.npz", **WEIGHTS, lenet5=np.array({"a": 1}, object))
    with pytest.raises(InputError, match=r"net.npz: lenet5: is no text; one of JSON would be right$"):
        load_network(tmp_path / "net.npz")


def test_what_does_not_fit_is_not_saved(tmp_path):
    """Nothing is on disk that could not be read back."""
    with pytest.raises(InputError, match=r"names .* does not fit this network; 2 names of classes would be right"):
        save_weights(tmp_path / "net.npz", WEIGHTS, replace(ABOUT, names=("a", "b", "c")))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("net.txt", "the ending '.txt' is not known; use .npz, .safetensors"),
        ("net", "the ending '' is not known; use .npz, .safetensors"),
        ("absent/net.npz", "the folder {tmp_path}/absent does not exist; make it first"),
        ("folder.npz", "is a folder; name a file"),
    ],
)
def test_a_place_is_checked_before(tmp_path, name, line):
    """Before any training: whether this place can be written to; nothing is left there."""
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(InputError) as caught:
        check_place(tmp_path / name)
    assert str(caught.value) == f"{tmp_path / name}: {line.replace('{tmp_path}', str(tmp_path))}"
    check_place(tmp_path / "net.npz")
    check_place(tmp_path / "net.safetensors")
    assert os.listdir(tmp_path) == ["folder.npz"]


def test_a_format_without_its_package(monkeypatch, tmp_path):
    """A package that saving will need is asked for before there is anything to save."""
    hide(monkeypatch, "safetensors")
    with pytest.raises(NotInstalled, match="pip install safetensors"):
        check_place(tmp_path / "net.safetensors")
    check_place(tmp_path / "net.npz")


@pytest.mark.parametrize("name", ["about", "datasets", "training"])
def test_public_modules(name):
    """After ``import lenet5`` they are there by their names, imported when they are asked for."""
    module = lenet5.__getattr__(name)
    assert module.__name__ == f"lenet5.{name}"
    assert name in lenet5.__all__
