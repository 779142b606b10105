"""What a report does not show is said: cases without a number, and groups that it does not know."""

from __future__ import annotations

from benchmarks.report import markdown, report
from benchmarks.saved.results import load
from tests.support import documents


def test_group_that_the_report_does_not_know(tmp_path):
    """Its cases are named, and its framework is no column of the others."""
    made = documents.of_group("predict", whole=True)
    strange = documents.case("predict", "strange", framework="jax", mode="jit") | {"group": "mine"}
    made["benchmarks"].append(strange)

    found = report.of(load(documents.save(tmp_path / "run.json", made)))

    (section,) = (section for section in found.sections if section.title == "What is not shown")
    assert [[cell.text for cell in row] for row in section.table.rows] == [[strange["fullname"], "mine"]]
    assert markdown.render(found).count("jax") == 0
