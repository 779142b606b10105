"""A saved run as the lists of figures that other tools keep a history of.

Each format is a function in FORMATS, under the name that the tool itself has for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.saved.results import Case, Run


def smaller_is_better(run: Run) -> str:
    """The format customSmallerIsBetter of github-action-benchmark: a list with the median time of each case, in seconds.

    Its range is plus or minus the interquartile range; of several processes both are the medians of theirs.
    """
    return json.dumps([_entry(run, case) for case in run.cases], indent=2)


def _entry(run: Run, case: Case) -> dict[str, Any]:
    processes = "1 process" if run.processes == 1 else f"{run.processes} processes"
    return {
        "name": case.name,
        "unit": "s",
        "value": case.median,
        "range": f"± {case.stats['q3'] - case.stats['q1']:.3g}",
        "extra": f"{case.group}\n{case.stats['rounds']} rounds in {processes}\n{run.datetime}",
    }


FORMATS: Mapping[str, Callable[[Run], str]] = {"customSmallerIsBetter": smaller_is_better}
