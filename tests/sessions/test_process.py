"""A command leaves nothing behind, however it ends."""

from __future__ import annotations

import os
import sys
import time

import psutil
import pytest

from benchmarks.sessions.process import Place, execute
from benchmarks.sessions.signals import Interrupted
from tests.support.processes import alive


def test_nothing_survives(tmp_path):
    """An interrupted command is killed, not waited for, and so is what it started."""
    family = []

    class Soon:
        def check(self):
            time.sleep(0.5)
            family.extend(psutil.Process().children(recursive=True))
            raise Interrupted

    start = time.monotonic()
    with (tmp_path / "log").open("w") as log, pytest.raises(Interrupted):
        execute(["sh", "-c", "sleep 600 & sleep 600"], Place(tmp_path, sys.executable, os.environ), log, Soon())

    assert time.monotonic() - start < 300  # half of what waiting for it would take
    assert len(family) >= 2
    psutil.wait_procs(family, timeout=60)
    assert not [process for process in family if alive(process)]
