"""A program of this folder, run in a process that has done nothing before: how a case calls it, and how it answers.

`call` is the side of the case, `answer` the frame of a program's ``main``.

The process inherits the environment, so it computes with as many threads as its caller.  It does not inherit what compilers keep on
disk, for it would find code that was compiled before.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.isolated import caches
from benchmarks.launch import temporary, tied
from lenet5.errors import InputError, NotInstalled

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 600.0


class ProgramFailed(RuntimeError):
    """A program ended without its answer: one line with the command and the last line that it wrote to standard error."""


def call(module: str, *arguments: Any, timeout_seconds: float = TIMEOUT_SECONDS) -> dict[str, Any]:
    """What ``python -m module arguments...`` prints in a process of its own.  Raises ProgramFailed for anything but one JSON object."""
    command = command_of(module, *arguments)
    with scratch() as folder:
        try:
            done = tied.run(command, timeout_seconds, cwd=ROOT, env=environment(folder), text=True)
        except subprocess.TimeoutExpired:
            raise ProgramFailed(f"{' '.join(command[1:])}: not done after {timeout_seconds:g} s") from None
    return printed(command, done.returncode, done.stdout, done.stderr)


def command_of(module: str, *arguments: Any) -> list[str]:
    """The command line of a program."""
    return [sys.executable, "-m", module, *map(str, arguments)]


def scratch() -> temporary.Folder:
    """A new folder for all that a program writes."""
    return temporary.folder("lenet5-isolated-", caches.place())


def environment(folder: str) -> dict[str, str]:
    """The environment of a program that writes into this folder: a compiler that is killed leaves its temporary files there."""
    return {**os.environ, **caches.empty(folder), "TMPDIR": folder}


def printed(command: Sequence[str], code: int, out: str, err: str) -> dict[str, Any]:
    """The JSON object that a program has printed which ended with this code.  Raises ProgramFailed for anything else."""
    if code:
        lines = err.strip().splitlines() or ["nothing on standard error"]
        raise ProgramFailed(f"{' '.join(command[1:])}: exit {code}: {lines[-1]}")
    try:
        found = json.loads(out)
    except json.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise ProgramFailed(f"{' '.join(command[1:])}: printed {out[:80]!r}; expected one JSON object")
    return found


def answer(
    parser: argparse.ArgumentParser,
    measure: Callable[[argparse.Namespace], Mapping[str, Any]],
    arguments: Sequence[str] | None = None,
) -> int:
    """Print, as one JSON object, what ``measure`` finds for the parsed arguments.

    -> 0, or 2 and one line on standard error for bad input.  The AssertionError of a wrong answer passes: it is not bad input.
    """
    options = parser.parse_args(arguments)
    try:
        found = measure(options)
    except (InputError, NotInstalled, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(found))
    return 0
