"""What a run saves is pytest-benchmark's own format with more in it: tools that know that format read it, whichever way it is stored.

The fields are those of pytest-benchmark 5's documents: a tool that reads those of another project reads ours.
"""

from __future__ import annotations

import json
import subprocess
from datetime import datetime
from pathlib import Path

import pytest

import lenet5
from tests.support.by_hand import FRAMEWORK, PLAIN, REFERENCE
from tests.support.copies import copy_of_project, run_pytest, run_python
from tests.support.frameworks import installed

PREDICT = f"test_predict[{FRAMEWORK}-{PLAIN}-batch1]"
CASES = (
    "benchmarks/test_control.py::test_no_network",
    f"benchmarks/test_predict.py::{PREDICT}",
    "--threads=1",
    "--benchmark-max-time=0.05",
)

MACHINE = {
    **dict.fromkeys(("node", "processor", "machine", "python_compiler", "python_implementation", "python_version"), str),
    **{"python_implementation_version": str, "python_build": list, "release": str, "system": str, "cpu": dict},
}
COMMIT = {"id": str, "time": (str, type(None)), "author_time": (str, type(None)), "dirty": bool, "project": str, "branch": str}
CASE = {
    **{"group": str, "name": str, "fullname": str, "params": (dict, type(None)), "param": (str, type(None))},
    **{"extra_info": dict, "options": dict, "stats": dict},
}
SECONDS = ("min", "max", "mean", "stddev", "median", "iqr", "q1", "q3", "ld15iqr", "hd15iqr", "total")
STATS = {
    **dict.fromkeys((*SECONDS, "ops"), (int, float)),
    **dict.fromkeys(("rounds", "iterations", "iqr_outliers", "stddev_outliers"), int),
    **{"outliers": str, "data": list},
}
OPTIONS = {"disable_gc": bool, "timer": str, "min_rounds": int, "max_time": float, "min_time": float, "warmup": bool}

# Stands in for the client library: takes what it is given and writes it down, one document a line.
ELASTICSEARCH = """
import json


class Elasticsearch:
    def __init__(self, hosts, serializer):
        self.hosts, self.serializer, self.indices = hosts, serializer, self

    def create(self, **_):
        pass

    def index(self, *, index, doc_type, body, id):
        where = {"hosts": self.hosts, "index": index, "doc_type": doc_type, "id": id}
        with open("documents.jsonl", "a") as file:
            file.write(json.dumps({**where, "body": json.loads(json.dumps(body, default=self.serializer.default))}) + "\\n")
"""
SERIALIZER = """
class JSONSerializer:
    def default(self, data):
        raise TypeError(repr(data))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project, in a git repository of its own, since a run names its commit."""
    copy = copy_of_project(tmp_path_factory.mktemp("schema") / "project")
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    for arguments in (("init", "-q", "-b", "main"), ("add", "lenet5"), (*identity, "commit", "-q", "-m", "copy")):
        subprocess.run(["git", *arguments], cwd=copy, check=True)
    return copy


@pytest.fixture(scope="module")
def saved(project):
    """What --benchmark-autosave and --benchmark-json write in one real run."""
    verdict = run_pytest(project, *CASES, "--benchmark-autosave", "--benchmark-json=run.json", "--no-report")
    assert verdict.exit_code == 0, verdict.output
    (autosaved,) = (project / ".benchmarks").glob("*/0001_*.json")
    return {"autosave": autosaved, "json": project / "run.json"}


@pytest.fixture(params=["autosave", "json"])
def document(request, saved):
    return json.loads(saved[request.param].read_text(encoding="utf-8"))


def check(value, fields):
    """All of the fields are there and of their types."""
    assert fields.keys() <= value.keys()
    wrong = {field: value[field] for field, kind in fields.items() if not isinstance(value[field], kind)}
    assert not wrong


def test_top(document):
    """A document has pytest-benchmark's five parts and no others."""
    assert document.keys() == {"machine_info", "commit_info", "benchmarks", "datetime", "version"}
    assert datetime.fromisoformat(document["datetime"]).tzinfo is not None
    assert document["version"].split(".")[0] == "5"


def test_circumstances(document):
    """Machine and commit are described as by the plug-in; ours is one more key of the machine."""
    check(document["machine_info"], {**MACHINE, "lenet5": dict})
    check(document["commit_info"], COMMIT)


