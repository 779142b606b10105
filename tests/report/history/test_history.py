"""The command as a whole: from saved files to the page, the Markdown, the terminal's lines and the exit code."""

from __future__ import annotations

import html
import math
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import __main__ as main
from benchmarks.isolated import memory
from benchmarks.report import page
from benchmarks.report.history import history, summary
from benchmarks.report.history.accepted import Accepted
from benchmarks.report.history.lines import read
from benchmarks.report.history.pictures import COLUMNS, plots, thinned
from benchmarks.saved.index import opened
from benchmarks.saved.storage import STORAGE
from tests.support import history as made
from tests.support.browser import visit
from tests.support.copies import PROJECT
from tests.support.recordings import record

NOW = "2026-02-01T00:00:00+00:00"


@pytest.fixture
def storage(tmp_path, monkeypatch):
    """A working directory with twenty saved files, in which everything takes a fifth longer from the twelfth on."""
    monkeypatch.chdir(tmp_path)
    for number in range(20):
        made.save(STORAGE / "Linux", number, 1.2 if number >= 12 else 1.0)
    return tmp_path


@pytest.fixture
def filled(tmp_path):
    """filled(runs, ...) -> the history of made-up runs."""

    def make(runs, accepted=(), cases=1, **steps):
        with opened(tmp_path / "made-up.sqlite", anew=True) as index:
            made.fill(index, runs, cases=made.CASES[:cases], **steps)
            return history.of(index, index.processes(), "commit", accepted, ["a.json: is no run"])

    return make


def run(*words):
    return main.main(["history", *words])


def test_the_whole_command(storage, capsys):
    """A page, a Markdown file, and each change on the terminal with its gate; nobody asked for another exit code."""
    assert run("--output", "out", "--plots", "plots") == 0

    said, complaints = capsys.readouterr()
    assert complaints == ""
    lines = said.splitlines()
    slower = [line for line in lines if line.startswith("slower: ")]
    assert slower
    assert all(f"from {made.commit(11)[:8]} to {made.commit(12)[:8]} (2026-01-01)" in line for line in slower)
    assert [line for line in lines if line.startswith("  confirm: python -m benchmarks gate --base ")] == lines[
        1 : 2 * len(slower) : 2
    ]
    assert re.fullmatch(r"newest point: 2026-01-01 19:00 UTC, \d+ days old on .* UTC", lines[-2])
    assert lines[-1] == "The page: out/history.md, out/history.html"
    text = Path("out/history.md").read_text(encoding="utf-8")
    assert text.startswith(f"# History: {len(slower)} slow-downs not accepted, over 20 commits\n")
    assert Path("out/history.html").read_text(encoding="utf-8").count("<figure") == 1
    assert [path.name for path in Path("plots").iterdir()] == ["history-0.svg"]
    assert not [path for path in Path("out").iterdir() if path.suffix not in (".md", ".html")]


def test_exit_codes(storage, capsys):
    """1 only if asked for, and only for what is not accepted; 2 for a wrong line of the file."""
    assert run("--fail-on", "slower") == 1
    Path("accepted.txt").write_text(f"* {made.commit(12)[:10]} wanted\n", encoding="utf-8")
    capsys.readouterr()
    assert run("--fail-on", "changed", "--accepted", "accepted.txt") == 0
    assert "accepted: " in (said := capsys.readouterr().out)
    assert "wanted (accepted.txt:1)" in said
    assert "slower: " not in said
    Path("accepted.txt").write_text("wrong\n", encoding="utf-8")
    assert run("--accepted", "accepted.txt") == 2
    assert capsys.readouterr().err.startswith("accepted.txt:1: ")


@pytest.mark.slow  # two pages more of what test_exit_codes tries
def test_a_faster_one_is_a_change_and_no_slow_down(storage, capsys):
    """--fail-on slower lets it pass."""
    for number in range(20):
        made.save(STORAGE / "Linux", number, 1 / 1.2 if number >= 12 else 1.0)
    assert run("--fail-on", "slower") == 0
    assert run("--fail-on", "changed") == 1
    assert "faster: " in capsys.readouterr().out


@pytest.mark.slow  # three pages; tests/saved/test_index.py has the index alone
def test_the_index_is_no_more_than_the_files(storage, capsys):
    """A damaged one, and one that is made anew, say the same."""
    run("--output", "out")
    first = Path("out/history.md").read_text(encoding="utf-8").partition("·")[2]
    (STORAGE / "index.sqlite").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    for words, complaints in (([], 1), (["--reindex"], 0)):
        capsys.readouterr()
        assert run("--output", "out", *words) == 0
        assert Path("out/history.md").read_text(encoding="utf-8").partition("·")[2] == first
        assert capsys.readouterr().err.count("made anew") == complaints


