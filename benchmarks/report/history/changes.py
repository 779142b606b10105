"""What changed, and was it the code?  Each change of level with its commits, its size, what the control did there, and how to confirm it."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.quantities.statistics import Ratio
from benchmarks.report.history.accepted import Accepted
from benchmarks.report.history.lines import Case, History, Line
from benchmarks.report.history.moments import Moment
from benchmarks.report.history.steps import Step, size, steps

SLOWER, FASTER, MACHINE, ACCEPTED = "slower", "faster", "the machine", "accepted"

NEAR = 1
"""A control that changes at most so many points earlier or later changes there."""

SHARE = 0.5
"""If a control changes the same way by at least this share of a case's change, both as logarithms, that is the machine's change."""

ONE_WORD = re.compile(r"[\w:+\-.\[\]\\/]+", re.ASCII)
"""What pytest's -k takes as one word."""

OPERATORS = ("and", "or", "not", "None", "True", "False")
"""Words that mean something else to -k."""


@dataclass(frozen=True)
class Change:
    """One change of one line."""

    case: Case
    line: Line
    before: Moment
    """The last point of the old level."""
    after: Moment
    """The first point of the new one."""
    ratio: Ratio
    control: Ratio | None
    """What the control that moved most did between the same points; None if no control was measured there."""
    verdict: str
    """SLOWER, FASTER, MACHINE or ACCEPTED."""
    mark: Accepted | None
    """The line that accepts it."""
    command: str
    """The gate that would confirm it."""

    @property
    def counts(self) -> bool:
        """Whether it is a change of the code that is not accepted."""
        return self.verdict in (SLOWER, FASTER)


def changes(history: History, accepted: Sequence[Accepted] = ()) -> list[Change]:
    """All changes of all lines, the newest first.  Raises InputError if what finds them is not installed."""
    controls: dict[tuple[str, int], list[tuple[Line, list[Step]]]] = {}
    for framework, lines in history.beside.items():
        for line in lines:
            controls.setdefault((framework, line.stratum), []).append((line, steps(line.median)))
    found = [
        _change(history, case, line, step, controls.get((line.framework, line.stratum), []), accepted)
        for case in history.cases
        for line in case.lines
        for step in steps(line.median)
    ]
    return sorted(found, key=lambda one: -one.after.at)


def _change(
    history: History,
    case: Case,
    line: Line,
    step: Step,
    controls: Sequence[tuple[Line, Sequence[Step]]],
    accepted: Sequence[Accepted],
) -> Change:
    before, after = (history.moments[line.places[at]] for at in (step.at - 1, step.at))
    around = [history.moments[place].commit for place in line.places[step.at - 1 : step.at + 2]]
    mark = next((one for one in accepted for commit in around if one.holds(line.name, commit)), None)
    verdict = SLOWER if step.ratio.ratio > 1 else FASTER
    if any(_moves_with(line, step, control, others) for control, others in controls):
        verdict = MACHINE
    elif mark:
        verdict = ACCEPTED
    moved = [ratio for control, _ in controls if (ratio := _beside(line, step, control))]
    most = max(moved, key=lambda ratio: abs(math.log(ratio.ratio)), default=None)
    facts = history.facts.get((line.framework, line.stratum), {})
    return Change(case, line, before, after, step.ratio, most, verdict, mark, confirm(line, before, after, facts))


def _moves_with(line: Line, step: Step, control: Line, others: Sequence[Step]) -> bool:
    """Whether a control changes where a line does, the same way, and by enough of its change."""
    at = int(np.searchsorted(control.places, line.places[step.at]))
    asked = SHARE * math.log(step.ratio.ratio)
    near = [math.log(other.ratio.ratio) for other in others if abs(other.at - at) <= NEAR]
    return any(found >= asked if asked > 0 else found <= asked for found in near)


def _beside(line: Line, step: Step, control: Line) -> Ratio | None:
    """How many times as long a control took at the points of the new level as at those of the old one; None if it has none there."""
    old, new = (np.isin(control.places, line.places[part]) for part in (slice(step.begin, step.at), slice(step.at, step.end)))
    if not (old.any() and new.any()):
        return None
    times = np.concatenate([control.median[old], control.median[new]])
    return size(times, 0, int(old.sum()), len(times))


# What would confirm it


def confirm(line: Line, before: Moment, after: Moment, facts: Mapping[str, Any]) -> str:
    """The command of the gate that measures one case before and after, on one machine."""
    words = ["python", "-m", "benchmarks", "gate"]
    if project := facts.get("project"):
        words += ["--project", f"../{project}"]
    base = before.commit[:12] or "."
    words += ["--base", base, "--head", after.revision, "-k", selecting(line)]
    known = facts.get("facts", {})
    threads, device = (known.get(f"machine_info.lenet5.{name}") for name in ("threads", "device"))
    words += ["--threads", str(threads)] if threads not in (None, 1) else []
    words += ["--", "--device", str(device)] if device not in (None, "cpu") else []
    return shlex.join(words)


def selecting(line: Line) -> str:
    """What pytest's -k selects a case by, in every spelling that it was saved under."""
    names = [one.rpartition("::")[2] for one in {*line.spelled, line.name}]
    if len(names) == 1 and ONE_WORD.fullmatch(names[0]):
        return names[0]
    words = dict.fromkeys(word for name in names for word in ONE_WORD.findall(name) if word not in OPERATORS)
    return " and ".join(word for word in words if all(word in name for name in names))
