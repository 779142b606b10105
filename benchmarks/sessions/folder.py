"""One measurement a folder at a time: two that go on with the same one would overwrite each other's processes."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lenet5.errors import InputError


@contextmanager
def alone(folder: Path, make: bool) -> Iterator[None]:
    """Within the block no other process is in such a block for this folder.  With ``make`` the folder is made if there is none.

    The lock is the kernel's and on the folder itself: there is no file to leave behind, and whoever dies holds nothing.
    Raises InputError, one line, if another measurement holds the folder or it cannot be made.
    """
    try:
        if make:
            folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        yield  # whoever wants to go on there will say that there is nothing
        return
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror}); name another --output") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{folder}: another run is measuring into it; wait for its end, or name another --output") from None
        yield
    finally:
        os.close(descriptor)
