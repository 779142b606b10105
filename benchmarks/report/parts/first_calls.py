"""After how many calls has a graph paid for itself?  What its first call costs in a fresh process, beside what each later call saves."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from benchmarks.quantities import units
from benchmarks.quantities.statistics import ratio_interval
from benchmarks.quantities.units import SECONDS, Unit
from benchmarks.report.disturbance import first_call_mark, mark_of
from benchmarks.report.parts.graphs import GROUPS, batches_of, by_pair, dynamic_in_words, dynamic_pairs
from benchmarks.report.reasons import dash
from benchmarks.report.records import Cell, Plot, Quantity, Section, Table, Words
from benchmarks.saved.results import Case, Run

BREAK_EVEN = (
    "With F for building the network and its first call in a fresh process and s for a call once warm, n calls take F + (n - 1) s; "
    "a graph has paid for itself from n = 1 + ceil((F_graph - F_dynamic) / (s_dynamic - s_graph)) calls on, and never where its "
    "call is the slower one; where the two calls cannot be told apart, it is not decided. Importing is the same for both and not in F."
)
CALLS = Unit(lambda calls: units.counted(int(calls), "call"), units.count)


def sections(run: Run) -> list[Section]:
    """One section for each of inference and training that this run measured."""
    return [_first_calls(run, group) for group in GROUPS if run.group(group)]


def plots(run: Run) -> list[Plot]:
    return []


# What is computed


def break_even_calls(graph: Case, dynamic: Case) -> int | None:
    """After how many calls a graph has taken no longer in all than the dynamic mode, both from a fresh process; None for never.

    n calls take F + (n - 1) s, where F is building and the first call in a fresh process and s a call once warm.  The graph's sum is the
    smaller one from n = 1 + ceil((F_graph - F_dynamic) / (s_dynamic - s_graph)) on.  Importing is the same for both and left out.
    """
    ahead = _until_first_answer(graph) - _until_first_answer(dynamic)
    saved = dynamic.typical - graph.typical
    if saved < 0 or (saved == 0 and ahead > 0):
        return None
    return 1 if ahead <= 0 else 1 + ceil(ahead / saved)


def _until_first_answer(case: Case) -> float:
    """Seconds from the imported framework to the first answer, in a fresh process."""
    return float(case.extra["build_fresh_seconds"] + case.extra["first_call_fresh_seconds"])


# What is said


def _first_calls(run: Run, group: str) -> Section:
    cases, dynamic = by_pair(run, group), dynamic_pairs(run, group)
    batches = batches_of(cases)
    rows = []
    for pair, at in cases.items():
        others = cases.get(dynamic[pair], {}) if pair in dynamic else {}
        cells = [_cell(run, at[batch], others.get(batch)) if batch in at else dash(run, *pair, batch, group) for batch in batches]
        rows.append([Words(" ".join(pair)), _import_cell(at), *cells])
    return Section(
        f"What a graph costs first: {GROUPS[group]}",
        before=[
            f"The first call in a fresh process, tracing and compiling included, with no compiled code on disk{_how_often(run)}.",
            *(
                [
                    "In brackets the number of calls after which the graph has taken no longer in all than the dynamic mode"
                    f"{dynamic_in_words(run, group)}."
                ]
                if dynamic
                else []
            ),
        ],
        table=Table(["", "import", *(f"batch {batch}" for batch in batches)], rows, same=True),
        after=[BREAK_EVEN] if dynamic else [],
    )


def _how_often(run: Run) -> str:
    """How many first calls a number comes from."""
    if run.processes == 1:
        return ", a single sample each, so without a spread"
    return f", median [lowest, highest] of {run.processes}"


def _import_cell(at: Mapping[int, Case]) -> Quantity:
    """The median of what importing takes: each batch size has its own fresh process, and each of those imports."""
    seconds = sorted(case.extra["import_fresh_seconds"] for case in at.values())
    return Quantity(seconds[len(seconds) // 2], SECONDS)


def _cell(run: Run, case: Case, dynamic: Case | None) -> Cell:
    taken = case.values("first_call_fresh_seconds")
    return Quantity(
        case.extra["first_call_fresh_seconds"],
        SECONDS,
        (min(taken), max(taken)) if len(taken) > 1 else None,
        note=_break_even(run, case, dynamic) if dynamic else "",
        mark=first_call_mark(run, case),
    )


def _break_even(run: Run, graph: Case, dynamic: Case) -> Quantity | str:
    calls = break_even_calls(graph, dynamic)
    if calls != 1 and ratio_interval(dynamic.medians, graph.medians).even:
        return "not decided"
    mark = first_call_mark(run, graph) or first_call_mark(run, dynamic) or mark_of(run, graph, dynamic)
    return "never" if calls is None else Quantity(calls, CALLS, mark=mark)
