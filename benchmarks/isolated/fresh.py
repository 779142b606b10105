"""Figures that only a fresh process can give: a module of this package run in one, and the JSON object that it prints.

`figures` is the parent's side, `answer` the frame of such a module's ``main``.

The child inherits the environment, so it computes with as many threads as its parent.  What compilers keep on disk it does not
inherit: it would find code compiled before.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.saved.provenance import ROOT
from lenet5 import InputError, NotInstalled

TIMEOUT_SECONDS = 600.0


class ChildFailed(RuntimeError):
    """A child ended without its figure: one line that names the command and the child's last words."""


def figures(module: str, *arguments: Any, timeout_seconds: float = TIMEOUT_SECONDS) -> dict[str, Any]:
    """What ``python -m module arguments...`` prints in a process of its own.  Raises ChildFailed for anything but one JSON object."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    with tempfile.TemporaryDirectory(prefix="lenet5-fresh-") as cache:
        environment = {**os.environ, "TORCHINDUCTOR_CACHE_DIR": cache}
        try:
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout_seconds)
        except subprocess.TimeoutExpired:
            raise ChildFailed(f"{' '.join(command[1:])}: not done after {timeout_seconds:g} s") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no word on standard error"]
        raise ChildFailed(f"{' '.join(command[1:])}: exit {done.returncode}: {lines[-1]}")
    try:
        printed = json.loads(done.stdout)
    except json.JSONDecodeError:
        printed = None
    if not isinstance(printed, dict):
        raise ChildFailed(f"{' '.join(command[1:])}: printed {done.stdout[:80]!r}; expected one JSON object")
    return printed


def answer(
    parser: argparse.ArgumentParser,
    measure: Callable[[argparse.Namespace], Mapping[str, Any]],
    arguments: Sequence[str] | None = None,
) -> int:
    """Print, as one JSON object, what ``measure`` finds for the parsed arguments.

    -> 0, or 2 and one line on standard error for input that is none.  A wrong answer is no input: its AssertionError passes.
    """
    options = parser.parse_args(arguments)
    try:
        found = measure(options)
    except (InputError, NotInstalled, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(found))
    return 0
