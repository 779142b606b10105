"""A folder for each class: split always alike, read whatever its images' size and kind, and one line where that cannot be."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from lenet5 import image_files, image_folders
from lenet5.datasets import Aspect, load
from lenet5.errors import InputError, NotInstalled
from tests.lenet5.test_datasets import check_valid, hide, message, splits, stored

RIGHT = "a folder for each class, with its images, would be right"


def flat(value: int, *shape: int) -> Image.Image:
    return Image.fromarray(np.full(shape or (32, 32, 3), value, np.uint8))


def fill(folder: Path, count: int, first: int = 0) -> None:
    """Images 000.png, 001.png, ..., each of one grey value of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        flat(first + number).save(folder / f"{number:03}.png")


def values(dataset, split) -> list[tuple[int, int]]:
    """The grey value and the label of each image."""
    return [(int(image[0, 16, 16]), label) for image, label in zip(stored(dataset, split), split.labels.tolist(), strict=True)]


def line(folder: Path) -> str:
    return message(f"imagefolder:{folder}").replace(str(folder), "DIR")


@pytest.fixture
def folder(tmp_path) -> Path:
    """Three classes of 20, 15 and 3 images; class k begins with the grey value 80 k."""
    for label, (name, count) in enumerate([("a cat", 20), ("dog", 15), ("é", 3)]):
        fill(tmp_path / name, count, 80 * label)
    return tmp_path


def test_classes_and_splits(folder, capsys):
    """Sorted folders are the classes with their names; of each a tenth, but one at least, is held out twice; each image is in one split."""
    data = load(f"imagefolder:{folder}")

    check_valid(data)
    assert (data.name, data.channels, data.names) == (f"imagefolder:{folder}", 3, ("a cat", "dog", "é"))
    assert data.aspects == (Aspect("class", data.names),)
    assert [np.bincount(split.labels).tolist() for split in splits(data)] == [[16, 11, 1], [2, 2, 1], [2, 2, 1]]
    found = [value for split in splits(data) for value in values(data, split)]
    assert sorted(found) == [(80 * label + i, label) for label, count in enumerate((20, 15, 3)) for i in range(count)]
    assert capsys.readouterr() == ("", "")


def test_the_same_split_always(folder):
    """The test images never change: by their numbers here, and whatever becomes of the other classes."""
    data = load(f"imagefolder:{folder}")
    held_out = sorted(values(data, data.test))
    assert held_out == HELD_OUT

    fill(folder / "dog", 78, 80)
    fill(folder / "ñandu", 4, 200)
    data = load(f"imagefolder:{folder}")

    assert [value for value in sorted(values(data, data.test)) if value[1] in (0, 2)] == [v for v in held_out if v[1] in (0, 2)]


HELD_OUT = [(12, 0), (15, 0), (85, 1), (92, 1), (160, 2)]


def test_splits_come_mixed(tmp_path):
    """The first images of a split already meet several classes."""
    for label in range(4):
        fill(tmp_path / f"{label}", 40, 50 * label)
    assert len(set(load(f"imagefolder:{tmp_path}").train.labels[:12].tolist())) >= 3


def test_given_splits(tmp_path):
    """Folders train, val and test are the splits; a class that val lacks is no error, and what else lies beside them is none of ours."""
    for number, (part, name) in enumerate(
        [("train", "x"), ("train", "y"), ("val", "y"), ("test", "x"), ("test", "y"), ("more", "z")]
    ):
        fill(tmp_path / part / name, 2, 10 * number)

    data = load(f"imagefolder:{tmp_path}")

    assert data.names == ("x", "y")
    expected = ([(0, 0), (1, 0), (10, 1), (11, 1)], [(20, 1), (21, 1)], [(30, 0), (31, 0), (40, 1), (41, 1)])
    assert tuple(sorted(values(data, split)) for split in splits(data)) == expected


def test_what_is_passed_over(folder):
    """Hidden files and folders, files that are no images, and folders that links lead to twice; folders inside a class are looked into."""
    before = load(f"imagefolder:{folder}")
    for name in (".DS_Store", "._000.png", "Thumbs.db", "labels.txt", "noending"):
        (folder / "dog" / name).write_bytes(b"no image")
    fill(folder / "dog" / ".cache", 3)
    fill(folder / ".git", 3)
    (folder / "readme.txt").write_text("mine")
    (folder / "dog" / "round").symlink_to(folder / "dog")
    (folder / "dog" / "inside").mkdir()
    (folder / "dog" / "014.png").rename(folder / "dog" / "inside" / "014.PNG")

    after = load(f"imagefolder:{folder}")

    assert after.names == before.names
    for one, other in zip(splits(after), splits(before), strict=True):
        assert_array_equal(one.images, other.images)


# ------------------------------------------------------------------------------------------------------- kinds of images


