"""What the numbers depend on: machine, versions, settings, data, commit."""

from __future__ import annotations

from benchmarks.report.records import Plot, Section, Table
from benchmarks.saved.results import Run


def sections(run: Run) -> list[Section]:
    return [_circumstances(run)]


def plots(run: Run) -> list[Plot]:
    return []


def _circumstances(run: Run) -> Section:
    cpu = run.machine.get("cpu") or {}
    data, ours = run.lenet5.get("dataset") or {}, run.lenet5
    rows = [
        ["CPU", f"{cpu.get('brand_raw', 'unknown')}, {cpu.get('count', '?')} logical CPUs"],
        ["threads", f"{ours['threads']} for every framework"],
        ["device", run.device],
        ["system", f"{run.machine.get('system', '?')} {run.machine.get('release', '?')}, {run.machine.get('machine', '?')}"],
        ["Python", f"{run.machine.get('python_implementation', '?')} {run.machine.get('python_version', '?')}"],
    ]
    rows += [
        [name, ", ".join(f"{key} {value}" for key, value in facts.items() if value)] for name, facts in ours["frameworks"].items()
    ]
    if data:
        sizes = " / ".join(str(data.get(f"{split}_images", "?")) for split in ("train", "validation", "test"))
        rows.append(["data", f"{data.get('name')}: {data.get('classes')} classes, {data.get('channels')} channels, {sizes} images"])
    rows.append(["epochs", str(ours.get("epochs", "?"))])
    rows.append(["commit", f"{run.commit.get('id', 'unknown')}{' with uncommitted changes' if run.commit.get('dirty') else ''}"])
    order = "shuffled anew in each" if ours.get("shuffle") is not None else "in the order of the files"
    rows.append(["processes", f"{run.processes}, cases {order}"])
    rows.append(["measured", f"{run.datetime}, pytest-benchmark {run.version}, {len(run.cases)} cases"])
    return Section("Circumstances", table=Table(["", ""], rows))
