"""What the numbers depend on: machine, versions, settings, data, commit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.quantities.units import counted
from benchmarks.report.disturbance import but_on_few_cpus
from benchmarks.report.records import Plot, Section, Table, Words
from benchmarks.saved.results import Run


def sections(run: Run) -> list[Section]:
    return [Section("Circumstances", table=Table(["", ""], [(Words(name), Words(text)) for name, text in _facts(run)]))]


def plots(run: Run) -> list[Plot]:
    return []


def _facts(run: Run) -> list[tuple[str, str]]:
    cpu, machine, ours = run.machine.get("cpu") or {}, run.machine, run.lenet5
    found = [
        ("CPU", f"{cpu.get('brand_raw', 'unknown')}, {cpu.get('count', '?')} logical CPUs{_limited(ours)}"),
        ("threads", f"{ours['threads']} for every framework{but_on_few_cpus(run)}"),
        ("device", run.device),
        ("system", f"{machine.get('system', '?')} {machine.get('release', '?')}, {machine.get('machine', '?')}"),
        ("Python", f"{machine.get('python_implementation', '?')} {machine.get('python_version', '?')}"),
    ]
    for name, facts in ours["frameworks"].items():
        found.append((name, ", ".join(f"{key} {value}" for key, value in facts.items() if value) or "it says nothing of itself"))
    if data := ours.get("dataset"):
        sizes = " / ".join(str(data.get(f"{split}_images", "?")) for split in ("train", "validation", "test"))
        found.append(
            ("data", f"{data.get('name')}: {data.get('classes')} classes, {data.get('channels')} channels, {sizes} images")
        )
    if (variables := ours.get("variables")) is not None:
        found.append(("environment", in_words(variables)))
    changed = " with uncommitted changes" if run.commit.get("dirty") else ""
    why = f" ({run.commit['error']})" if run.commit.get("error") else ""
    order = "shuffled anew in each" if ours.get("shuffle") is not None else "in the order of the files"
    return [
        *found,
        ("epochs", str(ours.get("epochs", "?"))),
        ("commit", f"{run.commit.get('id') or 'unknown'}{changed}{why}"),
        ("processes", f"{run.processes}, cases {order}"),
        ("measured", f"{run.datetime}, pytest-benchmark {run.version}, {counted(len(run.cases), 'case')}"),
    ]


def _limited(ours: Mapping[str, Any]) -> str:
    """What a control group left of the CPUs, such as that of a container.   1.5 -> ", the time of 1.5 of them at most" """
    return f", the time of {ours['cpu_quota']:g} of them at most" if ours.get("cpu_quota") is not None else ""


def in_words(variables: Mapping[str, str]) -> str:
    """The environment variables that steer a library, as they were set, and Python's options of the same kind."""
    return ", ".join(f"{name}={value}" for name, value in variables.items()) or "no variable that steers a library"
