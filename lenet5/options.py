"""The values of the commands' options: what argparse gets as text, checked, or refused with a line that says what would be right."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

MOST_DIGITS = 10
"""Of a number that counts: no computer trains for as many epochs as more digits could say."""

LARGEST_SEED = 2**32 - 1
"""NumPy's generator takes no larger one."""


def whole_number(text: str) -> int:
    """The value of an option that counts."""
    if not _is_whole(text) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r:.80} is no whole number from 1 to {10**MOST_DIGITS - 1}")
    return int(text)


def seed(text: str) -> int:
    if not _is_whole(text) or int(text) > LARGEST_SEED:
        raise argparse.ArgumentTypeError(f"{text!r:.80} is no whole number from 0 to {LARGEST_SEED}")
    return int(text)


def rate(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r:.80} is no number above 0")
    return value


def path(text: str) -> Path:
    """A file or a folder.  Nothing, which a shell makes of a variable that is not set, would be the folder that one is in."""
    if not text:
        raise argparse.ArgumentTypeError("'' names nothing; a file or a folder would be right")
    return Path(text)


def _is_whole(text: str) -> bool:
    return text.isdecimal() and len(text) <= MOST_DIGITS
