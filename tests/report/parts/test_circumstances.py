"""The report names what the numbers depend on, the environment of the libraries among it."""

from __future__ import annotations

import pytest

from benchmarks.report import report
from benchmarks.saved.results import load
from tests.support import documents


def rows(folder, change):
    made = documents.of_group("predict", whole=True)
    change(made["machine_info"]["lenet5"])
    found = report.of(load(documents.save(folder / "run.json", made)))
    (section,) = (section for section in found.sections if section.title == "Circumstances")
    return {name.text: value.text for name, value in section.table.rows}


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "no variable that steers a library"),
        ({"CXX": "clang++", "OPENBLAS_CORETYPE": "Prescott"}, "CXX=clang++, OPENBLAS_CORETYPE=Prescott"),
    ],
)
def test_environment(tmp_path, variables, said):
    """Each variable that steers a library stands there with its value, or that there was none."""
    assert rows(tmp_path, lambda ours: ours.update(variables=variables))["environment"] == said


def test_no_commit(tmp_path):
    """Where git named no commit the record says why."""
    made = documents.of_group("predict", whole=True)
    made["commit_info"] = {"id": "unknown", "dirty": False, "error": "git is not installed"}
    found = report.of(load(documents.save(tmp_path / "run.json", made)))
    (section,) = (section for section in found.sections if section.title == "Circumstances")
    assert {name.text: value.text for name, value in section.table.rows}["commit"] == "unknown (git is not installed)"


def test_environment_of_an_older_file(tmp_path):
    """A file that does not record them says nothing of them."""
    assert "environment" not in rows(tmp_path, lambda ours: ours.pop("variables"))


def test_what_a_framework_says(tmp_path):
    """The BLAS's kernels and the instructions stand beside the version; what is empty does not."""
    facts = {"version": "2.4.6", "architecture": "Prescott", "simd": "AVX2", "settings": ""}
    found = rows(tmp_path, lambda ours: ours.update(frameworks={"numpy": facts}))
    assert found["numpy"] == "version 2.4.6, architecture Prescott, simd AVX2"


@pytest.mark.parametrize(
    ("quota", "said"), [(None, ""), (1.0, ", the time of 1 of them at most"), (1.5, ", the time of 1.5 of them at most")]
)
def test_a_container_that_limits(tmp_path, quota, said):
    """Where a control group gives a process less than its CPUs, the record says how much."""
    plain = rows(tmp_path, lambda ours: None)["CPU"]
    assert rows(tmp_path, lambda ours: ours.update({} if quota is None else {"cpu_quota": quota}))["CPU"] == plain + said
