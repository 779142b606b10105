"""The folder of a measurement: one process writes there at a time, and only a measurement with the same settings goes on there."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.launch import tied
from benchmarks.saved.files import read_json, write_whole
from benchmarks.saved.storage import ASKED, MANIFEST, NOTED
from lenet5.errors import InputError

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


def begin(folder: Path, settings: Mapping[str, Any], asked: Sequence[str] = (), noted: Mapping[str, Any] | None = None) -> None:
    """Make the folder of a measurement and note its settings there, the words that ``asked`` for it, to go on with, and what else is ``noted``.

    Raises InputError if it cannot be written.
    """
    _write(folder, {**settings, **({ASKED: list(asked)} if asked else {}), **({NOTED: dict(noted)} if noted else {})})


def note(folder: Path, **facts: Any) -> None:
    """Keep facts of a measurement beside its settings; one of the same name is replaced.  Raises InputError if that cannot be written."""
    began = settings_in(folder)
    _write(folder, {**began, NOTED: {**began.get(NOTED, {}), **facts}})


def _write(folder: Path, manifest: Mapping[str, Any]) -> None:
    write_whole(folder / MANIFEST, json.dumps(manifest, indent=2) + "\n")


def settings_in(folder: Path) -> Mapping[str, Any]:
    """All that the folder of a measurement says of it.  Raises InputError, one line, if it says nothing."""
    began = read_json(folder / MANIFEST, "the folder of a run to go on with")
    if not isinstance(began, Mapping):
        raise InputError(f"{folder / MANIFEST}: is {type(began).__name__}, not an object; expected the settings of a run")
    return began


@contextmanager
def kept_if(measured: Callable[[], bool], folder: Path) -> Iterator[None]:
    """Within the block something is measured into a folder.  If that fails before anything was ``measured``, nothing is left to go on with."""
    try:
        yield
    except InputError:
        if not measured():
            (folder / MANIFEST).unlink(missing_ok=True)
        raise


def check_settings(folder: Path, settings: Mapping[str, Any], more: Callable[[str], str] = lambda _: "") -> None:
    """Raise InputError, naming the first difference, unless the measurement began with the same settings.

    ``more`` says in a few words what else is known of a setting that differs, from its dotted name.
    """
    began = settings_in(folder)
    difference = _first_difference({name: value for name, value in began.items() if name not in (ASKED, NOTED)}, settings)
    if difference:
        where, one, other = difference
        raise InputError(
            f"{folder / MANIFEST}: {where} was {one!r}, now it is {other!r}{more(where)}; restore it, or name another --output"
        )


def _first_difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, Any, Any] | None:
    """The dotted name of the first value that two trees do not share, and both values; None stands for a missing one."""
    for key in (*other, *sorted(one.keys() - other.keys())):
        before, now = one.get(key), other.get(key)
        if isinstance(before, Mapping) and isinstance(now, Mapping):
            below = _first_difference(before, now)
            if below:
                return f"{key}.{below[0]}", below[1], below[2]
        elif before != now:
            return key, before, now
    return None


@contextmanager
def alone(folder: Path, make: bool) -> Iterator[None]:
    """Hold a folder: within the block no other process is in such a block for it.  With ``make`` it is made if it does not exist.

    The lock is the kernel's and on the folder itself: no file is left behind.  Processes that are started within the block hold it too,
    so it ends with the last of them: if this one is killed, a process that still measures keeps others out.
    A folder that does not exist and is not made cannot be held: the block runs all the same, and finds nothing there.
    Raises InputError, one line, if another process holds the folder or it cannot be made, and on a system without such locks: what two
    processes write there at a time would be mixed.
    """
    if fcntl is None:
        raise InputError(
            f"{folder}: this system has no fcntl, which keeps two runs out of one folder; measure with pytest benchmarks"
        )
    try:
        if make:
            folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        yield
        return
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror}); name another --output") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{folder}: another run is measuring into it; wait for its end, or name another --output") from None
        with tied.shared(descriptor):
            yield
    finally:
        os.close(descriptor)
