"""Folders as a gate leaves them, of identical code whose log ratios are known."""

from __future__ import annotations

import json

import numpy as np

from benchmarks.proof.recordings import load

SIDE = {"code_sha256": "c0de", "interpreter": "/usr/bin/python", "versions": {"python": "3.11.9"}}


WHEN = "2026-01-02T03:04:05"


def process(seconds, extra, when=WHEN):
    """What one process saved: each case's rounds, around the median that is asked for."""
    benchmarks = []
    for name, median in seconds.items():
        data = [median * (1 + 0.001 * step) for step in (-2, -1, 0, 1, 2)]
        quartiles = {"q1": data[1], "median": data[2], "q3": data[3]}
        of_all = {"min": data[0], "max": data[-1], "mean": median, "stddev": 0.0, "rounds": 5, "data": data}
        case = {"group": "predict", "name": name, "fullname": f"benchmarks/test_x.py::{name}", "stats": {**quartiles, **of_all}}
        benchmarks.append({**case, "extra_info": {"framework": "numpy", "mode": "fused", "batch": 1, **extra}})
    ours = {"format": 1, "threads": 1, "frameworks": {"numpy": {"version": "2"}}, "not_measured": {}, "code_sha256": "c0de"}
    machine = {"lenet5": ours, "cpu": {"brand_raw": "a CPU", "count": 2}}
    return {"machine_info": machine, "commit_info": {}, "benchmarks": benchmarks, "datetime": when, "version": "5"}


def record(folder, log_ratios, sides=(SIDE, SIDE), extra=None, settings=None, when=WHEN):
    """The folder of a gate whose cases had these log ratios: as many pairs as the longest has; ``extra`` rides on those of a role.

    ``settings`` are more of them, beside the sides; all was measured ``when`` that says.
    """
    folder.mkdir(parents=True)
    manifest = {**dict(zip(("base", "head"), sides, strict=True)), **(settings or {})}
    (folder / "run.json").write_text(json.dumps(manifest), encoding="utf-8")
    for index in range(max(map(len, log_ratios.values()))):
        there = {name: values[index] for name, values in log_ratios.items() if index < len(values)}
        seconds = {"base": dict.fromkeys(there, 1e-3), "head": {name: 1e-3 * np.exp(value) for name, value in there.items()}}
        for role, of_role in seconds.items():
            (folder / role).mkdir(exist_ok=True)
            path = folder / role / f"process-{index + 1:03d}.json"
            path.write_text(json.dumps(process(of_role, (extra or {}).get(role, {}), when)), encoding="utf-8")
    return folder


def loaded(folder):
    """The recording in the folder of a gate that one machine measured."""
    (found,) = load(folder)
    return found


def noisy(spread, pairs=40, cases=3, seed=0):
    random = np.random.RandomState(seed)
    return {f"test_{index}": random.normal(0, spread, pairs) for index in range(cases)}
