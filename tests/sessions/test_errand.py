"""What a worker is sent to do, without a cluster around it: its environment, and what it leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from benchmarks.sessions import errand


def test_the_environment_of_a_worker(monkeypatch):
    """What Dask's nanny has set is taken out again; what the user has set to another value stays."""
    pytest.importorskip("dask")
    import distributed.config  # noqa: F401  # which reads Dask's settings of a nanny

    for name, value in {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "4", "PYTHONHASHSEED": "6640", "OTHER": "1"}.items():
        monkeypatch.setenv(name, value)
    found = errand._environment()
    assert {"OMP_NUM_THREADS", "PYTHONHASHSEED"} & found.keys() == set()
    assert (found["MKL_NUM_THREADS"], found["OTHER"]) == ("4", "1")


def test_what_a_killed_errand_left(tmp_path):
    """The next one on that machine removes it, but not the folder of one that is at work; a request that breaks leaves nothing."""
    fcntl = pytest.importorskip("fcntl")
    stale, busy = tmp_path / "lenet5-errand-stale", tmp_path / "lenet5-errand-busy"
    for folder in (stale, busy):
        folder.mkdir()
        (folder / "file").touch()
    held = os.open(busy, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    request = json.dumps({"folders": {}, "runs": "harness", "module": "none", "asked": {}}).encode()
    done = subprocess.run(
        [sys.executable, "-I", "-S", errand.__file__, str(os.getpid()), "token"],
        input=request + b"\nno bundle",
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
    )
    os.close(held)

    found = json.loads(done.stdout)
    assert (done.returncode, found["code"], found["files"]) == (0, 2, {})
    assert found["said"].startswith("git cannot unpack the code: ")
    assert list(tmp_path.iterdir()) == [busy]


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("hint: wait\nerror: unable to write file a.py\nfatal: Could not reset\n", "error: unable to write file a.py"),
        ("killed\n", "killed"),
        ("", "it says nothing"),
    ],
)
def test_code_that_cannot_be_unpacked(tmp_path, monkeypatch, said, line):
    """Of what git says its first error counts, from which the others follow."""
    (tmp_path / "said").write_text(said)
    (tmp_path / "git").write_text(f"#!/bin/sh\ncat '{tmp_path}/said' >&2\nexit 1\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert errand._unpack(tmp_path, tmp_path / "code", {"folders": {}}, b"") == f"git cannot unpack the code: {line}"


def test_no_git(tmp_path, monkeypatch):
    """Also where a folder of the path is none."""
    monkeypatch.setenv("PATH", "/dev/null/such")
    assert errand._unpack(tmp_path, tmp_path / "code", {"folders": {}}, b"") == "git is not installed"
