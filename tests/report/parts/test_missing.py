"""What a report does not show is said: cases without a number, and groups that it does not know."""

from __future__ import annotations

from benchmarks.report import markdown, report
from benchmarks.report.text import alarm
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


def test_a_session_that_ended_before_it_was_done(tmp_path):
    """Cases that were asked for and have not run stand among what is missing, and are counted above everything else."""
    made = documents.of_group("predict", whole=True)
    waiting = {f"benchmarks/test_cases.py::test_{name}": "not run: the session was interrupted" for name in ("a", "b")}
    made["machine_info"]["lenet5"]["not_measured"] |= waiting

    found = report.of(load(documents.save(tmp_path / "run.json", made)))

    assert [alarm(one) for one in found.alarms] == [
        "The session ended before it was done; cases that were asked for and have not run: 2."
    ]
    (section,) = (section for section in found.sections if section.title == "What is missing")
    rows = {name.text: reason.text for name, reason in section.table.rows}
    assert rows.items() > waiting.items()


def test_frameworks_that_are_not_installed(tmp_path):
    """Each is one line of what is missing, of one run and of several side by side, and is no column of any table."""
    said = {"engine": "engine: the package 'engine' is not installed; pip install engine"}
    paths = []
    for version in ("1.0", "2.0"):
        made = documents.of_group("predict", whole=True)
        made["machine_info"]["lenet5"] |= {"not_installed": said}
        made["machine_info"]["lenet5"]["frameworks"]["torch"]["version"] = version
        paths.append(documents.save(tmp_path / f"{version}.json", made))

    for runs in (paths[:1], paths):
        text = report.write(runs, tmp_path / "report").text
        (line,) = [line for line in text.splitlines() if "engine" in line]
        assert [cell.strip() for cell in line.strip("|").split("|")] == ["engine", *[said["engine"]] * len(runs)]
