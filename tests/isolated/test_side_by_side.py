"""Programs side by side: as many at once as asked, all answers, none left behind; and what has finished is not run again."""

from __future__ import annotations

import os
import time
from contextlib import closing

import psutil
import pytest

from benchmarks.isolated import finished, program, side_by_side
from lenet5 import InputError

SOURCE = """
import json, os, sys, time
word, folder = sys.argv[1:]
open(os.path.join(folder, f"{word}-{os.getpid()}"), "w").close()
if word == "waits":
    time.sleep(600)
if word == "fails":
    sys.exit("no answer to that")
print(json.dumps({"word": word, "threads": os.environ["OMP_NUM_THREADS"]}))
"""


@pytest.fixture
def started(tmp_path, monkeypatch):
    """The folder in which `some_program` leaves a file for each process of it: its first argument and its number."""
    (tmp_path / "some_program.py").write_text(SOURCE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    folder = tmp_path / "started"
    folder.mkdir()
    return folder


def words(folder):
    return sorted(path.name.partition("-")[0] for path in folder.iterdir())


def until(holds):
    """Wait for what must happen; a minute is for a process that hangs."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def calls(started, *asked):
    return {word: (word, started) for word in asked}


def test_every_call_has_its_answer(started):
    """Each answer stands under its call, whatever ends first; the variables replace those of this process."""
    found = dict(side_by_side.answers("some_program", calls(started, "a", "b", "c"), 2, {"OMP_NUM_THREADS": "7"}))
    assert found == {word: {"word": word, "threads": "7"} for word in "abc"}


def test_as_many_at_once_as_asked(started):
    """Two run and the third waits; and when the answers are wanted no longer, nothing runs any more."""
    answers = side_by_side.answers("some_program", calls(started, "waits", "a", "b", "c"), 2, {"OMP_NUM_THREADS": "1"})
    with closing(answers):
        for ended in ("a", "b"):  # one place is taken all the time
            assert next(answers)[0] == ended
            assert set(words(started)) - {"waits"} == {*"ab"[: "ab".index(ended) + 1]}
        until(lambda: "waits" in words(started))
        waiting = psutil.Process(int(next(started.glob("waits-*")).name.partition("-")[2]))
    until(lambda: not waiting.is_running() or waiting.status() == psutil.STATUS_ZOMBIE)
    assert words(started) == ["a", "b", "waits"]


def test_resumed(started, tmp_path):
    """An interrupted group goes on: what had finished is taken from the disk, a damaged file and what failed are run."""
    folder, variables = finished.folder_for(tmp_path / "kept", {"epochs": 30}), {"OMP_NUM_THREADS": "1"}
    with pytest.raises(program.ProgramFailed, match="no answer to that"):
        finished.all_answers(folder, "some_program", calls(started, "a", "b", "fails"), 1, variables, resume=True)
    (folder / "b.json").write_text('{"word"')
    assert words(started) == ["a", "b", "fails"]

    found = finished.all_answers(folder, "some_program", calls(started, "c", "b", "a"), 1, variables, resume=True)
    assert [answer["word"] for answer in found] == ["c", "b", "a"]
    assert words(started) == ["a", "b", "b", "c", "fails"]

    finished.all_answers(folder, "some_program", calls(started, "a"), 1, variables, resume=False)
    assert words(started) == ["a", "a", "b", "b", "c", "fails"]


def test_other_settings_other_folder(tmp_path):
    """Answers under other settings are not found; the order of the settings is of no consequence."""
    one, same, other = (
        finished.folder_for(tmp_path, settings) for settings in ({"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 1, "b": 3})
    )
    assert one == same != other


def test_no_folder(tmp_path):
    """Where nothing can be kept, one line says so."""
    (tmp_path / "file").touch()
    with pytest.raises(
        InputError, match=r"file/[0-9a-f]{16}: cannot be made \(Not a directory\); what has finished is kept there$"
    ):
        finished.folder_for(tmp_path / "file", {})
