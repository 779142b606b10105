"""What programs have answered, kept on disk as they end, so that an interrupted group of them goes on where it stopped.

A folder is named after everything that an answer depends on: what is found in it is what the program would answer again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.isolated import side_by_side
from lenet5.errors import InputError


def folder_for(storage: Path, settings: Mapping[str, Any]) -> Path:
    """The folder of the answers under these settings, made if it is not there.  Raises InputError, one line, if it cannot be."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
    folder = storage / digest[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be made ({error.strerror}); what has finished is kept there") from None
    return folder


def keep(folder: Path, name: str, answer: Mapping[str, Any]) -> None:
    """Keep an answer under this name: whole, or not at all."""
    part = folder / f".{name}.part"
    part.write_text(json.dumps(answer), encoding="utf-8")
    os.replace(part, folder / f"{name}.json")


def kept(folder: Path, name: str) -> dict[str, Any] | None:
    """The answer that was kept under this name; None if there is none, or none that can be read."""
    try:
        found = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def all_answers(
    folder: Path, module: str, calls: Mapping[str, Sequence[Any]], at_once: int, variables: Mapping[str, str], resume: bool
) -> list[dict[str, Any]]:
    """What a program answers to the arguments of each call, in their order; each answer is kept under the name of its call.

    With ``resume`` a call whose answer was kept before is not run again.  The others run as `side_by_side.answers` runs them, and
    raise as it does; what has ended by then is kept.
    """
    before = {name: kept(folder, name) for name in calls} if resume else {}
    found = {name: answer for name, answer in before.items() if answer is not None}
    left = {name: arguments for name, arguments in calls.items() if name not in found}
    with closing(side_by_side.answers(module, left, at_once, variables)) as answers:
        for name, answer in answers:
            keep(folder, name, answer)
            found[name] = answer
    return [found[name] for name in calls]
