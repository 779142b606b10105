"""Errands for the workers of a Dask cluster: each is done once, by a worker that was checked first, and again by another if that worker dies.

An errand runs one command of our code and gives back the files that it left (`errand`).  A worker takes part if it offers the resource
"process"; it gets one errand at a time.  Before the first it says with which code and versions it would measure.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
import uuid
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent import futures
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.sessions import errand
from benchmarks.sessions.bundles import Bundle
from benchmarks.sessions.on_worker import FACTS, differences
from benchmarks.sessions.signals import Signals
from lenet5.errors import InputError

RESOURCE = "process"
"""What a worker offers that takes part: dask worker ... --resources process=1"""

STARTED_BY = "dask worker {address} --nthreads 1 --resources process=1"

WAIT_SECONDS = 30.0
"""How long to wait for the scheduler, and for a worker."""

LONGEST_WAIT_SECONDS = 1e7

POLL_SECONDS = 0.3
"""Between two looks at which workers there are, and for Ctrl-C."""

MOST_LOSSES = 3
"""An errand that so many workers died with may be what kills them."""

ADDRESS = re.compile(r"(tcp|tls)://[^\s/]+:\d+")

RUNNER = "exec(source, (space := {})) or space[name](*arguments)"
"""What a worker evaluates: a function of `errand`, from its text."""


@dataclass(frozen=True)
class Job:
    """What a measurement sends to every worker."""

    bundle: Bundle
    runs: str
    """Which folder of the bundle has the module."""
    module: str
    """What is run there, see `on_worker`."""
    packages: tuple[str, ...]
    """Their versions have to be the same on all workers."""
    code_sha256: Mapping[str, str]
    """What each folder of the bundle has to be once it is unpacked."""
    unit: str
    """What one errand measures: process or pair."""

    def request(self, asked: Mapping[str, Any]) -> str:
        folders = {name: list(commits) for name, commits in self.bundle.folders.items()}
        asked = {**asked, "packages": list(self.packages)}
        return json.dumps({"folders": folders, "runs": self.runs, "module": self.module, "asked": asked})


@dataclass(frozen=True)
class Done:
    """What became of an errand."""

    number: int
    worker: str
    """For people."""
    code: int
    """The exit code of its command."""
    said: str
    """The last line that this printed."""
    files: Mapping[str, str]
    """Name -> text of what it left."""
    home: str
    """The folder on the worker that held these files; it is gone."""
    seconds: float
    """What it took, with the way there and back."""


@dataclass
class _Worker:
    address: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Empty until it has said what it is."""
    refused: bool = False

    @property
    def title(self) -> str:
        return f"worker {self.address}{' on ' + self.facts['host'] if self.facts else ''}"


@dataclass
class _Sent:
    """An errand that a worker has."""

    number: int
    """0 asks what the worker is."""
    asked: Mapping[str, Any]
    worker: _Worker
    began: float


