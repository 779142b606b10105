"""The report of several runs side by side: what an upgrade changed, framework by framework, and how little such a ratio can say.

The runs were made at different times, often on different machines; whether an upgrade made something slower is the gate's to decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.quantities.statistics import CONFIDENCE, SEVERAL
from benchmarks.quantities.units import RATIO, counted
from benchmarks.report import disturbance, side_by_side
from benchmarks.report.across import compared, cpu, differing, labels, others, ratios, same_machine
from benchmarks.report.disturbance import threads_in_words
from benchmarks.report.parts.machine import DRIFT
from benchmarks.report.records import Alarm, Quantity, Report, Section
from benchmarks.saved.results import CONTROL, Run, differences

GATE = "python -m benchmarks gate --base HEAD@/OLD/bin/python --head HEAD@/NEW/bin/python"


def of(runs: Sequence[Run]) -> Report:
    """What the report of several runs says: a verdict a framework, its limits, the ratios, the times, and each run's circumstances."""
    groups = dict.fromkeys(case.group for run in runs for case in run.cases if case.group != CONTROL)
    return Report(
        title="LeNet-5 across versions: what did an upgrade change?",
        disturbed=_disturbed(runs),
        facts=[
            *dict.fromkeys(cpu(run) for run in runs),
            *dict.fromkeys(map(threads_in_words, runs)),
            f"{len(runs)} sets of versions",
        ],
        summary=[_verdict(run, runs[0], name) for run, name in others(runs)],
        notes=[*_alarms(runs), *_notes(runs)],  # behind the verdict: no run is doubtful, only what can be compared with what
        plots=[plot for index, (run, name) in enumerate(others(runs), 1) for plot in side_by_side.plot(run, runs[0], name, index)],
        sections=[
            *side_by_side.control(runs),
            *(Section(f"Times: {group}", [HOW_TO_READ], side_by_side.times(runs, group)) for group in groups),
            *side_by_side.first_calls(runs),
            side_by_side.circumstances(runs),
            *side_by_side.not_measured(runs),
        ],
        colours={name: word for run in reversed(runs) for name, word in run.colours.items()},
    )


def _disturbed(runs: Sequence[Run]) -> str:
    """'Disturbed: ...' with every run that was, by its versions; empty if all were quiet."""
    said = {name: disturbance.sentence(run) for run, name in zip(runs, labels(runs), strict=True)}
    found = [f"{name}: {one.removeprefix(disturbance.BEGIN).rstrip('.')}" for name, one in said.items() if one]
    return f"{disturbance.BEGIN}{'; '.join(found)}." if found else ""


HOW_TO_READ = "Time of one call, and in brackets its ratio to the first."


def _change(one: Quantity) -> int:
    """1 if the whole interval lies above 1, -1 if below, 0 if it holds 1 or there is none."""
    low, high = one.interval or (1.0, 1.0)
    return (low > 1) - (high < 1)


# The answer


def _verdict(run: Run, first: Run, name: str) -> str:
    """One sentence: of each framework, how many cases took longer, how many less long."""
    if not same_machine(run, first):
        return f"**{name}**: not compared, another machine."
    changes: dict[str, list[int]] = {}
    for case, one in ratios(run, compared(first)):
        if one.interval:
            changes.setdefault(case.framework, []).append(_change(one))
    if not changes:
        return f"**{name}**: no verdict, for no ratio has an interval."
    return f"**{name}**: {'; '.join(f'{framework}: {_counted(found)}' for framework, found in changes.items())}."


def _counted(changes: Sequence[int]) -> str:
    """[1, -1, 0] -> '1 of 3 cases took longer, 1 took less long'"""
    of = f"of {counted(len(changes), 'case')} took"
    parts = [f"{changes.count(sign)} {of} {what}" for sign, what in ((1, "longer"), (-1, "less long")) if sign in changes]
    return ", ".join(parts) or f"no case of {len(changes)} changed"


def _alarms(runs: Sequence[Run]) -> Iterator[Alarm]:
    """What makes ratios doubtful, or impossible."""
    for run, name in others(runs):
        if not same_machine(run, runs[0]):
            what = f"{name} was measured on another machine, {cpu(run)} instead of {cpu(runs[0])}: its times have no ratio"
            yield Alarm(what)
            continue
        drift = _drift(run, runs[0])
        if drift is None:
            yield Alarm(f"{name}: no control watched the time between it and the first run, so that any ratio may be all drift")
        elif max(drift.value, 1 / drift.value) > DRIFT:
            yield Alarm(
                f"{name}: the machine was not the same as for the first run; the control took, as a multiple of its time there",
                drift,
                Quantity(DRIFT, RATIO),
                "No ratio is worth more than that one is close to 1.",
            )
    for run, name in others(runs):
        # A warning and no refusal, unlike other settings: that a compiler or an allocator lies elsewhere is part of many an upgrade.
        for line in differences(runs[0].lenet5.get("variables"), run.lenet5.get("variables")):
            yield Alarm(
                f"{name} was measured with another environment than the first run, so that a ratio may be due to that: {line}"
            )
    few = [name for run, name in zip(runs, labels(runs), strict=True) if run.processes < SEVERAL]
    if few:
        advice = f"For more: python -m benchmarks run --processes {2 * SEVERAL}."
        yield Alarm(f"Fewer than {SEVERAL} processes, so that no ratio has an interval: {'; '.join(few)}", advice=advice)


def _drift(run: Run, first: Run) -> Quantity | None:
    """How many times as long the control took as in the first run, where that is farthest from 1; None if nothing watched."""
    products = [case for case in first.group(CONTROL) if case.extra.get("side") is not None]
    found = [one for _, one in ratios(run, products)]
    return max(found, key=lambda one: max(one.value, 1 / one.value), default=None)


def _notes(runs: Sequence[Run]) -> Iterator[str]:
    """How to read the verdict, and what it cannot say."""
    first = labels(runs)[0]
    yield (
        f"A ratio is the geometric mean over the processes of one run by that of the first, {first}: above 1 it takes longer. In brackets "
        f"Welch's {CONFIDENCE:.0%} interval of its logarithm, where both runs have at least {SEVERAL} processes; a case whose interval "
        "holds 1 has not changed as far as this can tell. Of identical cases one in twenty has an interval without 1 by chance alone: "
        "take these as candidates."
    )
    for run, name in others(runs):
        drift = _drift(run, runs[0]) if same_machine(run, runs[0]) else None
        if drift:
            yield f"{name} was measured {_when(run, runs[0])}; {_what_the_control_took(run, runs[0], drift)}"
    names = differing(runs)
    if len(names) > 1:
        yield f"{', '.join(names)} differ at once: what changed cannot be put down to one of them alone."
    yield f"What decides is the gate, which measures both environments in pairs at the same time: `{GATE}`"


def _when(run: Run, first: Run) -> str:
    """At which other time and place than the first run."""
    elsewhere = " on another machine of the same kind" if run.machine.get("node") != first.machine.get("node") else ""
    return f"{run.datetime[:16]}{elsewhere}, the first run {first.datetime[:16]}"


def _what_the_control_took(run: Run, first: Run, drift: Quantity) -> str:
    low_high = f" [{', '.join(map(RATIO.end, drift.interval))}]" if drift.interval else ""
    other = " (its NumPy is another one, too)" if run.versions.get(run.by_hand) != first.versions.get(run.by_hand) else ""
    return f"the control, one fixed matrix product{other}, took {RATIO.show(drift.value)}{low_high} as long: what changed by less may be the machine."
