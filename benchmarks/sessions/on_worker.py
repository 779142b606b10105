"""One process of a run on a worker of a cluster: `errand` starts this module of the code that it has unpacked.

    python -m benchmarks.sessions.on_worker REQUEST CODE RESULTS

What it measures lies in the folder RESULTS afterwards.  It measures only if code and versions are what the request expects.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.saved.provenance import ROOT, code_sha256, versions
from benchmarks.sessions import processes
from benchmarks.sessions.plan import Plan, Session
from benchmarks.sessions.process import Place
from benchmarks.sessions.signals import Signals
from lenet5.errors import InputError

FACTS = "facts.json"
"""Among the results: what the worker is."""

SAME = ("code_sha256", "versions")
"""The facts in which all workers have to agree.  What machine each is stands in what it measures, and counts there."""

Measure = Callable[[Mapping[str, Any], Path, Path, Signals], object]
"""What was asked, the folder with the code, the folder for the results."""


def main(words: Sequence[str], measure: Measure) -> int:
    """Note what this worker is, and measure what was asked if something was.   -> 0, or 2 after one line that says why not"""
    request, code, results = map(Path, words)
    asked = json.loads(request.read_text(encoding="utf-8"))
    try:
        found = facts(asked["packages"], code)
        (results / FACTS).write_text(json.dumps(found), encoding="utf-8")
        if asked.get("expected"):
            for line in differences(asked["expected"], found):
                raise InputError(line)
            with Signals() as signals:
                measure(asked, code, results, signals)
    except InputError as error:
        print(error, flush=True)
        return 2
    return 0


def facts(packages: Sequence[str], code: Path) -> dict[str, Any]:
    """What a process measures with here: the code as it was unpacked, the versions of these packages, the machine's name."""
    folders = sorted(path for path in code.iterdir() if path.is_dir())
    return {
        "host": platform.node(),
        "code_sha256": {path.name: code_sha256(path) for path in folders},
        "versions": versions(packages),
    }


def differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """A phrase for each fact that has to be as expected and is not; machines may differ.   -> such as "numpy is 2.3.0, not 2.4.6" """
    lines = []
    for kind in SAME:
        for name in sorted(expected[kind].keys() | found[kind].keys()):
            wanted, has = expected[kind].get(name), found[kind].get(name)
            if wanted != has:
                what = f"{kind} of {name}" if kind == "code_sha256" else name
                lines.append(f"{what} is {has or 'not there'}, not {wanted or 'absent'}")
    return lines


def _process(asked: Mapping[str, Any], _: Path, results: Path, signals: Signals) -> object:
    plan = Plan(**{**asked["plan"], "options": tuple(asked["plan"]["options"])})
    return processes.measure(Session(plan, Place(ROOT, sys.executable, os.environ), results, asked["number"]), signals)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], _process))
