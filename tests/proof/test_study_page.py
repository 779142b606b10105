"""The study says on its page what its data say, and the command writes both."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.gate.rules import Rules
from benchmarks.proof import study, study_page
from benchmarks.proof.recordings import by_condition
from benchmarks.quantities import units
from benchmarks.report import markdown, text
from benchmarks.report.records import Words
from benchmarks.saved.provenance import ROOT
from tests.report.test_page import LOOK, WIDTHS
from tests.support.browser import visit
from tests.support.recordings import loaded, noisy, record

RULES = Rules()
FOLDERS = {"quiet": ["one", "two"], "busy": ["three"]}


def write(folders, output, runs):
    return study_page.write({"command": "", **study.study(by_condition(folders), RULES, runs)}, output)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A study of two conditions, in its folder, which no test writes into."""
    tmp_path = tmp_path_factory.mktemp("written")
    noted = [{"noted": {"pair_seconds": [15.0] * pairs}} for pairs in (40, 24)]
    folders = [
        f"quiet={record(tmp_path / 'one', noisy(0.01), settings=noted[0])}",
        f"quiet={record(tmp_path / 'two', noisy(0.01, 24, seed=1), settings=noted[1])}",
        f"busy={record(tmp_path / 'three', noisy(0.3))}",
    ]
    write(folders, tmp_path / "study", runs=12)
    return tmp_path / "study"


def test_files(written):
    """Data, Markdown and page; the same recordings and seed give the same data."""
    found = json.loads((written / "study.json").read_text(encoding="utf-8"))
    text = (written / "study.md").read_text(encoding="utf-8")

    assert list(found["conditions"]) == ["quiet", "busy"]
    assert found["conditions"]["quiet"]["measured"]["runs"] == 2
    assert found["rules"]["looks"] == list(RULES.looks)
    again = {name: [loaded(written.parent / folder) for folder in folders] for name, folders in FOLDERS.items()}
    assert json.loads(json.dumps({"command": "", **study.study(again, RULES, runs=12)})) == found
    assert text.startswith("# How often is the gate wrong")
    assert "this gate, quiet" in text
    assert "mean:5%, busy" in text
    assert sorted(path.name for path in written.iterdir()) == ["study.html", "study.json", "study.md"]


def test_minutes_beside_pairs(written):
    """What so many pairs take at most, in the table, in the sentence and on the axis; where it is not known, neither."""
    text = (written / "study.md").read_text(encoding="utf-8")
    (line,) = [line for line in text.splitlines() if line.startswith("| takes at most, quiet")]
    assert [cell.strip() for cell in line.split("|")[2:-1]] == ["5.0 min", "7.0 min", "9.0 min", "11.0 min", "13.0 min"]
    assert "; 52 pairs take 13.0 min at most." in text
    (unknown,) = [line for line in text.splitlines() if line.startswith("| takes at most, busy")]
    assert "min" not in unknown
    page = (written / "study.html").read_text(encoding="utf-8")
    quiet, busy = (page[page.index(f'<figure id="detection-{index}"') :] for index in (0, 1))
    assert "13.0 min" in quiet[: quiet.index("</figure>")]
    assert "min</text>" not in busy[: busy.index("</figure>")]


def test_too_few_pairs_are_said(written):
    """Under a condition that has fewer pairs than the longest run; 64 of two recordings are enough."""
    quiet, busy = (line for line in (written / "study.md").read_text(encoding="utf-8").splitlines() if "is found in" in line)
    assert quiet.endswith("at most.")
    assert ". Only 40 pairs were recorded. A longer run is dealt them again" in busy


def test_missed_is_said(written, tmp_path):
    """What was wanted and not reached; a slow-down has to be found on a quiet machine only."""
    assert "missed what was wanted" not in (written / "study.md").read_text(encoding="utf-8")
    text = write([str(written.parent / "three")], tmp_path / "again", runs=6)
    assert "quiet: **+5 %, +10 % missed what was wanted.**" in text


def test_too_many_false_alarms_are_said(written):
    """Under any condition."""
    found = json.loads((written / "study.json").read_text(encoding="utf-8"))
    found["conditions"]["busy"]["resampled"]["false_alarms_a_case"]["share"] = 0.002
    answer = study_page.of(found).notes
    assert "busy: **false alarms a case missed what was wanted.**" in answer


