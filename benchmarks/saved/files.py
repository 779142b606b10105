"""How a text gets onto the disk whole, and how JSON comes back from there: all of it, or one line about what is wrong."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from lenet5.errors import InputError


def named(text: str) -> Path:
    """A file or a folder of the command line.  Nothing, which a shell makes of a variable that is not set, would be the folder that one is in."""
    if not text:
        raise argparse.ArgumentTypeError("'' names nothing; a file or a folder would be right")
    return Path(text)


class File(NamedTuple):
    """A text, where it goes, and what to do where it cannot be written."""

    path: Path
    text: str
    right: str = "name another --output"


def write_whole(path: Path, text: str, option: str = "--output") -> None:
    """Write one file, whose place ``option`` chose, as `write_together` writes several."""
    write_together([File(path, text, f"name another {option}")])


def write_together(files: Iterable[File]) -> None:
    """Write each file beside its place, and rename them when all are written: there is never half of one, nor some of them without the rest.

    A device or a pipe is written into.  Raises InputError, one line that names the file and says what to do, if that cannot be; then
    no file has changed.
    """
    beside: list[tuple[Path, File]] = []
    try:
        for file in files:
            with _naming(file):
                if is_device(file.path):
                    file.path.write_text(file.text, encoding="utf-8")
                else:
                    beside.append((_empty_beside(file), file))
                    beside[-1][0].write_text(file.text, encoding="utf-8")
        for written, file in beside:
            with _naming(file):
                written.replace(file.path)
    finally:
        for written, _ in beside:
            written.unlink(missing_ok=True)  # one that was not renamed, whatever happened


@contextmanager
def _naming(file: File) -> Iterator[None]:
    """Within the block an error of the system is an InputError that names the file."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{file.path}: cannot be written ({error.strerror}); {file.right}") from None


def _empty_beside(file: File) -> Path:
    """A new empty file in the folder of another, which is made if there is none.  Raises InputError if there is a folder in its place."""
    if file.path.is_dir():
        raise InputError(f"{file.path}: is a folder; {file.right}")
    file.path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=file.path.parent, prefix=f".{file.path.name}.")
    os.close(descriptor)
    os.chmod(name, 0o666 & ~_umask())  # mkstemp makes files that only their owner may read
    return Path(name)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def check_writable(path: Path, option: str) -> None:
    """Raise InputError, as `write_whole` would, if it could not write this file now: what measures or computes for long asks before.

    Leaves nothing behind.
    """
    try:
        if path.is_dir():
            raise InputError(f"{path}: is a folder; name another {option}")
        if is_device(path):
            return
        folder = next(one for one in path.absolute().parents if os.path.lexists(one))
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); name another {option}") from None


def is_device(path: Path) -> bool:
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
