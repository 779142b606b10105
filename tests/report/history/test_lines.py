"""Lines of points: what belongs together, what stands at a point, and where a gap is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.report.history.lines import Line, read, title_of
from benchmarks.saved.index import opened
from tests.support import history
from tests.support.history import CONTROL, circumstances, entry, name

FUSED = name("batch64", "hand", "fused")


@pytest.fixture
def index(tmp_path):
    with opened(tmp_path / "i.sqlite") as found:
        yield found


def add(index, *entries, names=None):
    """Add processes, each in a file of its own unless it has a name."""
    with index.transaction():
        for number, one in enumerate(entries):
            index.add(Path(names[number] if names else f"/made-up/{number:03d}.json"), one)


def lines(index, by="commit"):
    return [line for case in read(index, index.processes(), by).cases for line in case.lines]


def test_one_process_and_several(index):
    """A commit that one process measured has its quartiles; of several it is the median, and lowest to highest."""
    add(index, entry(0, {FUSED: 1.0}, 1.0), entry(1, {FUSED: 2.0}, 1.0), entry(1, {FUSED: 2.2}, 1.0), entry(1, {FUSED: 1.9}, 1.0))
    (line,) = lines(index)
    assert [*line.median] == [1.0, 2.0]
    assert [*line.low] == [0.98, 1.9]
    assert [*line.high] == [1.03, 2.2]
    assert [*line.processes] == [1, 3]


def test_commits_stand_in_their_order(index):
    """Not in that of measuring; code that differs from its commit comes behind it."""
    add(
        index,
        entry(2, {FUSED: 3.0}, 1.0),
        entry(0, {FUSED: 1.0}, 1.0, measured="2027-01-01T00:00:00+00:00"),
        entry(1, {FUSED: 2.5}, 1.0, changed=True),
        entry(1, {FUSED: 2.0}, 1.0, measured="2027-01-02T00:00:00+00:00"),
    )
    found = read(index, index.processes(), "commit")
    assert [*found.cases[0].lines[0].median] == [1.0, 2.0, 2.5, 3.0]
    assert [moment.changed for moment in found.moments] == [False, False, True, False]
    assert found.moments[2].revision == "."
    assert found.moments[2].label.endswith("+")
    assert found.newest == "2027-01-02T00:00:00+00:00"


def test_commits_of_one_second(index):
    """Are in the order in which their author made them: a rebase gives many one time."""
    same = {"committed": "2026-01-01T00:00:00+00:00"}
    late, early = "2026-03-01T00:00:00+00:00", "2026-02-01T00:00:00+00:00"
    add(index, entry(2, {FUSED: 3.0}, 1.0, measured=early, **same), entry(1, {FUSED: 2.0}, 1.0, measured=late, **same))
    assert [*lines(index)[0].median] == [2.0, 3.0]


@pytest.mark.parametrize(
    "changed",
    [{"release": "6.2"}, {"brand_raw": "another"}, {"python_version": "3.12.1"}, {"threads": 2}],
    ids=lambda one: next(iter(one)),
)
def test_other_circumstances_are_another_line(index, changed):
    """And what differs is said, with where it was first seen."""
    add(index, *(entry(number, {FUSED: 1.0}, 1.0) for number in range(3)))
    with index.transaction():
        for number in range(3, 5):
            index.add(Path(f"/made-up/{number}.json"), entry(number, {FUSED: 1.0}, 1.0, circumstances(**changed)))

    found = read(index, index.processes(), "commit")

    assert [[*line.places] for line in found.cases[0].lines] == [[0, 1, 2], [3, 4]]
    assert [[*line.places] for line in found.controls] == [[0, 1, 2], [3, 4]]
    (stratum,) = [one for one in found.strata if one.framework == "hand"]
    assert next(iter(changed)) in stratum.since
    assert stratum.moment is found.moments[3]


def test_two_machines_in_turns(index):
    """Have a line each, which skips the points of the other one."""
    add(index, *(entry(number, {FUSED: 1.0 + number % 2}, 1.0, circumstances(brand_raw=f"m{number % 2}")) for number in range(6)))
    found = lines(index)
    assert [[*line.median] for line in found] == [[1.0] * 3, [2.0] * 3]


def test_older_code_recorded_less(index):
    """What it did not know of is no gap, but a value that comes after it is held against the one before it."""
    known = [circumstances(device="cpu"), circumstances(), circumstances(device="cuda")]
    add(index, *(entry(number, {FUSED: 1.0}, 1.0, facts) for number, facts in enumerate(known)))
    assert [[*line.places] for line in lines(index)] == [[0, 1], [2]]


def test_over_dates(index):
    """The processes of one folder are one run, and so is a file by itself; a commit that was measured twice is there twice."""
    when = [f"2026-01-0{day}T00:00:00+00:00" for day in (1, 1, 2, 3)]
    entries = [entry(0, {FUSED: 1.0 + number}, 1.0, measured=at) for number, at in enumerate(when)]
    add(index, *entries, names=["/r/process-001.json", "/r/process-002.json", "/x/b.json", "/x/a.json"])
    found = read(index, index.processes(), "date")
    assert [moment.label for moment in found.moments] == ["2026-01-01", "2026-01-02", "2026-01-03"]
    assert [*found.cases[0].lines[0].median] == [1.5, 3.0, 4.0]
    assert found.moments[1].at - found.moments[0].at == 86400


def test_over_versions(index):
    """In their order, with 3.9 before 3.12; the same versions with other code are another line."""
    order = ["3.12.1", "3.9.2", "3.12.1"]
    add(
        index,
        *(entry(0, {FUSED: float(number)}, 1.0, circumstances(python_version=version)) for number, version in enumerate(order, 1)),
    )
    found = read(index, index.processes(), "version")
    assert [moment.label for moment in found.moments] == ["Python 3.9.2", "Python 3.12.1"]
    (line,) = found.cases[0].lines
    assert [*line.median] == [2.0, 2.0]
    with index.transaction():
        index.add(Path("/made-up/other"), entry(1, {FUSED: 9.0}, 1.0, circumstances(python_version="3.12.1")))
    assert len(lines(index, "version")) == 2


def test_a_case_is_found_under_its_old_name(index):
    """Points of an older spelling are on the same line, which knows both."""
    add(index, entry(0, {FUSED: 1.0}, 1.0))
    old = entry(1, {FUSED: 2.0}, 1.0)
    old = type(old)(
        **{**vars(old), "rows": [type(row)(**{**vars(row), "id": row.id.replace("batch", "batch=")}) for row in old.rows]}
    )
    with index.transaction():
        index.add(Path("/made-up/old"), old)
    (line,) = lines(index)
    assert [*line.median] == [1.0, 2.0]
    assert line.spelled == [FUSED, FUSED.replace("batch64", "batch=64")]


def test_the_control_of_the_same_processes(index):
    """Beside the lines of a framework the control has their circumstances, for a framework's version is none of its own."""
    newer = circumstances().replace('"hand": {"version": "1.0"}', '"hand": {"version": "2.0"}')
    add(index, entry(0, {FUSED: 1.0}, 1.0), entry(1, {FUSED: 1.0}, 2.0, newer))
    found = read(index, index.processes(), "commit")
    assert [[*line.places] for line in found.controls] == [[0, 1]]
    assert [[*line.places] for line in found.beside["hand"]] == [[0], [1]]
    assert found.controls[0].name == CONTROL


