"""The newest run is found among all that is kept."""

from __future__ import annotations

import json
import os
import shutil
from datetime import datetime
from pathlib import Path

import pytest

from benchmarks.saved import storage
from benchmarks.saved.storage import ASKED, MANIFEST, new_folder, newest, newest_folder
from lenet5 import InputError

RUN = Path(__file__).parents[1] / "data" / "run"


def test_newest(tmp_path):
    """Without a name it is the run that was saved last: a file of pytest-benchmark, or the whole folder of a run."""
    single = tmp_path / "Linux" / "0001_run.json"
    single.parent.mkdir()
    shutil.copyfile(RUN / "process-001.json", single)
    os.utime(single, (0, 0))
    assert newest(tmp_path) == single

    several = tmp_path / "run-1"
    shutil.copytree(RUN, several, copy_function=shutil.copyfile)
    (several / MANIFEST).write_text("{}", encoding="utf-8")
    assert newest(tmp_path) == several


def test_in_the_same_second(tmp_path, monkeypatch):
    """Each run has a folder of its own, and the newest is the one that began last; so is one beside that of an older version."""

    left = [datetime(2026, 11, 28, 18, 46, 8, microsecond) for microsecond in (5, 10, 200000)]

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return left.pop(0)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(storage, "datetime", Clock)
    folders = [storage.STORAGE / "gate-20261128-184608", *(new_folder("gate") for _ in range(3))]
    assert len({*folders}) == 4
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / MANIFEST).write_text(json.dumps({ASKED: ["--base=v1"]}), encoding="utf-8")
        assert newest_folder("gate") == folder


def test_newest_of_none(tmp_path):
    """Where nothing was saved, the line says how to save something."""
    with pytest.raises(InputError, match="--benchmark-autosave"):
        newest(tmp_path)
