"""What does each trick of the fast NumPy network buy?  Its rungs from the loops up, their floors, the fast path without each trick, what did not pay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from benchmarks.quantities.statistics import CONFIDENCE, Ratio, ratio_interval
from benchmarks.quantities.units import BOUND, BYTES, COUNT, RATIO, SECONDS
from benchmarks.report import floor
from benchmarks.report.disturbance import mark_of
from benchmarks.report.estimates import ratio_cell
from benchmarks.report.parts.flops import SHARE_OF_ROOF, sgemm_speed
from benchmarks.report.records import Cell, Dash, Plot, Quantity, Section, Several, Table, Words
from benchmarks.report.times import median
from benchmarks.saved.results import Case, Run

GROUP = "worklog"
RUNG, TRICK, TRIED = "rung", "trick", "tried"

Question = tuple[str, int]
"""What was asked for, and of how many images."""

WORTH = 1.02
"""A trick without which no question takes this many times as long is not worth its lines."""

NO_SGEMM = Dash("this run did not measure how fast the machine multiplies matrices (group sgemm)")
NOT_ASKED = Dash("not asked: it makes no difference there, or the network cannot do it")
NOTHING_BELOW = Dash("the first rung has none below it")
BELOW = Dash("the time is below its floor: the prices were not the lowest that there are")


def sections(run: Run) -> list[Section]:
    """The rungs, the tricks, and what was tried; each only if this run measured it."""
    made = [(RUNG, rungs), (RUNG, floors), (TRICK, tricks), (TRIED, tried)]
    return [make(run) for part, make in made if _of(run, part)]


def plots(run: Run) -> list[Plot]:
    """None: what is to be compared are the rows of tables."""
    return []


# What is computed


def _of(run: Run, part: str) -> list[Case]:
    return [case for case in run.group(GROUP) if case.extra["part"] == part]


def names(run: Run, part: str) -> list[str]:
    """The networks of a part, in the order of their measurement."""
    return list(dict.fromkeys(case.mode for case in _of(run, part)))


def questions(cases: Iterable[Case]) -> list[Question]:
    """What the cases were asked, predictions first, then by the number of images."""
    return sorted({(case.extra["kind"], case.extra["batch"]) for case in cases})


def asked(cases: Iterable[Case], name: str, question: Question) -> Case | None:
    """The case of one network and one question."""
    return next((case for case in cases if (case.mode, case.extra["kind"], case.extra["batch"]) == (name, *question)), None)


def longer(case: Case) -> Ratio | None:
    """How many times as long this network takes as the one that it was timed in turns with."""
    return None if case.extra["against_seconds"] is None else ratio_interval(case.medians, case.values("against_seconds"))


def unworthy(run: Run) -> list[str]:
    """The tricks that pay less than `WORTH` at every question, the high ends of their intervals included."""
    found = {name: [longer(case) for case in _of(run, TRICK) if case.mode == name] for name in names(run, TRICK)}
    return [name for name, all_of in found.items() if all(one and one.high is not None and one.high < WORTH for one in all_of)]


def harmful(run: Run, part: str) -> list[str]:
    """Where the fast path would be faster with this change: the whole interval lies below 1."""
    found = [(case, longer(case)) for case in _of(run, part)]
    return [
        f"{case.mode} ({title((case.extra['kind'], case.extra['batch']))})"
        for case, ratio in found
        if ratio and ratio.high is not None and ratio.high < 1
    ]


# What is said


def title(question: Question) -> str:
    """('predict', 64) -> 'predict 64'"""
    kind, batch = question
    return f"{kind} {batch}"


def rungs(run: Run) -> Section:
    """One table of all rungs."""
    cases = _of(run, RUNG)
    columns = questions(cases)
    order = ", ".join(map(title, columns))
    return Section(
        "The worklog: the network by hand, rung by rung",
        before=[
            "A rung of the fast network is that network without all that the rungs above it bring. Times are medians; the speed is the "
            "closed form's FLOPs over the time, as a share of that of the fastest large matrix product (sgemm) of this run. A call is one "
            "of NumPy's that reads or writes elements; copied are the bytes that calls write which compute nothing. Divide no time by that of "
            "another rung: they were taken minutes apart and beside other neighbours. The tables of the rungs have the ratios of pairs."
        ],
        table=Table(
            [
                "",
                *map(title, columns),
                f"share of sgemm: {order}",
                f"NumPy calls: {order}",
                f"bytes copied: {order}",
                f"workspace: {order}",
            ],
            [_rung_row(run, cases, name, columns) for name in names(run, RUNG)],
        ),
    )


def _rung_row(run: Run, cases: Sequence[Case], name: str, columns: Sequence[Question]) -> list[Cell]:
    found = [asked(cases, name, question) for question in columns]

    def counts(field: str) -> Several:
        unit = COUNT if field == "numpy_calls" else BYTES
        return Several([Quantity(case.extra[field], unit) if case else NOT_ASKED for case in found])

    return [
        Words(name),
        *(median(run, case) if case else NOT_ASKED for case in found),
        Several([share_of_sgemm(run, case) if case else NOT_ASKED for case in found]),
        *(counts(field) for field in ("numpy_calls", "copied_bytes", "workspace_bytes")),
    ]


def share_of_sgemm(run: Run, case: Case) -> Quantity | Dash:
    """The speed of a call by the closed form, divided by that of the fastest large product."""
    roof = sgemm_speed(run)
    return Quantity(case.extra["flops"] / case.median / roof, SHARE_OF_ROOF, mark=mark_of(run, case)) if roof else NO_SGEMM


def rung(run: Run, name: str) -> Section:
    """One rung by itself: what it bought beside the rung below it, question by question, and what it does in a call."""
    cases = _of(run, RUNG)
    rows = [case for question in questions(cases) if (case := asked(cases, name, question))]
    return Section(
        name,
        table=Table(
            [
                *("", "time", "times as fast as below", "share of sgemm"),
                *(f"floor: {part}" for part in floor.PARTS),
                *("NumPy calls", "copied", "moved", "workspace"),
            ],
            [
                [
                    Words(title((case.extra["kind"], case.extra["batch"]))),
                    median(run, case),
                    _faster(run, case),
                    share_of_sgemm(run, case),
                    *floor.cells(run, case),
                    Quantity(case.extra["numpy_calls"], COUNT),
                    *(Quantity(case.extra[field], BYTES) for field in ("copied_bytes", "moved_bytes", "workspace_bytes")),
                ]
                for case in rows
            ],
        ),
    )


def _faster(run: Run, case: Case) -> Cell:
    """How many times as fast a rung is as the one that it was timed in turns with."""
    if case.extra["against_seconds"] is None:
        return NOTHING_BELOW
    ratio = ratio_interval(case.values("against_seconds"), case.medians)
    return replace(ratio_cell(ratio), mark=mark_of(run, case))


def floors(run: Run) -> Section:
    """One table: the floor under the fast path's times, and what is above it."""
    cases = _of(run, RUNG)
    fast = names(run, RUNG)[-1]
    rows = [case for question in questions(cases) if (case := asked(cases, fast, question))]
    return Section(
        f"The floor under the fast path ({fast})",
        before=[
            "A floor is the price of the NumPy calls, plus that of the bytes that they move, plus that of the multiplications in matrix "
            f"products, each shared among the threads that took part. {_what_was_paid(run)}"
        ],
        table=Table(
            ["", "measured", *floor.PARTS, "floor", "measured / floor", "above the floor"],
            [[Words(title((case.extra["kind"], case.extra["batch"]))), *_above(run, case)] for case in rows],
        ),
        after=[
            "Above the floor are products that are too small to be as fast as large ones, operands that do not lie in the cache, Python "
            "between two calls, and threads that wait for each other."
        ],
    )


