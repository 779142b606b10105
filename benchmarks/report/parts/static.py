"""Static graph against dynamic in the short run: what a graph saves at inference and at a training step, and what its first call costs.

`graphs` says the same of more batch sizes, with first calls from fresh processes, where a run has those cases.
"""

from __future__ import annotations

from dataclasses import replace

from benchmarks.report.disturbance import mark_of
from benchmarks.report.estimates import ratio_cell
from benchmarks.report.parts import graphs
from benchmarks.report.reasons import dash
from benchmarks.report.records import Cell, Plot, Quantity, Section, Table, Words
from benchmarks.report.times import Pair, first_call
from benchmarks.saved.results import Run

GROUPS = ("predict", "train step")


def sections(run: Run) -> list[Section]:
    """One table for inference and training together, if this run has a graph and the dynamic mode that it is compared with."""
    compared = {pair for group in GROUPS for pair, curve in graphs.speedups(run, group).items() if curve}
    dynamic = {graph: mode for group in GROUPS for graph, mode in graphs.dynamic_pairs(run, group).items() if graph in compared}
    return [_section(run, dynamic)] if dynamic else []


def plots(run: Run) -> list[Plot]:
    return []


def _section(run: Run, dynamic: dict[Pair, Pair]) -> Section:
    columns = [(group, batch) for group in GROUPS for batch in graphs.batches_of(graphs.by_pair(run, group))]
    names = [f"predict, batch {batch}" if group == GROUPS[0] else f"step, batch {batch}" for group, batch in columns]
    rows: list[list[Cell]] = []
    for graph, other in dynamic.items():
        ratios = [_ratio(run, *column, graph) for column in columns]
        firsts = [_first_call(run, *column, graph, other) for column in columns]
        rows.append([Words(f"{' '.join(graph)} against {other[1]}"), *ratios, *firsts])
    return Section(
        "Static graph against dynamic",
        before=[
            "A static graph is traced or compiled once and then called; dynamic is the mode of the same framework that does the same "
            "operation by operation. A ratio is the dynamic mode's time divided by the graph's, both once warm. **Above 1, the graph is "
            "faster.** The first call traces and compiles and is in no ratio; in brackets stands the dynamic mode's."
        ],
        table=Table(["", *names, *(f"first call: {name}" for name in names)], rows),
        after=[
            "After how many calls a graph has paid for itself, with first calls from fresh processes: "
            "`pytest benchmarks --heavy -k test_graph`."
        ],
    )


def _ratio(run: Run, group: str, batch: int, graph: Pair) -> Cell:
    found = graphs.speedups(run, group).get(graph, {}).get(batch)
    if not found:
        return dash(run, *graph, batch, group)
    cases, dynamic = graphs.by_pair(run, group), graphs.dynamic_pairs(run, group)[graph]
    return replace(ratio_cell(found), mark=mark_of(run, cases[graph][batch], cases[dynamic][batch]))


def _first_call(run: Run, group: str, batch: int, graph: Pair, dynamic: Pair) -> Cell:
    taken, other = (first_call(run, group, pair, batch) for pair in (graph, dynamic))
    return replace(taken, note=other) if isinstance(taken, Quantity) and isinstance(other, Quantity) else taken