RED, CLEAR = (200, 10, 30), (0, 0, 0, 0)
GREY = np.full((40, 50), 40000, np.uint16)
KINDS = {
    "rgb.png": (Image.new("RGB", (50, 40), RED), RED),
    "large.JPG": (Image.new("RGB", (900, 700), (60, 60, 60)), (60, 60, 60)),
    "tiny.bmp": (Image.new("RGB", (1, 1), RED), RED),
    "grey.png": (Image.new("L", (50, 40), 70), (70, 70, 70)),
    "black-and-white.png": (Image.new("1", (50, 40), 1), (255, 255, 255)),
    "palette.gif": (Image.new("RGB", (50, 40), RED).convert("P", palette=Image.Palette.ADAPTIVE), RED),
    "opaque.png": (Image.new("RGBA", (50, 40), (*RED, 255)), RED),
    "transparent.png": (Image.new("RGBA", (50, 40), CLEAR), (255, 255, 255)),
    "half.webp": (Image.new("RGBA", (50, 40), (0, 0, 0, 128)), (127, 127, 127)),
    "grey-and-transparent.png": (Image.new("LA", (50, 40), (0, 0)), (255, 255, 255)),
    "16-bit.png": (Image.fromarray(GREY), (156, 156, 156)),
    "16-bit.tif": (Image.fromarray(GREY.astype(">u2")), (156, 156, 156)),
    "white.pgm": (Image.fromarray(np.full((40, 50), 65535, np.uint16)), (255, 255, 255)),
    "printer.jpeg": (Image.new("CMYK", (50, 40), (0, 255, 255, 0)), (255, 0, 0)),
    "video.tiff": (Image.new("YCbCr", (50, 40), (128, 128, 128)), (128, 128, 128)),
}


@pytest.mark.parametrize("name", KINDS)
def test_kinds(tmp_path, name):
    """Any size and kind becomes the colours that a viewer shows, transparency on white, and grey where the network is grey."""
    image, expected = KINDS[name]
    try:
        image.save(tmp_path / name)
        with Image.open(tmp_path / name) as saved:
            saved.load()
    except OSError as error:
        pytest.skip(f"this version of Pillow cannot write and read it: {error}")

    found = image_files.read("test", tmp_path / name, "RGB", 32)
    grey = image_files.read("test", tmp_path / name, "L", 28)

    assert (found.shape, found.dtype, grey.shape) == ((3, 32, 32), np.uint8, (1, 28, 28))
    assert_allclose(found, np.broadcast_to(np.array(expected)[:, None, None], (3, 32, 32)), atol=2)
    assert_allclose(grey, np.dot([0.299, 0.587, 0.114], expected), atol=2)


def test_a_large_photograph(tmp_path, monkeypatch):
    """One of a hundred million pixels is read, beyond what Pillow itself reads without a warning; one beyond the limit is refused in a line."""
    Image.new("1", (10_000, 10_000), 1).save(tmp_path / "a.png")
    before = Image.MAX_IMAGE_PIXELS
    assert (image_files.read("predict", tmp_path / "a.png", "L", 32) == 255).all()
    assert before == Image.MAX_IMAGE_PIXELS < 10_000**2

    monkeypatch.setattr(image_files, "MOST_PIXELS", 10_000**2 - 1)
    with pytest.raises(InputError, match=r"a.png: has more than 99,999,999 pixels; a smaller copy would be right$"):
        image_files.read("predict", tmp_path / "a.png", "L", 32)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16], ids=["8-bit", "16-bit"])