class Cluster:
    """The workers of a scheduler.  Within the block of `connected` it can be given errands."""

    def __init__(self, client: Any, address: str, wait_seconds: float, say: Callable[[str], object]) -> None:
        self._client, self._address, self._wait_seconds = client, address, wait_seconds
        self.say = say
        """Prints a line for people."""
        self._token = f"lenet5-{uuid.uuid4().hex}"
        self._source = Path(errand.__file__).read_text(encoding="utf-8")
        self._job: Job | None = None
        self._workers: dict[str, _Worker] = {}
        self._queue: deque[tuple[int, Mapping[str, Any]]] = deque()
        self._sent: dict[Any, _Sent] = {}
        self._losses: Counter[int] = Counter()
        self.shared: dict[str, int] = {}
        """The machines that have more than one of the workers that are used, and how many."""
        self._usable = time.monotonic()
        """When there was a worker that could be used."""
        self.facts: Mapping[str, Any] = {}
        """Code and versions of every worker that is used."""

    def begin(self, job: Job, signals: Signals) -> None:
        """Ask every worker what it is, and refuse by name what differs from most of them.

        Raises InputError, one line, if no worker is left, or there is none for so long.
        """
        self._job = job
        self._usable = time.monotonic()
        end = self._usable + self._wait_seconds  # one that is busy with other work may answer later
        while not self.facts:
            self._look(signals)
            for sent, found in self._arrived():
                self._note_facts(sent.worker, found)
            if self._known() and (not self._sent or time.monotonic() > end):
                self._choose()
        if not self.used:
            raise InputError(self._no_worker())

    def _choose(self) -> None:
        """Those that have the right code, and what most of them have beside it, are used."""
        assert self._job is not None
        asked = [
            json.dumps({**worker.facts, "host": "", "code_sha256": dict(self._job.code_sha256)}, sort_keys=True)
            for worker in self._known()
        ]
        self.facts = json.loads(Counter(asked).most_common(1)[0][0])
        self._judge(self._known())

    def _known(self) -> list[_Worker]:
        return [worker for worker in self._workers.values() if worker.facts and not worker.refused]

    def _judge(self, workers: Sequence[_Worker]) -> None:
        """Refuse those that are not like the others, and say which machines have more than one of those that are used."""
        for worker in workers:
            if found := differences(self.facts, worker.facts):
                self._refuse(worker, "; ".join(found[:3]))
        most = Counter(worker.facts["host"] for worker in self._known())
        for host, count in sorted(most.items()):
            if count > self.shared.get(host, 1):
                self.shared[host] = count
                self.say(shared_line(host, count))

    def _refuse(self, worker: _Worker, reason: str) -> None:
        worker.refused = True
        self.say(f"{worker.title} is not used: {reason}")

    @property
    def used(self) -> list[_Worker]:
        """The workers that errands can go to."""
        return self._known() if self.facts else []

    @property
    def slots(self) -> int:
        """How many errands can be under way at once; 1 at least."""
        return max(len(self.used), 1)

    def send(self, number: int, asked: Mapping[str, Any]) -> None:
        """Give an errand to the next worker that is free."""
        self._queue.append((number, {**asked, "expected": dict(self.facts)}))

    def next(self, signals: Signals) -> Done | None:
        """Wait for an errand to be done, whichever is first.   -> None if, before one is done, a further worker joins that needs an errand

        Raises InputError, one line, if there is no worker any more; raises Interrupted on a signal.
        """
        slots = self.slots
        while True:
            self._look(signals)
            if self.slots > slots:
                return None
            for sent, found in self._arrived():
                if sent.number:
                    seconds = time.monotonic() - sent.began
                    return Done(
                        sent.number, sent.worker.title, found["code"], found["said"], found["files"], found["home"], seconds
                    )
                self._note_facts(sent.worker, found)
                if sent.worker.facts:
                    self._judge([sent.worker])

    def _note_facts(self, worker: _Worker, found: Mapping[str, Any]) -> None:
        if found["code"] or FACTS not in found["files"]:
            self._refuse(worker, found["said"])
        else:
            worker.facts = json.loads(found["files"][FACTS])

    # One step

    def _look(self, signals: Signals) -> None:
        """See which workers there are, let others do what a dead one had, and give what is queued to those that are free."""
        signals.check()
        there = self.there()
        for address in self._workers.keys() - there:
            self._lose(self._workers.pop(address))
        busy = {sent.worker.address for sent in self._sent.values()}
        for address in sorted(there - self._workers.keys()):
            self._workers[address] = _Worker(address)
            self._submit(_Sent(0, {}, self._workers[address], time.monotonic()))
        for worker in self.used:
            if self._queue and worker.address not in busy:
                number, asked = self._queue.popleft()
                self._submit(_Sent(number, asked, worker, time.monotonic()))
        if any(not worker.refused for worker in self._workers.values()):
            self._usable = time.monotonic()
        elif time.monotonic() > self._usable + self._wait_seconds or (self._workers and not self.facts):
            raise InputError(self._no_worker())

    def _no_worker(self) -> str:
        if self._workers:
            return f"--scheduler {self._address}: every worker was refused; give them what the others, and this code, ask for"
        start = STARTED_BY.format(address=self._address)
        what = "no worker is left" if self.facts else f"no worker with the resource {RESOURCE!r}"
        return f"--scheduler {self._address}: {what} within {self._wait_seconds:g} s; start one with {start}"

    def there(self) -> set[str]:
        """The addresses of the workers that offer the resource.  Raises InputError if the scheduler is gone."""
        try:
            # Asked for by ourselves: what Client.scheduler_info gives, the client's own thread replaces every two seconds by an answer
            # without any workers, sometimes before it can be read.
            workers = self._client.sync(self._client.scheduler.identity, n_workers=-1)["workers"]
        except (OSError, KeyError, RuntimeError, AttributeError) as error:
            raise self._gone() from error
        if self._client.status != "running":
            raise self._gone()
        return {address for address, facts in workers.items() if facts.get("resources", {}).get(RESOURCE, 0) >= 1}

    def _gone(self) -> InputError:
        return InputError(f"--scheduler {self._address}: the scheduler is gone; what is measured is kept")

    def _lose(self, worker: _Worker) -> None:
        """A worker is gone: what it had is done by another one."""
        for future, sent in list(self._sent.items()):
            if sent.worker is worker:
                del self._sent[future]
                self._again(future, sent, f"{worker.title} is gone")

    def _again(self, future: Any, sent: _Sent, reason: str) -> None:
        with suppress(Exception):  # whatever the scheduler says to it
            future.cancel()
        if not sent.number:
            return
        self._losses[sent.number] += 1
        if self._losses[sent.number] >= MOST_LOSSES:
            raise InputError(
                f"--scheduler {self._address}: {MOST_LOSSES} workers are gone that measured {self._title(sent.number)}, the last {sent.worker.address}"
            )
        self.say(f"{reason}; {self._title(sent.number)} is measured elsewhere")
        self._queue.appendleft((sent.number, sent.asked))

    def _title(self, number: int) -> str:
        return f"{self._job.unit if self._job else ''} {number}"

    def _submit(self, sent: _Sent) -> None:
        assert self._job is not None
        arguments = (self._source, self._token, self._job.request(sent.asked), self._job.bundle.content)
        future = self._client.submit(
            eval,
            RUNNER,
            {"source": self._source, "name": "work", "arguments": arguments},
            key=f"{self._token}-{sent.number}-{uuid.uuid4().hex}",
            workers=[sent.worker.address],
            allow_other_workers=False,
            resources={RESOURCE: 1},
            pure=False,
        )
        self._sent[future] = sent

    def _arrived(self) -> Iterator[tuple[_Sent, Mapping[str, Any]]]:
        """What has come back since.  Waits a moment for the first."""
        from distributed import wait

        if not self._sent:
            time.sleep(POLL_SECONDS)
            return
        # It raises too where one was cancelled, as all are when the scheduler has ended, or has been told to start anew.
        with suppress(TimeoutError, asyncio.TimeoutError, futures.CancelledError):
            wait(list(self._sent), timeout=POLL_SECONDS, return_when="FIRST_COMPLETED")
        if any(future.cancelled() for future in self._sent):
            self.there()
        for future in [future for future in self._sent if future.done()]:
            sent = self._sent.pop(future)
            try:
                found = json.loads(future.result())
            except Exception as error:  # the worker's death has many names
                self._again(future, sent, f"{sent.worker.title}: {type(error).__name__}")
                continue
            yield sent, found
            return

    def close(self) -> None:
        """End what is under way, and wait until nothing of it is left on the workers."""
        busy = sorted({sent.worker.address for sent in self._sent.values()} & self._workers.keys())
        if busy:
            arguments = {"source": self._source, "name": "stop", "arguments": (self._token,)}
            with suppress(Exception):  # a worker that is gone by now
                self._client.run(eval, RUNNER, arguments, workers=busy, on_error="ignore")
        with suppress(Exception):
            self._client.cancel(list(self._sent), force=True)


