"""A saved run comes back as it was, several processes come back as one, and a bad file gets one line."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from benchmarks.saved.results import Run, check_fit, load, load_many
from lenet5 import InputError

RUN = Path(__file__).parents[1] / "data" / "run"
ONE = RUN / "process-001.json"
DOCUMENT = json.loads(ONE.read_text(encoding="utf-8"))
NUMPY = "benchmarks/test_predict.py::test_predict[numpy-im2col-batch=1]"
COMPILE = "benchmarks/test_predict.py::test_predict[torch-compile-batch=1]"


def case(run, name):
    return next(case for case in run.cases if case.name == name)


@pytest.fixture
def folder(tmp_path):
    """folder(n=change) -> a folder with the three processes, the n-th of them changed in place by ``change``."""

    def make(**changes):
        for path in sorted(RUN.iterdir()):
            document = json.loads(path.read_text(encoding="utf-8"))
            changes.get(f"process_{path.stem[-1]}", lambda document: None)(document)
            (tmp_path / path.name).write_text(json.dumps(document), encoding="utf-8")
        return tmp_path

    return make


# One process


def test_one_process():
    """A file is a run of one process, whose medians are its own."""
    run = load(ONE)

    assert run.processes == 1
    assert run.frameworks == ["numpy", "torch"]
    assert case(run, NUMPY).medians == (0.001,)
    assert case(run, NUMPY).stats == DOCUMENT["benchmarks"][3]["stats"]


def test_measured_twice_in_one_process(folder):
    """It is one case: the median of its medians, the extremes and moments of all rounds; what rode along is of the first time."""

    def again(document):
        (first,) = (case for case in document["benchmarks"] if case["fullname"] == NUMPY)
        second = copy.deepcopy(first)
        first["stats"].update(min=1.0, median=2.0, q1=1.5, q3=2.5, max=3.0, mean=2.0, stddev=1.0, rounds=2, data=[1.0, 3.0])
        second["stats"].update(min=3.0, median=4.0, q1=3.5, q3=4.5, max=5.0, mean=4.0, stddev=1.0, rounds=2, data=[3.0, 5.0])
        second["extra_info"]["first_call_seconds"] = 0.5 * first["extra_info"]["first_call_seconds"]
        document["benchmarks"].append(second)

    path = folder(process_1=again) / "process-001.json"
    run = load(path)

    assert [each.name for each in run.cases] == [each.name for each in load(ONE).cases]
    assert case(run, NUMPY).stats == {
        **{"min": 1.0, "q1": 2.5, "median": 3.0, "q3": 3.5, "max": 5.0},
        **{"mean": 3.0, "stddev": pytest.approx(2**0.5), "rounds": 4, "data": [1.0, 3.0, 3.0, 5.0]},
    }
    assert case(run, NUMPY).medians == (3.0,)
    assert case(run, NUMPY).extra == case(load(ONE), NUMPY).extra


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


# Several


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


def test_pooled_statistics():
    """Extremes and moments are those of all rounds together; two processes of 1 and 3 s have mean 2 s and deviation 1 s."""
    from benchmarks.saved.results import _pooled

    one = {"min": 1.0, "max": 1.0, "mean": 1.0, "stddev": 0.0, "median": 1.0, "q1": 1.0, "q3": 1.0, "rounds": 4}
    other = {field: 3 * value for field, value in one.items() if field != "rounds"} | {"rounds": 4}

    assert _pooled([one, other]) == {
        "min": 1.0,
        "max": 3.0,
        "mean": 2.0,
        "stddev": 1.0,
        "median": 2.0,
        "q1": 2.0,
        "q3": 2.0,
        "rounds": 8,
    }


def test_extras_of_several():
    """A number that rides on a case is its median over the processes, anything else the first's."""
    extra = case(load_many([RUN]), NUMPY).extra

    assert_allclose(extra["first_call_seconds"], 0.003)
    assert extra["parameters"] == 65406
    assert extra["mode"] == "im2col"


def test_failed_in_one_process(folder):
    """A case that failed in one of three processes has no number at all, and the process is named."""

    def fail(document):
        document["benchmarks"] = [case for case in document["benchmarks"] if case["fullname"] != NUMPY]
        document["machine_info"]["lenet5"]["not_measured"][NUMPY] = "failed: not equal"

    run = load_many([folder(process_2=fail)])

    assert NUMPY not in {case.name for case in run.cases}
    assert run.not_measured[NUMPY] == "failed: not equal (process-002.json)"
    assert run.not_measured[COMPILE] == "torch.compile needs a C++ compiler; none was found"


def set_at(*keys, to):
    """A change of the document: the value at the end of the keys."""

    def change(document):
        for key in keys[:-1]:
            document = document[key]
        document[keys[-1]] = to

    return change


