"""Why a cell has no number: what the run itself says of the cases that could have given it one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from benchmarks.report.records import Dash
from benchmarks.saved.results import Run

BATCH = re.compile(r"batch\d+")
"""What the id of a case holds if it is of one batch size."""

NOT_IN_RUN = "not in this run: left out, or not possible here"

PREDICTIONS = ("predict", "transfer", "graphs predict", "space predict")
"""The groups that a framework which only predicts has cases in."""


def dash(run: Run, framework: str, mode: str = "", batch: int | None = None, group: str = "") -> Dash:
    """A dash with the reason that the cases of this framework, mode, batch and group have no number; the fewer are given, the more fit.

    Only cases of the tests that gave this run's cases of ``group`` are asked, where it has any.
    """
    if framework in run.out_of_reach:
        return Dash(run.out_of_reach[framework])
    other = NOT_IN_RUN if run.trains(framework) or group in PREDICTIONS else f"{framework} only predicts"
    return Dash("; ".join(dict.fromkeys(_reasons(run, framework, mode, batch, group))) or other)


def _reasons(run: Run, framework: str, mode: str, batch: int | None, group: str) -> Iterator[str]:
    tests = {case.name.partition("[")[0] for case in run.group(group)}
    for name, reason in run.not_measured.items():
        test, _, parameters = name.removesuffix("]").partition("[")
        batches = [word for word in parameters.split("-") if BATCH.fullmatch(word)]
        fits = (test in tests or not tests) and _is_of(run, parameters, framework, mode)
        if fits and reason and (batch is None or not batches or batches == [f"batch{batch}"]):
            yield reason


def _is_of(run: Run, parameters: str, framework: str, mode: str) -> bool:
    """Whether the parameters of a case, such as torch-eager-batch64, name this framework, and this mode if one is given."""

    def named(words: str) -> bool:
        return f"-{words}-" in f"-{parameters}-"

    # A mode may begin as another one does: eager-channels_last is not eager.
    longer = [other for other in run.lenet5.get("modes", {}).get(framework, ()) if other.startswith(f"{mode}-")]
    return named(framework) and (not mode or (named(mode) and not any(map(named, longer))))