def test_it_begins_with_what_it_is(written, tmp_path):
    """Before any number; and what was not reached is said after the numbers and after what was wanted."""
    found = json.loads((written / "study.json").read_text(encoding="utf-8"))
    found["conditions"]["quiet"]["injected"][1]["found"]["share"] = 0.5
    introduction, *numbers, wanted, missed = study_page.of(found).notes

    assert introduction.startswith("The gate says whether one version of the code is slower than another.")
    assert not any(character.isdigit() for character in introduction)
    assert [line.partition(":")[0] for line in numbers] == ["quiet", "busy"]
    assert wanted.startswith("Wanted: ")
    assert missed == "quiet: **+5 % missed what was wanted.**"
    study_page.write(found, tmp_path)
    page = (tmp_path / "study.html").read_text(encoding="utf-8")
    body = page[page.index("<main") :]
    places = [body.index(words) for words in ("The gate says whether", "% [", "Wanted: ", "missed what was wanted", "<svg")]
    assert places == sorted(places)


def test_page(written, tmp_path):
    """Every plot is there, and in a browser nothing complains and nothing is wider than the window."""
    page = (written / "study.html").read_text(encoding="utf-8")
    for name in ("detection-0", "detection-1", "power-0", "alarms-1"):
        assert f'<figure id="{name}">' in page
    facts, console = visit(page, WIDTHS, LOOK, tmp_path)
    assert console == []
    for fact in facts:
        assert fact["page"] <= fact["width"]
        assert fact["outside"] == []
        assert all(figure["marks"] for figure in fact["figures"])


def test_copies_are_one_kind(tmp_path):
    """Thirty copies of a case are one line: their median spread, and a slow-down found in all of them together."""
    ratios = {f"test_predict[copy{copy}-numpy-batch1]": values for copy, values in enumerate(noisy(0.01, cases=3).values(), 1)}
    folder = record(tmp_path / "gate", {**ratios, "test_product[copy1]": noisy(0.02)["test_0"]})
    found = {"command": "", **study.study({"quiet": [loaded(folder)]}, RULES, runs=8)}

    predict, product = study_page.of(found).sections[4].table.rows

    spreads = sorted(np.std(values, ddof=1) for values in ratios.values())
    shares = [one["cases"] for one in found["conditions"]["quiet"]["injected"]]
    count = [sum(one[f"benchmarks/test_x.py::{name} time"]["count"] for name in ratios) for one in shares]
    assert predict[0] == Words("test_predict[numpy-batch1] time, 3 copies, quiet")
    assert [text.whole(cell) for cell in predict[1:]] == list(map(units.percent, (spreads[1], *(found / 6 for found in count))))
    assert product[0] == Words("test_product[copy1] time, quiet")


def test_command(tmp_path, capsys, monkeypatch):
    """`study` prints the Markdown, writes all three files, and names itself."""
    monkeypatch.chdir(tmp_path)
    record(tmp_path / "a gate", noisy(0.01, pairs=12))

    assert main(["study", "busy=a gate", "--runs", "3", "--seed", "7"]) == 0
    printed = capsys.readouterr().out
    found = json.loads((tmp_path / "report" / "study.json").read_text(encoding="utf-8"))
    assert found["command"] == "python -m benchmarks study 'busy=a gate' --runs=3 --seed=7 --threshold=2% --output=report"
    assert found["command"] in printed
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == ["study.html", "study.json", "study.md"]


def test_what_the_docs_say_of_it():
    """The figures in docs/gate.md are those of the study that is kept, and the page beside it says the same."""
    folder = ROOT / "docs" / "gate"
    found = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    conditions = found["conditions"].values()
    comparisons, slower, runs, alarmed = (
        sum(at(condition) for condition in conditions)
        for at in (
            lambda condition: condition["measured"]["cases"],
            lambda condition: condition["measured"]["verdicts"]["slower"],
            lambda condition: condition["resampled"]["runs"],
            lambda condition: condition["resampled"]["false_alarms_a_run"]["count"],
        )
    )
    quiet = found["conditions"]["quiet"]
    finds = {one["change"]: units.percent(one["found"]["share"]) for one in quiet["injected"]}
    usual = quiet["usual"]["mean:5%"]
    of_usual = {one["change"]: units.percent(one["found"]["share"]) for one in usual["injected"]}
    said = " ".join((ROOT / "docs" / "gate.md").read_text(encoding="utf-8").split())

    assert f"Of {units.count(comparisons)} comparisons of identical code {slower} said slower" in said
    assert f"of {units.count(runs)} runs put together from their pairs {alarmed} raised an alarm" in said
    assert f"finds +5 % in {finds[0.05]} and +10 % in {finds[0.1]} of such runs, within 52 pairs" in said
    assert Rules(**{**found["rules"], "looks": tuple(found["rules"]["looks"])}).most_pairs == 52
    assert f"which fails when a mean grew by 5 %, finds {of_usual[0.05]} and {of_usual[0.1]}" in said
    assert f"raises an alarm in {units.percent(usual['false_alarms_a_run']['share'])} of the runs" in said
    assert markdown.render(study_page.of(found)) == (folder / "study.md").read_text(encoding="utf-8")
