"""What became of a process that a test started."""

from __future__ import annotations

import psutil


def alive(process: psutil.Process) -> bool:
    """Whether it still runs; a zombie does not."""
    return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
