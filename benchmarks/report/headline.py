"""The answer: which framework is fastest at what, at which accuracy, and how sure that is."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from benchmarks.quantities.statistics import CONFIDENCE, share_interval
from benchmarks.quantities.units import SECONDS, SHARE, counted
from benchmarks.report import equal_accuracy
from benchmarks.report.disturbance import fastest, threads_in_words
from benchmarks.report.records import Accuracy, Answer, Contender, Quantity
from benchmarks.report.times import of_each, ratio
from benchmarks.saved.results import CONTROL, INITIAL_WEIGHTS, Case, Run

BATCHES = (1, 64, 450)

BY_HAND = "By hand against the frameworks"
"""The title of the section that compares what only predicts, too."""


def title(run: Run, found: Sequence[Answer]) -> str:
    """The question that the run has an answer to; it speaks of equal accuracy only where the run shows that."""
    if any(len(answer.contenders) > 1 for answer in found):
        return f"LeNet-5: which framework is fastest{', at equal accuracy' * equal_accuracy.shown(run, found)}?"
    if not found and run.group(INITIAL_WEIGHTS):
        return "LeNet-5: are the frameworks equally accurate?"
    return "LeNet-5: how long does it take?"


QUESTIONS: Sequence[tuple[str, str, Mapping[str, int]]] = (
    *((f"predict, batch {batch}", "predict", {"batch": batch}) for batch in BATCHES),
    *((group, group, {}) for group in ("train step", "train epoch")),
)
"""Each question, the group that answers it, and which of its cases."""


def answers(run: Run) -> list[Answer]:
    """Each framework in its fastest mode at each question that this run has times for; a disturbed time counts for nothing."""
    found = []
    for question, group, wanted in QUESTIONS:
        best = sorted(_best(run, group, wanted).values(), key=lambda case: case.typical)
        contenders = [
            Contender(
                case.framework, case.mode, Quantity(case.median, SECONDS), ratio(case, best[0]) if case is not best[0] else None
            )
            for case in best
        ]
        if contenders:
            found.append(Answer(question, contenders))
    return found


def _best(run: Run, group: str, wanted: Mapping[str, Any]) -> dict[str, Case]:
    """Framework that trains -> its fastest mode among the cases with the wanted parameters, if that is known."""
    candidates = [case for case in run.group(group) if run.trains(case.framework)]
    return {name: case for name, own in of_each(candidates, wanted).items() if (case := fastest(run, own))}


def left_out(run: Run) -> list[str]:
    """One sentence on the frameworks that stand in no answer to a question because a time that could be their shortest was disturbed."""
    questions: dict[str, list[str]] = {}
    for question, group, wanted in QUESTIONS:
        there = _best(run, group, wanted)
        for framework in of_each(run.group(group), wanted):
            if framework not in there and run.trains(framework):
                questions.setdefault(framework, []).append(question)
    said = [f"{framework} ({'; '.join(asked)})" for framework, asked in questions.items()]
    return [f"Left out here, because their times were disturbed: {', '.join(said)}."] if said else []


def not_ranked(run: Run, compared: Collection[str] = ()) -> list[str]:
    """One sentence on the frameworks that have times for a question but only predict, and so answer none.

    It says where they are compared, if all of them are ``compared`` there.
    """
    measured = {name for _, group, wanted in QUESTIONS for name in of_each(run.group(group), wanted) if not run.trains(name)}
    if not measured:
        return []
    does, is_ranked = ("only predicts", "is") if len(measured) == 1 else ("only predict", "are")
    where = f"; see {BY_HAND}" if measured <= {*compared} else ""
    return [f"{' and '.join(sorted(measured))} {does} and {is_ranked} not ranked here{where}."]


def accuracies(run: Run) -> list[Accuracy]:
    """The test accuracy of each framework that was trained to the end."""
    found: dict[str, Accuracy] = {}
    for case in run.group("train"):
        correct, images = case.extra["correct"], case.extra["test_images"]
        found.setdefault(case.framework, Accuracy(case.framework, correct, images, share_interval(correct, images)))
    return list(found.values())


def summary(found: Sequence[Answer], learned: Sequence[Accuracy], equal: Sequence[str] = ()) -> list[str]:
    """The answer in a few sentences: which framework is fastest at what, what is not decided, at which accuracy, and how sure that is.

    ``equal`` says whether the accuracies are equal.
    """
    wins: dict[str, list[str]] = {}
    for answer in found:
        if len(answer.contenders) > 1 and not answer.undecided:
            wins.setdefault(answer.fastest.framework, []).append(answer.question)
    lines = [f"**{framework}** is fastest at {'; '.join(questions)}." for framework, questions in wins.items()]
    even = [
        f"{answer.question} ({' or '.join(one.label for one in (answer.fastest, *answer.undecided))})"
        for answer in found
        if answer.undecided
    ]
    lines += [f"Not decided: {'; '.join(even)}."] if even else []
    lines += [
        f"{answer.fastest.label} takes {SECONDS.show(answer.fastest.time.value)} for {answer.question}; nothing was compared with it."
        for answer in found
        if len(answer.contenders) == 1
    ]
    ratios = [one.ratio for answer in found for one in answer.contenders if one.ratio]
    sure = "Every ratio has its interval." if all(one.interval for one in ratios) else "One process: the ratios have no interval."
    return [*lines, *_learned(learned), *equal, *([sure] if ratios else [])]


def _learned(learned: Sequence[Accuracy]) -> Iterator[str]:
    if len(learned) == 1:
        yield f"Test accuracy {SHARE.show(learned[0].share)} ({learned[0].framework})."
    elif learned:
        low, high = (end(one.share for one in learned) for end in (min, max))
        together = max(one.interval[0] for one in learned) <= min(one.interval[1] for one in learned)
        kept = "all intervals overlap" if together else "**not** all intervals overlap"
        shares = SHARE.show(low) if SHARE.show(low) == SHARE.show(high) else f"{SHARE.end(low)} to {SHARE.show(high)}"
        yield f"Test accuracy {shares}: {kept}."


def notes(run: Run, found: Sequence[Answer]) -> list[str]:
    """What a ratio of this run is worth."""
    lines = [_how_sure(run)] if any(len(answer.contenders) > 1 for answer in found) else []
    if not run.group(CONTROL):
        lines.append("No control case watched the machine in this run.")
    return lines


def _how_sure(run: Run) -> str:
    begin = "Each framework in its fastest mode; a ratio is how many times longer another one takes than the fastest."
    if run.processes == 1:
        return (
            f"{begin} These ratios come from **one process** and carry no interval: they are good for orders of magnitude, not for a few "
            "per cent. On a shared machine the same case can be much slower a minute later. For intervals: python -m benchmarks run."
        )
    order = " in a random order of its own" if run.lenet5.get("shuffle") is not None else ""
    return (
        f"{begin} Ratio [{CONFIDENCE:.0%} interval] from **{run.processes} processes**, each of which measured every case{order}: "
        "the geometric mean of the ratios within the processes, and Student's t on their logarithms. An interval that holds 1 does not "
        "tell the two apart. Which mode is a framework's fastest was chosen by the same numbers."
    )


def facts(run: Run) -> list[str]:
    """What a figure depends on first of all, in a few words each."""
    epochs = run.lenet5.get("epochs")
    return [
        str((run.machine.get("cpu") or {}).get("brand_raw", "unknown CPU")),
        threads_in_words(run),
        *([f"on {run.device}"] if run.device != "cpu" else []),
        counted(run.processes, "process"),
        *([counted(epochs, "epoch")] if epochs and (run.group("train") or run.group(INITIAL_WEIGHTS)) else []),
        run.datetime[:10],
    ]
