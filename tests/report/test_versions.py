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
from benchmarks.quantities.units import RATIO
from benchmarks.report import markdown, page, report, versions
from benchmarks.report.across import labels
from benchmarks.report.records import Quantity
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


def test_other_machine_beside_other_versions(tmp_path):
    """A version that was measured on two machines cannot stand beside another version: which of both is to be compared with it?"""

    def elsewhere(document):
        document["machine_info"]["cpu"]["brand_raw"] = "Other CPU"

    runs = [make(tmp_path / "one"), make(tmp_path / "new", torch("2.14.0")), make(tmp_path / "other", elsewhere)]
    with pytest.raises(InputError, match=r"other/process-001.json: is of the same versions as another run, on another machine"):
        load_runs(runs)


# What the report says


def steered(**variables):
    """A change: another version of PyTorch, measured with these environment variables."""

    def change(document):
        torch("2.14.0")(document)
        ours(document)["variables"] = variables

    return change


def test_other_environment(tmp_path):
    """A variable that steers a library and was set for one run only is named above the ratios; one that neither records is no difference."""
    old = make(tmp_path / "old", lambda document: ours(document).update(variables={"CXX": "g++"}))
    new = make(tmp_path / "new", steered(CXX="g++", OPENBLAS_CORETYPE="Prescott"))
    text = report.write([old, new], tmp_path / "report").text
    assert (
        "torch 2.14.0 was measured with another environment than the first run, so that a ratio may be due to that: "
        "OPENBLAS_CORETYPE was not set, now it is 'Prescott'"
    ) in text
    assert "CXX=g++, OPENBLAS_CORETYPE=Prescott" in text

    text = report.write([make(tmp_path / "unrecorded"), new], tmp_path / "report").text
    assert "another environment" not in text
    assert "not recorded" in text


def test_whole_text(tmp_path):
    """The whole Markdown of three runs, and a page that says the same."""
    written = report.write(example(tmp_path), tmp_path / "report")

    assert written.text == EXPECTED.read_text(encoding="utf-8")
    page = written.page.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "1.50 x</span> <small>" not in page  # a ratio stands behind its time
    assert "6.15 s</span> <small>(1.50 x [1.42, 1.59])</small>" in page
    assert page.count('class="warning"') == 2
    assert page.index("torch: 2 of 2 cases took longer") < page.index("<figure") < page.index("<table")


def test_verdict_of_each_framework(rendered):
    """The report begins with what changed, framework by framework and run by run."""
    found = rendered(torch("2.14.0", 1.5), torch("2.15.0", 0.5), torch("2.16.0"))

    row = next(line for line in found.splitlines() if line.startswith("| torch-eager-batch1 "))
    assert "(1.50 x [1.06, 2.11])" in row
    assert "(0.500 x [0.355, 0.705])" in row
    first, second, third = found.splitlines()[4:9:2]
    assert first == "**torch 2.14.0**: numpy: no case of 3 changed; torch: 2 of 2 cases took longer."
    assert second == "**torch 2.15.0**: numpy: no case of 3 changed; torch: 2 of 2 cases took less long."
    assert third == "**torch 2.16.0**: numpy: no case of 3 changed; torch: no case of 2 changed."


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([1], "1 of 1 case took longer"),
        ([1, -1, 0], "1 of 3 cases took longer, 1 of 3 cases took less long"),
        ([0, 0], "no case of 2 changed"),
    ],
)
def test_counted(changes, said):
    """Only what changed is counted; where nothing did, that is said."""
    assert versions._counted(changes) == said


@pytest.mark.parametrize(
    ("interval", "change"), [((1.0003, 1.2), 1), ((1.0, 1.2), 0), ((0.9, 1.0), 0), ((0.9, 0.9998), -1), (None, 0)]
)
def test_change_is_decided_on_numbers(interval, change):
    """An interval that only holds 1 when it is rounded is a change."""
    assert versions._change(Quantity(1.0, RATIO, interval)) == change


def test_plot_of_ratios(tmp_path):
    """Every case that both runs have is a row with its ratio and its interval, in its framework's colour, beside a line at 1."""
    runs = load_runs([make(tmp_path / "old"), make(tmp_path / "new", torch("2.14.0", 1.5))])
    (plot,) = versions.of(runs).plots
    assert plot.title == "torch 2.14.0: ratio to the first run"
    numpy, torch_ = (re.search(rf'id="ratios-1-interval-{index}">(.*?)</g>', plot.svg, re.DOTALL)[1] for index in (0, 1))
    assert (numpy.count("<path"), torch_.count("<path")) == (3, 2)
    assert set(re.findall(r"var\(--(\w+)", numpy)) == {runs[0].colours["numpy"]}
    assert set(re.findall(r"var\(--(\w+)", torch_)) == {runs[0].colours["torch"]}
    assert 'id="ratios-1-level"' in plot.svg
    assert "predict: torch-eager-batch1" in plot.svg


@pytest.mark.parametrize("processes", [1, 2])
def test_few_processes_have_no_interval(rendered, processes):
    """Where a run has one process or two there is a ratio without an interval, and the first section says so."""
    found = rendered(torch("2.14.0", 1.5), processes=processes)

    assert "(1.50 x)" in found
    assert "x [" not in found
    assert "so that no ratio has an interval: torch 2.13.0; torch 2.14.0." in first_section(found)
    assert "**torch 2.14.0**: no verdict, for no ratio has an interval." in first_section(found)


def slower(factor):
    """A change: another version of PyTorch, measured a day later on a machine that was so many times slower."""

    def change(document):
        upgraded(document)
        for case in document["benchmarks"]:
            if case["group"] == "control":
                case["stats"] = {name: value * factor if name != "rounds" else value for name, value in case["stats"].items()}

    return change


def test_drift_is_a_warning(rendered):
    """Where the control shows another machine than before, that is a warning with its ratio and the bound, right under the verdict."""
    verdict, _, warning = rendered(slower(1.6)).splitlines()[4:7]

    assert verdict.startswith("**torch 2.14.0**: numpy: no case of 3 changed;")
    assert warning.startswith("**Warning: torch 2.14.0: the machine was not the same as for the first run; the control took")
    assert "1.68 x [" in warning
    assert "the bound is 1.10 x" in warning


def test_little_drift_is_a_note(rendered):
    """Where the control stayed within its bound, what it took is said with the time between the runs, and is no warning."""
    found = first_section(rendered(upgraded))

    assert "Warning" not in found
    assert "torch 2.14.0 was measured 2026-01-03T03:01, the first run 2026-01-02T03:01; the control" in found
    assert "took 1.05 x [" in found


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

    assert "no control watched the time between it and the first run, so that any ratio may be all drift" in first_section(
        rendered(change)
    )


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

    assert labels(load_runs([one, other])) == ["numpy blas openblas 0.3.31", "numpy blas openblas 0.3.32"]
    assert labels(load_runs([one, third])) == ["torch 2.13.0", "torch 2.14.0"]


def test_markup_is_text(tmp_path):
    """Versions come from a file: markup in them is text."""
    runs = load_runs([make(tmp_path / "old"), make(tmp_path / "new", torch("2.14|<script>alert(1)</script>"))])
    found = versions.of(runs)

    assert "<script>alert" not in markdown.render(found)
    assert "<script>alert" not in page.render(found)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        text = report.write(example(Path(scratch)), Path(scratch) / "report").text
    EXPECTED.parent.mkdir(exist_ok=True)
    EXPECTED.write_text(text, encoding="utf-8")
