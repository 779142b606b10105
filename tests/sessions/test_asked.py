"""What a measurement was asked for is in its manifest: --resume goes on with that, but for what is typed anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import main, parse
from benchmarks.saved.storage import ASKED, MANIFEST, newest_folder
from benchmarks.sessions.asked import as_it_began, asked_for, goes_on_with
from benchmarks.sessions.folder import begin, check_settings, kept_if
from lenet5 import InputError
from tests.sessions.test_command_line import LINES, asked


@pytest.fixture
def began(tmp_path, monkeypatch):
    """began(line, name) -> the folder of a measurement that a command line began in the storage; ``line`` None for one that does not say."""
    monkeypatch.chdir(tmp_path)

    def begin_it(line, name, processes=0):
        folder = Path(".benchmarks") / name
        begin(folder, {"seed": 0}, asked_for(parse(line)) if line else ())
        for number in range(processes):
            (folder / "base").mkdir(exist_ok=True)
            (folder / "base" / f"process-{number:03d}.json").touch()
        return folder

    return begin_it


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_nothing_else_typed(began, line):
    """The options are those that it began with, whatever is in them; it goes on in its folder."""
    folder = began(line, f"{line[0]}-1")
    assert asked(as_it_began(parse([line[0], "--resume"]))) == {**asked(parse(line)), "output": folder, "resume": True}


def test_what_is_typed_counts(began):
    """Over what was asked before, option by option, and all that stands behind the two dashes."""
    began(("gate", "--base", "v1", "--threads", "2", "--threshold", "5%", "--json", "o.json", "--", "-x"), "gate-1")
    options = as_it_began(parse(["gate", "--resume", "--threads", "1", "--budget", "3", "--threshold", "a=3%", "--", "-v"]))
    found = {name: getattr(options, name) for name in ("base", "threads", "budget", "threshold", "pytest", "resume")}
    assert found == {
        "base": "v1",
        "threads": 1,  # its default, and yet typed
        "budget": 3.0,
        "threshold": ["5%", "a=3%"],
        "pytest": ("-v",),
        "resume": True,
    }
    assert options.json == Path("o.json")
    assert [goes_on_with(options, name) for name in ("base", "threads", "budget")] == [True, False, False]
    assert not goes_on_with(parse(["gate", "--base", "v1"]), "base")


def test_a_folder_that_does_not_say(began, capsys):
    """One that an older version began is gone on with as it was then: what is asked has to be typed."""
    folder = began(None, "gate-1", processes=1)
    options = as_it_began(parse(["gate", "--base", "v1", "--resume"]))
    assert (options.base, options.output) == ("v1", folder)
    with pytest.raises(SystemExit, match="2"):
        main(["gate", "--resume"])
    assert capsys.readouterr().err == "python -m benchmarks gate: the following arguments are required: --base\n"


@pytest.mark.parametrize("command", ["gate", "bisect", "run", "commits", "coverage"])
def test_nothing_to_go_on_with(began, capsys, command):
    """A folder that was named holds no measurement: that is said, and not that something has to be typed."""
    Path("raw").mkdir(parents=True)
    assert main([command, "--resume", "--output", "raw"]) == 2
    line = f"raw: no {command} to go on with; name the --output of one that has begun\n"
    assert capsys.readouterr().err == line


def test_newest_that_can_go_on(began):
    """One that failed before it kept anything is passed over; one that was interrupted in its first process is not."""
    with pytest.raises(InputError, match="no gate to go on with"):
        newest_folder("gate")
    old = began(None, "gate-20260101", processes=2)
    began(None, "gate-20260102")
    began(("run",), "run-20260103")
    assert newest_folder("gate") == old
    interrupted = began(("gate", "--base", "v1"), "gate-20260104")
    assert newest_folder("gate") == interrupted


def test_what_was_asked_is_no_setting(began):
    """It may change between two processes, the settings may not."""
    folder = began(("run", "--processes", "3"), "run-1")
    assert json.loads((folder / MANIFEST).read_text())[ASKED][0] == "--processes=3"
    check_settings(folder, {"seed": 0})
    with pytest.raises(InputError, match="seed was 0, now it is 1"):
        check_settings(folder, {"seed": 1})


@pytest.mark.parametrize("processes", [0, 1])
def test_an_early_failure(began, processes):
    """It leaves no manifest to go on with, unless something was measured."""
    folder = began(("run",), "run-1", processes)
    with pytest.raises(InputError), kept_if(lambda: processes > 0, folder):
        raise InputError("no case")
    assert (folder / MANIFEST).exists() == bool(processes)
