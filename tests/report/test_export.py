"""A run as lists that other tools read: times in seconds, valid JSON in any encoding, one line where it cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.report.export import smaller_is_better
from tests.support import documents, runs

DATA = Path(__file__).parents[1] / "data"
RUN = DATA / "run"


def test_entries():
    """A case is its name, its median in seconds, and how far its quartiles lie apart; the rest is for people."""
    one = runs.case("transfer", "numpy", "fused", 2e-3, batch=64)
    found = json.loads(smaller_is_better(runs.run_of(one)))
    assert found == [
        {
            "name": one.name,
            "unit": "s",
            "value": 0.002,
            "range": "± 0",
            "extra": "transfer\n3 rounds in 1 process\n2026-01-02T03:04:05",
        }
    ]


def test_quartiles(tmp_path, capsys):
    """Of a file: the median, and the third quartile less the first.  It goes to standard output, and nothing else is written."""
    path = documents.save(tmp_path / "run.json", documents.document(documents.case("transfer", "one")))

    assert main(["report", str(path), "--export", "customSmallerIsBetter"]) == 0

    out = capsys.readouterr().out
    (entry,) = json.loads(out)
    assert (entry["value"], entry["range"], entry["unit"]) == (2.0, "± 1", "s")
    assert out.isascii()
    assert [file.name for file in tmp_path.iterdir()] == ["run.json"]


def test_several_processes_into_a_file(tmp_path, capsys):
    """The median over processes is the value; --output is the file then."""
    assert main(["report", str(RUN), "--export", "customSmallerIsBetter", "--output", str(tmp_path / "times.json")]) == 0

    entries = json.loads((tmp_path / "times.json").read_text(encoding="utf-8"))
    assert capsys.readouterr().out == ""
    assert len({entry["name"] for entry in entries}) == len(entries) > 5
    assert all(entry["value"] > 0 and "3 processes" in entry["extra"] for entry in entries)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([str(RUN), "--export", "nosuch"], "nosuch"),
        ([str(RUN), "--export", "customSmallerIsBetter", "--plots", "x"], "--plots x: an export has none; leave it out"),
        (["nowhere.json", "--export", "customSmallerIsBetter"], "nowhere.json"),
    ],
    ids=["format", "plots", "file"],
)
def test_cannot_be(words, line, capsys):
    """An unknown format, plots of a list, a file that is not there: one line and exit 2."""
    try:
        code = main(["report", *words])
    except SystemExit as end:
        code = end.code
    said = capsys.readouterr()
    assert (code, said.out, said.err.count("\n")) == (2, "", 1)
    assert line in said.err
