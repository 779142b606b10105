"""A gate that was interrupted or killed leaves nothing but its folder, and goes on there to the same verdict."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys

import psutil
import pytest

from benchmarks.saved.provenance import ROOT
from tests.support import fake_project
from tests.support.fake_project import git
from tests.support.gates import DRIVER, cells, start
from tests.support.processes import alive


def test_resume(slower, command, tmp_path):
    """A gate that goes on says what an uninterrupted one says, measures only what is missing, and both processes of a pair anew."""
    shutil.copytree(slower.folder / "raw", tmp_path / "raw")
    for killed in ("head/process-002.json", "base/process-003.json", "head/process-003.json"):
        (tmp_path / "raw" / killed).unlink()

    assert command("--resume", "--budget", "1e-9")[0] == 3
    assert [path.name for path in tmp_path.glob("raw/*/*.json")] == ["process-001.json"] * 2

    # What was asked is in the folder: nothing else has to be typed.  It includes where the outcome goes.
    (tmp_path / "out" / "gate.json").unlink()
    code, out, err = command("--resume")

    assert (code, out) == (1, slower.out)
    assert (tmp_path / "out" / "gate.json").exists()
    assert err.count(": done;") == 2
    before, now = (
        json.loads((folder / "raw" / "run.json").read_text())["noted"]["pair_seconds"] for folder in (slower.folder, tmp_path)
    )
    assert now[0] == before[0]
    assert len(now) == len(before) == 3
    for name, kept in (("process-001.json", True), ("process-002.json", False), ("process-003.json", False)):
        assert ((tmp_path / "raw" / "base" / name).read_bytes() == (slower.folder / "raw" / "base" / name).read_bytes()) == kept


@pytest.mark.parametrize("seconds", ["12", [1.0, "two"]], ids=str)
def test_wrong_notes(slower, command, tmp_path, seconds):
    """Of seconds that no gate notes one line says where they are, and what was measured stays."""
    shutil.copytree(slower.folder / "raw", tmp_path / "raw")
    manifest = tmp_path / "raw" / "run.json"
    said = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**said, "noted": {**said["noted"], "pair_seconds": seconds}}))
    before = {path: path.read_bytes() for path in tmp_path.glob("raw/**/*") if path.is_file()}

    code, out, err = command("--resume")

    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith("raw/run.json: pair_seconds")
    assert {path: path.read_bytes() for path in tmp_path.glob("raw/**/*") if path.is_file()} == before


def test_not_judged_again(slower, command, tmp_path):
    """A gate that has ended is not judged by other rules afterwards."""
    shutil.copytree(slower.folder / "raw", tmp_path / "raw")

    code, out, err = command("--base", "base", "--head", "slower", "--resume", "--threshold", "0.2")

    assert (code, out) == (2, "")
    assert "raw/run.json: threshold was 0.02, now it is 0.2; restore it" in err


@pytest.mark.slow
def test_not_resumed(command, repository, tmp_path):
    """Pairs of other sides or settings are not mixed, and a folder that has results takes no second gate."""
    command("--base", "base", "--head", repository, "--budget", "0.0001")
    kept = sorted(path.read_bytes() for path in tmp_path.glob("raw/*/*.json"))
    again = ("--base", "base", "--head", repository, "--resume")

    assert "raw: has results; go on with --resume" in command("--base", "base", "--head", "same")[2]
    assert "raw/run.json: base.commit was " in command("--base", "slower", "--head", repository, "--resume")[2]
    assert "raw/run.json: threshold was 0.02, now it is 0.03" in command(*again, "--threshold", "0.03")[2]
    assert "raw/run.json: options was " in command(*again, "--threads", "2")[2]
    fake_project.write(repository, {"one": 5e-3})
    try:
        told = "raw/run.json: head.changed was False, now it is True (not as in the commit: lenet5/__init__.py); restore it"
        assert told in command(*again)[2]
    finally:
        git(repository, "checkout", "--quiet", ".")
    assert sorted(path.read_bytes() for path in tmp_path.glob("raw/*/*.json")) == kept


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.slow
def test_interrupted(repository, tmp_path, signum):
    """Ctrl-C and SIGTERM leave no process, no worktree and no temporary file, but a folder and the line to go on with."""
    running, children = start(repository, tmp_path, "--base", "base", "--head", "slower")
    running.send_signal(signum)
    _, err = running.communicate(timeout=300)

    assert running.returncode == 130
    assert not [child for child in children if alive(child)]
    assert git(repository, "worktree", "list").count("\n") == 0
    assert not list((tmp_path / "tmp").iterdir())
    assert not list(tmp_path.glob("raw/*/*.log")) + list(tmp_path.glob("raw/*/*.part"))
    kept, go_on = err.splitlines()[-2:]
    assert re.fullmatch(rf"{signal.Signals(signum).name}: \d pairs are kept; go on with", kept)

    if signum == signal.SIGINT:  # to go on is the same after either
        line = [sys.executable, "-c", DRIVER, str(repository), str(tmp_path / "tmp"), *shlex.split(go_on)[3:]]
        done = subprocess.run(line, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
        assert done.returncode == 1, done.stderr
        assert cells(done.stdout)["test_case[two]", "time"][-1] == "SLOWER"


@pytest.mark.slow
def test_killed(repository, tmp_path, command):
    """After kill -9 the next gate removes the worktrees that were left, and goes on in the folder."""
    running, children = start(repository, tmp_path, "--base", "base", "--head", "slower")
    running.kill()
    running.communicate()
    psutil.wait_procs(children, timeout=300)
    assert git(repository, "worktree", "list").count("\n") == 2

    code, out, _ = command("--base", "base", "--head", "slower", "--resume")  # which also looks that nothing is left

    assert code == 1
    assert cells(out)["test_case[two]", "time"][-1] == "SLOWER"


def test_child_killed(repository, tmp_path):
    """When a process that measures is killed, the gate cannot go on: exit 2 and its name; nothing is left."""
    running, children = start(repository, tmp_path, "--base", "base", "--head", "slower")
    for child in children:
        child.kill()
    _, err = running.communicate(timeout=300)

    assert running.returncode == 2
    assert re.match(r"--(base|head) (base|slower): process-00\d could not measure \(exit code -9\)", err.splitlines()[-1])
    assert git(repository, "worktree", "list").count("\n") == 0
