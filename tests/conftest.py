"""How the tests run: without a path, in one process a CPU, side by side; a test that is marked ``alone`` runs while no other does.

Only tests read this file.  Benchmarks are never run side by side: they would measure each other.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

MOST_WORKERS = 4
"""Each imports every framework, and needs 1.5 GB with them."""

LOCKS = pytest.StashKey[Path]()
SHARED = pytest.StashKey[dict[str, str]]()


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Share the tests among processes, where the command line names no path and says nothing else about them; ``-n 0`` does not."""
    from conftest import usable_cpus

    option = config.option
    if hasattr(config, "workerinput") or not config.pluginmanager.hasplugin("xdist"):
        return
    said = (
        option.numprocesses is not None or option.dist != "no" or option.tx or option.usepdb or option.trace or option.collectonly
    )
    workers = min(usable_cpus(), MOST_WORKERS)
    if said or config.args_source is not pytest.Config.ArgsSource.TESTPATHS or workers < 2:
        return
    option.numprocesses, option.dist = workers, "worksteal"


with suppress(ImportError):
    from hypothesis import HealthCheck, settings

    # How long it takes to make an example is a property of what else runs.
    settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("any machine")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """In one of several processes: its share of the CPUs, since more threads than CPUs wait for each other, and a folder for locks.

    The processes of one run have the folder above that of their temporary files in common.
    """
    from benchmarks.isolated import caches
    from conftest import usable_cpus

    worker = getattr(config, "workerinput", None)
    if worker is None:
        return
    config.stash[LOCKS] = Path(config.option.basetemp).parent
    config.stash[SHARED] = {variable: os.environ[variable] for variable in caches.variables()}
    if config.option.threads is None:
        config.option.threads = max(1, usable_cpus() // worker["workercount"])


def pytest_sessionstart(session: pytest.Session) -> None:
    """Let the processes of one run have what they compile in common: each got empty folders of its own, for its first calls to be true ones.

    What pytest-xdist says to its workers is not meant for the sessions that tests start: the plug-in would not measure in them.
    """
    os.environ.update(session.config.stash.get(SHARED, {}))
    for name in [name for name in os.environ if name.startswith("PYTEST_XDIST")]:
        del os.environ[name]


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[Any]:
    """What is there when all tests are collected, frameworks that they import among it, stays to the end: it is no garbage."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[Any]:
    """A test that is marked ``alone`` waits until no other process runs one, and the others wait for its end."""
    folder = item.config.stash.get(LOCKS, None)
    if folder is None:
        return (yield)
    with _lock(folder, alone=item.get_closest_marker("alone") is not None):
        return (yield)


@contextmanager
def _lock(folder: Path, alone: bool) -> Iterator[None]:
    """Hold one lock, shared with others or alone.  A second one is a queue: without it, those who share could keep one out for ever."""
    import fcntl

    with (folder / "running").open("w") as running:
        with (folder / "queue").open("w") as queue:
            fcntl.flock(queue, fcntl.LOCK_EX)
            fcntl.flock(running, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        try:
            yield
        finally:  # said aloud: a process that the test forked and left would hold on to it
            fcntl.flock(running, fcntl.LOCK_UN)
