"""Runs of several versions: what is one run, what may stand beside it, and what the report makes of them.

The expected text lies in tests/data/versions.  After a change that is meant, look at the difference and write it anew:

    python -m tests.report.test_versions
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.report import markdown, report, versions
from benchmarks.saved.names import canonical
from benchmarks.saved.results import load_many, load_runs
from lenet5 import InputError
from tests.support.documents import rescale

DATA = Path(__file__).parents[1] / "data"
RUN = DATA / "run"
EXPECTED = DATA / "versions" / "report.md"
COMPILE = "benchmarks/test_predict.py::test_predict[torch-compile-batch=1]"


def make(folder, change=lambda document: None, processes=3):
    """A run of so many processes in a folder, each changed in place by ``change``."""
    folder.mkdir(parents=True)
    for path in sorted(RUN.iterdir())[:processes]:
        document = json.loads(path.read_text(encoding="utf-8"))
        change(document)
        (folder / path.name).write_text(json.dumps(document), encoding="utf-8")
    return folder


def ours(document):
    return document["machine_info"]["lenet5"]


def torch(version, factor=1.0):
    """A change: another version of PyTorch, whose cases take so many times as long."""

    def change(document):
        ours(document)["frameworks"]["torch"]["version"] = version
        for case in document["benchmarks"]:
            if case["extra_info"]["framework"] == "torch":
                rescale(case, factor)

    return change


def upgraded(document):
    """PyTorch 2.14 takes 1.5 times as long, can compile, and the machine was a twentieth slower; a day later."""
    torch("2.14.0", 1.5)(document)
    document["datetime"] = document["datetime"].replace("2026-01-02", "2026-01-03")
    ours(document)["not_measured"] = {}
    eager = next(case for case in document["benchmarks"] if "[torch-eager-batch=1]" in case["name"])
    compiled = json.loads(json.dumps(eager).replace("eager", "compile"))
    document["benchmarks"].append(compiled)
    for case in document["benchmarks"]:
        if case["group"] == "control":
            rescale(case, 1.05)


def example(folder):
    """Three runs: the reference, an upgrade, and an upgrade on another machine of which there is one process."""

    def elsewhere(document):
        ours(document)["frameworks"]["torch"]["version"] = "2.15.0"
        document["machine_info"]["cpu"]["brand_raw"] = "Other CPU"

    return [make(folder / "old"), make(folder / "new", upgraded), make(folder / "elsewhere", elsewhere, processes=1)]


def first_section(text):
    return text.partition("\n## ")[0]


@pytest.fixture
def rendered(tmp_path):
    """rendered(*changes) -> the report of the unchanged run and of one run a change beside it."""

    def render(*changes, processes=3):
        folders = [make(tmp_path / "0", processes=processes)]
        folders += [make(tmp_path / str(number), change, processes) for number, change in enumerate(changes, 1)]
        return report.write(folders, tmp_path / "report").text

    return render


# Which files are which run


def test_runs_by_their_versions(tmp_path):
    """Files are grouped by the versions in them, in the order of their appearance, however they are named or mixed."""
    old, new = make(tmp_path / "old"), make(tmp_path / "new", torch("2.14.0"))
    mixed = [new / "process-001.json", *sorted(old.iterdir()), *sorted(new.iterdir())[1:]]

    runs = load_runs(mixed)

    assert runs == [load_many([new]), load_many([old])]
    assert [run.versions["torch"] for run in runs] == ["2.14.0", "2.13.0"]


def test_one_version_is_one_run(tmp_path):
    """Files of the same versions are processes of one run, with the ordinary report."""
    assert load_runs([RUN]) == [load_many([RUN])]
    assert report.write([RUN], tmp_path).text == (DATA / "three-processes" / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["machine_info"].update(python_version="3.12.1"),
        lambda document: ours(document)["frameworks"]["torch"].update(version="2.14.0"),
        lambda document: ours(document)["frameworks"]["numpy"].update(blas="openblas 0.3.99"),
    ],
    ids=["python", "framework", "library"],
)
def test_what_makes_a_version(tmp_path, change):
    """Python, a framework, and a library that a framework names: another one of any of these is another run."""

    def named(document):
        ours(document)["frameworks"]["numpy"]["blas"] = "openblas 0.3.31"

    def changed(document):
        named(document)
        change(document)

    assert len(load_runs([make(tmp_path / "one", named), make(tmp_path / "other", changed)])) == 2


def test_absent_framework_is_no_version(tmp_path):
    """A process in which a framework failed belongs to the run with which nothing else differs."""
    folder = make(tmp_path / "run")
    path = folder / "process-002.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    del ours(document)["frameworks"]["torch"]
    path.write_text(json.dumps(document), encoding="utf-8")

    assert [run.processes for run in load_runs([folder])] == [3]


@pytest.mark.parametrize(
    ("setting", "value"),
    [("threads", 2), ("device", "cuda"), ("epochs", 30), ("dataset", {"name": "digits"}), ("code_sha256", "1" * 64)],
)
def test_settings_must_agree(tmp_path, capsys, setting, value):
    """Runs of other settings or other code cannot stand side by side: one line with file and difference, exit 2, nothing written."""

    def change(document):
        torch("2.14.0")(document)
        ours(document)[setting] = value

    old, new = make(tmp_path / "old"), make(tmp_path / "new", change)

    code = main(["report", str(old), str(new), "--output", str(tmp_path / "report")])

    error = capsys.readouterr().err
    assert code == 2
    assert error.startswith(f"{new}/process-001.json: {setting} is ")
    assert error.endswith("only versions may differ between runs\n")
    assert error.count("\n") == 1
    assert not (tmp_path / "report").exists()


def test_other_machine_in_one_run(tmp_path):
    """Within one set of versions another machine is refused as ever."""

    def elsewhere(document):
        document["machine_info"]["cpu"]["brand_raw"] = "Other CPU"

    with pytest.raises(InputError, match=r"cpu\.brand_raw is Other CPU.*not of one run"):
        load_runs([make(tmp_path / "one"), make(tmp_path / "other", elsewhere)])


# What the report says


def test_whole_text(tmp_path):
    """The whole Markdown of three runs, and a page that says the same."""
    written = report.write(example(tmp_path), tmp_path / "report")

    assert written.text == EXPECTED.read_text(encoding="utf-8")
    page = written.page.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "accuracy[torch-eager], 1.50 x [1.42, 1.59]" in page
    assert page.count('class="warning"') == 3


def test_findings(rendered):
    """What takes half as long again in every process is counted as longer, the half as long as less, the rest as undecided."""
    found = rendered(torch("2.14.0", 1.5), torch("2.15.0", 0.5))

    row = next(line for line in found.splitlines() if line.startswith("| torch-eager-batch1 "))
    assert "(1.50 x [1.06, 2.11])" in row
    assert "(0.500 x [0.355, 0.705])" in row
    assert "torch 2.14.0 against torch 2.13.0: of 5 cases 2 took longer, 0 less long, 3 undecided;" in first_section(found)
    assert "torch 2.15.0 against torch 2.13.0: of 5 cases 0 took longer, 2 less long, 3 undecided." in first_section(found)


@pytest.mark.parametrize("processes", [1, 2])
def test_few_processes_have_no_interval(rendered, processes):
    """Where a run has one process or two there is a ratio without an interval, and the first section says so."""
    found = rendered(torch("2.14.0", 1.5), processes=processes)

    assert "(1.50 x)" in found
    assert "x [" not in found
    assert "**Fewer than 3 processes: torch 2.13.0; torch 2.14.0.**" in first_section(found)


def test_drift_is_said_first(rendered):
    """The first words are a warning with the ratio of the control: the runs are of different times."""
    lines = rendered(upgraded).splitlines()

    assert lines[2].startswith("**Warning: torch 2.14.0 was measured at another time than the first run")
    assert "took 1.05 x [" in lines[2]


def test_other_machine_has_no_ratio(rendered):
    """From another processor there are times, no ratios, and a warning."""

    def elsewhere(document):
        torch("2.14.0", 1.5)(document)
        document["machine_info"]["cpu"]["brand_raw"] = "Other CPU"

    found = rendered(elsewhere)

    assert not re.search(r"[\d.]+ x\b", found.partition("## Did")[2])
    assert "3.00 ms" in found
    assert "another machine, Other CPU with 2 logical CPUs instead of Example CPU with 2 logical CPUs" in first_section(found)


def test_other_node_is_said(rendered):
    """The same processor in another computer keeps its ratios, and the warning says that it is another computer."""

    def elsewhere(document):
        torch("2.14.0", 1.5)(document)
        document["machine_info"]["node"] = "neighbour"

    found = rendered(elsewhere)

    assert "1.50 x [" in found
    assert "on another machine of the same kind" in first_section(found)


def test_without_control(rendered):
    """Where nothing watched, the warning says that a ratio may be all drift."""

    def change(document):
        torch("2.14.0")(document)
        document["benchmarks"] = [case for case in document["benchmarks"] if case["group"] != "control"]

    assert "no control watched: a ratio below may be all drift" in first_section(rendered(change))


def test_case_of_one_run_only(rendered):
    """A case that only one run measured has its time there, a dash elsewhere, and its reason among what is missing."""
    found = rendered(upgraded)

    row = next(line for line in found.splitlines() if line.startswith("| torch-compile-batch1 "))
    assert [cell.strip() for cell in row.split("|")[2:4]] == ["—", "3.00 ms"]
    assert any(line.startswith(f"| {canonical(COMPILE)} ") and "needs a C++ compiler" in line for line in found.splitlines())


def test_heads_name_what_differs(tmp_path):
    """A column is named by the frameworks that differ; by the libraries under them only if nothing else does."""

    def blas(version):
        return lambda document: ours(document)["frameworks"]["numpy"].update(blas=f"openblas {version}")

    def both(document):
        blas("0.3.32")(document)
        torch("2.14.0")(document)

    one, other, third = make(tmp_path / "1", blas("0.3.31")), make(tmp_path / "2", blas("0.3.32")), make(tmp_path / "3", both)

    assert versions.labels(load_runs([one, other])) == ["numpy blas openblas 0.3.31", "numpy blas openblas 0.3.32"]
    assert versions.labels(load_runs([one, third])) == ["torch 2.13.0", "torch 2.14.0"]


def test_markup_is_text(tmp_path):
    """Versions come from a file: markup in them is text."""
    runs = load_runs([make(tmp_path / "old"), make(tmp_path / "new", torch("2.14|<script>alert(1)</script>"))])
    parts = versions.sections(runs)

    assert "<script>alert" not in markdown.render(parts)
    assert "<script>alert" not in versions.render(runs, parts)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        text = report.write(example(Path(scratch)), Path(scratch) / "report").text
    EXPECTED.parent.mkdir(exist_ok=True)
    EXPECTED.write_text(text, encoding="utf-8")
