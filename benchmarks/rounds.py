"""Fresh processes: the benchmarks several times over, each time in a random order of its own, one JSON a process.

A process fixes things that no number of rounds inside it can average out (where its memory lies, its hash seed, the minute it
ran in), so an interval needs several.  `results.load_many` makes one run of the files; a killed run goes on where it stopped.
"""

from __future__ import annotations

import json
import os
import platform
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from tqdm import tqdm

from benchmarks import lock, results
from benchmarks.provenance import ROOT, code_sha256, versions
from benchmarks.results import CONTROL, FAILED, Run
from lenet5 import InputError

MANIFEST = "run.json"
MOST = 999
WATCHDOGS = "test_control"
"""What every run measures beside its selection, or nobody could tell whether the machine held still."""

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupted(Exception):
    """A signal ended the run; the processes that had finished are kept."""


@dataclass(frozen=True)
class Plan:
    """What every process of a run has in common: which cases, in which orders, with which other options of pytest."""

    cases: str = "benchmarks"
    """Folder or file with the cases, relative to the project."""
    expression: str | None = None
    """As for ``pytest -k``; None for all of them."""
    seed: int = 0
    options: tuple[str, ...] = ()

    def pytest(self, number: int, json_path: Path) -> list[str]:
        """The command line of one process; the same number gives the same order."""
        selection = ["-k", f"({self.expression}) or {WATCHDOGS}"] if self.expression else []
        ours = ["--no-report", f"--shuffle={self.seed}.{number}", f"--benchmark-json={json_path}", "-p", "no:cacheprovider"]
        return [sys.executable, "-m", "pytest", str(ROOT / self.cases), *self.options, *selection, *ours]

    def settings(self) -> dict[str, Any]:
        """What must not change between the first process and the last, as JSON has it."""
        asked = {**asdict(self), "options": list(self.options)}
        return {**asked, "system": platform.platform(), "versions": versions(), "code_sha256": code_sha256()}

    def command_line(self, command: str, processes: int, output: Path, *more: str) -> str:
        """The command that a run of this plan is made with."""
        selection = ["-k", self.expression] if self.expression else []
        parts = [f"--processes={processes}", *selection, f"--seed={self.seed}", f"--output={output}", *more]
        return shlex.join(["python", "-m", "benchmarks", command, *parts, *(["--", *self.options] if self.options else [])])


def run(plan: Plan, processes: int, output: Path, resume: bool = False) -> Run:
    """Measure until the folder ``output`` holds so many processes, and read them back as one run.

    Raises InputError if that cannot be: a folder that has results already (without ``resume``) or those of another plan (with
    it), or that another run is measuring into; a process that cannot start.  Raises Interrupted on SIGINT, SIGTERM and SIGHUP, when
    nothing that it started is left.
    """
    if not 1 <= processes <= MOST:
        raise InputError(f"--processes {processes}: use a whole number from 1 to {MOST}")
    with lock.alone(output, make=not resume):
        return _run(plan, processes, output, resume)


def _run(plan: Plan, processes: int, output: Path, resume: bool) -> Run:
    _prepare(plan, output, resume)
    wanted = {number: output / f"process-{number:03d}.json" for number in range(1, processes + 1)}
    missing = {number: path for number, path in wanted.items() if not path.exists()}
    with _Signals() as signals, _Progress(processes, len(missing)) as progress:
        for number, path in missing.items():
            _check_settings(output / MANIFEST, plan)
            measured = _measure(plan, number, path, signals)
            progress.finished(path.stem, [name for name, reason in measured.not_measured.items() if reason.startswith(FAILED)])
    return results.load_many([output])


# The folder


def _prepare(plan: Plan, output: Path, resume: bool) -> None:
    """Make sure that ``output`` is the folder of a run of this plan, or can become it, and note the plan there."""
    manifest, finished = output / MANIFEST, sorted(output.glob(results.PROCESSES))
    if resume:
        _check_settings(manifest, plan)
        if finished:
            results.load_many(finished)
        return
    if finished:
        raise InputError(f"{output}: has {len(finished)} finished processes; go on with --resume, or name another --output")
    beside = manifest.with_suffix(".part")
    try:
        output.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(plan.settings(), indent=2) + "\n", encoding="utf-8")
        os.replace(beside, manifest)
    except OSError as error:
        raise InputError(f"{output}: cannot be written ({error.strerror}); name another --output") from None