def _what_was_paid(run: Run) -> str:
    paid = floor.prices(run)
    if paid is None:
        return "This run did not measure the prices."
    return (
        f"The lowest prices of this run: {SECONDS.show(paid.call)} a call, {SECONDS.show(2**20 * paid.byte)} a MiB in the cache, and "
        f"{SECONDS.show(1e6 * paid.mac)} a million multiplications with additions in a large product, on one thread."
    )


def _above(run: Run, case: Case) -> list[Cell]:
    found, mark = floor.under(run, case), mark_of(run, case)
    measured = [median(run, case), *floor.cells(run, case)]
    if found is None:
        return [*measured, *[floor.NOT_PRICED] * 3]
    above = case.median - found.whole
    return [
        *measured,
        Quantity(found.whole, SECONDS),
        Quantity(case.median / found.whole, RATIO, mark=mark),
        Quantity(above, SECONDS, mark=mark) if above > 0 else BELOW,
    ]


def tricks(run: Run) -> Section:
    """One table: how many times as long the fast path takes without each of its tricks."""
    return Section(
        "The worklog: the fast path without one trick",
        before=[_what_a_ratio_is(run, "The time without the trick divided by that of the fast path.", "Above 1, the trick pays.")],
        table=_ratios(run, TRICK),
        after=[_verdict(run), *_harm(run, TRICK, "The fast path is faster without")],
    )


def _verdict(run: Run) -> str:
    least = BOUND.show(WORTH - 1)
    if run.processes == 1:
        return f"One process cannot tell which of them pay less than {least} everywhere."
    if not (found := unworthy(run)):
        return f"Each of them pays {least} at some question, or this run cannot tell that it does not."
    return f"**These pay less than {least} at every question, so their lines are to go: {'; '.join(found)}.**"


def _harm(run: Run, part: str, what: str) -> list[str]:
    found = harmful(run, part)
    return [f"**{what} {'; '.join(found)}.**"] if found else []


def tried(run: Run) -> Section:
    """One table: how many times as long it takes what did not pay."""
    return Section(
        "The worklog: what did not pay",
        before=[_what_a_ratio_is(run, "The time divided by that of the fast path.", "Above 1, it does not pay.")],
        table=_ratios(run, TRIED),
        after=_harm(run, TRIED, "The fast path would be faster with"),
    )


def _ratios(run: Run, part: str) -> Table:
    cases = _of(run, part)
    columns = questions(cases)
    rows: list[list[Cell]] = [
        [Words(name), *(_longer(run, asked(cases, name, question)) for question in columns)] for name in names(run, part)
    ]
    return Table(["", *map(title, columns)], rows)


def _longer(run: Run, case: Case | None) -> Cell:
    ratio = longer(case) if case else None
    return replace(ratio_cell(ratio), mark=mark_of(run, case)) if case and ratio else NOT_ASKED


def _what_a_ratio_is(run: Run, what: str, reading: str) -> str:
    turns = "Both are timed in turns, call by call, or in blocks with a rest between where threads of the BLAS spin after a call"
    if run.processes == 1:
        return f"{what} **{reading}** {turns}. From one process, so without an interval."
    return f"{what} **{reading}** {turns}; in brackets the {CONFIDENCE:.0%} intervals from {run.processes} processes."
