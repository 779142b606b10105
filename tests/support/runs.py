"""Cases and runs for tests of the report, written by hand: a case holds all fields of its group, None for those that are not given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.report import markdown
from benchmarks.report.report import Part
from benchmarks.saved import fields
from benchmarks.saved.results import Case, Run

MODES = {"numpy": ["fused", "loops"], "tensorflow": ["graph"], "torch": ["eager", "compile"]}


def case(group: str, framework: str, mode: str, *seconds: float, least: float | None = None, **extra: Any) -> Case:
    """A case whose processes had these medians; its shortest round took ``least`` seconds."""
    known = dict.fromkeys(fields.of(group)) | {"framework": framework, "mode": mode} | extra
    assert known.keys() == fields.of(group).keys(), "a field that the table does not know"
    batch = f"-batch{extra['batch']}" if "batch" in extra else ""
    name = f"benchmarks/test_cases.py::test_{group.replace(' ', '_')}[{framework}-{mode}{batch}]"
    middle = median(seconds)
    stats = {"median": middle, "min": min(seconds) if least is None else least, "q1": middle, "q3": middle, "rounds": 3}
    return Case(group, name, stats, known, seconds, (known,) * len(seconds) if len(seconds) > 1 else ())


def several(one: Case, name: str, values: Sequence[float]) -> Case:
    """The same case, of which each process says its own value of one field."""
    extras = tuple({**one.extra, name: value} for value in values)
    return Case(one.group, one.name, one.stats, {**one.extra, name: median(values)}, one.medians, extras)


def run_of(*cases: Case, **lenet5: Any) -> Run:
    """A run of these cases, from as many processes as the first of them has medians."""
    paths = tuple(Path(f"process-{number}.json") for number in range(len(cases[0].medians) if cases else 1))
    ours = {
        **{"threads": 2, "frameworks": {}, "not_measured": {}, "modes": MODES},
        "colours": {"numpy": "blue", "tensorflow": "orange", "torch": "green"},
        "reference": {"framework": "numpy", "mode": "loops"},
    }
    return Run(paths, cases, {}, {**ours, **lenet5}, {}, "2026-01-02T03:04:05", "5")


def said(part: Part, run: Run) -> str:
    """What a part of the report says of a run, as Markdown."""
    return "".join(map(markdown.section, part.sections(run)))