@pytest.mark.parametrize(("by", "word"), [("date", "2 runs"), pytest.param("version", "1 set of versions", marks=pytest.mark.slow)])
def test_other_folders_and_axes(storage, capsys, by, word):
    """Runs that are named are shown alone, over dates or versions; what is no run is named."""
    shutil.copytree(STORAGE / "Linux", storage / "two", ignore=lambda folder, names: sorted(names)[2:])
    (storage / "two" / "notes.json").write_text("{}", encoding="utf-8")
    assert run("two", "--x", by, "--output", "out") == 0
    assert word in Path("out/history.md").read_text(encoding="utf-8").splitlines()[0]
    said = capsys.readouterr().out
    assert "Not read: " in said
    assert "notes.json" in said
    assert "No line has 8 points" in said


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["nosuch"], "nosuch: no such file or folder"),
        (["--accepted", "nosuch"], "--accepted nosuch: cannot be read"),
        (["empty"], "empty: no saved run is there"),
        (["--index", "empty"], "--index empty: is no file"),
    ],
)
def test_what_cannot_be_done(storage, capsys, words, line):
    """One line, exit 2, and no page."""
    (storage / "empty").mkdir()
    assert run(*words, "--output", "out") == 2
    said, complaints = capsys.readouterr()
    assert said == ""
    assert complaints.startswith(line)
    assert complaints.count("\n") == 1
    assert not Path("out").exists()


def test_nothing_was_saved(tmp_path, monkeypatch, capsys):
    """The line says how to save something, and no folder is made for an index of nothing."""
    monkeypatch.chdir(tmp_path)
    assert run() == 2
    assert "--benchmark-autosave" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------------------------------------------- what is said


def test_what_the_machine_did_is_told_once(filled):
    """All its lines together, with the control's ratio; what the code did is apart from it."""
    found = filled(60, step_at=30, machine_step_at=45)
    said = summary.terminal(found.history, found.changes, [], [], NOW).splitlines()
    assert [line.partition(":")[0] for line in said] == ["slower", "  confirm", "the machine", "newest point"]
    assert said[2].startswith("the machine: 6 lines from ")
    report = summary.report(found.history, found.changes, [], found.faults, NOW)
    titles = [section.title for section in report.sections]
    assert titles == ["Changes", "What the machine did", "Where each line stands", "Files that are no runs"]
    assert [len(section.table.rows) for section in report.sections] == [1, 1, 6, 1]


def test_an_accepted_line_that_accepts_nothing(filled):
    """Is named: its commit is wrong, or the change is out of sight."""
    mark = Accepted("a.txt:7", "*", "1234567", "why")
    found = filled(60, accepted=[mark])
    assert "a.txt:7: accepts no change that was found" in summary.terminal(found.history, found.changes, [mark], [], NOW)


@pytest.mark.parametrize(
    ("now", "age"),
    [("2026-01-10T18:59:00+00:00", "0 hours"), ("2026-01-12T17:00:00+00:00", "47 hours"), ("2026-02-10T18:00:00+00:00", "31 days")],
)
def test_the_age_of_the_newest_point(filled, now, age):
    """In hours, then in days; none below 0, and of a point that is later than now by more than an hour, that."""
    found = filled(40)
    assert found.history.newest == "2026-01-10T18:00:00+00:00"
    assert f", {age} old on {now[:10]}" in summary.newest(found.history, now)
    assert ", 0 hours old" in summary.newest(found.history, "2026-01-10T17:01:00+00:00")
    later = "newest point: 2026-01-10 18:00 UTC, which is later than now, 2026-01-01 00:00 UTC: a clock was wrong"
    assert summary.newest(found.history, "2026-01-01T00:00:00+00:00") == later


def test_names_are_text(tmp_path):
    """Whatever a file says is shown as it is, and steers neither page, Markdown nor terminal."""
    hostile = "benchmarks/test_a.py::test_a[<script>alert(1)</script>|\x1b[31m-plain]"
    with opened(tmp_path / "i.sqlite") as index:
        with index.transaction():
            for number, seconds in enumerate(made.series(40, lambda number: 1.5 if number >= 20 else 1.0)):
                index.add(Path(f"/made-up/{number}"), made.entry(number, {hostile: seconds}, 1e-3))
        found = history.of(index, index.processes(), "commit")
    written = history.write(found, tmp_path, NOW)
    assert "\x1b" not in written
    whole = (tmp_path / "history.html").read_text(encoding="utf-8")
    assert "<script>alert" not in whole
    assert html.escape("<script>alert(1)") in whole
    assert "<script>" not in (tmp_path / "history.md").read_text(encoding="utf-8")


def test_a_gate_is_read(tmp_path):
    """Both sides of a gate's pairs are points, of as many processes as there are pairs."""
    folder = record(tmp_path / "gate-1", {"test_a": [0.1] * 3})
    with opened(tmp_path / "i.sqlite") as index:
        assert index.update([folder]).faults == []
        (line,) = read(index, index.processes(), "date").cases[0].lines
    assert [*line.median] == pytest.approx([1e-3, 1e-3 * math.exp(0.1)])
    assert [*line.processes] == [3, 3]


