"""A command line that is printed gives the command again what it was given."""

from __future__ import annotations

import shlex
from contextlib import nullcontext
from pathlib import Path

import pytest

from benchmarks.__main__ import main, parse
from benchmarks.gate import command, gate
from benchmarks.saved.storage import MANIFEST
from benchmarks.sessions import processes, sides
from benchmarks.sessions.command_line import command_line
from benchmarks.sessions.signals import Interrupted
from benchmarks.sessions.survey import Survey

LINES = {
    "run": ("run",),
    "run, all": (
        "run",
        "--processes",
        "3",
        "-k",
        "not (a or b)",
        "--seed",
        "5",
        "--output",
        'a "folder\'s"',
        "--",
        "-x",
        "--heavy",
    ),
    "run, dashes": ("run", "-k=-k", "--output=--output"),
    "coverage": ("coverage", "--set", "6", "--save", "the count.json", "--", "--threads=1"),
    "gate": ("gate", "--base", "HEAD~1@/a python"),
    "gate, all": (
        *(
            "gate",
            "--base",
            "v1",
            "--head=-odd",
            "-k",
            "predict and 1]",
            "--cases",
            "my cases",
            "--threads",
            "2",
            "--budget",
            "0.5",
        ),
        *(
            "--threshold",
            "0.1",
            "--threshold",
            "a and not b=5%",
            "--json",
            "o.json",
            "--markdown",
            "o.md",
            "--seed",
            "1",
            "--output",
            "$HOME",
            "--pairs",
            "3",
        ),
        *("--", "--benchmark-max-time", "1", "--", "last"),
    ),
}


def asked(options):
    """All that a command was told."""
    return {name: value for name, value in vars(options).items() if name not in ("parser", "function", "typed", "began")}


def parsed(line):
    python, dash_m, module, *words = shlex.split(line)
    assert (python, dash_m, module) == ("python", "-m", "benchmarks")
    return asked(parse(words))


@pytest.mark.parametrize("line", [*LINES.values(), ("study", "quiet=a b", "c", "--runs", "3")], ids=[*LINES, "study"])
def test_round_trip(line):
    """What the line is parsed to makes a line that is parsed to the same."""
    options = parse(line)
    assert parsed(command_line(options)) == asked(options)


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_to_go_on(tmp_path, monkeypatch, capsys, line):
    """The last line of an interrupted command has its options, the folder that was begun, and --resume."""
    begun = []

    def measure(*arguments):
        places = [getattr(one, "folder", one) for one in arguments]
        (output,) = (one for one in places if isinstance(one, Path))
        output.mkdir(parents=True)
        (output / MANIFEST).write_text("{}")
        begun.append(output)
        raise Interrupted("SIGINT")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(processes, "run", measure)
    monkeypatch.setattr(gate, "run", measure)
    monkeypatch.setattr(sides, "opened", lambda *_: nullcontext({}))
    monkeypatch.setattr(command, "survey", lambda sides, plans, signals: Survey(plans[0], {}))

    assert main(line) == 130
    kept, go_on = capsys.readouterr().err.splitlines()
    assert kept.startswith("SIGINT: 0 ")
    assert parsed(go_on) == {**asked(parse(line)), "output": begun[0], "resume": True}
