"""Temporary folders that do not pile up: what a killed process has left, the next process that makes such a folder removes."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from types import ModuleType

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


class Folder(tempfile.TemporaryDirectory[str]):
    """A temporary folder that this process holds a lock on until it is cleaned up.  Made by `folder`."""

    _held: int | None = None

    def hold(self) -> bool:
        """Take the lock.   -> whether the folder is this process's: another one may just have removed it, as nothing held it yet"""
        try:
            self._held = _lock(Path(self.name))
        except (BlockingIOError, FileNotFoundError):
            return False
        except OSError:
            return True  # a file system without locks: no process can take this folder for one that was left
        return os.path.isdir(self.name)

    def cleanup(self) -> None:
        """Remove the folder, though something of a compiler may still be writing there."""
        super().cleanup()
        if self._held is not None:
            os.close(self._held)
            self._held = None


def folder(prefix: str, place: str | os.PathLike[str] | None = None) -> Folder:
    """A new folder whose name begins with ``prefix``, in a place, or where the system has temporary files.

    Folders with that prefix that no process holds are removed first.  Raises OSError where none can be made.
    """
    if fcntl is None:
        return Folder(prefix=prefix, dir=place, ignore_cleanup_errors=True)
    for left in Path(place or tempfile.gettempdir()).glob(f"{prefix}*"):
        with suppress(OSError):  # another process holds it, or it is not this user's
            held = _lock(left)
            shutil.rmtree(left, ignore_errors=True)
            os.close(held)
    while True:
        made = Folder(prefix=prefix, dir=place, ignore_cleanup_errors=True)
        if made.hold():
            return made
        made.cleanup()


def _lock(path: Path) -> int:
    """Lock a folder.   -> the descriptor that holds the lock.  Raises OSError: BlockingIOError if another process holds it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # type: ignore[union-attr]
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
