"""What became of a process that a test started, and how a test waits for something to happen in one."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil

LONGEST_SECONDS = 240
"""So long a test waits for what takes a few seconds on an idle machine."""

Found = TypeVar("Found")


def alive(process: psutil.Process) -> bool:
    """Whether it still runs; a zombie does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def command_line(process: psutil.Process) -> list[str]:
    """Its program and arguments; empty once it has ended."""
    try:
        return list(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


def until(look: Callable[[], Found]) -> Found:
    """What ``look`` finds, as soon as it is not empty.  Raises TimeoutError if that takes too long."""
    end = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.05)
    raise TimeoutError(f"not within {LONGEST_SECONDS} s")


def appeared(path: Path) -> bool:
    """Whether a file is there, with something in it."""
    return path.exists() and path.stat().st_size > 0


def gone(*processes: psutil.Process) -> bool:
    """Wait until none of them runs any more.   -> True, or TimeoutError"""
    return until(lambda: not any(map(alive, processes)))


def mentioning(word: str) -> list[psutil.Process]:
    """All processes that run now and have this word in their command line or their working directory."""
    found = []
    for process in psutil.process_iter():
        try:
            if alive(process) and word in " ".join([*process.cmdline(), process.cwd()]):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found
