"""Every case writes what it records through the one table of fields, and a case that writes anything else fails."""

from __future__ import annotations

import json
import re

import pytest

from benchmarks.saved import fields
from tests.support.by_hand import FAST, FRAMEWORK, PLAIN
from tests.support.copies import PROJECT, copy_of_project, run_pytest

CASES = [*sorted((PROJECT / "benchmarks").glob("test_*.py")), PROJECT / "benchmarks" / "twins.py"]

# Of each group a case that takes seconds; of ONNX Runtime and the libraries' tools, which are optional, none.
QUICK = (
    f"test_predict and {FRAMEWORK}-{FAST}-batch1 or test_transfer and {FRAMEWORK} and batch1",
    f"test_train_step and {FRAMEWORK}-{FAST} or (test_train_epoch or test_accuracy) and {FRAMEWORK}-{FAST}",
    f"(test_graph_predict or test_graph_train_step) and {FRAMEWORK}-{PLAIN}-batch1]",
    f"(test_space_predict or test_space_train_step) and {FRAMEWORK} and batch1 or test_space_epoch and {FRAMEWORK}",
    f"test_flops and (NumPy or side512) or test_price or test_executed and {PLAIN}-batch1",
    f"test_where and {FRAMEWORK}-{FAST}-batch64",
    "test_control and (product or network)",
    "test_ladder_train_step",
    "test_worklog and images-innermost-predict-batch1",
    "test_pruning and (trained or regrow)",
    f"test_compression and (test_every_mode and {FRAMEWORK}-{FAST} or blas)",
    "handcrafted_recipe",
    f"test_initial_weights and {FRAMEWORK} or test_last_digit",
    f"twins and (test_product or {FRAMEWORK}-{FAST}-batch1) and copy1",
)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project, to break."""
    made = copy_of_project(tmp_path_factory.mktemp("fields") / "project")
    # Other programs are busy while tests run: a profiled call may take any time.
    where = made / "benchmarks" / "isolated" / "where.py"
    where.write_text(re.sub(r"(?m)^MOST_SLOWED = .*$", "MOST_SLOWED = 1e9", where.read_text(encoding="utf-8")), encoding="utf-8")
    return made


def session(project, expression, *cases):
    """Run some cases as quickly as they can be; how pytest ended, and what it saved of each case."""
    saved = project / "run.json"
    options = (
        "--heavy",
        "--threads=1",
        "--epochs=1",
        "--dataset=digits",
        "--benchmark-max-time=0.01",
        "--no-report",
        "--copies=1",
        "--initial-weights=2",
    )
    verdict = run_pytest(project, *cases, "-k", expression, *options, f"--benchmark-json={saved}")
    return verdict, json.loads(saved.read_text(encoding="utf-8"))["benchmarks"]


@pytest.mark.slow  # a case of every group takes a quarter of a minute
def test_a_session_writes_declared_fields_only(project):
    """For every group whose cases need nothing optional: the table accepts what a real session saved, and demands no more."""
    verdict, saved = session(project, " or ".join(QUICK), *(f"benchmarks/{path.name}" for path in CASES))
    assert verdict.exit_code == 0, verdict.output
    assert len(saved) == len(verdict.passed)
    for case in saved:
        assert fields.checked(case["group"], case["extra_info"]) == case["extra_info"]
        assert case["extra_info"].keys() >= {"watched_seconds", "process_cpu_seconds"}  # every system tells these
    assert {case["group"] for case in saved} == set(fields.GROUPS) - {fields.BESIDE}
    (trained,) = (case["extra_info"] for case in saved if case["group"] == "train")
    answers = zip(trained["test_predictions"], trained["test_labels"], strict=True)
    assert sum(said == actual for said, actual in answers) == trained["correct"]
    kept = dict(trained["pictures"])
    assert {"image 0", "filters before", "filters after", "after probabilities"} <= kept.keys()
    assert kept["filters before"] != kept["filters after"]  # the network is looked at when it has learned


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("batch=batch, **first", "batch=batch, colour=1, **first", "predict: colour is no field of this group"),
        ("batch=batch, **first", "**first", "predict: batch is missing"),
        ("batch=batch, **first", "batch=str(batch), **first", "predict: batch is '1'"),
    ],
    ids=["undeclared", "missing", "wrong"],
)
def test_what_the_table_refuses_is_an_error_of_the_case(project, right, wrong, message):
    """A case that records an unknown field, too few or a wrong value fails with one line, and has no number."""
    source = project / "benchmarks" / "test_predict.py"
    text = source.read_text(encoding="utf-8")
    assert text.count(right) == 1
    source.write_text(text.replace(right, wrong), encoding="utf-8")
    try:
        verdict, saved = session(project, f"test_no_network or test_predict and {FRAMEWORK}-{FAST}-batch1", "benchmarks")
    finally:
        source.write_text(text, encoding="utf-8")

    assert verdict.exit_code == 1
    (failure,) = verdict.failed.values()
    assert failure.startswith(f"ValueError: {message}")
    assert [case["name"] for case in saved] == ["test_no_network"]


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_no_case_goes_past_the_table(case):
    """Only the fixture writes into a case's extra_info."""
    assert not re.search("extra_info", case.read_text(encoding="utf-8"))
