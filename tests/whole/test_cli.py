"""The commands keep their word to a shell: exit codes, one line on standard error, nothing written that was not asked for."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.__main__ import main, parse
from benchmarks.saved.provenance import ROOT
from tests.support.rows import slow

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
    """A good run is written whole, and printed in short: the comparison, where the files are, and last the answer."""
    code, out, err = command("report", RUN, "--output", "page")

    assert (code, err) == (0, "")
    assert files(tmp_path / "page") == ["report.html", "report.md"]
    assert "parameters                      65,406               65,406\n" in out
    assert "The whole report: page/report.md, page/report.html\n" in out
    assert out.endswith("Every ratio has its interval.\n")
    assert len(out.splitlines()) <= 45
    assert max(map(len, out.splitlines())) <= 80


def test_plots_as_files(command, tmp_path):
    """With --plots each plot of the page is an SVG file of its own, which XML readers open and whose ink suits light and dark."""
    command("report", RUN, "--output", "page", "--plots", "plots")

    page = (tmp_path / "page" / "report.html").read_text(encoding="utf-8")
    assert files(tmp_path / "plots") == sorted(f"{name}.svg" for name in re.findall(r'<figure id="([^"]+)">', page))
    root = ElementTree.parse(tmp_path / "plots" / "by-hand.svg").getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root[0].text == "numpy by hand against the fastest framework"
    assert "prefers-color-scheme:dark" in root[1].text


@pytest.mark.slow
def test_report_to_a_reader_that_leaves(tmp_path):
    """A reader that ends early, as head does, is no error, and the report is written all the same."""
    reading, writing = os.pipe()
    os.close(reading)
    arguments = [sys.executable, "-m", "benchmarks", "report", str(RUN), "--output", str(tmp_path)]
    done = subprocess.run(arguments, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)

    assert (done.returncode, done.stderr) == (0, "")
    assert files(tmp_path) == ["report.html", "report.md"]


@pytest.mark.parametrize("number", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_while_files_are_written(command, tmp_path, monkeypatch, number):
    """It ends a command in one line, and what has been begun goes with it: a file beside the one that it would become."""

    def replace(*_):
        assert len(files(tmp_path)) == 2
        os.kill(os.getpid(), getattr(signal, number))

    monkeypatch.setattr(Path, "replace", replace)
    inherited = signal.signal(getattr(signal, number), signal.default_int_handler)  # a shell's background job ignores SIGINT
    try:
        assert command("report", RUN, "--output", "page") == (130, "", "interrupted\n")
        assert signal.getsignal(getattr(signal, number)) == signal.default_int_handler
    finally:
        signal.signal(getattr(signal, number), inherited)
    assert files(tmp_path) == []


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
        path.write_text(text.replace('"release": "6.1"', '"release": "7.0"'), encoding="utf-8")
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
        ("disturb", "--runs", "0"),
        ("gate",),
        ("gate", "--study", RUN),
        ("verdict",),
        ("bisect",),
        ("bisect", "--resume"),
        ("bisect", "--good", "HEAD", "--bad", "HEAD", "-k", "x"),
        ("verdict", RUN),
        ("verdict", RUN, "--", "--threads", "1"),
        ("study", RUN, "--threads", "1"),
        ("study", RUN, "--", "--threads", "1"),
        *((command, "") for command in ("report", "history", "verdict")),
        *(("report", RUN, option, "") for option in ("--output", "--plots", "--worklog")),
        ("run", "--output", ""),
        ("study", RUN, "--output", ""),
        ("gate", "--base", "HEAD", "--json", ""),
        ("run", "word", "--threads", "1"),
        ("mistake",),
        ("--", "--threads", "1"),
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


# Help


COMMANDS = ("run", "commits", "report", "history", "gate", "verdict", "bisect", "study", "coverage", "disturb")


def test_alone(command):
    """Without a command there is the list of commands, a line each, and no error."""
    code, out, err = command()

    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines() if line.startswith("    ")] == list(COMMANDS)
    assert command("--help") == (0, out, "")


def test_version(command):
    """The version is that of the project."""
    (version,) = [line for line in (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines() if line.startswith("version")]
    assert command("--version") == (0, f"lenet5-benchmarks {version.split(chr(34))[1]}\n", "")


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help(command, name, monkeypatch):
    """Every help is in whole sentences that fit a terminal, and has examples that the command understands."""
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = command(*[name] * bool(name), "--help")
    examples = [shlex.split(line)[3:] for line in out.splitlines() if line.startswith("  python -m benchmarks")]

    assert len(examples) >= 2
    for example in examples:
        assert parse(example).function
    if name:
        assert name in {example[0] for example in examples}
        for action in parse(next(example for example in examples if example[0] == name)).parser._actions:
            assert re.fullmatch(r"[A-Z].*[.]", action.help), action.help
    assert all(len(line) <= 80 or line.startswith("  python") for line in out.splitlines())


@pytest.mark.parametrize(
    ("command", "used", "not_used"),
    [
        ("", "benchmarks.gate.command", {"matplotlib", "scipy.stats", "scipy.special", "jinja2"}),
        # Of what a report could import, scipy.stats takes longest.
        slow(f"report {RUN}", "scipy.special", {"scipy.stats"}),
    ],
    ids=["list", "report"],
)
def test_starts_quickly(tmp_path, command, used, not_used):
    """What takes long to import is imported by the command that needs it, if any does."""
    words = [*command.split(), "--output", str(tmp_path / "report")] if command else []
    line = [sys.executable, "-X", "importtime", "-m", "benchmarks", *words]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
    names = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines()]
    # With the packages that each lies in: one that importlib is asked for by name has no line of its own.
    imported = {name[: dot.start()] for name in names for dot in re.finditer(r"[.]|$", name)}
    assert used in imported
    assert not imported & not_used


@pytest.mark.slow
@pytest.mark.parametrize("name", ["run", "gate", "bisect", "coverage"])
def test_help_says_what_goes_behind(command, name):
    """Commands that run pytest say what may follow the two dashes, and show it; pytest knows the options that they show."""
    _, out, _ = command(name, "--help")
    assert "What stands behind -- goes to pytest" in out
    shown = [shlex.split(line) for line in out.splitlines() if line.startswith("  python -m benchmarks") and " -- " in line]
    assert shown
    for words in shown:
        behind = words[words.index("--") + 1 :]
        line = [sys.executable, "-m", "pytest", "benchmarks", "--collect-only", "-q", *behind]
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "unknown", "right"),
    [
        ("run --threads 1", "--threads 1", "run -- --threads 1"),
        ("run --heavy", "--heavy", "run -- --heavy"),
        ("run --threads 1 -k 1 --seed 1", "--threads 1", "run -k 1 --seed 1 -- --threads 1"),
        ("run --benchmark-max-time=1 -k 'a b' -- -x", "--benchmark-max-time=1", "run -k 'a b' -- --benchmark-max-time=1 -x"),
        ("gate --base v1 --dataset digits --head v2", "--dataset digits", "gate --base v1 --head v2 -- --dataset digits"),
        ("coverage --copies 4", "--copies 4", "coverage -- --copies 4"),
    ],
)
def test_an_option_of_pytest(command, arguments, unknown, right):
    """Before the two dashes it is an error of one line with the command that was meant."""
    code, out, err = command(*shlex.split(arguments))

    name = arguments.split()[0]
    line = f"{unknown}: unknown here; if it is an option of pytest, it belongs behind --: python -m benchmarks {right}"
    assert (code, out, err) == (2, "", f"python -m benchmarks {name}: {line}\n")
    assert parse(shlex.split(right)).function
