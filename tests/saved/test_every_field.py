"""Every row of both tables, tried one at a time: what is right is read back, and what is wrong gets one line that says where and why."""

from __future__ import annotations

import pytest

from benchmarks.saved import facts, fields, one, stats
from benchmarks.saved.kinds import OBJECT, TEXT
from benchmarks.saved.results import load
from lenet5 import InputError
from tests.support import documents

OWN = "a group of my own"
GROUPS = (*fields.GROUPS, OWN)
PATH = "run.json"


def refused(path, place, value, made):
    """The one line that a document gets, which names the file and the place, and says what is right."""
    with pytest.raises(InputError) as caught:
        one.run_of(path, made)
    line = str(caught.value)
    assert line.startswith(f"{path}: {place}"), (line, value)
    assert "; expected " in line
    assert "\n" not in line
    return line


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("whole", [False, True], ids=["needed", "all"])
def test_right(tmp_path, group, whole):
    """A file with exactly the needed fields of a group is read, and one with all of them; what is absent is None, and nothing else is there."""
    path = documents.save(tmp_path / PATH, documents.of_group(group, whole))

    for case, framework in zip(load(path).cases, ("numpy", "torch"), strict=True):
        assert case.framework == framework
        assert case.extra.keys() == fields.of(group).keys()
        known = fields.of(group).keys() if whole else fields.needed(group)
        assert {name for name, value in case.extra.items() if value is not None} == set(known)


@pytest.mark.parametrize("group", GROUPS)
def test_cases_can_write_it(group):
    """What a case may write is what a file may hold."""
    for whole in (False, True):
        values = documents.extra(group, whole)
        assert fields.checked(group, values) == values


@pytest.mark.parametrize("name", fields.FIELDS)
def test_wrong_field(tmp_path, name):
    """In every group that can have a field: null, another type, NaN, or out of its range is refused, and by `fields.checked` as well."""
    field = fields.FIELDS[name]
    for group in (*field.needs, *field.may, OWN):
        for value in documents.wrong(field.kind):
            made = documents.of_group(group, whole=False)
            made["benchmarks"][1]["extra_info"][name] = value
            refused(tmp_path / PATH, f"benchmarks[1].extra_info.{name}", value, made)
            with pytest.raises(ValueError, match="; expected "):
                fields.checked(group, made["benchmarks"][1]["extra_info"])


@pytest.mark.parametrize("group", GROUPS)
def test_missing_field(tmp_path, group):
    """Without any one of its needed fields a case is refused."""
    for name in fields.needed(group):
        made = documents.of_group(group, whole=True)
        del made["benchmarks"][1]["extra_info"][name]
        assert " is missing; " in refused(tmp_path / PATH, f"benchmarks[1].extra_info.{name}", None, made)


@pytest.mark.parametrize("fact", facts.FACTS, ids=lambda fact: fact.place)
def test_wrong_fact(tmp_path, fact):
    """Beside the cases too: null, another type, NaN or out of range is refused; what every file has must not be missing."""
    *path, key = fact.place.split(".")
    wrong = list(documents.wrong(fact.kind))
    assert wrong
    for value in wrong:
        made = documents.of_group("predict", whole=True)
        holder = made
        for step in path:
            holder = holder[step]
        holder[key] = value
        if fact.place == "benchmarks" and value == []:
            with pytest.raises(InputError, match="holds no benchmark; expected at least one"):
                one.run_of(tmp_path / PATH, made)
        else:
            refused(tmp_path / PATH, fact.place, value, made)
    del holder[key]
    if fact.needed:
        assert " is missing; " in refused(tmp_path / PATH, fact.place, None, made)
    else:
        assert one.run_of(tmp_path / PATH, made)


@pytest.mark.parametrize("name", [*stats.KINDS, stats.DATA])
def test_wrong_statistic(tmp_path, name):
    """The same of the statistics of a case, and of its rounds where they are saved."""
    for value in documents.wrong(stats.KINDS.get(name) or stats.ROUNDS):
        made = documents.of_group("predict", whole=False)
        made["benchmarks"][1]["stats"][name] = value
        refused(tmp_path / PATH, f"benchmarks[1].stats.{name}", value, made)


