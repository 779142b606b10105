"""The main job as a user runs it: measure, save, report."""

from __future__ import annotations

import json

import pytest

from benchmarks.saved import results
from tests.report.test_terminal import REST
from tests.support.by_hand import FAST, FRAMEWORK, PLAIN
from tests.support.copies import blind, copy_of_project, run_pytest, run_python
from tests.support.frameworks import installed
from tests.support.rows import one_quick

QUICK = (
    "benchmarks/test_control.py::test_no_network",
    f"benchmarks/test_predict.py::test_predict[{FRAMEWORK}-{FAST}-batch1]",
    f"benchmarks/test_predict.py::test_predict[{FRAMEWORK}-{PLAIN}-batch1]",
    "--benchmark-max-time=0.05",
)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project, which a job may write into.  It does not see what else runs: these reports are of a quiet machine."""
    copy = copy_of_project(tmp_path_factory.mktemp("job") / "project")
    blind(copy)
    return copy


def test_report_from_the_saved_file(project, monkeypatch, tmp_path):
    """The job saves its raw rounds, reports from that file, says where, and hands the Markdown to GitHub's summary where there is one."""
    summary = tmp_path / "summary.md"
    summary.write_text("already there\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))

    verdict = run_pytest(project, *QUICK, "--benchmark-autosave", "--threads=1")

    assert verdict.exit_code == 0, verdict.output
    (saved,) = (project / ".benchmarks").glob("*/*.json")
    document = json.loads(saved.read_text())
    assert all(len(case["stats"]["data"]) == case["stats"]["rounds"] for case in document["benchmarks"])
    assert document["machine_info"]["lenet5"]["threads"] == 1
    run = results.load(saved)
    assert [case.mode for case in run.group("predict")] == [FAST, PLAIN]
    assert all(case.extra["first_call_seconds"] > 0 for case in run.group("predict"))
    text = (project / "report" / "report.md").read_text()
    assert "65,406" in text
    assert "1,310,160" in text
    shown = verdict.output.partition("LeNet-5: the report")[2]
    assert "65,406" in shown
    assert "report/report.md" in shown
    assert str(saved.relative_to(project)) in shown
    assert summary.read_text() == "already there\n" + text
    assert (project / "report" / "report.html").read_text().startswith("<!doctype html>")


def test_what_the_terminal_shows(project):
    """In few lines and in this order: pytest's own, the comparison with its counts, where the rest is, and the answer; no table of the plug-in."""
    verdict = run_pytest(project, *QUICK, "--benchmark-json=shown.json")

    assert verdict.exit_code == 0, verdict.output
    shown = verdict.output.partition("\nWrote benchmark data")[0]  # that is on standard error
    places = [
        shown.index(words)
        for words in (
            "test session starts",
            "LeNet-5: the report",
            "65,406",
            "1,310,160",
            "report/report.html",
            "predict, batch 1:",
        )
    ]
    assert places == sorted(places)
    assert "Legend" not in shown
    assert "Outliers" not in shown
    *_, answer, end = shown.strip().splitlines()
    # Few rounds do not tell which of the two modes is faster in general: the file says which one was.
    by_time = {case.mode: case.median for case in results.load(project / "shown.json").group("predict")}
    assert answer.startswith(f"{FRAMEWORK} {min(by_time, key=by_time.__getitem__)} takes ")
    assert "3 passed" in end
    before = shown.partition("LeNet-5: the report")[0]
    assert sum(max(1, -(-len(line) // 80)) for line in before.splitlines()) <= REST - 2  # the head of the report, and the last line


@pytest.mark.slow
@pytest.mark.place("first")  # it takes minutes: the other tests are to run beside it, not to wait for it
def test_every_case(tmp_path):
    """All cases of the job, each measured a little and networks trained for two epochs, end in a report, and its file gives the same one."""
    project = copy_of_project(tmp_path / "project")

    verdict = run_pytest(
        project, "benchmarks", "--benchmark-json=run.json", "--epochs=2", "--benchmark-max-time=0.05", longest_seconds=3600
    )

    assert verdict.exit_code == 0, verdict.output
    again = run_python(project, "-m", "benchmarks", "report", "run.json", "--output", "again")
    assert again.returncode == 0, again.stderr
    for name in ("report.md", "report.html"):
        assert (project / "report" / name).read_bytes() == (project / "again" / name).read_bytes()
    text = (project / "report" / "report.md").read_text(encoding="utf-8")
    for known in ("65,406 ", "1,310,160 "):
        assert text.count(known) >= len(installed())  # a column each


@pytest.mark.parametrize(
    "option", one_quick(["--benchmark-sort=mean", "--benchmark-columns=median", "--benchmark-name=short", "--benchmark-verbose"])
)
def test_table_of_the_plug_in(project, option):
    """The plug-in's own table is there where one of its display options is named."""
    verdict = run_pytest(project, QUICK[0], option, "--benchmark-max-time=0.01", "--no-report")
    assert verdict.exit_code == 0, verdict.output
    assert "Legend:" in verdict.output or "Median" in verdict.output


def test_nothing_saved(project):
    """Without a saved file there is no report, and one line says how to get one."""
    verdict = run_pytest(project, QUICK[0], "--benchmark-max-time=0.01")
    assert "No report: it is made from a saved file; add --benchmark-autosave or --benchmark-json=FILE" in verdict.output
    assert "Legend" not in verdict.output


def test_wrong_answer_gets_no_time(project):
    """A network that is wrong fails its case, has no number in the file, and is named in the report with the reason."""
    source = project / "lenet5" / "by_hand" / "plain.py"
    right = source.read_text()
    source.write_text(right.replace("return self._forward(x).astype(", "return (1 + self._forward(x)).astype("))
    assert source.read_text() != right
    try:
        verdict = run_pytest(project, *QUICK, "--benchmark-json=wrong.json")
    finally:
        source.write_text(right)

    # The reference is wrong in the same way, so it is the fast mode that no longer agrees with it.
    assert verdict.exit_code == 1
    assert any(FAST in name for name in verdict.failed)
    run = results.load(project / "wrong.json")
    assert not [case for case in run.cases if case.mode == FAST]
    assert any(FAST in name and reason.startswith(results.FAILED) for name, reason in run.not_measured.items())


def test_grouped_by_a_parameter_that_some_cases_lack(project):
    """The plug-in's table can be grouped by the batch size; cases without one are a group of their own."""
    verdict = run_pytest(project, *QUICK, "--benchmark-group-by=param:batch", "--benchmark-columns=median", "--no-report")
    assert verdict.exit_code == 0, verdict.output
    assert "benchmark 'batch=1': 2 tests" in verdict.output
    assert "benchmark 'without batch': 1 tests" in verdict.output


def test_unknown_data_set(project):
    """A data set that cannot be had ends the job with exit code 2 and one line; nothing is saved."""
    before = sorted(project.rglob("*.json"))
    verdict = run_pytest(project, *QUICK, "--benchmark-autosave", "--dataset=imagelist:/nowhere")
    assert verdict.exit_code == 2
    assert "--dataset imagelist:/nowhere: no such directory" in verdict.output
    assert sorted(project.rglob("*.json")) == before
