"""A text is a small picture or it is not: what is damaged, large, of another kind or more than a picture is refused."""

from __future__ import annotations

import base64
import zlib

import numpy as np
import pytest

from benchmarks.arrange.pictures import encoded
from benchmarks.saved.pictures import MOST_CHARACTERS, MOST_PIXELS, Picture, size
from tests.support.documents import PICTURE


def chunk(name, content):
    return len(content).to_bytes(4, "big") + name + content + zlib.crc32(name + content).to_bytes(4, "big")


def png(width=2, height=1, form=b"\x08\x03\x00\x00\x00", pixels=b"\x00\x00\x01", palette=b"\x00\x00\x00\xff\x00\x00", more=b""):
    """A PNG of these parts, as text."""
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + form
    parts = (chunk(b"IHDR", head), chunk(b"PLTE", palette), more, chunk(b"IDAT", zlib.compress(pixels)), chunk(b"IEND", b""))
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(parts)).decode()


def with_byte(text, at, value):
    """The same picture with another byte at some place."""
    data = bytearray(base64.b64decode(text))
    data[at] = value
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (32, 32), (5, 35), (1, MOST_PIXELS)])
@pytest.mark.parametrize("colours", [1, 9, 5000])
def test_what_a_case_writes_is_one(height, width, colours):
    """Whatever is encoded is accepted, with its size."""
    random = np.random.RandomState(0)
    palette = random.randint(0, 256, (colours, 4)).astype(np.uint8)
    palette[:, 3] = 255
    assert size(encoded(palette[random.randint(0, colours, (height, width))])) == (width, height)


def test_right():
    """The pictures that the tests below change are right as they are."""
    assert size(png()) == (2, 1)
    assert size(PICTURE) == (2, 1)
    assert size(png(more=chunk(b"tRNS", b"\x00"))) == (2, 1)
    assert size(png(MOST_PIXELS, MOST_PIXELS, pixels=bytes(MOST_PIXELS * (MOST_PIXELS + 1)))) == (MOST_PIXELS, MOST_PIXELS)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "AAAA", "something", "\ud800", "é" * 4),
        *(PICTURE + "\n", PICTURE[:-4], PICTURE[:-1], PICTURE[:40], PICTURE + "AAAA", f"data:image/png;base64,{PICTURE}"),
        *('" onerror="alert(1)', f'{PICTURE[:-4]}">< ', "<svg/>" * 2, base64.b64encode(b"<svg onload='alert(1)'/>").decode()),
        base64.b64encode(b"GIF89a" + base64.b64decode(PICTURE)[6:]).decode(),
        *(png(width=0), png(height=0), png(width=MOST_PIXELS + 1, pixels=bytes(MOST_PIXELS + 2)), png(width=2**32 - 1)),
        *(
            png(form=b"\x08\x02\x00\x00\x00"),
            png(form=b"\x04\x03\x00\x00\x00"),
            png(form=b"\x08\x03\x00\x00\x01"),
            png(form=b"\x08"),
        ),
        *(png(pixels=b"\x00\x00"), png(pixels=b"\x00\x00\x01\x01"), png(pixels=b""), png(pixels=bytes(10**7))),
        png(more=chunk(b"tEXt", b"<script>alert(1)</script>")),
        png(more=chunk(b"tRNS", b"\x00") * 2),
        png(more=chunk(b"tRNS", b"\x00")[:-1]),
        png() + png(),
        base64.b64encode(base64.b64decode(png()) + b"<script>alert(1)</script>").decode(),
        base64.b64encode(b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b"")).decode(),
        *(with_byte(png(), at, 7) for at in (0, 11, 20, 45, 60)),
        png(MOST_PIXELS, 90, pixels=np.random.RandomState(0).bytes(90 * (MOST_PIXELS + 1))),
        *(png(palette=b""), png(palette=bytes(4)), png(palette=bytes(3 * 257)), png(palette=bytes(MOST_CHARACTERS))),
    ],
    ids=lambda text: ascii(text)[:40],
)
def test_wrong(text):
    """Each gets one line that says what would be right."""
    assert size(text) is None
    line = Picture().fault("pictures[0][1]", text)
    assert line is not None
    assert line.startswith("pictures[0][1] is ")
    assert line.endswith("; expected a PNG with a palette, of at most 256 x 256 pixels, in base64 of at most 16,000 characters")
    assert len(line) < 300


@pytest.mark.parametrize("value", [None, 1, True, [], {}, b"abc"])
def test_no_text(value):
    """What is no text is no picture."""
    assert Picture().fault("pictures[0][1]", value)
