"""How much of what is multiplied does the definition ask for?  Executed work beside defined work, and the speed reached on both."""

from __future__ import annotations

from benchmarks.quantities.units import BYTES, COUNT, RATIO, counted
from benchmarks.report.disturbance import mark_of
from benchmarks.report.parts.flops import SHARE_OF_ROOF, sgemm_speed
from benchmarks.report.reasons import NOT_IN_RUN, dash
from benchmarks.report.records import Cell, Dash, Plot, Quantity, Section, Table, Words
from benchmarks.saved.results import Case, Run

GROUP, TIMED = "executed", "predict"

NO_ROOF = Dash("this run did not measure how fast the machine multiplies matrices (group sgemm)")


def sections(run: Run) -> list[Section]:
    """One section, if this run counted what some mode does."""
    return [_work(run)] if run.group(GROUP) else []


def plots(run: Run) -> list[Plot]:
    """None: one small table."""
    return []


def _work(run: Run) -> Section:
    cases = run.group(GROUP)
    silent = sorted({(case.framework, case.mode) for case in run.group(TIMED)} - {(case.framework, case.mode) for case in cases})
    return Section(
        "Executed work beside defined work",
        before=[
            "One prediction. MACs are multiplications with an addition: those that the definition asks for, and those that are done, with "
            "zeros that fill a register or a product included. The share of sgemm is the speed of the prediction, divided by that of the "
            "fastest large matrix product of this run: once by what the definition asks for, once by what is done. Copied are the bytes that "
            "calls write which compute nothing."
        ],
        table=Table(
            [
                "",
                "MACs, defined",
                "MACs, executed",
                "executed / defined",
                "share of sgemm, defined",
                "share, executed",
                "calls",
                "copied",
            ],
            [_row(run, case) for case in cases],
        ),
        after=[
            *([f"Not in the table, as nothing tells what they execute: {', '.join(map(' '.join, silent))}."] if silent else []),
        ],
    )


def _row(run: Run, case: Case) -> list[Cell]:
    defined, done = case.extra["flops"] / 2, case.extra["executed_macs"]
    unknown = Dash(case.extra["unknown"] or NOT_IN_RUN)
    copied = case.extra["copied_bytes"]
    return [
        Words(f"{case.framework} {case.mode}, {counted(case.extra['batch'], 'image')}"),
        Quantity(defined, COUNT),
        unknown if done is None else Quantity(done, COUNT),
        unknown if done is None else Quantity(done / defined, RATIO),
        _share(run, case, defined),
        unknown if done is None else _share(run, case, done),
        Quantity(case.extra["calls"], COUNT, note=case.extra["a_call"]),
        unknown if copied is None else Quantity(copied, BYTES),
    ]


def _share(run: Run, case: Case, macs: float) -> Cell:
    """The speed of a prediction that takes these multiplications, as a share of the fastest large product's."""
    roof, batch = sgemm_speed(run), case.extra["batch"]
    same = (case.framework, case.mode, batch)
    timed = next((one for one in run.group(TIMED) if (one.framework, one.mode, one.extra["batch"]) == same), None)
    if timed is None:
        return dash(run, case.framework, case.mode, batch, TIMED)
    return Quantity(2 * macs / timed.median / roof, SHARE_OF_ROOF, mark=mark_of(run, timed)) if roof else NO_ROOF
