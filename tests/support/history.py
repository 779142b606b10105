"""Made-up runs for tests of the history: rows for its index, and files as pytest-benchmark saves them, with steps at known commits.

    python -m tests.support.history --runs 10000 --output DIR

writes the page of ten thousand made-up runs, and prints the processor time that this took, and the memory at its peak.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.isolated import memory
from benchmarks.report.history import history
from benchmarks.saved.index import opened
from benchmarks.saved.indexed import PLACES, Entry, Row
from tests.support.copies import PROJECT

START = datetime(2026, 1, 1, tzinfo=timezone.utc)

KNOWN = {"brand_raw": "made up", "release": "6.1", "python_version": "3.11.7", "threads": 1}

FRAMEWORKS: Mapping[str, Sequence[str]] = {"hand": ("fused", "plain"), "alpha": ("eager", "compile"), "beta": ("graph", "xla")}
COLOURS = {"hand": "blue", "alpha": "orange", "beta": "green"}
CASES = ("batch1", "batch64", "batch450", "batch4096")

CONTROL = "benchmarks/test_control.py::test_product[first]"

Level = Callable[[int], float]
"""The number of a run -> by how much a case takes longer than in the first."""


def name(case: str, framework: str, mode: str) -> str:
    return f"benchmarks/test_predict.py::test_predict[{framework}-{mode}-{case}]"


def commit(number: int) -> str:
    """Forty digits, no two alike in the first seven."""
    return f"{number * 2654435761 % 2**32:08x}" + f"{number:032x}"


def circumstances(**facts: Any) -> str:
    """As the index has them; ``facts`` by their last word: cpu_count=4, python_version="3.12.1"."""
    ends = {place.rpartition(".")[2]: place for place in PLACES}
    return json.dumps(
        {
            "facts": {**dict.fromkeys(PLACES), **{ends[word]: value for word, value in {**KNOWN, **facts}.items()}},
            "frameworks": {framework: {"version": "1.0"} for framework in FRAMEWORKS},
            "variables": {},
            "versions": {"Python": {**KNOWN, **facts}["python_version"], **dict.fromkeys(FRAMEWORKS, "1.0")},
            "modes": FRAMEWORKS,
            "colours": COLOURS,
            "project": None,
        }
    )


def entry(number: int, times: Mapping[str, float], control: float, facts: str | None = None, **changed: Any) -> Entry:
    """One process at the commit of a number: the seconds of each case by its name, and those of the control."""
    rows = []
    for case, seconds in times.items():
        framework, mode, *_ = case.partition("[")[2].split("-")
        rows.append(Row(case, case, "predict", framework, mode, seconds, 0.98 * seconds, 1.03 * seconds, 50))
    rows.append(Row(CONTROL, CONTROL, "control", "control", "product first", control, 0.99 * control, 1.01 * control, 50))
    when = (START + timedelta(hours=6 * number)).isoformat()
    said = {"commit": commit(number), "changed": False, "committed": when, "authored": when, "measured": when, "code": str(number)}
    return Entry(**{**said, **changed}, circumstances=facts or circumstances(), rows=rows)


def series(runs: int, level: Level = lambda number: 1.0, noise: float = 0.02, seed: int = 0) -> list[float]:
    """Seconds of a case in each run: its level, with normal noise of its logarithm."""
    random = np.random.default_rng(seed)
    return [1e-3 * level(number) * float(np.exp(noise * random.standard_normal())) for number in range(runs)]


def fill(
    index: Any,
    runs: int,
    step_at: int | None = None,
    step: float = 1.1,
    machine_step_at: int | None = None,
    cases: Sequence[str] = CASES,
) -> None:
    """Add so many runs of all frameworks and cases: the first mode of the first framework takes longer from a commit on, and everything
    from another one on."""
    random = np.random.default_rng(0)
    names = [name(case, framework, mode) for case in cases for framework, modes in FRAMEWORKS.items() for mode in modes]
    base = {case: 1e-4 * 1.7**place for place, case in enumerate(names)}
    facts = circumstances()
    for begin in range(0, runs, 1000):
        with index.transaction():
            for number in range(begin, min(begin + 1000, runs)):
                machine = step if machine_step_at is not None and number >= machine_step_at else 1.0
                own = step if step_at is not None and number >= step_at else 1.0
                wobble = np.exp(0.02 * random.standard_normal(len(names) + 1))
                times = {case: base[case] * machine * float(wobble[place]) for place, case in enumerate(names)}
                times[names[0]] *= own
                index.add(Path(f"/made-up/{number}.json"), entry(number, times, 3e-4 * machine * float(wobble[-1]), facts))


def save(folder: Path, number: int, factor: float = 1.0, **machine: Any) -> Path:
    """A file as a process of this project saves it, at the commit of a number, with a case in two frameworks, which takes ``factor`` as long."""
    document = json.loads((PROJECT / "tests" / "data" / "run" / "process-001.json").read_text(encoding="utf-8"))
    document["benchmarks"] = [case for case in document["benchmarks"] if case["group"] in ("control", "predict")]
    random = np.random.default_rng(number)
    for case in document["benchmarks"]:
        own = (1.0 if case["group"] == "control" else factor) * float(np.exp(0.01 * random.standard_normal()))
        case["stats"].update({name: own * case["stats"][name] for name in ("min", "q1", "median", "mean", "q3", "max")})
        case["stats"].pop("data", None)
    when = (START + timedelta(hours=number)).isoformat()
    document["commit_info"] = {"id": commit(number), "time": when, "author_time": when, "dirty": False}
    document["datetime"] = when
    document["machine_info"].update(machine)
    path = folder / f"{number:04d}_saved.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=10000)
    parser.add_argument("--x", default="commit")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    file = options.output / "index.sqlite"
    with opened(file, anew=True) as index:
        fill(index, options.runs, step_at=options.runs // 2, machine_step_at=3 * options.runs // 4)
    begin = time.process_time()
    with opened(file) as index:
        found = history.of(index, index.processes(), options.x)
    print(history.write(found, options.output, (START + timedelta(days=options.runs / 4)).isoformat()))
    seconds, bytes_ = time.process_time() - begin, memory.resident_bytes("VmHWM")
    print(
        f"{options.runs} runs: {seconds:.1f} s of processor time, {bytes_ / 2**20:.0f} MiB at the peak of the whole process",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
