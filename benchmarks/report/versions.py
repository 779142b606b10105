"""The report of several runs side by side: one column a set of versions, ratios to the first, and how little such a ratio can say.

The runs were made at different times, often on different machines; whether an upgrade made something slower is the gate's to decide.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from benchmarks.quantities import units
from benchmarks.quantities.statistics import CONFIDENCE, SEVERAL, Ratio, independent_ratio_interval
from benchmarks.report import page
from benchmarks.report.records import Section, Table
from benchmarks.report.text import DASH
from benchmarks.saved.results import CONTROL, Case, Run

GATE = "python -m benchmarks gate --base HEAD@/OLD/bin/python --head HEAD@/NEW/bin/python"


def sections(runs: Sequence[Run]) -> list[Section]:
    """What the report of several runs says: the answer and its limits, the control, the times, and the circumstances of each run."""
    groups = list(dict.fromkeys(case.group for run in runs for case in run.cases if case.group != CONTROL))
    return [
        _answer(runs),
        _control(runs),
        *(_times(runs, group) for group in groups),
        *_first_calls(runs),
        _circumstances(runs),
        _not_measured(runs),
    ]


def render(runs: Sequence[Run], parts: Sequence[Section]) -> str:
    """The page of several runs."""
    reasons = {name: reason for run in reversed(runs) for name, reason in run.not_measured.items()}
    threads = runs[0].lenet5["threads"]
    facts = [
        *dict.fromkeys(_cpu(run) for run in runs),
        f"{threads} thread{'s' * (threads != 1)} each",
        f"{len(runs)} sets of versions",
    ]
    return page.html(parts, not_measured=reasons, facts=facts)


# What is computed


def labels(runs: Sequence[Run]) -> list[str]:
    """What to call each run: those of its versions in which the runs differ, the libraries under a framework only if nothing else does."""
    names = list(dict.fromkeys(name for run in runs for name in run.versions))
    differing = [name for name in names if len({run.versions.get(name) for run in runs}) > 1]
    shown = [name for name in differing if " " not in name] or differing
    return [", ".join(f"{name} {run.versions[name]}" for name in shown if name in run.versions) or "no framework" for run in runs]


def same_machine(one: Run, other: Run) -> bool:
    """Whether two runs have the same kind of processor under the same system, without which a ratio of their times says nothing."""
    cpus = [{key: (run.machine.get("cpu") or {}).get(key) for key in ("brand_raw", "count")} for run in (one, other)]
    return cpus[0] == cpus[1] and all(one.machine.get(key) == other.machine.get(key) for key in ("machine", "system"))


def ratio(case: Case | None, first: Case | None) -> Ratio | None:
    """How many times as long a case takes as the same case of the first run; None where one of them has no time."""
    return independent_ratio_interval(case.medians, first.medians) if case and first else None


def _named(run: Run) -> dict[str, Case]:
    return {case.name: case for case in run.cases}


def _ratios(run: Run, first: Run, cases: Iterable[Case]) -> list[tuple[str, Ratio]]:
    """Of each of the cases that both runs have: its test and its ratio."""
    ours, theirs = _named(run), _named(first)
    pairs = [(_test(case), ratio(ours.get(case.name), theirs.get(case.name))) for case in cases]
    return [(label, found) for label, found in pairs if found]


def _products(run: Run) -> list[Case]:
    """The control's fixed matrix product, before all other cases and after them."""
    return [case for case in run.group(CONTROL) if case.extra.get("side") is not None]


# The answer


def _answer(runs: Sequence[Run]) -> Section:
    names = labels(runs)
    others = list(zip(runs[1:], names[1:], strict=True))
    few = [name for run, name in zip(runs, names, strict=True) if run.processes < SEVERAL]
    interval = (
        f"A ratio is the geometric mean over the processes of one run by that of the first, {names[0]}; in brackets Welch's "
        f"{CONFIDENCE:.0%} interval of its logarithm, where both runs have at least {SEVERAL} processes. "
    )
    return Section(
        "LeNet-5 across versions: what did an upgrade change?",
        before=[
            *(_drift(run, runs[0], name) for run, name in others),
            *([_few_processes(few)] if few else []),
            *(_findings(run, runs[0], name, names[0]) for run, name in others),
        ],
        after=[
            interval + "Of identical cases one in twenty has an interval without 1 by chance alone, and drift adds to that: "
            "take these as candidates.",
            f"What decides is the gate, which measures both environments in pairs at the same time: `{GATE}`",
        ],
    )


def _drift(run: Run, first: Run, name: str) -> str:
    """The warning that every comparison of runs begins with: what the control says of the time between them."""
    when = f"{name} was measured at another time than the first run ({run.datetime[:16]} and {first.datetime[:16]})"
    if not same_machine(run, first):
        return (
            f"**Warning: {name} was measured on another machine, {_cpu(run)} instead of {_cpu(first)}: its times have no ratio.**"
        )
    if run.machine.get("node") != first.machine.get("node"):
        when += " and on another machine of the same kind"
    found = _ratios(run, first, _products(first))
    if not found:
        return f"**Warning: {when}, and no control watched: a ratio below may be all drift.**"
    worst = max((one for _, one in found), key=lambda one: max(one.ratio, 1 / one.ratio))
    ours, theirs = (one.versions.get("numpy") for one in (run, first))
    under = " (its NumPy is another one, too)" if ours != theirs else ""
    return (
        f"**Warning: {when}. The control, one fixed matrix product{under}, took {units.times(*worst)} as long: "
        "no ratio below is worth more than that one is close to 1.**"
    )


def _few_processes(names: Sequence[str]) -> str:
    return (
        f"**Fewer than {SEVERAL} processes: {'; '.join(names)}.** Without them a ratio has no interval: good for orders of magnitude, "
        f"not for a few per cent. For more: python -m benchmarks run --processes {2 * SEVERAL}."
    )


