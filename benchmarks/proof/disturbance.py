"""How often is a disturbed case called so, and an idle one?  Counted on short sessions of the main job, idle and beside busy loops.

The loops are programs of this study, each of which keeps one CPU busy; whatever else runs on the machine spoils the idle sessions.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.launch import temporary, tied
from benchmarks.quantities.statistics import CONFIDENCE, share_interval
from benchmarks.report.disturbance import LEAST_WATCHED_SECONDS, OTHERS_CPUS, ROUNDING_SECONDS, disturbed, long_enough, others_cpus
from benchmarks.saved.provenance import ROOT
from benchmarks.saved.results import Run, load
from benchmarks.sessions.process import Place, execute, last_words
from benchmarks.sessions.signals import Signals
from lenet5.errors import InputError

CONDITIONS: Mapping[str, int] = {"idle": 0, "one busy loop": 1, "two busy loops": 2}
"""Name -> busy loops beside the sessions."""

WANTED_CASES = 300
"""Cases that can be judged, in each condition."""

CASES = tuple(f"benchmarks/{name}.py" for name in ("test_control", "test_predict", "test_training", "test_transfer", "twins"))
"""Where the cases of a session are.  The copies among them make it worth what it takes to begin a session."""

EXPRESSION = "(test_predict or test_train_step or test_transfer) and (numpy or torch) and not loops and not compile and not 450 or test_product"
"""Which of them, as for ``pytest -k``: those that take little to set up."""

COPIES = 18
"""Of each case of twins.py: with these, three sessions have `WANTED_CASES`."""

SECONDS_A_CASE = 0.2

SIGNALS = (
    *("cpus_allowed", "cpus_allowed_after", "watched_seconds", "process_cpu_seconds", "others_cpu_seconds", "steal_seconds"),
    *("runqueue_wait_seconds", "involuntary_switches", "load_1min"),
)
"""The fields that are kept of every case."""

BOUNDS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)
"""What `OTHERS_CPUS` could be."""

LOOP = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    for _ in range(100_000): pass"
"""A program that keeps a CPU busy until the one that has started it ends."""


def study(runs: int | None, command: str, signals: Signals) -> dict[str, Any]:
    """Measure sessions in each condition in turn, so many or until each has `WANTED_CASES`; count what is called disturbed.

    -> everything that `disturbance_page.write` shows.  Raises InputError, one line, if a session fails, and Interrupted if a signal comes.
    """
    measured: dict[str, list[Run]] = {name: [] for name in CONDITIONS}
    with temporary.folder("lenet5-disturbance-") as folder:
        while any(_wants_more(found, runs) for found in measured.values()):
            for name, loops in CONDITIONS.items():
                if _wants_more(measured[name], runs):
                    with busy(loops):
                        measured[name].append(_session(Path(folder) / f"{loops}-{len(measured[name])}.json", signals))
                    print(f"{name}: {judged(measured[name])} cases in {len(measured[name])} sessions", file=sys.stderr, flush=True)
    return {
        **_circumstances(next(iter(measured.values()))[0], command),
        "conditions": {name: condition(found) for name, found in measured.items()},
    }


def _wants_more(found: list[Run], runs: int | None) -> bool:
    return judged(found) < WANTED_CASES if runs is None else len(found) < runs


def judged(found: list[Run]) -> int:
    """How many cases of these sessions were long enough to be judged, whatever is said of them."""
    return sum(long_enough(case.extra) for run in found for case in run.cases)


@contextmanager
def busy(loops: int) -> Iterator[None]:
    """So many CPUs are kept busy within the block; no loop outlives this process."""
    running = [tied.start([sys.executable, "-c", LOOP]) for _ in range(loops)]
    try:
        yield
    finally:
        for loop in running:
            tied.kill(loop)


def _session(path: Path, signals: Signals) -> Run:
    """One session of the main job's quick cases, read back."""
    options = ["--heavy", f"--copies={COPIES}", f"--benchmark-max-time={SECONDS_A_CASE}", f"--benchmark-json={path}"]
    command = [sys.executable, "-m", "pytest", *CASES, "-k", EXPRESSION, "--no-report", "-p", "no:cacheprovider", *options]
    log = path.with_suffix(".log")
    # What the session leaves among temporary files goes with the study's own.
    here = Place(ROOT, sys.executable, {**os.environ, "TMPDIR": str(path.parent)}, folder=ROOT)
    with log.open("w", encoding="utf-8") as output:
        code = execute(command, here, output, signals)
    if code:
        raise InputError(f"{' '.join(command[1:3])}: ended with {code}: {last_words(log)}")
    return load(path)


# What is counted


def condition(found: list[Run]) -> dict[str, Any]:
    """One condition: how many cases were called disturbed, by other bounds too, and the signals of every case."""
    cases = [(case, run.lenet5["threads"]) for run in found for case in run.cases]
    known = [(case, threads) for case, threads in cases if long_enough(case.extra)]
    taken = [(others_cpus(case.extra) or 0) - ROUNDING_SECONDS / case.extra["watched_seconds"] for case, _ in known]
    return {
        "sessions": len(found),
        "too_short": len(cases) - len(known),
        "called": share(sum(disturbed(case, threads) is not None for case, threads in known), len(known)),
        "by_bound": [{"bound": bound, **share(sum(one > bound for one in taken), len(taken))} for bound in BOUNDS],
        "signals": [[case.name.rpartition("::")[2], *(_short(case.extra.get(name)) for name in SIGNALS)] for case, _ in cases],
    }


def share(count: int, of: int) -> dict[str, Any]:
    """A share with its interval; without any case there is none."""
    low, high = share_interval(count, of) if of else (0.0, 1.0)
    return {"count": count, "of": of, "share": count / of if of else None, "low": low, "high": high}


def _short(value: float | None) -> float | None:
    """Four digits, which is more than a signal has: the file is to stay small."""
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _circumstances(run: Run, command: str) -> dict[str, Any]:
    return {
        "command": command,
        "measured": run.datetime,
        "cpu": run.machine.get("cpu", {}).get("brand_raw"),
        "cpus": run.machine.get("cpu", {}).get("count"),
        "system": f"{run.machine.get('system')} {run.machine.get('release')}",
        "threads": run.lenet5["threads"],
        "versions": run.versions,
        "code_sha256": run.lenet5.get("code_sha256"),
        "confidence": CONFIDENCE,
        "others_cpus": OTHERS_CPUS,
        "rounding_seconds": ROUNDING_SECONDS,
        "least_watched_seconds": LEAST_WATCHED_SECONDS,
        "fields": ["case", *SIGNALS],
    }