OURS = ("machine_info", "lenet5")


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
        (lambda document: document["benchmarks"].pop(3), "other cases than in"),
    ],
    ids=["cpu", "python", "threads", "epochs", "dataset", "framework", "code", "plug-in", "cases"],
)
def test_not_of_one_run(folder, change, difference):
    """Processes under different circumstances are no run; the file and the difference are named."""
    path = folder(process_3=change)

    with pytest.raises(InputError, match=r"^\S+/process-003\.json: ") as caught:
        load_many([path])
    assert difference in str(caught.value)
    assert "\n" not in str(caught.value)


def test_file_twice():
    """A process that is named twice is no second process."""
    with pytest.raises(InputError, match="twice"):
        load_many([RUN, ONE])


def test_empty_folder(tmp_path):
    """A folder without results is said to be one."""
    with pytest.raises(InputError, match=r"holds no process-\*\.json"):
        load_many([tmp_path])


# Bad files


def refused(path):
    """The one line that a file gets."""
    with pytest.raises(InputError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message


def test_missing(tmp_path):
    """A file that is not there."""
    assert "no such file" in refused(tmp_path / "absent.json")


@pytest.mark.parametrize("share", [0, 0.3, 0.9, 0.999])
def test_truncated(tmp_path, share):
    """A file that was cut off anywhere."""
    path = tmp_path / "run.json"
    text = ONE.read_text(encoding="utf-8")
    path.write_text(text[: int(share * len(text))], encoding="utf-8")

    assert "was the file cut off?" in refused(path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"[]", "file is list, not an object"),
        (b'"run"', "file is str, not an object"),
        (b'{"benchmarks": []}', "file.machine_info is missing"),
        (b"\xff\xfe{}", "no UTF-8 text"),
        (b"[" * 100_000, "nested too deeply"),
        (b"1" * 5000, "too many digits"),
    ],
    ids=["list", "text", "another", "binary", "deep", "digits"],
)
def test_foreign(tmp_path, text, reason):
    """A file of some other program."""
    path = tmp_path / "run.json"
    path.write_bytes(text)

    assert reason in refused(path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda document: document["machine_info"].pop("lenet5"), "saved by another suite"),
        (set_at(*OURS, "format", to=0), "has format 0, this version reads 1; run the benchmarks again"),
        (set_at(*OURS, "threads", to="1"), "machine_info.lenet5.threads is '1'"),
        (set_at(*OURS, "threads", to=True), "machine_info.lenet5.threads is True"),
        (set_at(*OURS, "not_measured", to={"case": 3}), "not_measured.case is 3"),
        (set_at(*OURS, "frameworks", "numpy", to="2.4"), "frameworks.numpy is '2.4'"),
        (set_at("machine_info", "cpu", to="fast"), "machine_info.cpu is 'fast'"),
        (set_at("benchmarks", to=[]), "holds no benchmark"),
        (set_at("benchmarks", 0, to=None), "benchmarks[0] is NoneType"),
        (set_at("benchmarks", 3, "extra_info", to={"mode": "im2col"}), "benchmarks[3].extra_info.framework is missing"),
        (set_at("benchmarks", 3, "extra_info", "batch", to="1"), "benchmarks[3].extra_info.batch is '1'"),
        (set_at("benchmarks", 3, "stats", "median", to="1 ms"), "benchmarks[3].stats.median is '1 ms'"),
        (set_at("benchmarks", 3, "stats", "median", to=0), "benchmarks[3].stats.median is 0"),
        (set_at("benchmarks", 3, "stats", "median", to=float("nan")), "benchmarks[3].stats.median is nan"),
        (set_at("benchmarks", 3, "stats", "max", to=float("inf")), "benchmarks[3].stats.max is inf"),
        (set_at("benchmarks", 3, "stats", "max", to=10**400), "benchmarks[3].stats.max is "),
    ],
)
def test_wrong_inside(tmp_path, change, reason):
    """A file of ours in which something has another type, format or value than a report can do with."""
    document = copy.deepcopy(DOCUMENT)
    change(document)
    path = tmp_path / "run.json"
    path.write_text(json.dumps(document), encoding="utf-8")

    assert reason in refused(path)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def places(value, keys=()):
    """Every place of a document, as the keys that lead there."""
    yield keys
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from places(child, (*keys, key))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([keys for keys in places(DOCUMENT) if keys]), json_values)
def test_garbage_inside(tmp_path_factory, keys, value):
    """Whatever stands at whichever place of a file: it is a run, or it gets one line."""
    document = copy.deepcopy(DOCUMENT)
    set_at(*keys, to=value)(document)
    path = tmp_path_factory.mktemp("garbage") / "run.json"
    path.write_text(json.dumps(document), encoding="utf-8")

    try:
        found = load_many([path])
    except InputError as error:
        found = str(error)
    assert isinstance(found, Run) or "\n" not in found


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
def test_garbage_file(tmp_path_factory, content):
    """No file makes the reader fall over."""
    path = tmp_path_factory.mktemp("garbage") / "run.json"
    path.write_bytes(content)

    assert refused(path)
