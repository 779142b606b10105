"""Weights on disk: .npz and .safetensors to write and read, PyTorch state_dicts to read.  No file can make this execute code."""

from __future__ import annotations

import json
import os
import pickle
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lenet5 import about as abouts
from lenet5.about import About
from lenet5.architecture import NAMES, checked
from lenet5.contract import Weights
from lenet5.errors import InputError, NotInstalled, reason
from lenet5.packages import imported


def save_weights(path: str | os.PathLike[str], weights: Mapping[str, Any], about: About | None = None) -> None:
    """Write canonical weights, whole or not at all; the ending of the name says how (.npz or .safetensors).

    ``about`` is what a prediction needs beside them (`about.of`), and lies in the same file.

    Raises InputError for weights that are not a LeNet-5's, for another ending and for a place where no file can be made;
    NotInstalled for .safetensors where the package safetensors is absent.
    """
    path = Path(path)
    write = _writer(path)
    arrays = checked(weights)
    text = about.text() if about else ""
    if about:
        abouts.read(text, arrays)  # before it is on disk
    write_whole(path, lambda beside: write(beside, arrays, text))


def check_place(path: str | os.PathLike[str]) -> None:
    """Raise what `save_weights` would raise for this place, before there are weights.  Leaves nothing behind."""
    path = Path(path)
    _writer(path)
    if path.suffix == ".safetensors":
        safetensors()
    check_folder(path)


def check_folder(path: Path) -> None:
    """Raise InputError unless a file of this name can be made in its folder."""
    if os.path.isdir(path):
        raise InputError(f"{path}: is a folder; name a file")
    os.unlink(_beside(path))


def _beside(path: Path) -> str:
    """A new empty file beside a place, for what will be renamed to it.  Raises InputError where none can be made, or under no such name."""
    try:
        descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    except (OSError, ValueError) as error:  # a folder that is read-only, a name that is too long or no name at all
        raise InputError(f"{path}: cannot be written ({reason(error)}); name a file where one can be made") from error
    os.close(descriptor)
    return beside


def write_whole(path: Path, write: Callable[[str], None]) -> None:
    """Have a file written beside its place, under the name that ``write`` is given, and rename it: there is never half a file.

    Raises InputError for a place where no file can be made.
    """
    beside = _beside(path)
    try:
        write(beside)
        os.chmod(beside, 0o666 & ~_umask())  # mkstemp makes files that only their owner may read
        os.replace(beside, path)
    except BaseException as failure:
        os.unlink(beside)
        if isinstance(failure, OSError):  # a disk that is full
            raise InputError(f"{path}: cannot be written ({reason(failure)}); name a file where there is room") from failure
        raise


def load_weights(path: str | os.PathLike[str]) -> Weights:
    """Read canonical weights from .npz, .safetensors, or a PyTorch state_dict (.pt, .pth).

    The names may have one prefix in common, such as "module.", and a state_dict may be an entry of the file, such as "model", beside others.
    Raises InputError, one line, for a file that is missing, damaged, of another kind, or holds something other than a LeNet-5;
    NotInstalled for a state_dict where PyTorch is absent, and for .safetensors where the package safetensors is.
    """
    path = Path(path)
    read = _choose(path, _READERS)
    if not os.path.isfile(path):  # unlike Path's, it answers for any name
        raise InputError(f"{path}: no such file; expected weights as {', '.join(_READERS)}")
    try:
        contents = read(path)
    except (InputError, NotInstalled):
        raise
    except Exception as error:  # every format has its own zoo of errors for damage; all of them are bad input here
        raise InputError(f"{path}: cannot be read as {path.suffix} ({_one_line(error)}); expected an intact file") from error
    try:
        return checked(_network_in(contents))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def load_network(path: str | os.PathLike[str]) -> tuple[Weights, About]:
    """Read weights as `load_weights` does, and what a prediction needs beside them as far as the file holds it.

    Raises InputError, one line that names the file, where that does not fit the weights.
    """
    path, weights = Path(path), load_weights(path)
    try:
        text = _ABOUT_READERS[path.suffix](path) if path.suffix in _ABOUT_READERS else None
        return weights, abouts.read(text, weights) if text is not None else About()
    except ValueError as error:  # an InputError is one; NumPy has its own for what is no text
        raise InputError(f"{path}: {_one_line(error)}") from error


FIRST = "conv1.weight"
"""The name by which a network is found in a file that holds more, or has it under other names."""


