"""A file is written whole or not at all, and read whatever an editor has put before it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.saved.files import File, read_json, write_together, write_whole
from lenet5 import InputError


def test_nothing_is_left(tmp_path):
    """Where the place is taken by a folder, one line names the option, and no half of a file stays behind."""
    (tmp_path / "report.html").mkdir()

    with pytest.raises(InputError, match=rf"^{tmp_path}/report.html: is a folder; name another --plots$"):
        write_whole(tmp_path / "report.html", "text", "--plots")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def full(here):
    return File(Path("/dev/full"), "text", "name another --json")


def under_a_file(here):
    (here / "file").touch()
    return File(here / "file" / "plot.svg", "text", "name another --plots")


def of_no_text(here):
    return File(here / "other.md", "half a pair: \ud800")


@pytest.mark.parametrize("broken", [full, under_a_file, of_no_text])
@pytest.mark.parametrize("last", [True, False], ids=["last", "first"])
def test_all_or_none(tmp_path, broken, last):
    """Where one of several files cannot be written none is, and the line names that one and says what to do."""
    (tmp_path / "report.md").write_text("older")
    wrong = broken(tmp_path)
    before = sorted(path.name for path in tmp_path.iterdir())
    files = [File(tmp_path / "report.md", "newer"), wrong]

    with pytest.raises(ValueError, match=r"surrogates|^" + f"{wrong.path}: cannot be written .*; {wrong.right}$"):
        write_together(files if last else files[::-1])

    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert (tmp_path / "report.md").read_text() == "older"


def test_all(tmp_path):
    """Otherwise all of them are, in folders that are made for them."""
    write_together([File(tmp_path / "a" / "one", "1"), File(tmp_path / "a" / "b" / "two", "2")])
    assert {path.name: path.read_text() for path in tmp_path.rglob("*") if path.is_file()} == {"one": "1", "two": "2"}


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full-disk", "ctrl-c"])
def test_interrupted(tmp_path, monkeypatch, error):
    """A file that breaks off half-way leaves the old one as it was, and nothing hidden beside it."""
    (tmp_path / "report.md").write_text("older")

    def breaks(self, target):
        raise error

    monkeypatch.setattr(Path, "replace", breaks)
    with pytest.raises(InputError if isinstance(error, OSError) else KeyboardInterrupt):
        write_whole(tmp_path / "report.md", "newer")
    assert [path.name for path in tmp_path.iterdir()] == ["report.md"]
    assert (tmp_path / "report.md").read_text() == "older"


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such mask")
@pytest.mark.parametrize(("mask", "rights"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_rights(tmp_path, mask, rights):
    """A file may be read by those whom the user's mask lets read it."""
    before = os.umask(mask)
    try:
        write_whole(tmp_path / "report.md", "text")
    finally:
        os.umask(before)
    assert (tmp_path / "report.md").stat().st_mode & 0o777 == rights


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte-order-mark"])
def test_a_byte_order_mark(tmp_path, mark):
    """What some editors and shells put before a JSON file is no part of it."""
    (tmp_path / "run.json").write_bytes(mark + b'{"a": "\xc3\xa9"}\r\n')
    assert read_json(tmp_path / "run.json", "a run") == {"a": "é"}
