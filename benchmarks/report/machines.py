"""The report of runs from several machines: which framework is how fast on each, and whether their order is the same.

Times of two machines have no ratio.  What is compared is what each machine says by itself: for any two frameworks, which one its processes
show to be faster, by the interval of their ratio.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

from benchmarks.quantities.statistics import CONFIDENCE, ratio_interval
from benchmarks.quantities.units import RATIO, counted
from benchmarks.report import disturbance, headline
from benchmarks.report.disturbance import threads_in_words
from benchmarks.report.records import Alarm, Answer, Cell, Dash, Quantity, Report, Section, Table, Words
from benchmarks.report.times import find
from benchmarks.saved import machines
from benchmarks.saved.results import Case, Run, differences

TITLE = "LeNet-5: are the frameworks in the same order on every machine?"

NO_TIME = Dash("this machine has no undisturbed time of it")


def of(runs: Sequence[Run]) -> Report:
    """What the report of several machines says: a sentence and a table for each question that more than one of them has times for."""
    names = dict(zip(machines.names(runs), runs, strict=True))
    found = {name: {answer.question: answer for answer in headline.answers(run)} for name, run in names.items()}
    questions = [question for question, _, _ in headline.QUESTIONS]
    asked = {
        question: {name: answers[question] for name, answers in found.items() if question in answers} for question in questions
    }
    asked = {question: answers for question, answers in asked.items() if len(answers) > 1}
    return Report(
        title=TITLE,
        disturbed=_disturbed(names),
        facts=[f"{name}, {threads_in_words(run)}, {counted(run.processes, 'process')}" for name, run in names.items()],
        summary=[
            *(f"**{question}**: {_sentence(question, answers, names)}." for question, answers in asked.items()),
            *([] if asked else ["No two machines have times for the same question."]),
            *dict.fromkeys(line for run in runs for line in headline.not_ranked(run)),
        ],
        notes=[*_other_variables(names), _how_to_read(runs)],
        sections=[
            Section(question[0].upper() + question[1:], table=_table(list(names), answers)) for question, answers in asked.items()
        ],
        colours={name: word for run in reversed(runs) for name, word in run.colours.items()},
    )


def _disturbed(names: dict[str, Run]) -> str:
    """'Disturbed: ...' with every machine that was; empty if all were quiet."""
    said = {name: disturbance.sentence(run) for name, run in names.items()}
    found = [f"{name}: {one.removeprefix(disturbance.BEGIN).rstrip('.')}" for name, one in said.items() if one]
    return f"{disturbance.BEGIN}{'; '.join(found)}." if found else ""


def _other_variables(names: dict[str, Run]) -> Iterator[Alarm]:
    """What steers the libraries on one machine and not on the first: an order may be due to that."""
    (_, first), *others = names.items()
    for name, run in others:
        for line in differences(first.lenet5.get("variables"), run.lenet5.get("variables")):
            yield Alarm(f"{name} was measured with another environment than the first machine: {line}")


def _how_to_read(runs: Sequence[Run]) -> str:
    read = "Each framework in its fastest mode on that machine; a ratio is how many times longer it takes than the fastest there."
    if all(run.processes == 1 for run in runs):
        return (
            f"{read} One process on each: no ratio has an interval, and no order is sure. For intervals: python -m benchmarks run."
        )
    return (
        f"{read} In brackets its {CONFIDENCE:.0%} interval from the processes of that machine alone. Two frameworks change places beyond the "
        "intervals if one machine's interval says that the first is faster, and another's that the second is. All else that a run has to say is "
        "in the report of that machine's run alone."
    )


# One question


def _table(names: Sequence[str], answers: dict[str, Answer]) -> Table:
    """A row a machine, a column a framework."""
    frameworks = sorted({one.framework for answer in answers.values() for one in answer.contenders})
    rows: list[list[Cell]] = [
        [
            Words(name),
            answers[name].fastest.time if name in answers else NO_TIME,
            *(_cell(answers.get(name), framework) for framework in frameworks),
        ]
        for name in names
    ]
    return Table(["", "the fastest takes", *frameworks], rows)


def _cell(answer: Answer | None, framework: str) -> Cell:
    found = next((one for one in (answer.contenders if answer else ()) if one.framework == framework), None)
    if found is None:
        return NO_TIME
    ratio = found.ratio or Quantity(1.0, RATIO)
    return Quantity(ratio.value, RATIO, ratio.interval, found.mode)


def _sentence(question: str, answers: dict[str, Answer], names: dict[str, Run]) -> str:
    """Whether the order is the same, and if not, where the intervals say so."""
    cases = {name: _cases(question, answer, names[name]) for name, answer in answers.items()}
    orders = {name: [one.framework for one in answer.contenders] for name, answer in answers.items()}
    shared = [one for one in next(iter(orders.values())) if all(one in order for order in orders.values())]
    if len(shared) < 2:
        return "no two frameworks have times on every machine"
    if all([one for one in order if one in shared] == shared for order in orders.values()):
        sure = all(_first(one, other, of_machine) == one for of_machine in cases.values() for one, other in pairwise(shared))
        return f"the same order on {_all(answers, names)}: {', '.join(shared)}{'' if sure else ', though not everywhere beyond the intervals'}"
    changed = [_changed(one, other, cases) for one, other in combinations(shared, 2)]
    said = [line for line in changed if line]
    if said:
        return f"the order differs beyond the intervals: {'; '.join(said)}"
    return "the order differs, but no two frameworks change places beyond the intervals"


def _all(answers: dict[str, Answer], names: dict[str, Run]) -> str:
    every = "both machines" if len(answers) == 2 else f"all {len(answers)} machines"
    return every if len(answers) == len(names) else f"{every} that have times for it"


def _cases(question: str, answer: Answer, run: Run) -> dict[str, Case]:
    """Framework -> the case that stands for it at a question."""
    group, wanted = next((group, wanted) for asked, group, wanted in headline.QUESTIONS if asked == question)
    fitting = [case for case in run.group(group) if all(case.extra.get(key) == value for key, value in wanted.items())]
    found = {one.framework: find(fitting, (one.framework, one.mode)) for one in answer.contenders}
    return {name: case for name, case in found.items() if case}


def _changed(one: str, other: str, cases: dict[str, dict[str, Case]]) -> str:
    """'numpy before torch on A, torch before numpy on B', if the intervals of two machines say so; empty if not."""
    first = {name: _first(one, other, of_machine) for name, of_machine in cases.items()}
    where = [" and ".join(name for name, its in first.items() if its == framework) for framework in (one, other)]
    return f"{one} before {other} on {where[0]}, {other} before {one} on {where[1]}" if all(where) else ""


def _first(one: str, other: str, cases: dict[str, Case]) -> str | None:
    """Which of two frameworks the processes of one machine show to be faster; None if they do not tell."""
    ratio = ratio_interval(cases[one].medians, cases[other].medians)
    if ratio.low is None or ratio.even:
        return None
    return one if ratio.ratio < 1 else other
