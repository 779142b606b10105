"""The commands keep their word to a shell: exit codes, one line on standard error, nothing written that was not asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.saved.provenance import ROOT

RUN = Path(__file__).parents[1] / "data" / "run"


@pytest.fixture
def command(capsys, tmp_path, monkeypatch):
    """command(*arguments) -> exit code, standard output, standard error; run in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
        return code, *capsys.readouterr()

    return call


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_report(command, tmp_path):
    """A good run is printed and written, and the report says the same both ways."""
    code, out, err = command("report", RUN, "--output", "page")

    assert (code, err) == (0, "")
    assert out == (tmp_path / "page" / "report.md").read_text(encoding="utf-8") + "\nWritten to page/report.md\n"


def test_report_to_a_reader_that_leaves(tmp_path):
    """Whoever pipes the report into head gets no traceback, and the report is written all the same."""
    reading, writing = os.pipe()
    os.close(reading)
    arguments = [sys.executable, "-m", "benchmarks", "report", str(RUN), "--output", str(tmp_path)]
    done = subprocess.run(arguments, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)

    assert (done.returncode, done.stderr) == (0, "")
    assert files(tmp_path) == ["report.html", "report.md"]


def test_report_twice(command, tmp_path):
    """The same run gives the same bytes, named as a folder or as files."""
    command("report", RUN, "--output", "one")
    command("report", *sorted(RUN.iterdir()), "--output", "other")

    assert files(tmp_path / "one") == files(tmp_path / "other")
    for name in files(tmp_path / "one"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


@pytest.mark.parametrize("bad", ["missing", "truncated", "foreign", "empty folder", "two runs"])
def test_report_of_bad_input(command, tmp_path, bad):
    """What is no run gets exit 2 and one line that names it; an older report stays as it is."""
    path = tmp_path / "run.json"
    text = (RUN / "process-001.json").read_text(encoding="utf-8")
    if bad == "truncated":
        path.write_text(text[:3000], encoding="utf-8")
    elif bad == "foreign":
        path.write_text('{"benchmarks": []}', encoding="utf-8")
    elif bad == "empty folder":
        path.mkdir()
    elif bad == "two runs":
        path.write_text(text.replace("Example CPU", "Other CPU"), encoding="utf-8")
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "report.md").write_text("older", encoding="utf-8")
    before = files(tmp_path)

    code, out, err = command("report", *([RUN] if bad == "two runs" else []), path)

    assert (code, out) == (2, "")
    assert err.startswith(str(path))
    assert err.count("\n") == 1
    assert files(tmp_path) == before
    assert (tmp_path / "report" / "report.md").read_text(encoding="utf-8") == "older"


@pytest.mark.parametrize(
    "arguments",
    [
        ("report",),
        ("report", RUN, "--", "--threads", "1"),
        ("report", RUN, "--output", RUN / "process-001.json"),
        ("run", "--processes", "0"),
        ("run", "--processes", "three"),
        ("run", "--resume"),
        ("run", "--output", RUN),
        ("run", "--resume", "--output", RUN),
        ("coverage", "--processes", "10", "--set", "3"),
        ("coverage", "--processes", "10", "--set", "1"),
        ("study",),
        ("study", RUN),
        ("study", RUN, "--runs", "0"),
        ("gate",),
        ("gate", "--study", RUN),
        ("mistake",),
        (),
    ],
    ids=str,
)
def test_bad_arguments(command, tmp_path, arguments):
    """What cannot be done gets exit 2 and one line, and leaves no trace."""
    code, out, err = command(*arguments)

    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert files(tmp_path) == []
    assert files(RUN) == ["process-001.json", "process-002.json", "process-003.json"]
