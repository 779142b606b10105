"""What any pytest-benchmark suite saved is read for the gate: times, and fields only where a case speaks this project's language."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.gate.rows import paired, rows
from benchmarks.saved import one, plain
from benchmarks.saved.fields import CONTROL
from lenet5 import InputError


def case(name="tests/test_a.py::test_a[x=1]", median=2e-3, **more):
    stats = dict.fromkeys(("min", "max", "mean", "median", "q1", "q3"), median) | {
        "stddev": 0,
        "rounds": 2,
        "data": [median, median],
    }
    return {"group": None, "name": "test_a", "fullname": name, "stats": stats, "extra_info": {}, **more}


def document(*cases, gate=None, **more):
    around = {"machine_info": {"cpu": {"count": 2}}, "commit_info": {"id": "1"}, "datetime": "2026-01-02", "version": "4.0.0"}
    return {**around, "benchmarks": list(cases), **({} if gate is None else {"gate": gate}), **more}


@pytest.fixture
def load(tmp_path):
    def read(what):
        path = tmp_path / "process-001.json"
        path.write_text(json.dumps(what))
        return plain.load(path)

    return read


def test_of_any_suite(load):
    """A file without anything of this project: each case under its own id, in no group, with its times and rounds."""
    run = load(document(case(), case("tests/test_b.py::test_b")))

    assert [(one.name, one.id, one.group, one.median, one.extra) for one in run.cases] == [
        ("tests/test_a.py::test_a[x=1]", "tests/test_a.py::test_a[x=1]", "", 2e-3, {}),
        ("tests/test_b.py::test_b", "tests/test_b.py::test_b", "", 2e-3, {}),
    ]
    assert run.cases[0].stats["data"] == [2e-3, 2e-3]
    assert (run.not_measured, run.lenet5["frameworks"], run.machine["cpu"]) == ({}, {}, {"count": 2})


def test_what_the_plug_in_knew(load):
    """Cases in the order of their collection, without those that failed after their measurement; reasons; the control as a case of its own."""
    names = ["t.py::test_c", "t.py::test_a", "t.py::test_b"]
    gate = {"cases": names, "not_measured": {"t.py::test_b": "failed: wrong"}, "control": [[1e-3, 2e-3, 4e-3], [3e-3]]}
    run = load(document(*map(case, sorted(names)), gate=gate))

    assert [one.name for one in run.cases] == ["t.py::test_c", "t.py::test_a", "control[1]", "control[2]"]
    assert run.not_measured == {"t.py::test_b": "failed: wrong"}
    assert [(one.group, one.median) for one in run.cases[2:]] == [(CONTROL, 2e-3), (CONTROL, 3e-3)]


def test_of_this_project(load):
    """What this project's own cases saved is read with all that it says; what the plug-in measured is not, though a conftest may have added facts."""
    path = Path(__file__).parents[1] / "data" / "run" / "process-001.json"
    ours = plain.load(path)
    assert ours == one.load(path)

    gate = {"elsewhere": {"theirs": ["/site/theirs.py", "theirs.py"]}}
    other = load({**json.loads(path.read_text()), "gate": gate})
    assert "threads" in ours.lenet5
    assert "threads" not in other.lenet5
    assert other.lenet5["elsewhere"] == {"theirs": ["/site/theirs.py", "theirs.py"]}


def test_measured_several_times(load):
    """A case that a process measured twice counts once, with all of its rounds."""
    (found,) = load(document(case(), case(median=4e-3))).cases

    assert (found.median, found.stats["rounds"], found.stats["data"]) == (3e-3, 4, [2e-3, 2e-3, 4e-3, 4e-3])


def test_extra_info(load):
    """Another project's value that only happens to have a field's name is none; a case that says framework and mode speaks of the field."""
    other = case(extra_info={"parameters": "many", "batch": -1, "peak_rss_bytes": 5})
    ours = case("t.py::test_b", group="mine", extra_info={"framework": "f", "mode": "m", "parameters": 7})
    first, second = load(document(other, ours)).cases

    assert first.extra == {}
    assert (second.extra["framework"], second.extra["parameters"], second.extra["peak_rss_bytes"]) == ("f", 7, None)
    by_chance = {"framework": "flask", "mode": "sync", "batch": "small", "parameters": 7}
    (other,) = load(document(case(group="predict", extra_info=by_chance))).cases
    assert other.extra == {}


def test_a_control_of_theirs(load):
    """A group of that name is the suite's, and is judged as any other; the gate's own control stays out."""
    run = load(document(case(group=CONTROL), gate={"control": [[1e-3]]}))
    pair = paired(run, run)

    assert [row.case for row in rows([pair])] == ["tests/test_a.py::test_a[x=1]"]
    assert [one.name for one in run.cases if one.group == CONTROL] == ["control[1]"]


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ([], "is list, not an object; expected what a process of pytest-benchmark saved"),
        ({"benchmarks": []}, "machine_info is missing; expected an object; this is no run that pytest-benchmark saved"),
        (document(case(stats={})), "benchmarks[0].stats.min is missing"),
        (document(case(median=0)), "benchmarks[0].stats.min is 0; expected a number from 1e-12"),
        (document({"stats": {}}), "benchmarks[0].fullname is missing"),
        (document(case(), gate=3), "gate is 3; expected an object"),
        (document(case(), gate={"control": [[-1]]}), "gate.control[0][0] is -1; expected a number from 1e-12"),
        (document(case(), gate={"not_measured": {"a": 1}}), "gate.not_measured.a is 1; expected a text"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_wrong_files(load, tmp_path, what, reason):
    """A wrong or missing value is one line that names the file and the place."""
    with pytest.raises(InputError) as caught:
        load(what)
    assert str(caught.value).startswith(f"{tmp_path / 'process-001.json'}: {reason}")
