"""The report as one self-contained page: the sections that the Markdown is made of, the plots, and nothing from anywhere else.

The page loads nothing and cannot: its policy forbids every request and every script but its own.  The same JSON gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from benchmarks.quantities.statistics import CONFIDENCE, share_interval
from benchmarks.report import plots
from benchmarks.report.cells import Cell, Grid, grid, number
from benchmarks.report.records import Paragraph, Plot, Section
from benchmarks.report.text import paragraph
from benchmarks.saved.results import Run

TEMPLATES = Path(__file__).parent / "templates"

NO_REASON = "not measured in this run, or does not apply here"

OTHER = re.compile(r"(?P<ratio>[\d.,]+) x(?: \[(?P<interval>[^\]]*)\])? \((?P<label>[^()]*)\)")
"""How the headline writes one slower framework: 3.46 x [3.40, 3.52] (torch eager)."""


@dataclass(frozen=True)
class Bar:
    """One framework of a card: how long it takes, as a multiple of the fastest."""

    label: str
    framework: str
    times: str
    """As the headline writes it."""
    interval: str = ""

    @property
    def ratio(self) -> float:
        return number(self.times) or 1.0


@dataclass(frozen=True)
class Card:
    """One question of the headline and its answer."""

    question: str
    winner: str
    framework: str
    facts: Sequence[tuple[str, Cell]]
    bars: Sequence[Bar]

    @property
    def longest(self) -> float:
        return max((bar.ratio for bar in self.bars), default=1.0)

    @property
    def equals(self) -> list[str]:
        """Who cannot be told apart from the winner: the interval of the ratio holds 1."""
        return [bar.label for bar in self.bars if bar.interval and (number(bar.interval) or 0) <= 1]


@dataclass(frozen=True)
class Accuracy:
    """How many test images one framework's network classified correctly, and the interval of that share."""

    framework: str
    correct: int
    images: int
    low: float
    high: float

    @property
    def share(self) -> float:
        return self.correct / self.images


def render(run: Run, sections: Sequence[Section], figures: Sequence[Plot]) -> str:
    """The page of a run: its sections, its plots, its accuracies and its circumstances."""
    return html(
        sections,
        figures,
        accuracies=accuracies(run),
        frameworks=plots.colours(run),
        not_measured={**run.not_measured, **run.out_of_reach},
        facts=circumstances(run),
    )


