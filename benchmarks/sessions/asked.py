"""What a measurement was asked for is kept in its manifest, so that --resume goes on with nothing else typed."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from benchmarks.saved.files import read_json
from benchmarks.saved.storage import ASKED, MANIFEST, newest_folder
from benchmarks.sessions.command_line import words
from lenet5.errors import InputError


def asked_for(options: argparse.Namespace) -> list[str]:
    """The words behind a command's name that ask for the same again, for the manifest: all but where it is kept."""
    return words(options, output=None, resume=False)


def as_it_began(options: argparse.Namespace) -> argparse.Namespace:
    """The options of a command that goes on: what it was asked for when it began, and over that what was typed now.

    ``options.typed`` are the words that were typed behind the command's name and before --.  ``output`` of what comes back is the folder to go
    on in, the newest of this command that can go on unless one was named.  Raises InputError if there is none.
    """
    command = options.parser.prog.split()[-1]
    folder = options.output or newest_folder(command)
    path = folder / MANIFEST
    if not path.exists():
        raise InputError(f"{folder}: no {command} to go on with; name the --output of one that has begun")
    manifest = read_json(path, "the folder of a run to go on with")
    before = manifest.get(ASKED) if isinstance(manifest, Mapping) else None
    if isinstance(before, list):
        before = list(map(str, before))
        end = before.index("--") if "--" in before else len(before)
        behind = options.pytest or tuple(before[end + 1 :])
        began = options.parser.parse_args(before[:end])
        options = options.parser.parse_args([*before[:end], *options.typed], argparse.Namespace(typed=options.typed))
        options.pytest, options.began = behind, began
    options.output = folder
    return options


def goes_on_with(options: argparse.Namespace, name: str) -> bool:
    """Whether a measurement goes on with the value of an option that it began with.

    A revision means the commit that it meant then, although HEAD or a branch may be another one by now.
    """
    began = getattr(options, "began", None)
    return began is not None and bool(getattr(began, name) == getattr(options, name))
