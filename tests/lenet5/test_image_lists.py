"""Lists of one's own images: what they say is what is loaded, and what breaks the format gets one line that says where."""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from lenet5 import image_files
from lenet5.datasets import load
from lenet5.errors import InputError, NotInstalled
from tests.lenet5.test_datasets import check_valid, hide, message, splits, stored


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


@pytest.mark.parametrize(
    "left",
    [b"\xef\xbb\xbf%s", b"\r\n\n%s", b"%s\n \t\n", b"%s \t", b"%s\r\n\r\n", b"\xef\xbb\xbf%s \r\n"],
    ids=["byte-order-mark", "blank-lines-before", "blank-lines-behind", "spaces-behind", "crlf", "all"],
)
@pytest.mark.parametrize("file", ["train.txt", "val.txt"])
def test_imagelist_as_editors_leave_it(folder, file, left):
    """What an editor adds to a list without showing it changes nothing."""
    plain = load(f"imagelist:{folder}")
    lines = (folder / file).read_bytes().splitlines()
    (folder / file).write_bytes(b"\n".join(left % line if line == lines[0] else line.rstrip() + b" " for line in lines))
    found = load(f"imagelist:{folder}")
    for mine, other in zip(splits(found), splits(plain), strict=True):
        assert_array_equal(mine.images, other.images)
        assert_array_equal(mine.labels, other.labels)


def stored_by_camera(seen: np.ndarray, orientation: int) -> np.ndarray:
    """The rows and columns of a file, by EXIF's definition: where its first row and its first column are in what is seen."""
    row, column = {
        **{1: ("top", "left"), 2: ("top", "right"), 3: ("bottom", "right"), 4: ("bottom", "left")},
        **{5: ("left", "top"), 6: ("right", "top"), 7: ("right", "bottom"), 8: ("left", "bottom")},
    }[orientation]
    if "bottom" in (row, column):
        seen = seen[::-1]
    if "right" in (row, column):
        seen = seen[:, ::-1]
    return seen.swapaxes(0, 1) if row in ("left", "right") else seen


@pytest.mark.parametrize("orientation", range(1, 9))
def test_imagelist_photographs_are_upright(folder, orientation):
    """However the camera was held: the pixels that its orientation turns back are those of the image that was upright."""
    seen = random_image(7, 32, 32, 3)
    exif = Image.Exif()
    exif[0x0112] = orientation
    save(folder / "d.png", np.ascontiguousarray(stored_by_camera(seen, orientation)), exif=exif)
    assert_array_equal(stored(load(f"imagelist:{folder}"), load(f"imagelist:{folder}").test)[0], seen.transpose(2, 0, 1))


NO_PAIR = "is not a path and a label; `path label`, one space between, would be right"
NO_LABEL = "is not a class; a whole number from 0 to 999999999 would be right"
NO_LIST = "a text file of lines `path label` would be right"
LISTS = {
    "empty-train": ("train.txt", b"", ": empty; at least one line `path label` would be right"),
    "empty-val": ("val.txt", b"", ": empty; at least one line `path label` would be right"),
    "empty-test": ("test.txt", b"", ": empty; at least one line `path label` would be right"),
    "blank-lines-only": ("test.txt", b"\xef\xbb\xbf\r\n \n", ": empty; at least one line `path label` would be right"),
    "behind-a-blank-line": ("val.txt", b"\nc.png cat\n", f":2: label 'cat' {NO_LABEL}"),
    "mark-in-the-middle": (
        "val.txt",
        b"c.png 0\n\xef\xbb\xbfc.png 0\n",
        r":2: '\ufeffc.png' is not a file; an image in {folder} would be right",
    ),
    "no-label": ("train.txt", b"a.png 0\nb.png\n", f":2: 'b.png' {NO_PAIR}"),
    "no-path": ("val.txt", b" 0\n", f":1: ' 0' {NO_PAIR}"),
    "tab": ("val.txt", b"c.png\t0\n", rf":1: 'c.png\t0' {NO_PAIR}"),
    "long-line": ("val.txt", b"c" * 9999, f":1: '{'c' * 199} {NO_PAIR}"),
    "old-mac": ("val.txt", b"c.png 0\rc.png 0\r", r":1: 'c.png 0\rc.png' is not a file; an image in {folder} would be right"),
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
    "foreign-in-val": ("val.txt", b"c.png 0\nc.png 2\n", ":2: label 2 does not occur in train.txt; 0 to 1 would be right"),
    "foreign-in-test": ("test.txt", b"c.png 99\n", ":1: label 99 does not occur in train.txt; 0 to 1 would be right"),
    "absent-image": ("val.txt", b"c.png 0\nnone.png 0\n", ":2: 'none.png' is not a file; an image in {folder} would be right"),
    "absent-first-image": (
        "train.txt",
        b"none.png 0\nb.png 1\n",
        ":1: 'none.png' is not a file; an image in {folder} would be right",
    ),
    "two-spaces": ("val.txt", b"c.png  0\n", ":1: 'c.png ' is not a file; an image in {folder} would be right"),
    "nul": ("test.txt", b"d\0.png 0\n", r":1: 'd\x00.png' is not a file; an image in {folder} would be right"),
    "too-long": ("test.txt", b"d" * 5000 + b" 0\n", f":1: '{'d' * 199} is not a file; an image in {{folder}} would be right"),
    "directory": ("train.txt", b"a.png 0\n. 1\n", ":2: '.' is not a file; an image in {folder} would be right"),
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


def test_no_name_of_a_directory():
    """Nothing behind the colon is said to be that."""
    right = "imagelist:DIR, one with train.txt, val.txt, test.txt, would be right"
    assert message("imagelist:") == f"imagelist: names no directory; {right}"


@pytest.mark.parametrize(
    ("directory", "shown"),
    [("/no/such", "/no/such"), ("a\nb", r"'a\nb'"), ("a\0b", r"'a\x00b'"), ("\ud800", r"'\ud800'"), (__file__, __file__)],
    ids=["absent", "line-end", "nul", "surrogate", "file"],
)
def test_imagelist_without_directory(directory, shown):
    """A directory that does not exist, or is a file, is named on one line."""
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
    monkeypatch.setattr(image_files, "MOST_PIXELS", limit)
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
        patch.setattr(image_files, "MOST_PIXELS", 10_000)
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
