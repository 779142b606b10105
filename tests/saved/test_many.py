"""Several processes come back as one run, or are said not to be one."""

from __future__ import annotations

import json
import shutil
from functools import partial

import pytest
from numpy.testing import assert_allclose

from benchmarks.saved.results import check_fit, load, load_many, load_runs
from lenet5 import InputError
from tests.saved.of_three import COMPILE, NUMPY, ONE, OURS, RUN, SAVED, case, changed, set_at


@pytest.fixture
def folder(tmp_path):
    """folder(process_n=change) -> a folder with the three processes, the n-th of them changed in place."""
    return partial(changed, tmp_path)


def test_several_processes():
    """A folder is one run, every case with one median a process, in the order of the processes."""
    run = load_many([RUN])

    assert [path.name for path in run.paths] == ["process-001.json", "process-002.json", "process-003.json"]
    assert case(run, NUMPY).medians == (0.001, 0.0011, 0.0009)
    assert case(run, NUMPY).median == 0.001
    assert [case.name for case in run.cases] == [case.name for case in load(ONE).cases]
    assert list(run.not_measured) == [COMPILE]


def test_files_instead_of_folder():
    """Naming the files is the same as naming their folder."""
    assert load_many(sorted(RUN.glob("*.json"))) == load_many([RUN])


def test_extras_of_several():
    """A number that rides on a case is its median over the processes, anything else the first's."""
    extra = case(load_many([RUN]), NUMPY).extra

    assert_allclose(extra["first_call_seconds"], 0.003)
    assert extra["parameters"] == 65406
    assert extra["mode"] == "im2col"


def test_failed_in_one_process(folder):
    """A case that failed in one of three processes has no number at all, and the process is named."""

    def fail(document):
        document["benchmarks"] = [case for case in document["benchmarks"] if case["fullname"] != SAVED]
        document["machine_info"]["lenet5"]["not_measured"][SAVED] = "failed: not equal"

    run = load_many([folder(process_2=fail)])

    assert NUMPY not in {case.name for case in run.cases}
    assert run.not_measured[NUMPY] == "failed: not equal (process-002.json)"
    assert run.not_measured[COMPILE] == "torch.compile needs a C++ compiler; none was found"


def test_field_that_one_process_lacks(folder):
    """A field counts, like a case, only if every process has it."""
    run = load_many([folder(process_2=lambda document: document["benchmarks"][3]["extra_info"].pop("first_call_seconds"))])

    assert case(run, NUMPY).extra["first_call_seconds"] is None
    assert case(run, NUMPY).extra["parameters"] == 65406


