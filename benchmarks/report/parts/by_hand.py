"""The report's part on the network by hand: against the best of the frameworks, beside ONNX Runtime, and up its own ladder.

A ratio below 1 is good news for the network by hand.  The best of the frameworks is the mode whose median over the processes is
lowest; the interval is that of the ratio to this one mode.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from benchmarks import BY_HAND
from benchmarks.quantities import units
from benchmarks.quantities.statistics import CONFIDENCE, Ratio, ratio_interval
from benchmarks.report.drawing import Axis, Line, draw
from benchmarks.report.plots import drawn, intervals_of, is_positive, with_batch
from benchmarks.report.records import Plot, Section, Table
from benchmarks.report.text import DASH
from benchmarks.saved.results import BESIDE, Case, Run

GROUPS = {"predict": "predict", "train step sgd": "training step, SGD", "train step": "training step, Adam"}
LADDER = "ladder"
LOWEST = "loops"
"""The rung that all others are compared with: the textbook's definition, which is also how the seed computed."""


@dataclass(frozen=True)
class Duel:
    """One question, the network by hand in its fastest mode, and whom that is compared with."""

    question: str
    by_hand: Case
    other: Case
    label: str
    """Of the other."""
    chosen_from: str
    lacking: tuple[str, ...] = ()
    """Modes that the other could also have been, had they been measured."""

    @property
    def ratio(self) -> Ratio:
        """How many times as long the network by hand takes."""
        return ratio_interval(self.by_hand.medians, self.other.medians)


def sections(run: Run) -> list[Section]:
    """What this run can say of both: against the others, and rung by rung."""
    found = duels(run)
    return ([_against(run, found)] if found else []) + ([_rungs(run)] if ladder(run) else [])


# What is computed


def duels(run: Run) -> list[Duel]:
    """Every question to which this run has an answer by hand and another."""
    return [*_against_frameworks(run), *_against_onnx_runtime(run)]


def ladder(run: Run) -> dict[str, list[Case]]:
    """Question -> its rungs, from the lowest up."""
    found: dict[str, list[Case]] = {}
    for case in run.group(LADDER):
        found.setdefault(f"{case.extra['kind']}, batch {case.extra['batch']}", []).append(case)
    return found


def lowest(rungs: Sequence[Case]) -> Case | None:
    """The textbook loops, if they were measured."""
    return next((case for case in rungs if case.mode == LOWEST), None)


def _against_frameworks(run: Run) -> Iterator[Duel]:
    for group, title in GROUPS.items():
        for batch in sorted({case.extra["batch"] for case in run.group(group)}):
            cases = [case for case in run.group(group) if case.extra["batch"] == batch]
            own = [case for case in cases if case.framework == BY_HAND]
            others = [case for case in cases if case.framework != BY_HAND]
            if own and others:
                best, lacking = _fastest(others), _modes(run) - {_label(case) for case in others}
                total = f"{len(others)} of {len(others) + len(lacking)}" if _modes(run) else str(len(others))
                chosen_from = f"{total} mode{'s' * (total != '1')}"
                yield Duel(f"{title}, batch {batch}", _fastest(own), best, _label(best), chosen_from, tuple(sorted(lacking)))


def _against_onnx_runtime(run: Run) -> Iterator[Duel]:
    for case in run.group(BESIDE):
        batch = case.extra["batch"]
        own = [other for other in run.group("predict") if other.framework == BY_HAND and other.extra["batch"] == batch]
        if own:
            name = f"{case.framework} {case.extra['version']}"
            yield Duel(f"predict, batch {batch}, against {case.framework}", _fastest(own), case, name, "it alone")


def _fastest(cases: Sequence[Case]) -> Case:
    return min(cases, key=lambda case: case.median)


def _label(case: Case) -> str:
    return f"{case.framework} {case.mode}"


def _modes(run: Run) -> set[str]:
    """All that the frameworks could be compared in, as the file has it; empty if it does not say."""
    known = run.lenet5.get("modes", {})
    return {f"{framework} {mode}" for framework, modes in known.items() if framework != BY_HAND for mode in modes}


# What is said


def _against(run: Run, found: Sequence[Duel]) -> Section:
    threads = run.lenet5["threads"]
    sure = (
        f"Ratio [{CONFIDENCE:.0%} interval] from {run.processes} processes." if run.processes > 1 else "One process: no interval."
    )
    rows = [
        [
            duel.question,
            f"{units.seconds(duel.by_hand.median)} ({duel.by_hand.mode})",
            f"{units.seconds(duel.other.median)} ({duel.label})",
            units.times(*duel.ratio),
            duel.chosen_from,
        ]
        for duel in found
    ]
    return Section(
        "By hand against the frameworks",
        before=[
            "The network by hand in its fastest mode, and the fastest of all modes of all frameworks: same weights, same batch, same "
            f"processes, {threads} thread{'s' * (threads != 1)} for everybody. Below 1 the network by hand is the faster one. {sure}"
        ],
        table=Table(["", "by hand", "best of the others", "by hand / best", "chosen from"], rows),
        after=[
            *_lacking(found),
            "Which mode is fastest was chosen by the same numbers that are compared. Of several modes that are equally fast the luckiest "
            "is chosen, and the frameworks have more modes to be lucky in: the choice is in their favour.",
            *_no_onnx_runtime(run),
        ],
    )


