"""The newest run is found among all that is kept."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from benchmarks.saved.storage import MANIFEST, newest
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


def test_newest_of_none(tmp_path):
    """Where nothing was saved, the line says how to save something."""
    with pytest.raises(InputError, match="--benchmark-autosave"):
        newest(tmp_path)