def shared_line(host: str, workers: int) -> str:
    """What the user has to hear of workers that are on one machine."""
    return f"{workers} workers share the machine {host}: what they measure at the same time disturbs each other"


@contextmanager
def connected(address: str, wait_seconds: float | None, signals: Signals, say: Callable[[str], object]) -> Iterator[Cluster]:
    """A cluster by the address of its scheduler; when the block ends, however it does, nothing of ours runs there.

    Raises InputError, one line, if there is none for so long, if the address is none, and if Dask is not installed.
    """
    if not ADDRESS.fullmatch(address):
        raise InputError(f"--scheduler {address}: is no address; expected tcp://HOST:PORT or tls://HOST:PORT")
    wait_seconds = WAIT_SECONDS if wait_seconds is None else wait_seconds
    if not 0 < wait_seconds < LONGEST_WAIT_SECONDS:
        raise InputError(f"--wait {wait_seconds:g}: use a number of seconds above 0")
    client = _client(address, wait_seconds, signals)
    cluster = Cluster(client, address, wait_seconds, say)
    try:
        yield cluster
    finally:
        cluster.close()
        with suppress(Exception):
            client.close(timeout=5)


def _client(address: str, wait_seconds: float, signals: Signals) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise InputError("--scheduler: the package 'distributed' is not installed; pip install -e '.[cluster]'") from None
    for name in ("distributed", "distributed.client"):  # each has a level of its own; what they log is said here in a line
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    end = time.monotonic() + wait_seconds
    # Versions are compared by this module, those that matter.
    warnings.filterwarnings("ignore", message="(?s).*Mismatched versions")
    while True:
        signals.check()
        try:
            return Client(address, timeout=min(2.0, wait_seconds), name="lenet5-benchmarks")
        except OSError as error:
            if time.monotonic() > end:
                raise InputError(f"--scheduler {address}: no scheduler answers within {wait_seconds:g} s") from error
        except (TypeError, ValueError, RuntimeError) as error:
            raise InputError(f"--scheduler {address}: {str(error).splitlines()[0]}") from error
