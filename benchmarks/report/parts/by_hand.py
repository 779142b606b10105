"""Is the network by hand faster than the frameworks?  Its fastest mode against the fastest of theirs, and against each that only predicts.

The fastest is the mode with the lowest geometric mean over the processes: no other mode has a ratio that is larger.  The interval is that of the
ratio to this one mode.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from benchmarks.quantities.statistics import CONFIDENCE, Ratio, ratio_interval
from benchmarks.quantities.units import counted
from benchmarks.report.disturbance import mark_of, threads_in_words
from benchmarks.report.drawing import Axis, Line, draw
from benchmarks.report.estimates import ratio_cell
from benchmarks.report.headline import BY_HAND
from benchmarks.report.lines import bars, drawn, intervals_of
from benchmarks.report.reasons import NOT_IN_RUN, dash
from benchmarks.report.records import Cell, Plot, Section, Table, Words
from benchmarks.report.times import label, median
from benchmarks.saved.results import BESIDE, Case, Run

GROUPS = {"predict": "predict", "train step sgd": "training step, SGD", "train step": "training step, Adam"}

ALONE = "it alone"
"""What an opponent that only predicts was chosen from."""


@dataclass(frozen=True)
class Duel:
    """One question, the network by hand in its fastest mode, and the opponent that it is compared with."""

    question: str
    by_hand: Case
    other: Case
    label: str
    """Of the other."""
    chosen_from: str
    not_asked: tuple[str, ...] = ()
    """Modes that could have been the other, but that the run did not try to measure."""

    @property
    def ratio(self) -> Ratio:
        """The time of the network by hand divided by that of the other."""
        return ratio_interval(self.by_hand.medians, self.other.medians)


def sections(run: Run) -> list[Section]:
    """One section, if this run has a question with an answer by hand and another."""
    found = duels(run)
    return [_against(run, found)] if found else []


def plots(run: Run) -> list[Plot]:
    return drawn(run, ratios)


def ratios(run: Run) -> Plot | None:
    """Each ratio of the section with its interval, a row a question."""
    found = duels(run)
    if not found:
        return None
    each = [duel.ratio for duel in found]
    line = Line(
        f"{run.by_hand} / fastest of the frameworks",
        [one.ratio for one in each],
        range(len(found)),
        colour=run.colours[run.by_hand],
        joined=False,
        intervals=intervals_of(each),
        rows=True,
    )
    caption = (
        f"Left of the dashed line, below 1, {run.by_hand} is faster. Time of the network by hand divided by that of {_opponents(found)}."
        f"{bars(run)}"
    )
    title = f"{run.by_hand} by hand against the fastest framework"
    x = Axis("time by hand / the other's", zero=True)
    svg = draw("by-hand", [line], x, Axis("", names=[duel.question for duel in found]), level=(1, ""), legend=False)
    return Plot("by-hand", title, caption, svg)


# What is computed


def duels(run: Run) -> list[Duel]:
    """Every question to which this run has an answer by hand and another."""
    return [*_against_frameworks(run), *_against_yardsticks(run)]


def _against_frameworks(run: Run) -> Iterator[Duel]:
    for group, title in GROUPS.items():
        for batch in sorted({case.extra["batch"] for case in run.group(group)}):
            cases = [case for case in run.group(group) if case.extra["batch"] == batch]
            own = [case for case in cases if case.framework == run.by_hand]
            others = [case for case in cases if case.framework != run.by_hand and run.trains(case.framework)]
            if own and others:
                best, lacking = min(others, key=_typical), _lacking(run, others)
                yield Duel(
                    question=f"{title}, batch {batch}",
                    by_hand=min(own, key=_typical),
                    other=best,
                    label=label(best),
                    chosen_from=_chosen_from(run, len(others), len(lacking)),
                    not_asked=tuple(
                        sorted(" ".join(pair) for pair in lacking if dash(run, *pair, batch, group).reason == NOT_IN_RUN)
                    ),
                )


def _against_yardsticks(run: Run) -> Iterator[Duel]:
    """What only predicts, in its fastest mode."""
    cases = [*run.group(BESIDE), *(case for case in run.group("predict") if not run.trains(case.framework))]
    for name in sorted({case.framework for case in cases}):
        for batch in sorted({case.extra["batch"] for case in cases if case.framework == name}):
            own = [case for case in run.group("predict") if case.framework == run.by_hand and case.extra["batch"] == batch]
            if own:
                other = min((case for case in cases if (case.framework, case.extra["batch"]) == (name, batch)), key=_typical)
                title = f"{name} {other.extra['version']}" if other.group == BESIDE else label(other)
                yield Duel(f"predict, batch {batch}, against {name}", min(own, key=_typical), other, title, ALONE)


def _typical(case: Case) -> float:
    return case.typical


def _modes(run: Run) -> set[tuple[str, str]]:
    """(framework, mode) of all that the network by hand can be compared with on this device, as the file has it; empty if it does not say."""
    known = run.lenet5.get("modes", {})
    impossible = run.lenet5.get("gpu_only", {}) if run.device == "cpu" else {}
    others = (framework for framework in known if framework != run.by_hand and run.trains(framework))
    return {(framework, mode) for framework in others for mode in known[framework] if mode not in impossible.get(framework, ())}


def _lacking(run: Run, others: Sequence[Case]) -> set[tuple[str, str]]:
    """Those of the modes that none of these cases measured."""
    return _modes(run) - {(case.framework, case.mode) for case in others}


def _chosen_from(run: Run, measured: int, lacking: int) -> str:
    """'3 of 9 modes'; '3 modes' for a file that does not say how many there could be."""
    return f"{measured} of {counted(measured + lacking, 'mode')}" if _modes(run) else counted(measured, "mode")


# What is said


def _against(run: Run, found: Sequence[Duel]) -> Section:
    sure = (
        f"Ratio [{CONFIDENCE:.0%} interval] from {run.processes} processes."
        if run.processes > 1
        else "One process: the ratios have no interval."
    )
    return Section(
        BY_HAND,
        before=[
            f"Time of the network by hand ({run.by_hand}) in its fastest mode, divided by the time of {_opponents(found)}: "
            f"same weights, same batch, same processes, {threads_in_words(run)}. "
            f"**Below 1, {run.by_hand} is faster.** {sure}"
        ],
        table=Table(
            ["", "by hand", "fastest of the others", "by hand / fastest", "chosen from"], [_row(run, duel) for duel in found]
        ),
        after=[
            *_not_asked(found),
            *_why_no_quotient(run),
            "Which mode is fastest was chosen by the same numbers that are compared. Of several modes that are equally fast the luckiest "
            "is chosen, and the frameworks have more modes to be lucky in: the choice favours them.",
        ],
    )


def _why_no_quotient(run: Run) -> Iterator[str]:
    """Why the ratio is not that of the times beside it, where it need not be."""
    if run.processes > 1:
        yield (
            "The ratio is the geometric mean of the ratios within the processes, and a mode is fastest by that too; the times are medians "
            "over the processes, so that one divided by the other can be another number."
        )


def _opponents(found: Sequence[Duel]) -> str:
    """Whose time the questions divide by."""
    named = ", or of the one opponent that a row names" if any(duel.chosen_from == ALONE for duel in found) else ""
    return f"the fastest mode of any framework{named}"


def _row(run: Run, duel: Duel) -> list[Cell]:
    return [
        Words(duel.question),
        median(run, duel.by_hand, duel.by_hand.mode),
        median(run, duel.other, duel.label),
        replace(ratio_cell(duel.ratio), mark=mark_of(run, duel.by_hand, duel.other)),
        Words(duel.chosen_from),
    ]


def _not_asked(found: Sequence[Duel]) -> Iterator[str]:
    """Which modes no fastest was chosen from because the run left them out, once for all questions that lack the same.

    A mode that the run tried in vain stands in the list of what is missing, with its reason.
    """
    questions: dict[tuple[str, ...], list[str]] = {}
    for duel in found:
        questions.setdefault(duel.not_asked, []).append(duel.question)
    for modes, where in questions.items():
        if modes:
            yield (
                f"This run left out {', '.join(modes)} ({'; '.join(where)}). Any of these could be the fastest, and the ratio to it "
                "larger; a run with `--heavy` and without `-k` has them."
            )
