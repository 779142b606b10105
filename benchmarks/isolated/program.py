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
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.isolated import caches
from benchmarks.launch import tied
from lenet5.errors import InputError, NotInstalled

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 600.0


class ProgramFailed(RuntimeError):
    """A program ended without its answer: one line with the command and the last line that it wrote to standard error."""


def call(module: str, *arguments: Any, timeout_seconds: float = TIMEOUT_SECONDS) -> dict[str, Any]:
    """What ``python -m module arguments...`` prints in a process of its own.  Raises ProgramFailed for anything but one JSON object."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    # The exception of a signal must pass, even if something of a compiler is still writing to the folder.
    with tempfile.TemporaryDirectory(prefix="lenet5-program-", dir=caches.place(), ignore_cleanup_errors=True) as cache:
        # A compiler that is killed leaves its temporary files: they go with the folder.
        environment = {**os.environ, **caches.empty(cache), "TMPDIR": cache}
        try:
            done = tied.run(command, timeout_seconds, cwd=ROOT, env=environment, text=True)
        except subprocess.TimeoutExpired:
            raise ProgramFailed(f"{' '.join(command[1:])}: not done after {timeout_seconds:g} s") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["nothing on standard error"]
        raise ProgramFailed(f"{' '.join(command[1:])}: exit {done.returncode}: {lines[-1]}")
    try:
        printed = json.loads(done.stdout)
    except json.JSONDecodeError:
        printed = None
    if not isinstance(printed, dict):
        raise ProgramFailed(f"{' '.join(command[1:])}: printed {done.stdout[:80]!r}; expected one JSON object")
    return printed


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
