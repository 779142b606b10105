"""One process is read back as it was saved, and a bad file gets one line."""

from __future__ import annotations

import copy
import json
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.saved.results import Run, load, load_many
from lenet5 import InputError
from tests.saved.of_three import COMPILE, DOCUMENT, NUMPY, ONE, OURS, SAVED, case, changed, set_at


@pytest.fixture
def folder(tmp_path):
    """folder(process_n=change) -> a folder with the three processes, the n-th of them changed in place."""
    return partial(changed, tmp_path)


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
        (first,) = (case for case in document["benchmarks"] if case["fullname"] == SAVED)
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


def test_a_case_that_says_too_little(folder):
    """A first case of one's own lacks several things: one line names all of them and what to write, not one after the other."""

    def bare(document):
        document["benchmarks"][3] |= {"group": None, "extra_info": {"mode": "fused"}}

    path = folder(process_1=bare) / "process-001.json"
    with pytest.raises(
        InputError, match=r"benchmarks\[3\]: .* has no group and no framework; expected @pytest.mark.benchmark"
    ) as error:
        load(path)
    assert "\n" not in str(error.value)


def test_names_of_today(folder):
    """A case, a group and a field that commit 67fa1dc spelled otherwise have the names of today; the id is as it was saved."""

    def of_old(document):
        old = document["benchmarks"][0]
        old |= {"group": "seed", "fullname": "benchmarks/test_seed_protocol.py::test_torch_inference"}
        old["extra_info"] = {"framework": "torch", "mode": "as the seed", "figure": "torch inference", "as_seed_images": 64}

    run = load(folder(process_1=of_old) / "process-001.json")

    assert (case(run, NUMPY).id, case(load(ONE), NUMPY).id) == (SAVED, SAVED)
    (redone,) = run.group("original")
    assert redone.name == "benchmarks/test_original_protocol.py::test_torch_inference"
    assert redone.id == "benchmarks/test_seed_protocol.py::test_torch_inference"
    assert redone.extra["as_original_images"] == 64
    assert list(run.not_measured) == [COMPILE]


def test_two_cases_that_would_have_one_name(folder):
    """They stay two cases, under the ids that they were saved under."""

    def also_new(document):
        document["benchmarks"].append({**document["benchmarks"][3], "fullname": NUMPY})

    run = load(folder(process_1=also_new) / "process-001.json")

    assert {case.name for case in run.group("predict")} >= {NUMPY, SAVED}


def test_no_reason(folder):
    """A skip without a word is said to be one: a dash needs a reason."""
    for place in ("not_measured", "out_of_reach"):
        run = load(folder(process_1=set_at(*OURS, place, to={"a framework or a case": " "})) / "process-001.json")
        assert getattr(run, place) == {"a framework or a case": "no reason was given"}


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
        (b"[]", "file is []; expected an object; this is no run that pytest-benchmark saved"),
        (b'"run"', "file is 'run'; expected an object; this is no run that pytest-benchmark saved"),
        (b'{"benchmarks": []}', "machine_info is missing; expected an object; this is no run that pytest-benchmark saved"),
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
        (set_at(*OURS, "format", to="x" * 5000), f"has format '{'x' * 59}, this version"),
        (set_at(*OURS, "format", to=0), "has format 0, this version reads 1; run the benchmarks again"),
        (set_at(*OURS, "threads", to="1"), "machine_info.lenet5.threads is '1'"),
        (set_at(*OURS, "threads", to=True), "machine_info.lenet5.threads is True"),
        (set_at(*OURS, "not_measured", to={"case": 3}), "not_measured.case is 3"),
        (set_at(*OURS, "frameworks", "numpy", to="2.4"), "frameworks.numpy is '2.4'"),
        (set_at("machine_info", "cpu", to="fast"), "machine_info.cpu is 'fast'"),
        (set_at("benchmarks", to=[]), "holds no benchmark"),
        (set_at("benchmarks", 0, to=None), "benchmarks[0] is None; expected an object"),
        (set_at("benchmarks", 3, "extra_info", to={"mode": "im2col"}), "benchmarks[3].extra_info.framework is missing"),
        (set_at("benchmarks", 3, "extra_info", "batch", to="1"), "benchmarks[3].extra_info.batch is '1'"),
        (set_at("benchmarks", 3, "stats", "median", to="1 ms"), "benchmarks[3].stats.median is '1 ms'"),
        (set_at("benchmarks", 3, "stats", "median", to=0), "benchmarks[3].stats.median is 0"),
        (set_at("benchmarks", 3, "stats", "median", to=float("nan")), "benchmarks[3].stats.median is nan"),
        (set_at("benchmarks", 3, "stats", "max", to=float("inf")), "benchmarks[3].stats.max is inf"),
        (set_at("benchmarks", 3, "stats", "max", to=10**400), "benchmarks[3].stats.max is "),
        (
            set_at("benchmarks", 7, "extra_info", "train_loss_nats", 1, to=float("nan")),
            "train_loss_nats[1] is nan; expected a number",
        ),
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


@pytest.mark.parametrize(("levels", "inside"), [(30, float("nan")), (400, 1), (400, float("nan"))])
def test_deeply_nested(tmp_path, levels, inside):
    """Whatever a file nests where anything may stand is read, or refused in one line, in no more time than other files take."""
    document = copy.deepcopy(DOCUMENT)
    for _ in range(levels):
        inside = [inside]
    document["machine_info"]["lenet5"]["frameworks"]["numpy"]["more"] = inside
    path = tmp_path / "run.json"
    path.write_text(json.dumps(document), encoding="utf-8")

    if "NaN" in path.read_text(encoding="utf-8"):
        with pytest.raises(InputError, match=r"frameworks\.numpy\.more(\[0\])+ is nan; expected"):
            load(path)
    else:
        assert load(path).frameworks == ["numpy", "torch"]
