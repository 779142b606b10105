"""How a text gets onto the disk whole, and how JSON comes back from there: all of it, or one line about what is wrong."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from lenet5.errors import InputError


def write_whole(path: Path, text: str, option: str = "--output") -> None:
    """Write a file beside its place and rename it, so that there is never half of one.  A device or a pipe is written into.

    Raises InputError, one line, if the folder cannot be made or written to; the line names the ``option`` that chose the place.
    """
    beside: Path | None = None
    try:
        if _is_device(path):
            path.write_text(text, encoding="utf-8")
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", encoding="utf-8", delete=False) as file:
            beside = Path(file.name)
            file.write(text)
        beside.chmod(0o666 & ~_umask())  # a temporary file is one that only its owner may read
        beside.replace(path)
        beside = None
    except OSError as error:
        raise InputError(f"{path.parent}: cannot be written ({error.strerror}); name another {option}") from None
    finally:
        if beside:  # it was not renamed, whatever happened
            beside.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def check_writable(path: Path, option: str) -> None:
    """Raise InputError, one line that names the ``option``, if `write_whole` could not write this file now.  Leaves nothing behind."""
    try:
        if path.is_dir():
            raise InputError(f"{option} {path}: is a folder; name a file")
        if _is_device(path):
            return
        folder = next(one for one in path.absolute().parents if os.path.lexists(one))
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise InputError(f"{option} {path}: cannot be written ({error.strerror}); name another file") from None


def _is_device(path: Path) -> bool:
    """Whether a path leads to something that is neither a file nor a folder, such as /dev/stdout: it is not replaced by a file."""
    return path.exists() and not path.is_file() and not path.is_dir()


def read_json(path: Path, expected: str) -> Any:
    """What a JSON file holds; a byte order mark, which some editors and shells put before it, is no part of that.

    Raises InputError, one line, that ends with what was ``expected`` there.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; expected {expected}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); expected {expected}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is no UTF-8 text; expected {expected}") from None
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}:{error.lineno}: no whole JSON ({error.msg}, column {error.colno}); was the file cut off?"
        ) from None
    except (RecursionError, ValueError):
        raise InputError(f"{path}: is nested too deeply or holds a number of too many digits; expected {expected}") from None