def _lacking(found: Sequence[Duel]) -> Iterator[str]:
    """What a best was not chosen from, once for all the questions that lack the same."""
    questions: dict[tuple[str, ...], list[str]] = {}
    for duel in found:
        questions.setdefault(duel.lacking, []).append(duel.question)
    for lacking, where in questions.items():
        if lacking:
            yield (
                f"Without a number for {', '.join(lacking)}: {'; '.join(where)}. Any of these could be the best, and the ratio to it larger; "
                "a run with --heavy whose -k leaves none out has them."
            )


def _no_onnx_runtime(run: Run) -> Iterator[str]:
    reasons = [reason for name, reason in run.not_measured.items() if "::test_beside[" in name]
    if reasons:
        yield f"ONNX Runtime has no number: {'; '.join(dict.fromkeys(reasons))}."


def _rungs(run: Run) -> Section:
    alone = run.lenet5["threads"] == 1
    rows = [row for question, rungs in ladder(run).items() for row in _climb(question, rungs)]
    return Section(
        "The ladder by hand: what each rung buys",
        before=[
            "The same network from the textbook's loops, as in the seed, to threads: the same logits on every rung. "
            f"{_what_a_ratio_is(run)}"
        ],
        table=Table(
            [
                "",
                "time",
                "times as fast as the rung above",
                "times as fast as loops",
                "memory of a call",
                "times that of the rung above",
                "times that of loops",
                "kept after it",
            ],
            rows,
        ),
        after=[
            *(["One thread for everybody: the last two rungs are the same network, measured twice."] if alone else []),
            "Memory of a call is the most that a new network's first call of that size held at a time in arrays and Python objects "
            "(tracemalloc): its workspace and all that it computes in between, neither images nor weights nor the optimizer's state. "
            "Kept after it is the workspace that stays for the next call.",
        ],
    )


def _climb(question: str, rungs: Sequence[Case]) -> Iterator[list[str]]:
    """A row a rung, each against the one before and against the loops."""
    for above, case in zip([None, *rungs], rungs, strict=False):
        yield [
            f"{question}: {case.mode}",
            units.seconds(case.median),
            *(_faster(case, reference) for reference in (above, lowest(rungs))),
            units.size(case.extra["traced_peak_bytes"]),
            *(_larger(case, reference) for reference in (above, lowest(rungs))),
            units.size(case.extra["workspace_bytes"]),
        ]


def _faster(case: Case, reference: Case | None) -> str:
    return DASH if reference is None or reference is case else units.times(*ratio_interval(reference.medians, case.medians))


def _larger(case: Case, reference: Case | None) -> str:
    if reference is None or reference is case or reference.extra["traced_peak_bytes"] <= 0:
        return DASH
    return units.times(case.extra["traced_peak_bytes"] / reference.extra["traced_peak_bytes"])


def _what_a_ratio_is(run: Run) -> str:
    if run.processes == 1:
        return "Ratios from one process, so without an interval."
    return f"Ratios of times with their {CONFIDENCE:.0%} intervals from {run.processes} processes."


# What is drawn


def plots(run: Run) -> list[Plot]:
    return drawn(run, ladder_time, ladder_memory)


def ladder_time(run: Run) -> Plot | None:
    """How many times as fast as the textbook loops each rung is, question by question."""
    questions = {question: rungs for question, rungs in _ladders(run).items() if lowest(rungs)}
    rows = _rows(questions.values())
    lines = []
    for index, (question, rungs) in enumerate(questions.items()):
        loops = lowest(rungs) or rungs[0]
        ratios = [ratio_interval(loops.medians, case.medians) for case in rungs]
        at = [rows.index(case.mode) for case in rungs]
        faster = [one.ratio for one in ratios]
        lines.append(Line(question, faster, at, 3 + index, index, intervals=intervals_of(ratios), rows=True))
    if not lines:
        return None
    caption = "Right is faster. The same network by hand from the textbook loops down to threads; the axis is logarithmic."
    if run.processes > 1:
        caption += f" Bars are {CONFIDENCE:.0%} intervals over {run.processes} processes."
    x = Axis("times as fast as the loops", "log")
    return Plot("ladder-time", "By hand: time, rung by rung", caption, draw("ladder-time", lines, x, Axis("", names=rows)))


def ladder_memory(run: Run) -> Plot | None:
    """The most memory that a call holds on each rung, question by question."""
    questions = _ladders(run)
    rows = _rows(questions.values())
    lines = []
    for index, (question, rungs) in enumerate(questions.items()):
        mebibytes = [case.extra["traced_peak_bytes"] / 2**20 for case in rungs]
        at = [rows.index(case.mode) for case in rungs]
        lines.append(Line(question, mebibytes, at, 3 + index, index, rows=True))
    if not lines:
        return None
    caption = "Left is smaller. The most that a first call holds at a time in arrays and Python objects, its workspace included."
    x = Axis("memory of a call (MiB)", "log")
    return Plot("ladder-memory", "By hand: memory, rung by rung", caption, draw("ladder-memory", lines, x, Axis("", names=rows)))


def _ladders(run: Run) -> dict[str, list[Case]]:
    """Question -> the rungs that are whole enough to be drawn."""
    cases = [case for case in with_batch(run, "ladder") if isinstance(case.extra.get("kind"), str)]
    return ladder(replace(run, cases=tuple(case for case in cases if is_positive(case.extra.get("traced_peak_bytes")))))


def _rows(ladders: Iterable[Sequence[Case]]) -> list[str]:
    """The rungs, each once, from the lowest up."""
    return list(dict.fromkeys(case.mode for rungs in ladders for case in rungs))
