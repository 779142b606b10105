"""One pair of a gate on a worker of a cluster: `errand` starts this module of the code that it has unpacked.

    python -m benchmarks.gate.on_worker REQUEST CODE RESULTS

Both sides lie in CODE, in folders of their roles.  RESULTS holds afterwards what the folder of a gate holds after one pair.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.gate.pairs import ROLES, Asked, Comparison, Recorder
from benchmarks.gate.rules import Rules
from benchmarks.sessions import on_worker, sides
from benchmarks.sessions.plan import Plan
from benchmarks.sessions.signals import Signals
from benchmarks.sessions.this_project import this_project


def _pair(asked: Mapping[str, Any], code: Path, results: Path, signals: Signals) -> None:
    plan = Plan(**{**asked["plan"], "options": tuple(asked["plan"]["options"])})
    with sides.opened({role: str(code / role) for role in ROLES}, signals, this_project(asked["threads"])) as opened:
        both = {role: replace(side, text=asked["sides"][role]) for role, side in opened.items()}
        comparison = Comparison(both, plan, asked["threads"], Rules(), alone=asked["absent"])
        for role in ROLES:
            (results / role).mkdir()
        Recorder(comparison, results, signals).both(Asked(asked["number"], asked["repeats"]))


if __name__ == "__main__":
    sys.exit(on_worker.main(sys.argv[1:], _pair))