def _network_in(contents: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """The canonical names and their values: a file's contents as they are, or one of its entries, less a prefix that its names share.

    Raises InputError, which says what the file holds, if it has no network or several.
    """
    if FIRST in contents:
        return contents
    entries = {"": contents, **{f"{name}: ": value for name, value in contents.items() if isinstance(value, Mapping)}}
    found = {
        f"{place}{name}": {_without(other, name.removesuffix(FIRST)): value for other, value in entry.items()}
        for place, entry in entries.items()
        for name in entry
        if isinstance(name, str) and name.endswith(FIRST) and (name == FIRST or name[-len(FIRST) - 1] in "./_")
    }
    if len(found) == 1:
        return next(iter(found.values()))
    if not contents:
        return contents
    held = ", ".join(repr(name) for name in list(found or contents)[:MOST_NAMES])
    more = f" and {len(found or contents) - MOST_NAMES} more" if len(found or contents) > MOST_NAMES else ""
    what = "several networks, under" if found else f"no {FIRST!r}, but"
    raise InputError(f"weights: the file holds {what} {held}{more}; expected one LeNet-5, {', '.join(NAMES)}")


def _without(name: Any, prefix: str) -> Any:
    """A name less the prefix, if it has that."""
    return name.removeprefix(prefix) if isinstance(name, str) else name


def _read_npz(path: Path) -> Mapping[str, Any]:
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path}: is not an .npz archive; expected one written by save_weights or numpy.savez")
    # A file object of our own: given the name, numpy.load leaves its file open when the archive is damaged.
    with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files if name != abouts.KEY}


def _about_npz(path: Path) -> str | None:
    with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
        if abouts.KEY not in archive.files:
            return None
        try:
            return str(archive[abouts.KEY])
        except ValueError as error:  # an array of objects, which only unpickling would read
            raise InputError(f"{abouts.KEY}: is no text; one of JSON would be right") from error


def _write_npz(path: str, weights: Weights, about: str) -> None:
    # With a file object savez adds no ".npz" of its own to the name.
    with open(path, "wb") as file:
        np.savez(file, **weights, **({abouts.KEY: np.array(about)} if about else {}))  # type: ignore[arg-type]


def _read_safetensors(path: Path) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = safetensors().load_file(path)
    except (TypeError, AttributeError) as error:  # which is how it says that NumPy has no bfloat16 and no floats of 8 bits
        raise InputError(f"{path}: holds numbers of a type that NumPy lacks ({error}); they must be float32") from error
    return found


def _about_safetensors(path: Path) -> str | None:
    with open(path, "rb") as file:  # eight bytes say how long the header is, which is JSON
        header: dict[str, Any] = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    found: str | None = (header.get("__metadata__") or {}).get(abouts.KEY)
    return found


def _write_safetensors(path: str, weights: Weights, about: str) -> None:
    metadata = {abouts.KEY: about} if about else None
    Path(path).write_bytes(safetensors().save(weights, metadata))  # its own save_file raises no OSError where a disk is full


def safetensors() -> Any:
    """The module that reads and writes .safetensors.  Raises NotInstalled where its package is absent."""
    return imported(".safetensors", "safetensors.numpy")


def _read_state_dict(path: Path) -> Mapping[str, Any]:
    """A file of torch.save, read by the unpickler that admits tensors and plain containers only."""
    try:
        import torch
    except ModuleNotFoundError as error:
        raise NotInstalled(f"{path}: reading a state_dict needs the package 'torch'; pip install torch") from error
    try:
        contents = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:  # whose text advises weights_only=False: just what would run a hostile file
        raise InputError(f"{path}: is damaged or holds more than tensors, which could run code; expected a state_dict") from error
    if not isinstance(contents, Mapping):
        raise InputError(f"{path}: holds a {type(contents).__name__}; expected a state_dict")

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: plain(one) for name, one in value.items()}
        return value.detach() if isinstance(value, torch.Tensor) else value

    return {name: plain(value) for name, value in contents.items()}


_READERS: dict[str, Callable[[Path], Mapping[str, Any]]] = {
    ".npz": _read_npz,
    ".safetensors": _read_safetensors,
    ".pt": _read_state_dict,
    ".pth": _read_state_dict,
}
_ABOUT_READERS: dict[str, Callable[[Path], str | None]] = {".npz": _about_npz, ".safetensors": _about_safetensors}

MOST_NAMES = 6
"""So many names of a file an error lists."""

_WRITERS: dict[str, Callable[[str, Weights, str], None]] = {".npz": _write_npz, ".safetensors": _write_safetensors}


def _choose(path: Path, by_suffix: Mapping[str, Any]) -> Any:
    if path.suffix not in by_suffix:
        raise InputError(f"{path}: the ending {path.suffix!r} is not known; use {', '.join(by_suffix)}")
    return by_suffix[path.suffix]


def _writer(path: Path) -> Callable[[str, Weights, str], None]:
    writer: Callable[[str, Weights, str], None] = _choose(path, _WRITERS)
    if not os.path.isdir(path.parent):
        raise InputError(f"{path}: the folder {path.parent} does not exist; make it first")
    return writer


def _one_line(error: Exception) -> str:
    """The first sentence of an error: torch.load explains itself over half a page."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
