"""The plug-in's own comparison with a saved run: what it passes over is said."""

from __future__ import annotations

import copy
import json

import pytest

from benchmarks.saved import baseline
from lenet5 import InputError
from tests.support import documents
from tests.support.copies import copy_of_project, run_pytest

BENCHMARKS = "benchmarks/test_predict.py::test_predict"
MACHINE = {
    "cpu": {"brand_raw": "a CPU", "count": 2},
    "python_version": "3.11.7",
    "lenet5": {
        "threads": 1,
        "code_sha256": "1234",
        "variables": {"CXX": "g++"},
        "frameworks": {"numpy": {"version": "2.4.0", "blas": ["openblas"]}},
        "not_measured": {f"{BENCHMARKS}[two]": "no two today"},
    },
}
BASELINE = {"machine_info": MACHINE, "benchmarks": [{"fullname": f"{BENCHMARKS}[{name}]"} for name in ("one", "two", "three")]}


def remarks(machine=MACHINE, measured=("one", "two", "three"), left_out=(), asked=("benchmarks",)):
    names = [{f"{BENCHMARKS}[{name}]" for name in some} for some in (measured, left_out)]
    return baseline.remarks(BASELINE, machine, *names, asked)


def test_nothing_to_say():
    """The same circumstances and the same cases, or more of them; tuples are lists in a file."""
    machine = copy.deepcopy(MACHINE)
    machine["lenet5"]["frameworks"]["numpy"]["blas"] = ("openblas",)

    assert remarks(machine, measured=("one", "two", "three", "four")) == []


@pytest.mark.parametrize(
    ("where", "value", "line"),
    [
        ("cpu brand_raw", "another", "cpu.brand_raw was 'a CPU', now it is 'another'"),
        ("cpu count", 64, "cpu.count was 2, now it is 64"),
        ("python_version", "3.12.1", "python_version was '3.11.7', now it is '3.12.1'"),
        ("lenet5 threads", 2, "threads was 1, now it is 2"),
        ("lenet5 dataset", {"name": "digits"}, "dataset was None, now it is {'name': 'digits'}"),
        ("lenet5 frameworks numpy version", "2.5.0", "frameworks.numpy.version was '2.4.0', now it is '2.5.0'"),
        ("lenet5 variables CXX", "clang++", "CXX was 'g++', now it is 'clang++'"),
        ("lenet5 variables OPENBLAS_CORETYPE", "Prescott", "OPENBLAS_CORETYPE was not set, now it is 'Prescott'"),
    ],
)
def test_other_circumstances(where, value, line):
    """Another CPU, Python, number of threads, data set or version makes two times incomparable."""
    machine = copy.deepcopy(MACHINE)
    *path, key = where.split()
    place = machine
    for name in path:
        place = place[name]
    place[key] = value

    assert remarks(machine) == [f"other circumstances: {line}"]


def test_other_code():
    """Other code is what is compared, and a framework that only one side used is no difference."""
    machine = copy.deepcopy(MACHINE)
    machine["lenet5"] |= {"code_sha256": "5678", "frameworks": {"torch": {"version": "2.9.0"}}}

    assert remarks(machine) == []


def test_facts_that_the_baseline_does_not_record():
    """What the code of the baseline did not know of is no difference; nor is it one of today's code against itself."""
    machine = copy.deepcopy(MACHINE)
    machine["lenet5"]["frameworks"]["numpy"]["architecture"] = "Zen"
    machine["lenet5"]["variables"]["OPENBLAS_CORETYPE"] = "Zen"
    old = copy.deepcopy(BASELINE)
    del old["machine_info"]["lenet5"]["variables"]

    found = baseline.remarks(old, machine, [case["fullname"] for case in BASELINE["benchmarks"]], [], ["benchmarks"])
    assert found == []


def test_not_run():
    """Cases that the session ended before have not vanished: they are counted, for each reason that it ended."""
    machine = copy.deepcopy(MACHINE)
    machine["lenet5"]["not_measured"] = {
        f"{BENCHMARKS}[{name}]": "not run: the session was interrupted" for name in ("two", "three")
    }
    assert remarks(machine, measured=("one",)) == [f"not run: {BENCHMARKS}[two] and 1 more (the session was interrupted)"]

    machine["lenet5"]["not_measured"] = {f"{BENCHMARKS}[two]": "not run: stopping after 1 failures"}
    assert remarks(machine, measured=("one",)) == [
        f"vanished: {BENCHMARKS}[three] (there is no such case any more)",
        f"not run: {BENCHMARKS}[two] (stopping after 1 failures)",
    ]