def test_a_transparent_grey(tmp_path, kind):
    """A grey that a PNG declares transparent lies on white, and one beside it that differs in the last bit only does not."""
    top = int(np.iinfo(kind).max)
    pixels = np.full((32, 32), top // 4, kind)
    pixels[:16] += 1
    Image.fromarray(pixels).save(tmp_path / "a.png", transparency=top // 4)

    read = image_files.read("predict", tmp_path / "a.png", "L", 32)[0]

    assert (read[16:] == 255).all()
    assert (abs(read[:16].astype(int) - 64) <= 1).all()


def test_a_transparent_colour(tmp_path):
    """A PNG that declares one of its colours transparent, and an animation, of which the first picture counts."""
    Image.new("RGB", (8, 8), RED).save(tmp_path / "a.png", transparency=RED)
    assert image_files.read("test", tmp_path / "a.png", "RGB", 32).min() == 255
    pictures = [Image.new("L", (8, 8), value) for value in (0, 255)]
    pictures[0].save(tmp_path / "b.gif", save_all=True, append_images=pictures[1:])
    assert image_files.read("test", tmp_path / "b.gif", "RGB", 32).max() == 0


def test_turned_upright(tmp_path):
    """As the camera was held."""
    exif = Image.Exif()
    exif[image_files.ORIENTATION] = 6
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[:16] = 200
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    assert_array_equal(image_files.read("test", tmp_path / "a.png", "L", 32)[0, 5], [0] * 16 + [200] * 16)


# --------------------------------------------------------------------------------------------------------------- refused


def refuse_empty(folder):
    (folder / "empty").mkdir()


def refuse_text(folder):
    (folder / "dog" / "000.png").write_text("no image")


def refuse_half(folder):
    file = folder / "dog" / "000.png"
    file.write_bytes(file.read_bytes()[:60])


def refuse_telephone(folder):
    (folder / "dog" / "1.HEIC").write_bytes(b"")


def refuse_one(folder):
    for name in ("dog", "é"):
        (folder / name).rename(folder / f".{name}")


def refuse_none(folder):
    refuse_one(folder)
    (folder / "a cat").rename(folder / ".cat")


def refuse_few(folder):
    for file in [*folder.glob("*/*.png")]:
        if file.name > "001.png":
            file.unlink()


def refuse_split(folder):
    (folder / "a cat").rename(folder / "train")
    (folder / "dog").rename(folder / "test")
    (folder / "é").rename(folder / ".é")


def refuse_flat_splits(folder):
    refuse_split(folder)
    (folder / ".é").rename(folder / "val")


def make_splits(folder, *emptied):
    for part in ("train", "val", "test"):
        for name in ("x", "y"):
            fill(folder / part / name, 0 if f"{part}/{name}" in emptied or part in emptied else 2)


def refuse_missing_in_train(folder):
    make_splits(folder, "train/y")


def refuse_missing_in_train_at_all(folder):
    make_splits(folder)
    fill(folder / "test" / "z", 1)


def refuse_empty_val(folder):
    make_splits(folder, "val")


REFUSED = {
    refuse_empty: f"DIR/empty: no image in it ({', '.join(image_files.ENDINGS)}); {RIGHT}",
    refuse_text: "DIR/dog/000.png: is no image that Pillow can read; an intact file, such as a PNG or JPEG, would be right",
    refuse_half: "DIR/dog/000.png: cannot be read (.*); an intact file, such as a PNG or JPEG, would be right",
    refuse_telephone: "DIR/dog/1.HEIC: is no image that Pillow can read; an intact file, such as a PNG or JPEG, would be right",
    refuse_one: f"DIR: one class only, a cat; {RIGHT}, and two classes or more",
    refuse_none: f"DIR: no folder in it; {RIGHT}, and two classes or more",
    refuse_few: "DIR: no image is left for val; 3 images or more in one of the classes would be right",
    refuse_split: "DIR: test and train, but no folder val; train, val, test, or the class folders in DIR itself, would be right",
    refuse_flat_splits: f"DIR/train: no folder in it; {RIGHT}, and two classes or more",
    refuse_missing_in_train: f"DIR/train/y: no image in it ({', '.join(image_files.ENDINGS)}); {RIGHT}",
    refuse_missing_in_train_at_all: "DIR/test/z: no such class to train on; one of x, y would be right",
    refuse_empty_val: "DIR: no image is left for val; images in DIR/val would be right",
}


@pytest.mark.parametrize("spoil", REFUSED, ids=lambda spoil: spoil.__name__.removeprefix("refuse_"))
def test_refused(folder, spoil):
    """What cannot be learned from is one line that names the file or the folder, and says what would be right."""
    if "in_train" in spoil.__name__ or "val" in spoil.__name__:
        for one in folder.iterdir():
            one.rename(folder / f".{one.name}")
    spoil(folder)
    pattern = ".*".join(map(re.escape, REFUSED[spoil].split(".*")))
    assert re.fullmatch(pattern, line(folder))


@pytest.mark.parametrize(
    ("pixels", "why"),
    [
        (np.full((8, 8), 70000, np.int32), "grey values from 70000 to 70000; 0 to 65535 would be right"),
        (np.full((8, 8), 0.5, np.float32), "grey values that are no whole numbers"),
    ],
    ids=["32-bit", "float"],
)
def test_values_that_no_screen_shows(tmp_path, pixels, why):
    """Measured values without a known white are refused instead of guessed at."""
    Image.fromarray(pixels).save(tmp_path / "a.tif")
    with pytest.raises(InputError) as caught:
        image_files.read("test", tmp_path / "a.tif", "RGB", 32)
    assert str(caught.value) == f"{tmp_path}/a.tif: cannot be read ({why}); an intact file, such as a PNG or JPEG, would be right"


def test_no_name_of_a_directory():
    """Nothing behind the colon is said to be that."""
    assert message("imagefolder:") == f"imagefolder: names no directory; imagefolder:DIR, with {RIGHT}"


@pytest.mark.parametrize("directory", ["/no/such", "a\nb", __file__], ids=["absent", "line-end", "file"])
def test_without_directory(directory):
    """A directory that does not exist, or is a file, is named on one line."""
    assert message(f"imagefolder:{directory}").endswith(f": no such directory; one with {RIGHT}")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may list every folder")
def test_a_locked_folder(folder):
    """A folder that may not be listed is named."""
    (folder / "dog").chmod(0)
    try:
        assert line(folder) == "DIR/dog: cannot be listed (Permission denied); a folder that can be read would be right"
    finally:
        (folder / "dog").chmod(0o755)


@pytest.mark.parametrize(("module", "package"), [("PIL", "pillow"), ("tqdm", "tqdm")])
def test_not_installed(monkeypatch, folder, module, package):
    """Where Pillow or tqdm is absent, the error says what to install."""
    hide(monkeypatch, module)
    with pytest.raises(NotInstalled, match=f"^imagefolder: the package '{package}' is not installed; pip install {package}$"):
        image_folders.read(str(folder))