def test_old_and_new_ids(folder):
    """A process whose code spelled the ids otherwise measured the same cases; each case keeps the id of the first process."""

    def of_today(document):
        for each in document["benchmarks"]:
            each["fullname"] = each["fullname"].replace("=", "")
        ours = document["machine_info"]["lenet5"]
        ours["not_measured"] = {name.replace("=", ""): reason for name, reason in ours["not_measured"].items()}

    run = load_many([folder(process_2=of_today)])

    assert case(run, NUMPY).medians == (0.001, 0.0011, 0.0009)
    assert case(run, NUMPY).id == SAVED
    assert run.not_measured == {COMPILE: "torch.compile needs a C++ compiler; none was found"}


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (set_at("machine_info", "cpu", "brand_raw", to="Other CPU"), "cpu.brand_raw is Other CPU, but Example CPU in"),
        (set_at("machine_info", "python_version", to="3.12.0"), "python_version is 3.12.0, but 3.11.7 in"),
        (set_at(*OURS, "threads", to=2), "threads is 2, but 1 in"),
        (set_at(*OURS, "epochs", to=30), "epochs is 30, but 2 in"),
        (set_at(*OURS, "dataset", "name", to="digits"), "dataset is "),
        (set_at(*OURS, "frameworks", "torch", "version", to="2.12"), "frameworks.torch is "),
        (set_at(*OURS, "code_sha256", to="1" * 64), "code_sha256 is 111"),
        (set_at("version", to="5.2.0"), "version is 5.2.0, but 5.3.1 in"),
        (set_at(*OURS, "frameworks", "torch", "simd", to="AVX2"), "frameworks.torch is "),
        (lambda document: document["benchmarks"].pop(3), "other cases than in"),
        (set_at("benchmarks", 3, "group", to="transfer"), "batch1]: group is transfer, but predict in"),
        (set_at("benchmarks", 3, "extra_info", "framework", to="torch"), "batch1]: framework is torch, but numpy in"),
        (set_at("benchmarks", 3, "extra_info", "batch", to=64), "batch1]: batch is 64, but 1 in"),
    ],
    ids=[
        *("cpu", "python", "threads", "epochs", "dataset", "framework", "code", "plug-in", "instructions", "cases"),
        *("group", "framework of a case", "batch of a case"),
    ],
)
def test_not_of_one_run(folder, change, difference):
    """Processes under different circumstances are no run; the file and the difference are named."""
    path = folder(process_3=change)

    with pytest.raises(InputError, match=r"^\S+/process-003\.json: ") as caught:
        load_many([path])
    assert difference in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_variables(folder):
    """Processes between which a variable that steers a library was set are no run; where only one side records them nothing is known."""

    def steered(variables):
        return set_at(*OURS, "variables", to=variables)

    few, more = {"CXX": "g++"}, {"CXX": "g++", "OPENBLAS_CORETYPE": "Prescott"}
    path = folder(process_1=steered(few), process_2=steered(few), process_3=steered(more))
    with pytest.raises(
        InputError, match=r"^\S+/process-003\.json: OPENBLAS_CORETYPE was not set, now it is 'Prescott', compared with "
    ):
        load_many([path])
    assert load_many([folder(process_1=steered(few), process_2=steered(few))]).lenet5["variables"] == few


def test_a_copied_folder(folder, tmp_path_factory):
    """The processes of a copy are those of the original, and count once: else every interval would be too narrow."""
    original = folder()
    copy = tmp_path_factory.mktemp("copies") / "copy"
    shutil.copytree(original, copy)
    once, twice = load_many([original]), load_many([original, copy])
    assert twice.processes == once.processes == 3
    assert [case.medians for case in twice.cases] == [case.medians for case in once.cases]
    assert [run.processes for run in load_runs([original, copy])] == [3]


def test_two_runs_of_one_version(folder, tmp_path_factory):
    """Another run of the same version has processes of its own, even where a case took exactly as long."""
    original = folder()
    other = tmp_path_factory.mktemp("runs") / "other"
    shutil.copytree(original, other)
    for number, file in enumerate(sorted(other.iterdir())):
        document = json.loads(file.read_text(encoding="utf-8"))
        document["datetime"] = f"2027-01-0{number + 1}T00:00:00"
        file.write_text(json.dumps(document), encoding="utf-8")
    assert load_many([original, other]).processes == 6


def test_file_twice():
    """A process that is named twice is no second process."""
    with pytest.raises(InputError, match="twice"):
        load_many([RUN, ONE])


def test_empty_folder(tmp_path):
    """A folder without results is said to be one."""
    with pytest.raises(InputError, match=r"holds no process-\*\.json"):
        load_many([tmp_path])


def test_fits_without(folder):
    """A process that was to leave a case out fits the others without it, and only then."""
    one = load(ONE)
    path = folder(process_1=lambda document: document["benchmarks"].pop(3)) / "process-001.json"

    check_fit(one, load(path), without=[NUMPY])
    with pytest.raises(InputError, match="other cases than in"):
        check_fit(one, load(path))
    with pytest.raises(InputError, match="other cases than in"):
        check_fit(one, one, without=[NUMPY])


def test_load_many_of_one_is_load():
    """Several files of which there is one are that file."""
    assert load_many([ONE]) == load(ONE)