# -------------------------------------------------------------------------------------------------------------- pictures


def numbers(svg, gid):
    """The x and y of the points of a mark."""
    path = re.search(rf'id="[\w-]+{gid}".*?<path d="([^"]*)"', svg, re.DOTALL)[1]
    return [(command, float(x), float(y)) for command, x, y in re.findall(r"([ML]) ([\d.]+) ([\d.]+)", path)]


def test_a_gap(tmp_path):
    """Where circumstances differ, a line begins anew: its path moves there and draws nothing."""
    with opened(tmp_path / "i.sqlite") as index:
        with index.transaction():
            for number in range(20):
                facts = made.circumstances(release="6.1" if number < 12 else "6.2")
                index.add(
                    Path(f"/made-up/{number}"),
                    made.entry(number, {made.name("batch1", "hand", "fused"): 1e-3 + number}, 1e-3, facts),
                )
        (plot,) = plots(read(index, index.processes(), "commit"), [])
    moves = [at for at, (command, _, _) in enumerate(numbers(plot.svg, "mark-0")) if command == "M"]
    assert moves == [0, 12]
    assert [at for at, (command, _, _) in enumerate(numbers(plot.svg, "mark-1")) if command == "M"] == [0, 12], "the control, too"


def test_every_point_has_its_interval(filled):
    """A bar at each of a few points, an area over many; and a change has its dashed line."""
    few, many = (plots(found.history, found.changes)[0] for found in (filled(20), filled(100, step_at=50)))
    assert few.svg.count('id="history-0-interval-') == 7
    assert 'id="history-0-band-' not in few.svg
    assert "Dashed: " not in few.caption
    assert many.svg.count('id="history-0-band-') == 7
    assert many.svg.count('id="history-0-upright-') == 1
    assert "Dashed: " in many.caption


def test_thousands_of_points_are_thinned(filled):
    """To columns of pixels, each with the median of its points and both ends of all of their intervals; the caption says so."""
    (plot,) = plots(filled(700).history, [])
    assert "700 points in 300 columns" in plot.caption
    assert len(numbers(plot.svg, "mark-0")) == COLUMNS
    assert len(plot.svg) < 400_000

    at, low, high = np.arange(1000.0), np.linspace(1, 2, 1000), np.linspace(5, 6, 1000)
    low[501], high[701] = 0.1, 50.0  # neither is the first of its column
    found = thinned(at, at, low, high, (0, 999))
    assert len(found) == COLUMNS
    assert (found[:, 2].min(), found[:, 3].max()) == (0.1, 50.0)
    first = at[at / 999 * COLUMNS < 1]
    assert (found[0, 1], found[0, 3]) == (np.median(first), high[: len(first)].max())


@pytest.mark.slow  # ten thousand rows of 25 cases are made first
@pytest.mark.alone
@pytest.mark.place("last")  # a process that waits for test_every_case to end would be idle for minutes
@pytest.mark.skipif(not memory.STATUS.exists(), reason=f"memory is read from {memory.STATUS}")
def test_ten_thousand_runs(tmp_path):
    """Are a page in the time and the memory that were asked for, of which this holds twice; run by hand, the command prints what it took.

    Both are the command's own, whatever else runs: processor time, and a peak that does not begin with that of this process.
    """
    words = [sys.executable, "-m", "tests.support.history", "--runs", "10000", "--output", str(tmp_path)]
    done = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=True)
    seconds, mebibytes = map(float, re.search(r"10000 runs: ([\d.]+) s of processor time, (\d+) MiB", done.stderr).groups())
    assert seconds < 60
    assert mebibytes < 2048
    assert (tmp_path / "history.html").stat().st_size < 5e6


LOOK = """(window, document) => ({
  width: window.innerWidth, page: document.documentElement.scrollWidth,
  figures: [...document.querySelectorAll("figure svg")].map((svg) => svg.getBoundingClientRect().width),
  letters: Math.min(...[...document.querySelectorAll("figure svg text")].map((text) => text.getBoundingClientRect().height)),
  cut: [...document.querySelectorAll(".scroll")].filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.ariaLabel),
})"""


@pytest.mark.slow  # a browser
def test_in_a_browser(filled, tmp_path):
    """At 1280 and at 390 pixels nothing scrolls sideways, all plots are drawn, and their text can be read."""
    found = filled(60, step_at=30, machine_step_at=45, cases=4)
    text = page.render(summary.report(found.history, found.changes, [], found.faults, NOW))
    facts, console = visit(text, (1280, 390), LOOK, tmp_path)
    assert console == []
    for fact in facts:
        assert fact["page"] <= fact["width"]
        assert len(fact["figures"]) == 4
        assert min(fact["figures"]) > 250
        assert fact["letters"] >= 8
    assert facts[0]["cut"] == []
