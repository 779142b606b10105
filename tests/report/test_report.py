"""A saved run becomes exactly this text.

The expected texts lie beside the runs in tests/data.  After a change that is meant, look at the difference and write them anew:

    python -m benchmarks report tests/data/run/process-001.json --output tests/data/one-process
    python -m benchmarks report tests/data/run --output tests/data/three-processes
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks.report import markdown, report
from benchmarks.report.records import Dash, Quantity, Quote, Several, Words
from benchmarks.saved.results import load_many
from tests.support.documents import rescale

DATA = Path(__file__).parents[1] / "data"
RUN = DATA / "run"


@pytest.fixture
def text(tmp_path):
    """text(change, processes) -> the report of the first processes, each changed in place by change(document, number)."""

    def render(change, processes=1):
        for path in sorted(RUN.iterdir())[:processes]:
            document = json.loads(path.read_text(encoding="utf-8"))
            change(document, int(path.stem[-1]))
            (tmp_path / path.name).write_text(json.dumps(document), encoding="utf-8")
        return report.write([tmp_path], tmp_path / "report").text

    return render


@pytest.mark.parametrize(("source", "expected"), [("run/process-001.json", "one-process"), ("run", "three-processes")])
def test_whole_text(tmp_path, source, expected):
    """The whole Markdown of one process, and of three."""
    written = report.write([DATA / source], tmp_path)

    assert written.text == (DATA / expected / "report.md").read_text(encoding="utf-8")
    assert written.path.read_text(encoding="utf-8") == written.text


def headline(text):
    """The first section."""
    return text.partition("\n## ")[0]


def test_ratio_has_an_interval_from_several_processes_only():
    """From several processes each ratio has its interval and its origin; from one it has none, and the text says so."""
    several = markdown.render(report.of(load_many([RUN])))
    one = markdown.render(report.of(load_many([RUN / "process-001.json"])))

    assert "1.99 x [1.75, 2.26] (torch eager)" in headline(several)
    assert "from **3 processes**" in headline(several)
    assert "2.00 x (torch eager)" in headline(one)
    assert "**one process** and carry no interval" in headline(one)


def test_control_is_no_column(text):
    """The cases that watch the machine are not compared with the networks."""
    heads = [line for line in text(lambda document, number: None).splitlines() if line.startswith("|  ")]

    assert not any("control" in head for head in heads)


def change_control(position, factor, in_process):
    """A change that makes one of the two control cases slower in one process."""

    def change(document, number):
        if number == in_process:
            rescale(document["benchmarks"][position], factor)

    return change


@pytest.mark.parametrize("factor", [1.5, 0.7])
def test_drift_across_processes(text, factor):
    """A control that one process ran at another speed is a warning right under the headline, and is said nowhere else."""
    found = text(change_control(0, factor, in_process=2), processes=3)
    across, within = (line for line in headline(found).splitlines() if line.startswith("**Warning: "))

    assert across.startswith(
        "**Warning: The machine was not the same for every process; the same work (product first) took at most"
    )
    assert across.endswith("the bound is 1.10 x. Measure again on a quiet machine before you believe a ratio.**")
    assert within.startswith("**Warning: The machine drifted within a process")
    assert found.count("the bound") == 2


@pytest.mark.parametrize("factor", [1.5, 0.7])
@pytest.mark.parametrize("processes", [1, 3])
def test_drift_within_a_process(text, factor, processes):
    """A control whose last time is not its first is a warning, from one process as from several."""
    first = headline(text(change_control(1, factor, in_process=1), processes))

    assert "**Warning: The machine drifted within a process" in first
    assert "the bound is 1.10 x" in first


def test_no_drift(text):
    """Below the bound there is no warning, and the section on the machine says that it held still."""
    found = text(change_control(1, 1.05, in_process=1))

    assert "Warning" not in found
    assert "The control stayed within the bound of 1.10 x." in found


def test_without_control(text):
    """A run without a control says once that nothing watched, and has no section on it."""

    def change(document, number):
        document["benchmarks"] = [case for case in document["benchmarks"] if case["group"] != "control"]

    found = text(change)
    assert found.count("No control case watched the machine in this run.") == 1
    assert "hold still" not in found


def test_nothing_missing(text):
    """Where every case has its number nothing is said of missing ones."""

    def change(document, number):
        document["machine_info"]["lenet5"]["not_measured"] = {}

    assert "What is missing" not in text(change)
    assert text(lambda document, number: None).count("What is missing") == 1


def test_one_case_has_few_sections(text):
    """A run of one case says what that case says: no section that holds nothing, no accuracy, no comparison of frameworks."""

    def change(document, number):
        document["benchmarks"] = [case for case in document["benchmarks"] if "test_predict[numpy-im2col" in case["name"]]
        document["machine_info"]["lenet5"].update(not_measured={}, frameworks={"numpy": {"version": "2.4.6"}})

    found = text(change)
    titles = [line for line in found.splitlines() if line.startswith("#")]
    assert titles[0] == "# LeNet-5: how long does it take?"
    assert {"## Inference", "## Circumstances"} < set(titles)
    assert len(titles) <= 7
    for absent in ("accuracy", "Training", "learn", "not measured", "Not measured", "fastest,"):
        assert absent not in found.partition("numbers really were")[0]


def test_original_report_is_introduced(text):
    """The first words on the original report say what it is."""
    found = text(lambda document, number: None)
    first = found.index("original report")
    assert "This project redoes a homework report, called the original report here" in found
    assert found[:first].endswith("This project redoes a homework report, called the ")


MARKUP = '{number} a|b\n# c <script>alert("d")</script> [e](f) & \u202e\x07\ud800'
HARMLESS = '{number} a\\|b # c &lt;script&gt;alert("d")&lt;/script&gt; [e]\\(f) &amp; \ufffd\ufffd?'
PLACES = (
    ("machine_info", "cpu", "brand_raw"),
    ("machine_info", "release"),
    ("machine_info", "lenet5", "dataset", "name"),
    ("machine_info", "lenet5", "frameworks", "numpy", "version"),
    ("machine_info", "lenet5", "not_measured", "case"),
    ("commit_info", "id"),
    ("benchmarks", 2, "extra_info", "mode"),
    ("benchmarks", 3, "extra_info", "mode"),
    ("benchmarks", 3, "extra_info", "framework"),
    ("datetime",),
)


def test_markup_is_text(text):
    """Pipes, line ends, tags and links in a JSON are text in the report, wherever they stand: no cell, heading or script of their own.

    What has no shape, or turns round the letters behind it, has one there.
    """

    def change(document, _):
        for number, (*keys, last) in enumerate(PLACES, 100):
            place = document
            for key in keys:
                place = place[key]
            place[last] = MARKUP.format(number=number)

    found = text(change)

    assert [number for number, _ in enumerate(PLACES, 100) if HARMLESS.format(number=number) not in found] == []
    assert "<script>" not in found
    assert not re.search(r"\n\W*# c", found)
    for table in found.split("\n\n"):
        cells = {line.replace("\\|", "").count("|") for line in table.splitlines() if line.startswith("|")}
        assert len(cells) <= 1


def test_failed_write_keeps_the_older_report(tmp_path):
    """A report that cannot be made leaves the one before as it was."""
    report.write([RUN], tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    with pytest.raises(ValueError, match="no such file"):
        report.write([tmp_path / "absent.json"], tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_every_cell_is_a_record():
    """No part holds finished text: numbers become text when the report is written, and a dash has its reason."""
    sections = report.of(load_many([DATA / "commit-67fa1dc" / "run.json"])).sections
    cells = [cell for section in sections if section.table for row in section.table.rows for cell in row]
    assert {type(cell) for cell in cells} == {Quantity, Words, Quote, Several, Dash}