def _findings(run: Run, first: Run, name: str, reference: str) -> str:
    """One sentence on how many cases of a run differ from the first, and where most."""
    if not same_machine(run, first):
        return f"{name}: not compared."
    found = _ratios(run, first, [case for case in first.cases if case.group != CONTROL])
    intervals = [(label, one, one.low, one.high) for label, one in found if one.low is not None and one.high is not None]
    if not intervals:
        return f"{name} against {reference}: {len(found)} cases, no intervals."
    longer = [(label, one) for label, one, low, _ in intervals if low > 1]
    shorter = [(label, one) for label, one, _, high in intervals if high < 1]
    parts = [f"{len(longer)} took longer", f"{len(shorter)} less long", f"{len(intervals) - len(longer) - len(shorter)} undecided"]
    most = max(longer, key=lambda it: it[1].ratio, default=None)
    worst = f"; most of all {most[0]}, {units.times(*most[1])}" if most else ""
    return f"{name} against {reference}: of {len(intervals)} cases {', '.join(parts)}{worst}."


# Tables


def _control(runs: Sequence[Run]) -> Section:
    """The ratios that every other one has to be read beside."""
    table = _table(runs, CONTROL)
    return Section(
        "Did the machine hold still between the runs?",
        before=["The same fixed work in every run; what differs here is the machine, or the NumPy that does the work."]
        if table.rows
        else ["Nobody knows: no run measured a control case."],
        table=table if table.rows else None,
    )


def _times(runs: Sequence[Run], group: str) -> Section:
    return Section(
        f"Times: {group}", before=["Time of one call, and in brackets its ratio to the first."], table=_table(runs, group)
    )


def _table(runs: Sequence[Run], group: str) -> Table:
    """Times of a group's cases, each with its ratio to the first run where that says something."""
    comparable = [run is not runs[0] and same_machine(run, runs[0]) for run in runs]

    def cells(cases: Sequence[Case | None]) -> list[str]:
        compared = [ratio(case, cases[0]) if fits else None for case, fits in zip(cases, comparable, strict=True)]
        return [_time(case, one) for case, one in zip(cases, compared, strict=True)]

    return _side_by_side(runs, [case for run in runs for case in run.group(group)], cells)


def _first_calls(runs: Sequence[Run]) -> list[Section]:
    """First calls beside each other, if a run has any: without ratios, since each process has but one."""
    called = [case for run in runs for case in run.cases if case.extra.get("first_call_seconds") is not None]
    if not called:
        return []
    return [
        Section(
            "First calls",
            before=["Tracing, compiling, allocating, and one call; other cases have run in the process before."],
            table=_side_by_side(runs, called, lambda cases: [_first_call(case) for case in cases]),
        )
    ]


def _side_by_side(runs: Sequence[Run], shown: Iterable[Case], cells: Callable[[Sequence[Case | None]], list[str]]) -> Table:
    """Cases as rows, each once, runs as columns; ``cells`` writes a row from what each run has of the case."""
    known = [_named(run) for run in runs]
    named: dict[str, str] = {}
    for case in shown:
        named.setdefault(case.name, _label(case))
    rows = [[label, *cells([cases.get(name) for cases in known])] for name, label in named.items()]
    return Table(["", *labels(runs)], rows)


def _label(case: Case) -> str:
    """Within a group: what pytest has between brackets, which names framework, mode and parameters; -k takes it too."""
    found = re.search(r"\[(.*)\]", case.name)
    return case.mode if case.group == CONTROL or not found else found[1]


def _test(case: Case) -> str:
    """Among all groups.   benchmarks/test_predict.py::test_predict[torch-eager-batch=1] -> predict[torch-eager-batch=1]"""
    return case.name.partition("::")[2].removeprefix("test_")


def _time(case: Case | None, one: Ratio | None) -> str:
    if case is None:
        return DASH
    return units.seconds(case.median) + (f" ({units.times(*one)})" if one else "")


def _first_call(case: Case | None) -> str:
    return units.seconds(case.extra["first_call_seconds"]) if case and case.extra.get("first_call_seconds") is not None else DASH


# The small print


def _cpu(run: Run) -> str:
    cpu = run.machine.get("cpu") or {}
    return f"{cpu.get('brand_raw', 'unknown CPU')} with {cpu.get('count', '?')} logical CPUs"


def _circumstances(runs: Sequence[Run]) -> Section:
    names = list(dict.fromkeys(name for run in runs for name in run.versions))
    rows = [[name, *(run.versions.get(name, DASH) for run in runs)] for name in names]
    rows += [
        ["CPU", *(_cpu(run) for run in runs)],
        ["system", *(" ".join(str(run.machine.get(key, "?")) for key in ("system", "release", "machine")) for run in runs)],
        ["threads", *(str(run.lenet5["threads"]) for run in runs)],
        ["processes", *(str(run.processes) for run in runs)],
        ["commit", *(str(run.commit.get("id", "unknown")) for run in runs)],
        ["measured", *(run.datetime for run in runs)],
        ["pytest-benchmark", *(run.version for run in runs)],
    ]
    return Section("Circumstances", table=Table(["", *labels(runs)], rows))


def _not_measured(runs: Sequence[Run]) -> Section:
    names = list(dict.fromkeys(name for run in runs for name in run.not_measured))
    if not names:
        return Section("What is missing", before=["Nothing: every case that was asked for has its number."])
    rows = [[name, *(run.not_measured.get(name, "measured, or not asked for") for run in runs)] for name in names]
    return Section("What is missing", before=["Cases without a number, and why:"], table=Table(["case", *labels(runs)], rows))