@pytest.mark.parametrize(
    ("group", "name", "value"),
    [
        *(("predict", name, 0) for name in ("batch", "flops_per_image", "first_call_seconds")),
        *(("predict", name, None) for name in ("parameters", "first_call_seconds", "default_mode")),
        ("train", "test_images", 0),
        ("train", "train_loss_nats", [0.5, -0.1]),
        ("train", "train_loss_nats", [0.5, float("nan")]),
        ("train", "validation_accuracy", [0.5, 1.01]),
        ("train", "test_predictions", [0, 1, 2, 1.5]),
        ("train", "test_labels", [0, 1, 2, -1]),
        ("train", "test_probabilities", [0.5, 0.5, 0.5, 1.01]),
        ("train", "aspects", [["digit", [""]]]),
        ("train", "aspects", [["digit"]]),
        ("train", "pictures", [["image 0", "<b>"]]),
        ("graphs predict", "build_fresh_seconds", -1e-3),
        ("sgemm", "flops", 0),
        ("flops", "differences", [["a word"]]),
        ("flops", "differences", [["a word", "a number"]]),
        ("space epoch", "rss_over_time", [[-1, 2]]),
        ("space epoch", "rss_over_time", []),
        ("pruning", "sparsity_conv1", 90),
        ("pruning", "nonzero_macs_per_image", 0),
        ("compression", "dense_seconds", float("inf")),
        ("compression", "stored_bytes", 0),
        ("ladder", "traced_peak_bytes", -1),
        ("original", "kernel_weights", 0),
    ],
)
def test_ranges_that_the_report_needs(tmp_path, group, name, value):
    """What it divides by, takes a logarithm of or draws is in the range of that: the rows themselves, not only what is made of them."""
    made = documents.of_group(group, whole=True)
    made["benchmarks"][1]["extra_info"][name] = value

    refused(tmp_path / PATH, f"benchmarks[1].extra_info.{name}", value, made)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("threads", 0),
        ("epochs", 0),
        ("epochs", None),
        ("device", None),
        ("shuffle", 3),
        ("code_sha256", None),
        ("variables", {"CXX": 1}),
        ("dataset", None),
        ("frameworks", {"numpy": None}),
        ("frameworks", {"numpy": {"version": float("nan")}}),
        ("modes", {"numpy": "fused"}),
        ("modes", {"numpy": [1]}),
        ("colours", {"numpy": "pink"}),
        ("reference", "numpy"),
        ("not_measured", {"a case": None}),
        ("out_of_reach", ["numpy"]),
    ],
)
def test_facts_that_the_report_needs(tmp_path, place, value):
    """The same of what a file says beside its cases."""
    made = documents.of_group("predict", whole=True)
    made["machine_info"]["lenet5"][place] = value

    refused(tmp_path / PATH, f"machine_info.lenet5.{place}", value, made)


@pytest.mark.parametrize("name", one.CASE)
def test_wrong_part_of_a_case(tmp_path, name):
    """The same of what pytest-benchmark saves of every case."""
    for value in documents.wrong(TEXT if name in ("group", "name", "fullname") else OBJECT):
        made = documents.of_group("predict", whole=False)
        made["benchmarks"][1][name] = value
        refused(tmp_path / PATH, f"benchmarks[1].{name}", value, made)


@pytest.mark.parametrize(
    ("group", "change", "line"),
    [
        ("train", {"correct": 5}, "correct is 5; expected at most test_images (test_images is 4)"),
        (
            "train",
            {"test_predictions": [0]},
            "test_predictions is [0]; expected a value for each of test_images (test_images is 4)",
        ),
        ("train", {"test_labels": [0]}, "test_labels is [0]; expected a value for each of test_images (test_images is 4)"),
        (
            "train",
            {"test_probabilities": [0.5] * 5},
            "test_probabilities is [0.5, 0.5, 0.5, 0.5, 0.5]; expected a value for each of test_images (test_images is 4)",
        ),
        ("train", {"validation_accuracy": [0.5]}, "validation_accuracy is [0.5]; expected as many values as train_loss_nats has"),
        ("train", {"validation_loss_nats": [2]}, "validation_loss_nats is [2]; expected as many values as train_loss_nats has"),
        ("compression", {"dense_correct": 5}, "dense_correct is 5; expected at most test_images (test_images is 4)"),
        (
            "compression",
            {"gained": 3},
            "gained is 3; expected at most test_images - dense_correct (test_images is 4, dense_correct is 2)",
        ),
        ("compression", {"lost": 3}, "lost is 3; expected at most dense_correct (dense_correct is 2)"),
        (
            "compression",
            {"lost": 0},
            "correct is 2; expected dense_correct + gained - lost (dense_correct is 2, gained is 1, lost is 0)",
        ),
        ("original", {"honest_correct": 5}, "honest_correct is 5; expected at most test_images (test_images is 4)"),
        ("original", {"as_original_zeros": 5}, "as_original_zeros is 5; expected at most kernel_weights (kernel_weights is 4)"),
    ],
)
def test_values_that_do_not_fit(tmp_path, group, change, line):
    """Values that are right by themselves and wrong beside the others of the case."""
    made = documents.of_group(group, whole=True)
    made["benchmarks"][1]["extra_info"] |= change

    assert line in refused(tmp_path / PATH, "benchmarks[1].extra_info.", None, made)
    with pytest.raises(ValueError, match=r"^\w+: \w+ is "):
        fields.checked(group, made["benchmarks"][1]["extra_info"])


def test_other_test_images(tmp_path):
    """Two networks that saw different numbers of test images are not compared image by image."""
    made = documents.of_group("train", whole=False)
    made["benchmarks"][1]["extra_info"] |= {"test_images": 3, "test_predictions": [0, 1, 2]}

    line = refused(tmp_path / PATH, "benchmarks/test_cases.py::test_train[torch-eager]: test_images", 3, made)
    assert line.endswith("test_images is 3; expected 4, as in benchmarks/test_cases.py::test_train[numpy-fused]")


def test_undeclared(tmp_path):
    """What no row declares for the group is not read; in a group that the table does not know, what it declares anywhere is."""
    made = documents.of_group("predict", whole=False)
    for case in made["benchmarks"]:
        case["extra_info"] |= {"copy": 3, "colour": "blue"}
    assert not {"copy", "colour"} & one.run_of(tmp_path / PATH, made).cases[0].extra.keys()

    for case in made["benchmarks"]:
        case["group"] = OWN
    assert one.run_of(tmp_path / PATH, made).cases[0].extra["copy"] == 3
    assert "colour" not in one.run_of(tmp_path / PATH, made).cases[0].extra