def test_what_the_frameworks_declare(document):
    """A file says by itself what a report of it needs to know of every framework, in whichever project it is read."""
    ours = document["machine_info"]["lenet5"]
    assert ours["reference"] == {"framework": FRAMEWORK, "mode": REFERENCE}
    assert ours["colours"] == {name: lenet5.colour(name) for name in installed()}
    assert ours["modes"] == {name: list(lenet5.modes(name)) for name in installed()}


def test_cases(document):
    """Every case has the plug-in's fields, statistics in seconds, the raw rounds behind them, and flat extras."""
    assert [case["name"] for case in document["benchmarks"]] == ["test_no_network", PREDICT]
    for case in document["benchmarks"]:
        check(case, CASE)
        check(case["stats"], STATS)
        check(case["options"], OPTIONS)
        data = case["stats"]["data"]
        assert len(data) == case["stats"]["rounds"]
        assert min(data) == case["stats"]["min"]
        assert sorted(data)[len(data) // 2 - 1] <= case["stats"]["median"] <= sorted(data)[len(data) // 2]
        assert all(isinstance(value, (bool, int, float, str)) for value in case["extra_info"].values())


def test_no_value_that_json_lacks(saved):
    """Strict readers take the files: no NaN, no Infinity."""
    for path in saved.values():
        json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)


@pytest.mark.parametrize("way", ["autosave", "json"])
def test_its_own_compare_reads_it(project, saved, way):
    """pytest-benchmark's command line compares a saved file, and exports it."""
    done = run_python(project, "-m", "pytest_benchmark", "compare", str(saved[way]), "--csv=table.csv", "--group-by=group")

    assert done.returncode == 0, done.stderr
    assert PREDICT in done.stdout
    rows = (project / "table.csv").read_text().splitlines()
    assert len(rows) == 3
    assert "median" in rows[0]


@pytest.mark.slow
def test_compared_by_the_plug_in(project, saved):
    """A later run compares itself with the saved one, silent where all fits, and fails where that was faster beyond a bound."""
    number = saved["autosave"].name.partition("_")[0]

    passed = run_pytest(project, *CASES, f"--benchmark-compare={number}", "--benchmark-compare-fail=median:100000%")
    document = json.loads(saved["autosave"].read_text(encoding="utf-8"))
    for case in document["benchmarks"]:
        case["stats"]["median"] /= 1e6
    faster = saved["autosave"].with_name("0002_faster.json")
    faster.write_text(json.dumps(document), encoding="utf-8")
    failed = run_pytest(project, *CASES, "--benchmark-compare=0002", "--benchmark-compare-fail=median:100000%")
    faster.unlink()

    assert passed.exit_code == 0, passed.output
    assert "Comparing against" in passed.output
    assert [line for line in passed.output.splitlines() if "machine_info" in line or "does not fit" in line] == []
    assert failed.exit_code == 1
    assert "Performance has regressed" in failed.output


def test_elasticsearch(project, tmp_path):
    """With Elasticsearch as storage each case is one document that carries machine and commit; the job ends as it does with files."""
    client = tmp_path / "site" / "elasticsearch"
    client.mkdir(parents=True)
    (client / "__init__.py").write_text(ELASTICSEARCH)
    (client / "serializer.py").write_text(SERIALIZER)
    uri = "elasticsearch+https://history.example:9200/lenet5/run?project_name=lenet5"

    verdict = run_pytest(project, *CASES, "--benchmark-autosave", f"--benchmark-storage={uri}", path=(client.parent,))

    assert verdict.exit_code == 0, verdict.output
    assert "INTERNALERROR" not in verdict.output
    documents = [json.loads(line) for line in Path(project / "documents.jsonl").read_text().splitlines()]
    assert len(documents) == 2
    for found in documents:
        assert found["hosts"] == ["https://history.example:9200"]
        assert (found["index"], found["doc_type"]) == ("lenet5", "run")
        assert found["id"].endswith(found["body"]["fullname"])
        check(found["body"], {**CASE, "machine_info": dict, "commit_info": dict, "datetime": str, "version": str})
        assert found["body"]["machine_info"]["lenet5"]["threads"] == 1
