"""One image file becomes pixels of one size, and a folder becomes a list of image files: for data sets and for predictions alike."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5.errors import InputError, NotInstalled, reason, shown
from lenet5.packages import imported

ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
"""Files of a folder that are its images, in capitals too.  Other files are passed over, except those with `FURTHER` endings."""

FURTHER = (".avif", ".heic", ".heif", ".svg")
"""Images that not every Pillow reads: to pass over them would lose half of a telephone's photographs without a word."""

ORIENTATION = 0x0112
"""EXIF's number for how the camera was held: 1 is upright, 2 to 8 are the turns and reflections."""

WIDE = 65535
"""The white of 16-bit grey."""

MOST_PIXELS = 2**28
"""The largest image that is read, in pixels: decoded in colour it takes 800 MB.  Telephones make images of 200 million pixels."""


def in_folder(folder: Path) -> Iterator[Path]:
    """The image files in a folder and in those inside it, sorted by name; hidden ones (.DS_Store, ._a.png, .cache/) are passed over.

    Raises InputError for a folder that cannot be listed.
    """
    seen = {os.path.realpath(folder)}
    for place, folders, files in os.walk(folder, onerror=_refuse, followlinks=True):
        inside = [(name, os.path.realpath(os.path.join(place, name))) for name in sorted(folders) if not name.startswith(".")]
        folders[:] = [name for name, real in inside if real not in seen]  # links may run in a circle
        seen.update(real for _, real in inside)
        for name in sorted(files):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in (*ENDINGS, *FURTHER):
                yield Path(place, name)


def _refuse(error: OSError) -> None:
    raise InputError(f"{shown(error.filename)}: cannot be listed ({reason(error)}); a folder that can be read would be right")


def read(user: str, file: Path, mode: str, side: int) -> NDArray[np.uint8]:
    """The pixels of any image file, in mode "L" (grey) or "RGB", resized.   -> (c, side, side)

    What is transparent lies on white; 16-bit grey is scaled to 8; an animation is its first picture.  ``user`` is what needs it, the first
    word where Pillow is missing (NotInstalled).  Raises InputError, one line that names the file, for what is no image.
    """
    if os.path.exists(file) and not os.path.isfile(file):  # a named pipe would be waited for, for ever
        raise InputError(f"{shown(file)}: is no file; an intact one, such as a PNG or JPEG, would be right")
    try:
        return pixels(user, file, lambda image: as_mode(image, mode), side)
    except NotInstalled:
        raise
    except Exception as error:  # on a damaged file Pillow's decoders raise errors of any kind
        kind = type(error).__name__
        if kind.startswith("DecompressionBomb"):
            raise InputError(f"{shown(file)}: has more than {MOST_PIXELS:,} pixels; a smaller copy would be right") from error
        unknown = kind == "UnidentifiedImageError"  # whose text is the file's name once more
        why = "is no image that Pillow can read" if unknown else f"cannot be read ({reason(error)})"
        raise InputError(f"{shown(file)}: {why}; an intact file, such as a PNG or JPEG, would be right") from error


def pixels(user: str, file: Path, converted: Callable[[Any], Any], side: int) -> NDArray[np.uint8]:
    """Open an image, turn it upright, convert it to mode L or RGB and resize it by Pillow's bilinear filter.   -> (c, side, side)

    Raises NotInstalled without Pillow, else whatever Pillow or ``converted`` raises.
    """
    pillow = imported(user, "PIL.Image")
    with warnings.catch_warnings(), _reading_up_to(pillow, MOST_PIXELS):
        warnings.simplefilter("ignore", UserWarning)  # of damaged metadata, which is not used
        warnings.simplefilter("error", pillow.DecompressionBombWarning)
        with pillow.open(file) as image:
            resized = converted(_upright(user, image)).resize((side, side), pillow.Resampling.BILINEAR)
    return np.moveaxis(np.atleast_3d(np.asarray(resized)), -1, 0)


@contextmanager
def _reading_up_to(pillow: Any, pixels: int) -> Iterator[None]:
    """Within the block Pillow's limit against small files that become huge images is this one, in place of its own of 89 million pixels."""
    before, pillow.MAX_IMAGE_PIXELS = pillow.MAX_IMAGE_PIXELS, pixels
    try:
        yield
    finally:
        pillow.MAX_IMAGE_PIXELS = before


def _upright(user: str, image: Any) -> Any:
    """The image, decoded and as its EXIF data say that it is looked at.  Metadata that is damaged says nothing."""
    image.load()
    try:
        turned = image.getexif().get(ORIENTATION, 1) in range(2, 9)
    except Exception:  # as many kinds of error as there are kinds of damage
        return image
    return imported(user, "PIL.ImageOps").exif_transpose(image) if turned else image


def as_mode(image: Any, mode: str) -> Any:
    """The image in mode "L" or "RGB", whatever its own: on white where it is transparent, 16-bit grey scaled to 8 bits."""
    if image.mode.startswith("I"):  # Pillow's own conversion cuts off at 255
        wide = np.asarray(image).astype(np.int32)  # enough for 16 bits times 255, and half of what int64 takes
        if wide.min() < 0 or wide.max() > WIDE:
            raise ValueError(f"grey values from {wide.min()} to {wide.max()}; 0 to {WIDE} would be right")
        clear = image.info.get("transparency")
        image = imported("images", "PIL.Image").fromarray(((wide * 255 + WIDE // 2) // WIDE).astype(np.uint8))
        if isinstance(clear, int):  # one of its greys; eight bits can have others that look the same
            image.putalpha(imported("images", "PIL.Image").fromarray(np.where(wide == clear, 0, 255).astype(np.uint8)))
    elif image.mode == "F":
        raise ValueError("grey values that are no whole numbers")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        transparent = image.convert("RGBA")
        image = imported("images", "PIL.Image").new("RGBA", transparent.size, "white")
        image.alpha_composite(transparent)
    return image.convert(mode)