def test_vanished():
    """A case with a number there and none here has vanished, with the reason if there is one."""
    assert remarks(measured=("one",)) == [
        f"vanished: {BENCHMARKS}[two] (no two today)",
        f"vanished: {BENCHMARKS}[three] (there is no such case any more)",
    ]


@pytest.mark.parametrize(
    ("left_out", "asked", "vanished"),
    [
        (("two", "three"), ["benchmarks"], 0),
        ((), ["benchmarks/test_training.py"], 0),
        ((), [f"{BENCHMARKS}[one]"], 0),
        ((), [f"{BENCHMARKS}[two]"], 1),
        ((), [BENCHMARKS], 2),
        ((), ["benchmarks/test_pre"], 0),
        ((), ["benchmarks/test_predict.py"], 2),
        ((), ["."], 2),
    ],
)
def test_not_asked_for(left_out, asked, vanished):
    """What -k, a folder, a file or a name leaves out has not vanished."""
    assert len(remarks(measured=("one",), left_out=left_out, asked=asked)) == vanished


def test_other_spelling():
    """A case is the same under the id that commit 67fa1dc gave it, in the baseline, in this session and in what was asked for."""
    old, new = f"{BENCHMARKS}[numpy-fused-batch=1]", f"{BENCHMARKS}[numpy-fused-batch1]"
    for there, here in ((old, new), (new, old)):
        before = {"machine_info": MACHINE, "benchmarks": [{"fullname": there}]}
        assert baseline.remarks(before, MACHINE, [here], [], [BENCHMARKS]) == []
        assert baseline.remarks(before, MACHINE, [], [here], [BENCHMARKS]) == []
        assert baseline.remarks(before, MACHINE, [], [], [here]) == [f"vanished: {new} (there is no such case any more)"]


def test_unreadable():
    """A run of this project that no report could be made of is refused in one line; those of other suites are not judged."""
    whole = documents.of_group("predict", whole=True)
    baseline.check(whole, "--benchmark-compare=0001")
    baseline.check({"machine_info": {}, "benchmarks": []}, "--benchmark-compare=0001")

    for place in ("datetime", "benchmarks", "machine_info"):
        with pytest.raises(InputError, match=f"^--benchmark-compare=0001: {place} is missing; expected an? "):
            baseline.check({key: value for key, value in whole.items() if key != place}, "--benchmark-compare=0001")


@pytest.mark.slow
def test_said_loudly(tmp_path):
    """In a session that compares, a section of its own names what does not fit; where all fits there is none.

    A baseline that cannot be read ends the session before anything is measured.
    """
    project = copy_of_project(tmp_path / "project")
    quick = (
        "-k",
        "im2col and (1] or 64])",
        "benchmarks/test_predict.py",
        "--threads=1",
        "--benchmark-max-time=0.02",
        "--dataset=digits",
    )
    first = run_pytest(project, *quick, "--benchmark-autosave", "--no-report")
    assert first.exit_code == 0, first.output
    (saved,) = (project / ".benchmarks").glob("*/*.json")

    assert "does not fit" not in run_pytest(project, *quick, "--benchmark-compare").output

    document = json.loads(saved.read_text())
    document["machine_info"]["lenet5"]["threads"] = 7
    document["machine_info"]["lenet5"]["frameworks"]["numpy"]["version"] = "0.1"
    document["benchmarks"].append({**document["benchmarks"][0], "fullname": f"{BENCHMARKS}[numpy-gone-batch=1]"})
    saved.write_text(json.dumps(document))
    second = run_pytest(project, *quick, "--benchmark-compare")

    assert second.exit_code == 0
    section = second.output.partition(f"LeNet-5: the baseline of {document['datetime']} does not fit")[2].splitlines()
    assert section[1] == "other circumstances: threads was 7, now it is 1"
    assert section[2].startswith("other circumstances: frameworks.numpy.version was '0.1', now it is '")
    assert section[3] == f"vanished: {BENCHMARKS}[numpy-gone-batch1] (there is no such case any more)"

    del document["datetime"]
    saved.write_text(json.dumps(document))
    third = run_pytest(project, *quick, "--benchmark-compare=0001")

    assert third.exit_code == 2
    assert "--benchmark-compare=0001: datetime is missing; expected a text that is not empty" in third.output
    assert "Traceback" not in third.output
    assert "passed" not in third.output