def html(
    sections: Sequence[Section],
    figures: Sequence[Plot] = (),
    *,
    accuracies: Sequence[Accuracy] = (),
    frameworks: Sequence[str] = (),
    not_measured: Mapping[str, str] | None = None,
    facts: Sequence[str] = (),
) -> str:
    """Sections and figures as one HTML file.  The first section is the answer: its table's rows become cards.

    A paragraph that begins in bold is a warning: it is shown as one, and at the top of the page as well.  A cell without a figure
    is a dash with the reason from ``not_measured``.
    """
    sections = [replace(one, before=[*map(paragraph, one.before)], after=[*map(paragraph, one.after)]) for one in sections]
    why = partial(reason, not_measured or {})
    grids = [grid(section.table, why) if section.table else None for section in sections]
    shown = cards(grids[0]) if grids and grids[0] else []
    script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["prose"] = prose
    environment.tests["warning"] = is_warning
    text = environment.get_template("report.html.j2").render(
        sections=list(zip(sections, grids, strict=True)),
        warnings=[
            (index, line)
            for index, section in enumerate(sections)
            if index
            for line in (*section.before, *section.after)
            if is_warning(line)
        ],
        cards=shown,
        short=in_short(shown, accuracies),
        figures=[(figure, Markup(figure.svg)) for figure in figures],
        accuracies=accuracies,
        scale=scale(accuracies),
        confidence=f"{CONFIDENCE:.0%}",
        colours={name: index for index, name in enumerate(frameworks)},
        facts=facts,
        style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    return text.encode("utf-8", "replace").decode()  # half a surrogate pair is valid in JSON, not in a file


def cards(headline: Grid) -> list[Card]:
    """The rows of the headline, question by question: who wins, how fast, and how much longer the others take."""
    found = []
    for question, winner, *rest in headline.rows:
        heads = [column.head for column in headline.columns[2:]]
        texts = [f"{cell.text}{cell.detail}" for cell in rest]
        others = [match for text in texts for match in OTHER.finditer(text)]
        name = f"{winner.text}{winner.detail}"
        bars = [Bar(name, name.partition(" ")[0], "1")] if others else []
        bars += [Bar(it["label"], it["label"].partition(" ")[0], it["ratio"], it["interval"] or "") for it in others]
        facts = [(head, cell) for head, cell, text in zip(heads, rest, texts, strict=True) if OTHER.sub("", text).strip(" ,")]
        found.append(Card(question.text + question.detail, name, name.partition(" ")[0], facts, bars))
    return found


def in_short(shown: Sequence[Card], accuracies: Sequence[Accuracy]) -> list[str]:
    """The answer in a few sentences: who is fastest at what, at which accuracy, and how sure that is."""
    wins: dict[str, list[str]] = {}
    for card in shown:
        if not card.equals:
            wins.setdefault(card.framework, []).append(card.question)
    found = [f"**{framework}** is fastest at {'; '.join(questions)}." for framework, questions in wins.items()]
    if undecided := [card.question for card in shown if card.equals]:
        found.append(f"Not decided: {'; '.join(undecided)}.")
    if accuracies:
        low, high = (f"{100 * end(one.share for one in accuracies):.1f}" for end in (min, max))
        together = max(one.low for one in accuracies) <= min(one.high for one in accuracies)
        kept = "all intervals overlap" if together else "**not** all intervals overlap"
        found.append(f"Test accuracy {low} to {high} %: {kept}." if len(accuracies) > 1 else f"Test accuracy {low} %.")
    if any(card.bars for card in shown):
        sure = all(bar.interval for card in shown for bar in card.bars[1:])
        found.append("Every ratio has its interval." if sure else "One process: the ratios have no interval.")
    return found


def accuracies(run: Run) -> list[Accuracy]:
    """The test accuracy of each framework that was trained to the end."""
    found: dict[str, Accuracy] = {}
    for case in run.group("train"):
        correct, images = case.extra["correct"], case.extra["test_images"]
        found.setdefault(case.framework, Accuracy(case.framework, correct, images, *share_interval(correct, images)))
    return list(found.values())


def scale(shown: Sequence[Accuracy]) -> tuple[int, int]:
    """Where the accuracies' common axis begins and ends, in whole per cent: multiples of 5 around all intervals."""
    if not shown:
        return 0, 100
    low, high = min(one.low for one in shown), max(one.high for one in shown)
    return int(low * 20) * 5, min(100, int(high * 20) * 5 + 5)


def circumstances(run: Run) -> list[str]:
    """What a figure depends on first of all, in a few words each."""
    threads, epochs = run.lenet5["threads"], run.lenet5.get("epochs")
    return [
        str((run.machine.get("cpu") or {}).get("brand_raw", "unknown CPU")),
        f"{threads} thread{'s' * (threads != 1)} each",
        *([f"on {run.device}"] if run.device != "cpu" else []),
        f"{run.processes} process{'es' * (run.processes != 1)}",
        *([f"{epochs} epochs"] if epochs else []),
        run.datetime[:10],
    ]


def reason(not_measured: Mapping[str, str], row: str, column: str) -> str:
    """Why a cell has no figure: what the cases of its row (or column) say that have no number, else that there was none to say it.

    A reason can also be that of a whole row or column, by its title.
    """
    for title in (row, column):
        if title in not_measured:
            return not_measured[title]
        words = re.escape(title.replace(" ", "-"))
        fitting = {
            case: why for case, why in not_measured.items() if title and re.search(rf"[\[-]{words}(?:\]|-\w+=|-[a-z]+\d+\b)", case)
        }
        batch = re.search(r"batch (\d+)", column)
        names = {f"batch{batch[1]}", f"batch={batch[1]}"} if batch else set()  # the second in files of commit 67fa1dc and before
        narrow = {case: why for case, why in fitting.items() if names.intersection(re.split(r"[\[\]-]", case))}
        if fitting:
            return "; ".join(dict.fromkeys(filter(None, (narrow or fitting).values()))) or NO_REASON
    return NO_REASON


def is_warning(line: Paragraph) -> bool:
    """Does a paragraph begin in bold?"""
    return paragraph(line).startswith("**")


def prose(text: str) -> Markup:
    """Text with its **bold** and its `code` as HTML, everything else escaped."""
    safe = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", str(escape(text)))
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", safe))
