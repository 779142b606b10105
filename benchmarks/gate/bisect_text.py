"""What a bisection found becomes text: Markdown for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.gate.bisect import Result, Step
from benchmarks.gate.bisection import CHANCE, NOT_SLOWER
from benchmarks.gate.history import Commit
from benchmarks.gate.rows import short
from benchmarks.gate.text import ratio_of
from benchmarks.gate.verdicts import SLOWER
from benchmarks.quantities import units
from benchmarks.report import markdown
from benchmarks.report.records import Cell, Dash, Quantity, Report, Section, Table, Words

FORMAT = 1

Again = Callable[[Commit, Commit], str]
"""The commits of two sides, base and head -> the command line of a gate that compares them."""


def headline(result: Result) -> str:
    """The answer in one line."""
    first, found = result.first, result.found
    if not found:
        return "bad is not slower than good" if first.answer.verdict == NOT_SLOWER else "undecided whether bad is slower than good"
    if len(found.suspects) == 1:
        return f"{_named(result)} made it slower"
    return f"one of {len(found.suspects)} commits made it slower, undecided which"


def render(result: Result, again: Again) -> str:
    """The result as Markdown that a terminal shows as well."""
    sections = [_commits(result)] if result.found else []
    return markdown.render(
        Report(
            title=f"Bisect: {headline(result)}",
            notes=_notes(result),
            sections=[*sections, _ratios(result), _measured(result), Section("Commands", after=_commands(result, again))],
        )
    )


def as_json(result: Result, again: Again) -> dict[str, Any]:
    """The result in raw values; ratios are commit / good."""
    found, asked = result.found, result.asked
    suspects = [asked.line[index] for index in found.suspects] if found else []
    return {
        "format": FORMAT,
        "exit_code": result.exit_code,
        "headline": headline(result),
        "good": asked.line[0].name,
        "bad": asked.line[-1].name,
        "commits": asked.commits,
        "chance_of_a_wrong_commit": CHANCE,
        "out_of_time": result.out_of_time,
        "suspects": [vars(commit) for commit in suspects],
        "followed": list(result.followed),
        "measured": [_step(result, step) for step in (result.first, *result.steps)],
        "command": again(*_around(result)),
    }


def _step(result: Result, step: Step) -> dict[str, Any]:
    rows = step.outcome.verdicts if step.outcome else ()
    return {
        "commit": result.asked.line[step.index].name,
        "verdict": step.answer.verdict,
        **({"reason": step.answer.reason} if step.answer.reason else {}),
        "pairs": len(step.outcome.pairs) if step.outcome else 0,
        "folder": str(step.folder) if step.folder else None,
        "rows": [{"case": row.case, "metric": row.metric.name, **vars(verdict)} for row, verdict in rows],
    }


def _named(result: Result) -> Commit:
    assert result.found
    return result.asked.line[result.found.high]


def _around(result: Result) -> tuple[Commit, Commit]:
    """The last commit that is not slower and the first that is, as far as that is known."""
    line, found = result.asked.line, result.found
    return (line[found.low], line[found.high]) if found else (line[0], line[-1])


def _notes(result: Result) -> list[str]:
    notes = []
    if result.out_of_time:
        notes.append("The time was up; python -m benchmarks bisect --resume goes on.")
    if result.found:
        notes.append(
            f"With a chance of at most {100 * CHANCE:g} % a verdict behind this is wrong. If none is, {_named(result).short} passes a threshold below against "
            f"good, and {_around(result)[0].short} passes none."
        )
        merged = _named(result)
        if result.exit_code == 1 and len(merged.parents) > 1:
            notes.append(
                f"It is a merge, one step of the line of first parents; what it brought in is {merged.parents[0][:12]}..{merged.parents[1][:12]}."
            )
    return notes


def _commits(result: Result) -> Section:
    """The commit that is named, or all that it can be."""
    assert result.found
    rows: list[tuple[Cell, ...]] = []
    for index in result.found.suspects:
        commit, step = result.asked.line[index], result.step(index)
        known = step.answer.reason or step.answer.verdict if step else "not looked at"
        rows.append((Words(commit.name), Words(commit.subject), Words(commit.author), Words(commit.date), Words(known)))
    title = "The commit" if len(rows) == 1 else "The commits that it can be"
    return Section(title, table=Table(("hash", "subject", "author", "date", "is"), rows))


def _ratios(result: Result) -> Section:
    """Each row that is followed: good against the commit before, the first that is slower, and bad."""
    before, after = _around(result)
    last = result.asked.line[-1]
    line = list(result.asked.line)
    shown = list(dict.fromkeys(line.index(commit) for commit in (before, after, last)))
    assert result.first.outcome
    keys = result.followed or [row.key for row, _ in result.first.outcome.verdicts]
    rows: list[tuple[Cell, ...]] = []
    for key in keys:
        of_bad = result.first.of(key)
        assert of_bad
        cells = [_ratio(result, index, key) for index in shown]
        threshold = Quantity(of_bad[0].threshold(result.rules), units.BOUND)
        rows.append((Words(short(of_bad[0].case)), Words(of_bad[0].metric.name), *cells, threshold))
    head = [f"{line[index].short}{_role(index, result)} / good" for index in shown]
    return Section("Ratios", table=Table(("case", "metric", *head, "threshold"), rows))


def _role(index: int, result: Result) -> str:
    return {0: " (good)", result.asked.commits: " (bad)"}.get(index, "")


def _ratio(result: Result, index: int, key: str) -> Cell:
    if index == 0:
        return Dash("good itself")
    step = result.step(index)
    found = step.of(key) if step else None
    return ratio_of(*found, result.rules) if found else Dash("the same files as a commit that was measured")


def _measured(result: Result) -> Section:
    rows: list[tuple[Cell, ...]] = []
    for step in (result.first, *result.steps):
        commit = result.asked.line[step.index]
        said = f"{step.answer.verdict}: {step.answer.reason}" if step.answer.reason else step.answer.verdict
        pairs = Quantity(len(step.outcome.pairs), units.COUNT) if step.outcome else Dash("not measured")
        rows.append((Words(commit.short), Words(commit.subject), pairs, Words(said.upper() if said == SLOWER else said)))
    return Section("What was measured", table=Table(("commit", "subject", "pairs", "against good"), rows), after=_method(result))


def _method(result: Result) -> Sequence[str]:
    first = result.first.outcome
    assert first
    counted = f"{units.counted(result.asked.commits, 'commit')} after good, by first parents. "
    if not result.found:
        return [counted]
    return [
        f"{counted}Each commit is a gate of its own against good, with pairs of its own, which is as sure as it has to be for the chance above. "
        "Ratios are commit / good, the middle of the pairs' ratios, with the interval of the verdict. A time counts as slower from half of bad's "
        "slow-down on, on a logarithmic scale, if that is more than --threshold."
    ]


def _commands(result: Result, again: Again) -> list[str]:
    before, after = _around(result)
    lines = [f"Measured anew: `{again(before, after)}`"]
    folders = [step.folder for step in (result.first, *result.steps) if step.folder and result.asked.line[step.index] == after]
    if folders:
        lines.append(f"The recorded pairs of {after.short} against good: `python -m benchmarks verdict {folders[0]}`")
    return lines
