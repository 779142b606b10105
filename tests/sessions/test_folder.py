"""A folder takes one measurement at a time, and is free again however that one ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

from benchmarks.__main__ import main
from benchmarks.saved.provenance import ROOT
from benchmarks.saved.storage import MANIFEST
from benchmarks.sessions import processes
from benchmarks.sessions.folder import alone, begin, check_settings, note
from benchmarks.sessions.plan import Plan
from lenet5 import InputError

HOLDER = """
import sys
from pathlib import Path
from benchmarks.sessions.folder import alone
from benchmarks.sessions.plan import Plan

with alone(Path(sys.argv[1]), make=True):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the folder ``run``, until it is killed or its input ends."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "run")]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("resume", [[], ["--resume"]], ids=["new", "resumed"])
def test_two_at_a_time(holder, tmp_path, capsys, resume):
    """The second is refused with one line and exit 2, and leaves the folder as it was."""
    folder = tmp_path / "run"
    begin(folder, {"seed": 0})
    broken = ["--", "--dataset", "nonsense"]  # should it begin after all, it ends at once
    assert main(["run", "--output", str(folder), *resume, *broken]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"{folder}: another run is measuring into it; wait for its end, or name another --output\n")
    assert list(folder.iterdir()) == [folder / MANIFEST]


@pytest.mark.parametrize("how", ["ended", "killed"])
def test_free_again(holder, tmp_path, how):
    """A lock ends with its process, even one that could not clean up."""
    if how == "killed":
        holder.send_signal(signal.SIGKILL)
    holder.communicate()
    with alone(tmp_path / "run", make=False):
        pass


def test_it_ends_with_the_block(tmp_path):
    """Within one process too, and after an error as after success."""
    with alone(tmp_path, make=False), pytest.raises(InputError, match="another run"), alone(tmp_path, make=False):
        raise AssertionError("twice")
    with pytest.raises(BlockingIOError), alone(tmp_path, make=False):
        raise BlockingIOError  # not ours
    with alone(tmp_path, make=False):
        pass


def test_no_folder(tmp_path):
    """To go on where nothing is makes no folder; where one is made but cannot be, the line says so."""
    with pytest.raises(InputError, match=r"run\.json: no such file"):
        processes.run(Plan(), 1, tmp_path / "none", resume=True)
    assert not (tmp_path / "none").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file: cannot be written"), alone(tmp_path / "file", make=True):
        pass


def test_what_is_noted_is_no_setting(tmp_path):
    """What is noted beside the settings is kept with them, replaced by its name, and need not be as it was to go on."""
    begin(tmp_path, {"seed": 0}, ["-k", "x"], {"threads": 1})
    note(tmp_path, threads=2, ended=True)

    assert json.loads((tmp_path / "run.json").read_text()) == {
        "seed": 0,
        "asked": ["-k", "x"],
        "noted": {"threads": 2, "ended": True},
    }
    check_settings(tmp_path, {"seed": 0})
    with pytest.raises(InputError, match="seed was 0, now it is 1"):
        check_settings(tmp_path, {"seed": 1})
