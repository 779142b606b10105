"""What is printed arrives, or nothing else suffers from it."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from types import SimpleNamespace

import pytest

from benchmarks.report import after_session, report
from benchmarks.report.printing import Lasting, unexpected
from benchmarks.saved.provenance import ROOT
from lenet5 import errors


@pytest.fixture
def pipe():
    """A stream whose reader has left."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        yield stream


def test_a_reader_that_leaves(pipe):
    """What is written then is dropped, however much, and nothing is left that Python would write at its end."""
    lasting = Lasting(pipe)
    for text in ("first\n", "x" * 100_000, "last\n"):
        assert lasting.write(text) == len(text)
        lasting.flush()
    assert lasting.failure is None
    pipe.flush()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_a_full_disk():
    """The first failure is kept, to be said once."""
    with open("/dev/full", "w", encoding="utf-8") as stream:
        lasting = Lasting(stream)
        lasting.write("text")
        lasting.flush()
        lasting.flush()
        assert lasting.failure is not None
        assert lasting.failure.strerror == "No space left on device"


def test_it_is_the_stream(tmp_path):
    """Everything but writing is the stream's own, and what is written is there."""
    with open(tmp_path / "file", "w", encoding="latin-1") as stream:
        lasting = Lasting(stream)
        assert (lasting.encoding, lasting.isatty(), lasting.name) == ("latin-1", False, str(tmp_path / "file"))
        lasting.write("é")
    assert (tmp_path / "file").read_bytes() == b"\xe9"


def test_closed_streams(monkeypatch):
    """A stream that is closed becomes one that leads nowhere, and an encoding without a letter gets an escape."""
    monkeypatch.setattr(sys, "stdout", None)
    errors.prepare()
    assert sys.stdout.write("text") == 4
    sys.stdout.close()


def test_a_report_that_cannot_be_made(monkeypatch, tmp_path):
    """What was measured is saved: an error that no code foresaw is one line then, and no traceback."""
    said = []

    def fails(*_, **__):
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(after_session, "_saved_by", lambda config: tmp_path / "0001.json")
    monkeypatch.setattr(report, "write", fails)
    reporter = SimpleNamespace(write_line=lambda line, **_: said.append(line))
    after_session.write_report(reporter, SimpleNamespace(rootpath=tmp_path))
    assert said == [
        f"No report of {tmp_path}/0001.json: internal error: ZeroDivisionError: by nothing; please report it (LENET5_TRACEBACK=1 shows where)"
    ]


def test_a_report_that_cannot_be_written(monkeypatch, tmp_path):
    """The line says how the saved file becomes a report elsewhere: pytest has no option for its place."""
    said = []
    saved = ROOT / "tests" / "data" / "run" / "process-001.json"
    (tmp_path / "report").touch()
    monkeypatch.setattr(after_session, "_saved_by", lambda config: saved)
    reporter = SimpleNamespace(write_line=lambda line, **_: said.append(line))
    after_session.write_report(reporter, SimpleNamespace(rootpath=tmp_path))
    elsewhere = f"write it elsewhere: python -m benchmarks report {saved} --output DIR"
    assert said == [f"No report: {tmp_path}/report/report.md: cannot be written (File exists); {elsewhere}"]


TMPDIR = ", or set TMPDIR to another place"


@pytest.mark.parametrize(
    ("files", "where", "elsewhere"),
    [
        (("/results/one.py", None, "/scratch/gate/one.py"), "/scratch/gate: cannot be written", TMPDIR),
        (("/scratch/one.py",), "/scratch: cannot be written", TMPDIR),
        (("/results/one.json",), "/results: cannot be written", ""),
        ((), "cannot go on", TMPDIR),
    ],
    ids=["a copy", "temporary", "elsewhere", "an open file"],
)
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_folder(monkeypatch, files, where, elsewhere, number):
    """The line names the folder that is full, and TMPDIR where that can help."""
    monkeypatch.setattr(tempfile, "tempdir", "/scratch")
    line = f"{where} ({os.strerror(number)}); make room{elsewhere} (LENET5_TRACEBACK=1 shows where)"
    assert unexpected(OSError(number, os.strerror(number), *files)) == line


def test_another_error_of_the_system():
    """It is no matter of room."""
    assert unexpected(PermissionError(13, "Permission denied", "/x")).startswith(
        "cannot go on: [Errno 13] Permission denied: '/x' ("
    )
