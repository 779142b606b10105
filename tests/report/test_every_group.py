"""Whatever a file may lack, the report of it is written: every group, with exactly the needed fields, and with all that there are."""

from __future__ import annotations

import copy
from contextlib import suppress

import pytest

from benchmarks.report import report
from benchmarks.report.original_pairs import PAIRS
from benchmarks.report.records import Quantity
from benchmarks.saved import fields
from benchmarks.saved.results import load_many
from lenet5 import InputError
from tests.support import documents
from tests.support.rows import one_quick

GROUPS = (*fields.GROUPS, "a group of my own")


def changed(made, **changes):
    """The document with these values on every case."""
    for case in made["benchmarks"]:
        case["extra_info"] |= changes
    return made


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("whole", [False, True], ids=["needed", "all"])
@pytest.mark.parametrize("processes", [1, 3])
def test_every_group(tmp_path, group, whole, processes):
    """One group alone, of one process and of several."""
    made = documents.of_group(group, whole)
    paths = [documents.save(tmp_path / f"process-{number}.json", made) for number in range(processes)]

    written = report.write(paths, tmp_path / "report")

    assert written.text.startswith("# ")
    assert written.page.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize("change", one_quick([{"others_cpu_seconds": 0.9}, {"cpus_allowed": 1}]), ids=["others", "cpus"])
@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("processes", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_every_group_disturbed(tmp_path, group, change, processes):
    """A group that was disturbed is shown like any other, below a first line that says so if its times say anything."""
    made = changed(documents.of_group(group, whole=True), **change)
    made["machine_info"]["lenet5"]["threads"] = 2
    paths = [documents.save(tmp_path / f"process-{number}.json", made) for number in range(processes)]

    written = report.write(paths, tmp_path / "report")

    assert written.text.startswith("Disturbed: ") == (group not in fields.UNTIMED)
    assert written.short.startswith("Disturbed: ") == (group not in fields.UNTIMED)


def cells(run):
    """Every cell of the report's tables, by its place."""
    return {
        (section.title, row[0].text, column): cell
        for section in report.of(run).sections
        if section.table
        for row in section.table.rows
        for column, cell in enumerate(row)
    }


NO_TIME = ("flops", "sgemm", "price", "executed", *fields.UNTIMED, *fields.SPACE, fields.BESIDE, fields.TWINS)
"""Groups of which no table shows the times, or none without another group."""


@pytest.mark.parametrize("processes", [1, pytest.param(3, marks=pytest.mark.slow)])
@pytest.mark.parametrize("group", fields.GROUPS)
def test_every_number_of_a_disturbed_time_is_marked(tmp_path, group, processes):
    """If the time of a disturbed case were another one, no number would change but those that have a mark."""
    made = documents.of_group(group, whole=True)
    made["benchmarks"][1]["extra_info"]["others_cpu_seconds"] = 0.9
    slower = copy.deepcopy(made)
    documents.rescale(slower["benchmarks"][1], 1.5)

    def shown(each, name):
        (tmp_path / name).mkdir()
        return cells(load_many([documents.save(tmp_path / name / f"process-{number}.json", each) for number in range(processes)]))

    before, after = shown(made, "before"), shown(slower, "after")

    assert before.keys() == after.keys()
    changed = [cell for place, cell in before.items() if isinstance(cell, Quantity) and cell.value != after[place].value]
    assert [cell for cell in changed if not cell.mark] == []
    assert bool(changed) == (group not in NO_TIME)


@pytest.mark.parametrize("whole", [False, True], ids=["needed", "all"])
def test_all_groups(tmp_path, whole):
    """All of them in one run."""
    made = documents.document(*(case for group in GROUPS for case in documents.of_group(group, whole)["benchmarks"]), whole=whole)

    assert report.write([documents.save(tmp_path / "run.json", made)], tmp_path / "report").text


@pytest.mark.slow
@pytest.mark.parametrize("name", fields.FIELDS)
def test_one_field_less(tmp_path, name):
    """Of two cases that have every field, one lacks this one: it is not needed, so that nothing relies on it."""
    for group in fields.FIELDS[name].may:
        made = documents.of_group(group, whole=True)
        del made["benchmarks"][1]["extra_info"][name]
        assert report.write([documents.save(tmp_path / "run.json", made)], tmp_path / "report").text


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:constrained_layout not applied:UserWarning")  # no plot is pretty with 10 ** 15 beside 2
@pytest.mark.parametrize("name", [name for name, field in fields.FIELDS.items() if any(documents.extremes(field.kind))])
def test_at_the_ends_of_its_range(tmp_path, name):
    """A value at either end of its range, beside an ordinary one: a run is shown, or refused because its values do not fit each other."""
    field = fields.FIELDS[name]
    for value in documents.extremes(field.kind):
        made = documents.of_group((*field.needs, *field.may)[0], whole=True)
        made["benchmarks"][0]["extra_info"][name] = value
        with suppress(InputError):
            assert report.write([documents.save(tmp_path / "run.json", made)], tmp_path / "report").text


@pytest.mark.parametrize("figure", sorted({pair.figure for pair in PAIRS}))
@pytest.mark.parametrize("whole", [False, True], ids=["needed", "all"])
def test_every_measurement_of_the_original(tmp_path, figure, whole):
    """Each of the original report's measurements has its own row, and its own needs."""
    made = changed(documents.of_group(fields.ORIGINAL, whole), figure=figure)

    assert report.write([documents.save(tmp_path / "run.json", made)], tmp_path / "report").text


def test_several_versions(tmp_path):
    """The same side by side with a run of other versions."""
    for whole in (False, True):
        paths = []
        for version in ("1.0", "2.0"):
            made = documents.document(*(case for group in GROUPS for case in documents.of_group(group, whole)["benchmarks"]))
            made["machine_info"]["lenet5"]["frameworks"]["torch"]["version"] = version
            paths.append(documents.save(tmp_path / f"{version}.json", made))
        assert report.write(paths, tmp_path / "report").text
