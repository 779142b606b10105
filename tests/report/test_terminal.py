"""A terminal shows the comparison, where the rest is, what makes figures doubtful, and last the answer: in few lines, none too long."""

from __future__ import annotations

import pytest

from benchmarks.quantities.units import COUNT, RATIO, SECONDS, SHARE
from benchmarks.report import report, terminal
from benchmarks.report.parts import comparison
from benchmarks.report.parts.comparison import Row
from benchmarks.report.records import Alarm, Answer, Contender, Dash, Quantity, Quote, Report
from tests.report.test_headline import case, run_of

FRAMEWORKS = ("numpy", "tensorflow", "torch")
WIDEST = '"167.738624 MFLOPs"'


def row(short, cell, printed=""):
    quotes = {name: Quote(printed) for name in FRAMEWORKS} if printed else {}
    return Row(f"{short}, at length", short, dict.fromkeys(FRAMEWORKS, cell), quotes)


ROWS = [
    row("test accuracy", Quantity(0.938, SHARE, (0.912, 0.957)), "20.00 %"),
    row("450 images, best", Quantity(19.7e-3, SECONDS, note="compile_channels_last"), "0.0022 s"),
    row("parameters", Quantity(65406, COUNT), "65,406"),
    row("FLOPs per image", Quantity(1310160, COUNT), WIDEST.strip('"')),
]


def contender(framework, mode, ratio=None):
    return Contender(framework, mode, Quantity(132e-6, SECONDS), ratio and Quantity(ratio, RATIO, (ratio, ratio)))


REPORT = Report(
    title="Which?",
    facts=["EPYC", "2 threads each"],
    alarms=[Alarm("It drifted " * 12, Quantity(1.3, RATIO))],
    summary=["**numpy** is fastest.", "Every ratio has its interval."],
    answers=[
        Answer(
            "predict, batch 450", [contender("numpy", "fused"), contender("torch", "channels_last", 2), contender("x" * 40, "y", 3)]
        )
    ],
)


def lines(rows=ROWS, files=("Written to a",)):
    return terminal.render(REPORT, "What it is. " * 10, rows, files).splitlines()


def test_no_line_is_longer_than_a_terminal():
    """Prose, table, warning and answer keep to 80 columns, and a figure is never parted from its unit."""
    found = lines()
    assert max(map(len, found)) <= 80
    assert "predict, batch 450: numpy fused 132 µs, torch 2.00 x," in found
    assert f"{'x' * 40} 3.00 x" in found


def test_comparison_stands_beside_what_was_printed():
    """Counts are in one line, all frameworks beside each other, and what the original report printed is in the next."""
    found = lines()
    at = next(index for index, line in enumerate(found) if line.startswith("parameters"))
    assert found[at].split() == ["parameters", "65,406", "65,406", "65,406"]
    assert found[at + 1].split() == ["original", "report", *['"65,406"'] * 3]
    assert "  (compile_channels_…" in "\n".join(found)


def test_titles_have_their_noun():
    """The title of a time in the narrow table says what 450 of, in the room that there is."""
    timed = case("torch", "eager", 1.0, batch=450, parameters=1, weight_bytes=4, macs_per_image=1)
    short = [row.short for row in comparison.rows(run_of(timed))]
    assert [title for title in short if "450" in title] == ["450 images", "450 images, best", "one of 450 images"]
    assert max(map(len, short)) <= 17


def test_answer_comes_last():
    """After the table come the files, then the warning, then times and ratios, then the answer in words."""
    found = "\n".join(lines())
    order = [
        "What it is.",
        "65,406",
        "EPYC · 2 threads each",
        "Written to a",
        "Warning: It drifted",
        "predict, batch 450",
        "fastest.",
    ]
    assert [found.index(words) for words in order] == sorted(found.index(words) for words in order)
    assert found.endswith("numpy is fastest.\nEvery ratio has its interval.")


def test_many_frameworks_stand_in_blocks():
    """Frameworks that do not fit beside the others come in a further block under their own heads."""
    names = [*FRAMEWORKS, "jax", "onnxruntime"]
    found = lines(
        [Row("FLOPs", "FLOPs", dict.fromkeys(names, Quantity(1310160, COUNT)), {name: Quote("1" * 20) for name in names})]
    )
    heads = [line.split() for line in found if line.split() and set(line.split()) <= set(names)]
    assert heads == [["numpy", "tensorflow"], ["torch", "jax"], ["onnxruntime"]]
    assert max(map(len, found)) <= 80


def test_dash_has_its_reason():
    """Why a figure of the comparison is missing stands below the table."""
    found = lines([row("parameters", Dash("no such framework here"))])
    assert "— no such framework here" in found


def test_without_a_comparison():
    """Runs of several versions have no comparison, and then nothing is introduced."""
    assert lines([])[0] == "EPYC · 2 threads each"


def test_names_cannot_steer_the_terminal():
    """Control characters in a name from a file are shown, not sent."""
    run = run_of(case("numpy", "fused\x1b[2J\r", 1.0), case("torch\a", "eager", 2.0))
    text = terminal.render(report.of(run), "", [], [])
    assert "fused\ufffd[2J" in text
    assert not {letter for letter in text if not letter.isprintable()} - {"\n"}


def test_only_what_was_printed():
    """A line of the comparison that the original report has nothing for stays in the files; if it has nothing at all, all stand there."""
    counted = row("MACs per image", Quantity(655080, COUNT))
    assert "MACs" not in "\n".join(lines([*ROWS, counted]))
    assert "MACs per image" in "\n".join(lines([counted]))


REST = 21
"""Lines of pytest itself in a session of all frameworks at 80 columns: its head, a line a file, and the line at the end; a path may break."""


def test_size():
    """With the whole comparison, a warning, five questions and a long answer, a session's output has at most 60 lines."""
    whole = [ROWS[0], *ROWS]
    answer = Answer(
        "predict, batch 450", [contender("torch", "compile"), contender("tensorflow", "graph", 1e2), contender("numpy", "fused", 2)]
    )
    report = Report(
        "",
        facts=["AMD EPYC 7B13 64-Core Processor", "2 threads each", "1 process", "30 epochs", "2026-01-02"],
        alarms=[Alarm("It drifted " * 18, Quantity(1.3, RATIO))],
        answers=[answer] * 5,
        summary=["a " * 70, "b " * 60, "c", "d"],
    )
    found = terminal.render(report, comparison.INTRODUCTION, whole, ["Measured: a", "The whole report: b"])
    assert len(found.splitlines()) + REST <= 60


@pytest.mark.parametrize("count", [1, 2])
def test_long_path_is_not_broken(count):
    """A path can be copied whole."""
    path = "a-directory/" * 10
    assert f"Measured: {path}" in lines(files=[f"Measured: {path}"] * count)
