"""Small pictures in a saved run: which texts are one, and so may stand in a page.

A file may come from anywhere.  What passes here is one whole PNG with a palette and few pixels, in base64, and nothing beside it.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.saved.kinds import wrong

MOST_PIXELS = 256
"""Along a side."""

MOST_CHARACTERS = 16_000

BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
BEGIN = b"\x89PNG\r\n\x1a\n"
CHUNKS = re.compile(rb"IHDR PLTE (tRNS )?(IDAT )+IEND ")
"""The parts of such a file in their order: head, palette, what is transparent, pixels, end."""

HEAD = bytes((8, 3, 0, 0, 0))
"""What the head says after width and height: 8 bits a pixel, a palette, the usual methods, not interlaced."""

COLOURS = range(3, 3 * 256 + 1, 3)
"""Bytes that a palette can have."""


@dataclass(frozen=True)
class Picture:
    """A kind of value, see `kinds`: a text that is a small picture."""

    right: str = f"a PNG with a palette, of at most {MOST_PIXELS} x {MOST_PIXELS} pixels, in base64 of at most {MOST_CHARACTERS:,} characters"

    def fault(self, place: str, value: Any) -> str | None:
        return None if isinstance(value, str) and size(value) else wrong(place, value, self.right)


def size(text: str) -> tuple[int, int] | None:
    """Width and height in pixels of the picture that a text is; None for a text that is none, or too large a one."""
    if len(text) > MOST_CHARACTERS or len(text) % 4 or not BASE64.fullmatch(text):
        return None
    data = base64.b64decode(text)
    parts = list(_chunks(data))
    if not data.startswith(BEGIN) or not CHUNKS.fullmatch(b"".join(name + b" " for name, _ in parts)):
        return None
    head, palette = parts[0][1], parts[1][1]
    width, height = (int.from_bytes(head[at : at + 4], "big") for at in (0, 4))
    if not (1 <= width <= MOST_PIXELS and 1 <= height <= MOST_PIXELS and head[8:] == HEAD and len(palette) in COLOURS):
        return None
    pixels = b"".join(content for name, content in parts if name == b"IDAT")
    return (width, height) if _unpacks_to(height * (1 + width), pixels) else None


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of each part of a PNG, up to the first that is damaged or cut off; what follows is one part more, without a name."""
    at = len(BEGIN)
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        named, check = data[at + 4 : at + 8 + length], data[at + 8 + length : at + 12 + length]
        if len(check) < 4 or zlib.crc32(named) != int.from_bytes(check, "big"):
            yield b"", data[at:]
            return
        yield named[:4], named[4:]
        at += 12 + length


def _unpacks_to(expected: int, packed: bytes) -> bool:
    """Whether that many bytes come out, and no more: a few that are packed well could otherwise fill the memory."""
    unpacking = zlib.decompressobj()
    try:
        return len(unpacking.decompress(packed, expected + 1)) == expected and unpacking.eof
    except zlib.error:
        return False