def _check_settings(manifest: Path, plan: Plan) -> None:
    """Raise InputError, naming the first difference, unless the settings are still those that the run began with."""
    began, now = results.read_json(manifest, "the folder of a run to go on with"), plan.settings()
    if not isinstance(began, Mapping):
        raise InputError(f"{manifest}: is {type(began).__name__}, not an object; expected the settings of a run")
    for key in (*now, *sorted(began.keys() - now)):
        one, other = began.get(key), now.get(key)
        if one != other:
            if isinstance(one, Mapping) and isinstance(other, Mapping):
                key = next(name for name in sorted({*one, *other}) if one.get(name) != other.get(name))
                one, other = one.get(key), other.get(key)
            raise InputError(f"{manifest}: {key} was {one!r}, now it is {other!r}; restore it, or name another --output")


# One process


def _measure(plan: Plan, number: int, path: Path, signals: _Signals) -> Run:
    """Run one process to its end and move what it saved to ``path``: whole and fit for this run, or not at all."""
    beside, log = path.with_suffix(".part"), path.with_suffix(".log")
    try:
        with log.open("w", encoding="utf-8") as output, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
            code = _execute(plan.pytest(number, beside), {**os.environ, "TMPDIR": scratch}, output, signals)
        if code not in (0, 1) or not beside.exists():
            raise InputError(f"{path.stem} could not measure (exit code {code}): {_last_words(log)}; see {log}")
        measured = results.load(beside)
        if plan.expression and not measured.not_measured and {case.group for case in measured.cases} == {CONTROL}:
            raise InputError(f"-k {plan.expression}: selects no case; see pytest {plan.cases} --collect-only")
        # At once, not after hours: does it fit the others?
        results.load_many([*sorted(path.parent.glob(results.PROCESSES))[:1], beside])
        os.replace(beside, path)
        if code == 0:
            log.unlink()
        return measured
    except Interrupted:
        log.unlink()
        raise
    finally:
        beside.unlink(missing_ok=True)


def _execute(command: list[str], environment: Mapping[str, str], output: TextIO, signals: _Signals) -> int:
    """Exit code of a command.  Whatever happens, nothing that it started is left when this returns."""
    child = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        while child.poll() is None:
            signals.check()
            time.sleep(0.1)
        return child.returncode
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _last_words(log: Path) -> str:
    """The line of a log that says most: pytest's error if it printed one, else whatever came last."""
    lines = [line.strip(" !=") for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    errors = [
        line for line in lines if line.startswith(("ERROR: ", "E  ", "Exit: ", "_pytest.outcomes.Exit: ")) or ": error: " in line
    ]
    return (errors or [line for line in lines if line] or ["it printed nothing"])[-1].removeprefix("_pytest.outcomes.")[:300]


class _Signals:
    """Within the block a signal that would end this process is only noted, so that its child is ended first."""

    def __init__(self) -> None:
        self._received: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _Signals:
        # What is ignored stays ignored: nohup means it.
        caught = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        self._before = {number: signal.signal(number, self._note) for number in caught}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        self._received = number

    def check(self) -> None:
        """Raise Interrupted if a signal has come."""
        if self._received is not None:
            raise Interrupted(signal.Signals(self._received).name)


class _Progress:
    """Processes done and time left, on standard error: a bar on a terminal, elsewhere a line a process."""

    def __init__(self, processes: int, missing: int) -> None:
        self._processes, self._missing, self._measured = processes, missing, 0
        self._start = time.monotonic()
        self._bar = tqdm(total=processes, initial=processes - missing, unit="process", disable=not sys.stderr.isatty())

    def __enter__(self) -> _Progress:
        self._bar.refresh()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def finished(self, name: str, failures: list[str]) -> None:
        """One more process is done; its failures are named at once."""
        self._measured += 1
        each = (time.monotonic() - self._start) / self._measured
        for failure in failures:
            self._bar.write(f"{name}: {failure} failed", file=sys.stderr)
        self._bar.update()
        if self._bar.disable:
            left = each * (self._missing - self._measured)
            print(f"{name} of {self._processes}: done; {each:.0f} s each, {left / 60:.0f} min left", file=sys.stderr, flush=True)
