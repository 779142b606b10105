"""Temporary folders go with their process; what a killed one has left goes with the next."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.launch import temporary
from tests.support.copies import PROJECT

HOLDER = """
import sys, time
from pathlib import Path
from benchmarks.launch import temporary
made = temporary.folder("kept-", sys.argv[1])
Path(made.name, "file").touch()
print(made.name, flush=True)
time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    """A process that has made a temporary folder, and that folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], cwd=PROJECT, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    with process:
        yield process, Path(process.stdout.readline().strip())
        process.kill()


def test_gone_with_its_block(tmp_path):
    """The folder is there within the block, its name begins as asked, and nothing is left after it, no open file either."""
    before = os.listdir("/dev/fd")
    with temporary.folder("kept-", tmp_path) as name:
        assert Path(name).parent == tmp_path
        assert Path(name).name.startswith("kept-")
        Path(name, "file").touch()
    assert not list(tmp_path.iterdir())
    assert len(os.listdir("/dev/fd")) == len(before)


def test_where_the_system_has_them(tmp_path, monkeypatch):
    """Without a place it is made where temporary files are."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with temporary.folder("kept-") as name:
        assert Path(name).parent == tmp_path


@pytest.mark.skipif(temporary.fcntl is None, reason="without locks nothing is removed")
def test_left_by_a_killed_process(holder, tmp_path):
    """As long as its process lives it stays; once that was killed, the next folder of its kind takes it away, and none of another kind."""
    process, left = holder
    (tmp_path / "other-1").mkdir()
    (tmp_path / "kept-file").touch()
    with temporary.folder("kept-", tmp_path):
        assert (left / "file").exists()

    process.kill()
    process.wait()
    assert left.exists()

    with temporary.folder("other", tmp_path / "other-1"), temporary.folder("kept-", tmp_path) as name:
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["kept-file", "other-1", Path(name).name])


def test_two_in_one_process(tmp_path):
    """A process does not take its own for one that was left."""
    with temporary.folder("kept-", tmp_path) as one, temporary.folder("kept-", tmp_path) as other:
        assert {Path(one), Path(other)} == set(tmp_path.iterdir())


@pytest.mark.skipif(temporary.fcntl is None, reason="without locks nothing is removed")
def test_taken_before_it_was_held(tmp_path, monkeypatch):
    """Another process can take a folder that was made a moment ago for one that was left: then a second one is made."""
    hold, taken = temporary.Folder.hold, []

    def too_late(made):
        if not taken:
            taken.append(made.name)
            os.rmdir(made.name)
        return hold(made)

    monkeypatch.setattr(temporary.Folder, "hold", too_late)
    with temporary.folder("kept-", tmp_path) as name:
        assert Path(name).is_dir()
        assert [name] != taken


@pytest.mark.skipif(temporary.fcntl is None, reason="there is nothing to lock with")
def test_a_file_system_without_locks(tmp_path, monkeypatch):
    """Where a folder cannot be locked, as on some network file systems, it is made all the same, and none is taken for one that was left."""
    (tmp_path / "kept-1").mkdir()

    def no_locks(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(temporary.fcntl, "flock", no_locks)
    monkeypatch.setattr(temporary.Folder, "cleanup", lambda _: pytest.fail("made again and again"))
    made = temporary.folder("kept-", tmp_path)
    monkeypatch.undo()
    assert {path.name for path in tmp_path.iterdir()} == {"kept-1", Path(made.name).name}
    made.cleanup()


def test_without_locks(tmp_path, monkeypatch):
    """On a system that has none, folders are made and removed, and none is taken for one that was left."""
    monkeypatch.setattr(temporary, "fcntl", None)
    (tmp_path / "kept-1").mkdir()
    with temporary.folder("kept-", tmp_path) as name:
        assert Path(name).is_dir()
    assert [path.name for path in tmp_path.iterdir()] == ["kept-1"]


def test_a_link_is_not_followed(tmp_path):
    """What a link of that name leads to is not this project's to remove."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "file").touch()
    (tmp_path / "kept-link").symlink_to(tmp_path / "theirs")
    with temporary.folder("kept-", tmp_path):
        pass
    assert (tmp_path / "theirs" / "file").exists()
