"""Several runs side by side: a column a run, a row a case, each time with its ratio to the first run; and those ratios in a plot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from benchmarks.quantities.statistics import CONFIDENCE
from benchmarks.quantities.units import SECONDS
from benchmarks.report.across import compared, cpu, labels, ratio, ratios, same_machine
from benchmarks.report.disturbance import first_call_mark
from benchmarks.report.drawing import Axis, Line, draw
from benchmarks.report.parts.circumstances import in_words
from benchmarks.report.records import Cell, Dash, Plot, Quantity, Section, Table, Words
from benchmarks.report.times import median
from benchmarks.saved.results import CONTROL, Case, Run


def control(runs: Sequence[Run]) -> list[Section]:
    """The ratios that every other one has to be read beside."""
    if not any(run.group(CONTROL) for run in runs):
        return []
    before = ["The same fixed work in every run; what differs here is the machine, or the NumPy that does the work."]
    return [Section("Did the machine hold still between the runs?", before, times(runs, CONTROL))]


def times(runs: Sequence[Run], group: str) -> Table:
    """Times of a group's cases, each with its ratio to the first run where that says something."""

    def cell(run: Run, case: Case, first: Case | None) -> Cell:
        compared = run is not runs[0] and first is not None and same_machine(run, runs[0])
        return median(run, case, note=ratio(case, first) if compared and first else "")

    return _side_by_side(runs, [case for run in runs for case in run.group(group)], cell)


def first_calls(runs: Sequence[Run]) -> list[Section]:
    """First calls beside each other, if a run has any: without ratios, since each process has but one."""
    called = [case for run in runs for case in run.cases if case.extra.get("first_call_seconds") is not None]
    if not called:
        return []

    def cell(run: Run, case: Case, first: Case | None) -> Cell:
        seconds = case.extra.get("first_call_seconds")
        if seconds is None:
            return Dash("no first call was recorded")
        return Quantity(seconds, SECONDS, mark=first_call_mark(run, case))

    before = ["Tracing, compiling, allocating, and one call; other cases have run in the process before."]
    return [Section("First calls", before, _side_by_side(runs, called, cell))]


def _side_by_side(runs: Sequence[Run], shown: Iterable[Case], cell: Callable[[Run, Case, Case | None], Cell]) -> Table:
    """Cases as rows, each once, runs as columns; ``cell`` is given a run, its case and that of the first run."""
    known = [{case.name: case for case in run.cases} for run in runs]
    named: dict[str, str] = {}
    for case in shown:
        named.setdefault(case.name, label_of(case))
    rows: list[list[Cell]] = []
    for name, label in named.items():
        row: list[Cell] = [Words(label)]
        for run, cases in zip(runs, known, strict=True):
            row.append(cell(run, cases[name], known[0].get(name)) if name in cases else _dash(run, name))
        rows.append(row)
    return Table(["", *labels(runs)], rows, same=True)


def _dash(run: Run, name: str) -> Dash:
    return Dash(run.not_measured.get(name) or "not in this run")


def label_of(case: Case) -> str:
    """Within a group: what pytest has between brackets, which names framework, mode and parameters; -k takes it too."""
    _, bracket, parameters = case.name.removesuffix("]").partition("[")
    return case.mode if case.group == CONTROL or not bracket else parameters


def circumstances(runs: Sequence[Run]) -> Section:
    names = dict.fromkeys(name for run in runs for name in run.versions)
    rows: list[list[Cell]] = [[Words(name), *(_version(run, name) for run in runs)] for name in names]
    facts: list[tuple[str, Callable[[Run], object]]] = [
        ("CPU", cpu),
        ("system", lambda run: " ".join(str(run.machine.get(key, "?")) for key in ("system", "release", "machine"))),
        ("threads", lambda run: run.lenet5["threads"]),
        ("processes", lambda run: run.processes),
        ("commit", lambda run: run.commit.get("id") or "unknown"),
        ("measured", lambda run: run.datetime),
        ("pytest-benchmark", lambda run: run.version),
    ]
    if any("variables" in run.lenet5 for run in runs):
        facts.append(("environment", _environment))
    rows += [[Words(title), *(Words(str(fact(run))) for run in runs)] for title, fact in facts]
    return Section("Circumstances", table=Table(["", *labels(runs)], rows))


def _environment(run: Run) -> str:
    variables = run.lenet5.get("variables")
    return "not recorded" if variables is None else in_words(variables)


def _version(run: Run, name: str) -> Cell:
    return Words(run.versions[name]) if name in run.versions else Dash("not used in this run")


def not_measured(runs: Sequence[Run]) -> list[Section]:
    lacking = [{**run.not_installed, **run.not_measured} for run in runs]
    names = dict.fromkeys(name for reasons in lacking for name in reasons)
    rows = [[Words(name), *(Words(reasons.get(name, "measured, or not asked for")) for reasons in lacking)] for name in names]
    return [Section("What is missing", ["Cases without a number, and why:"], Table(["case", *labels(runs)], rows))] if rows else []


# In a plot


def plot(run: Run, first: Run, name: str, index: int) -> list[Plot]:
    """Every case's ratio with its interval, in the colour of its framework; nothing if there is nothing to compare."""
    found = ratios(run, compared(first)) if same_machine(run, first) else []
    lines = []
    for framework in dict.fromkeys(case.framework for case, _ in found):
        rows = [(row, one) for row, (case, one) in enumerate(found) if case.framework == framework]
        intervals = [one.interval for _, one in rows if one.interval]
        at, values = [row for row, _ in rows], [one.value for _, one in rows]
        lines.append(Line(framework, values, at, run.colours[framework], joined=False, rows=True, intervals=intervals))
    if not lines:
        return []
    x = Axis("time / time in the first run", "log", write=lambda value: f"{value:g} x")
    y = Axis("", names=[f"{case.group}: {label_of(case)}" for case, _ in found])
    caption = "Right of the dashed line a case takes longer than in the first run, left of it less long."
    if any(one.interval for _, one in found):
        caption += f" Bars are {CONFIDENCE:.0%} intervals; one that crosses the line has not changed as far as this can tell."
    return [
        Plot(f"ratios-{index}", f"{name}: ratio to the first run", caption, draw(f"ratios-{index}", lines, x, y, level=(1, "")))
    ]