def test_a_part_of_the_index(index):
    """Processes that were not asked for have no point."""
    add(index, *(entry(number, {FUSED: 1.0}, 1.0) for number in range(4)))
    found = read(index, index.processes()[1:3], "commit")
    assert [len(line.places) for line in found.cases[0].lines] == [2]
    assert found.processes == 2


@pytest.mark.parametrize(
    ("node", "group", "whose", "how", "title"),
    [
        ("b/test_predict.py::test_predict[numpy-fused-batch64]", "predict", "numpy", "fused", "predict batch64"),
        ("b/test_training.py::test_train_step[torch-eager]", "train step", "torch", "eager", "train step"),
        ("b/test_x.py::test_y[adam-numpy-fused-2]", "train step", "numpy", "fused", "train step: y adam-2"),
        ("b/test_x.py::TestX::test_y", "", "", "", "y"),
        ("b/test_x.py::test_sum[10-20]", "", "", "", "sum 10-20"),
    ],
)
def test_titles(node, group, whose, how, title):
    """The group and the parameters but framework and mode; of another suite, the name of the test."""
    assert title_of(Line(node, [node], group, whose, how, 0, *[None] * 5)) == title


def test_cases_in_their_order(index):
    """Batch 64 comes before batch 450, and the modes of a case are in one plot."""
    history.fill(index, 2)
    found = read(index, index.processes(), "commit")
    assert [case.title for case in found.cases] == [f"predict {batch}" for batch in ("batch1", "batch64", "batch450", "batch4096")]
    assert {line.label for line in found.cases[0].lines} == {
        f"{framework} {mode}" for framework, modes in history.FRAMEWORKS.items() for mode in modes
    }


def test_groups_without_times(index):
    """Of a case of memory the time says nothing, and it has no line."""
    one = entry(0, {FUSED: 1.0, name("batch1", "hand", "fused"): 1.0}, 1.0)
    kinds = ["predict", "space predict", "control"]
    one = replace(one, rows=[replace(row, group=kind) for row, kind in zip(one.rows, kinds, strict=True)])
    add(index, one)
    assert [line.name for line in lines(index)] == [FUSED]


def test_colours(index):
    """Those that the files say, newest last; a framework without one gets one that no other has."""
    said = circumstances().replace('"alpha": "orange", ', "").replace('"green"', '"olive"')
    assert "olive" in said
    add(index, entry(0, {FUSED: 1.0, name("batch64", "alpha", "eager"): 1.0}, 1.0, said), entry(1, {FUSED: 1.0}, 1.0, said))
    found = read(index, index.processes(), "commit")
    assert found.colours == {"alpha": "orange", "hand": "blue"}
    assert found.modes["alpha"] == ["eager", "compile"]
