"""A real Dask scheduler and real workers on this machine, at ports that the system chooses, each worker with a temporary folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import psutil

from tests.support.processes import alive, until

AS_DOCUMENTED = ("--nthreads", "1", "--resources", "process=1")

HOLD = "LENET5_TEST_HOLD"
"""The variable that names a file: as long as that is there, a case that calls WAIT does not end, and says so in a second file."""

WAIT = f"""
import os, time
while os.path.exists(hold := os.environ.get({HOLD!r}, "")):
    open(hold + ".begun", "w").close()
    time.sleep(0.05)
"""
"""The source of what such a case does first."""

ERRANDS = "lenet5-errand-*"


@dataclass
class Worker:
    """A process of `dask worker`."""

    process: subprocess.Popen[bytes]
    folder: Path
    """Its TMPDIR is ``tmp`` in there, and its HOLD is ``hold``."""

    def hold(self) -> None:
        """Let no case end that begins from now on."""
        (self.folder / "hold").touch()

    def errands(self) -> list[Path]:
        return list((self.folder / "tmp").glob(ERRANDS))

    def holds(self) -> bool:
        """Whether a case has begun that does not end."""
        return (self.folder / "hold.begun").exists()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@dataclass
class Cluster:
    """A scheduler and its workers."""

    folder: Path
    protocol: tuple[str, ...] = ()
    workers: list[Worker] = field(default_factory=list)
    scheduler: subprocess.Popen[bytes] | None = None

    @cached_property
    def address(self) -> str:
        return str(json.loads((self.folder / "scheduler.json").read_text(encoding="utf-8"))["address"])

    def start(self) -> None:
        file = self.folder / "scheduler.json"
        around = {"DASK_TEMPORARY_DIRECTORY": str(self.folder)}
        self.scheduler = self._run(
            self.folder, around, "scheduler", "--port", "0", "--host", "127.0.0.1", "--no-dashboard", *self.protocol
        )
        until(lambda: file.exists() and file.read_text(encoding="utf-8").rstrip().endswith("}"))

    def add(self, *options: str, **environment: str) -> Worker:
        """Start one more worker, as documented unless there are options.  It counts when its scheduler knows it."""
        folder = self.folder / f"worker-{len(self.workers)}"
        (folder / "tmp").mkdir(parents=True)
        around = {"TMPDIR": str(folder / "tmp"), HOLD: str(folder / "hold"), **environment}
        process = self._run(
            folder,
            around,
            "worker",
            "--no-dashboard",
            "--local-directory",
            str(folder),
            *(options or AS_DOCUMENTED),
            *self.protocol,
        )
        self.workers.append(Worker(process, folder))
        until(lambda: b"Registered to" in (folder / "worker.log").read_bytes())
        return self.workers[-1]

    def _run(self, folder: Path, around: Mapping[str, str], program: str, *options: str) -> subprocess.Popen[bytes]:
        file = ("--scheduler-file", str(self.folder / "scheduler.json"))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHONPATH", "PYTEST"))}
        with (folder / f"{program}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{program}", *file, *options],
                cwd=folder,
                env={**kept, **around},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def stop(self) -> None:
        for process in filter(None, [*(worker.process for worker in self.workers), self.scheduler]):
            found = (
                [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
                if process.poll() is None
                else []
            )
            for one in found:
                if alive(one):
                    one.kill()
            process.wait()


@contextmanager
def cluster(folder: Path, *protocol: str) -> Iterator[Cluster]:
    """A scheduler without workers; no process is left of it, and of its workers, when the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    started = Cluster(folder, protocol)
    try:
        started.start()
        yield started
    finally:
        started.stop()


@contextmanager
def restless() -> Iterator[None]:
    """Within the block a client's own thread asks its scheduler for facts a thousand times a second, not every two seconds."""
    import dask
    import distributed  # noqa: F401 -- brings Dask's settings, one of which is changed here

    with dask.config.set({"distributed.client.scheduler-info-interval": "1ms"}):
        yield
