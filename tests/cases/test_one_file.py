"""A further framework or tool is one further file: no case knows one by name."""

from __future__ import annotations

import ast
import json

import pytest

import lenet5
from benchmarks.arrange import counters, tools
from tests.support.copies import PROJECT, copy_of_project, run_pytest, run_python

OTHER = """
import lenet5
from lenet5 import with_numpy


class LeNet5:
    modes = ("plain", "quick", "odd")
    variants = ("odd",)
    dynamic = {"quick": "plain"}
    colour = "grey"

    describe = staticmethod(with_numpy.LeNet5.describe)

    def __init__(self, weights, mode=modes[0], **options):
        if mode == "odd":
            raise lenet5.NotSupported("mode: 'odd' never does what is asked")
        self._net = with_numpy.LeNet5(weights, {"plain": "im2col", "quick": "fused"}[mode], **options)

    def __getattr__(self, name):
        return getattr(self._net, name)
"""
TOOL = """
import package_that_nobody_has

TITLE = "other {sort}"
FRAMEWORK = "other"
PACKAGES = ("package_that_nobody_has",)
KINDS = {{"one": "first", "two": "second"}}
"""
FILES = {
    "lenet5/with_other.py": OTHER,
    "benchmarks/isolated/prune_other.py": TOOL.format(sort="pruner"),
    "benchmarks/isolated/quantize_other.py": TOOL.format(sort="quantizer"),
    "benchmarks/arrange/counters/count_other.py": TOOL.format(sort="counter"),
}

CASES = sorted(
    {*(PROJECT / "benchmarks").glob("test_*.py"), *(PROJECT / "benchmarks" / name for name in ("conftest.py", "twins.py"))}
    - {PROJECT / "benchmarks" / "test_original_protocol.py"}  # what the original report used is part of what it is
)

ALSO_METHODS = {"predict"}
"""Names of modes that are words of the contract as well."""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project that has one further framework and one further tool of each sort."""
    copy = copy_of_project(tmp_path_factory.mktemp("one-file") / "project")
    for name, text in FILES.items():
        assert not (copy / name).exists()
        (copy / name).write_text(text, encoding="utf-8")
    return copy


@pytest.fixture(scope="module")
def collected(project):
    """The cases that pytest collects there."""
    run = run_python(project, "-m", "pytest", "benchmarks", "--heavy", "--collect-only", "-q", "-p", "no:cacheprovider")
    assert run.returncode == 0, run.stdout + run.stderr
    return {line.partition("::")[2] for line in run.stdout.splitlines() if "::" in line}


@pytest.mark.parametrize(
    "case",
    [
        "test_predict[other-plain-batch1]",
        "test_predict[other-quick-batch64]",
        "test_predict[other-odd-batch450]",
        "test_train_step[other-quick]",
        "test_train_step[other-quick-sgd]",
        "test_graph_predict[other-quick-batch16]",
        "test_space_epoch[other-plain]",
        "test_point[other-plain-structured-0.5]",
        "test_every_mode[other-odd]",
        "test_tool[other pruner-sgd]",
        "test_int8_by_tool[other_quantizer_first]",
        "test_int8_by_tool[other_quantizer_second]",
        "test_counter[other counter]",
    ],
)
def test_it_is_measured(collected, case):
    """Every case that the others have, it has, without an import of it."""
    assert case in collected


def test_no_case_names_a_framework_or_a_tool():
    """In the cases no text is the name of a framework, of a mode or of a tool; the original report's are the exception."""
    names = set(lenet5.frameworks()) | {mode for framework in lenet5.frameworks() for mode in lenet5.modes(framework)}
    for prefix in ("prune_", "quantize_", "original_"):
        names |= {tool.title for tool in tools.found("benchmarks.isolated", prefix)}
    names |= set(counters.found())
    named = {
        f"{path.name}: {node.value}"
        for path in CASES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in names - ALSO_METHODS
    }
    assert not named


def test_its_record_says_what_it_is_compared_with(project):
    """The default mode, and the dynamic one where the mode declares one; colours are in the file; a mode that cannot is skipped."""
    options = ("--heavy", "--threads=1", "--benchmark-max-time=0.01", "--no-report", "--benchmark-json=run.json")
    verdict = run_pytest(project, "benchmarks/test_predict.py", "-k", "other and batch1", *options)
    document = json.loads((project / "run.json").read_text(encoding="utf-8"))

    assert verdict.exit_code == 0, verdict.output
    recorded = {case["extra_info"]["mode"]: case["extra_info"] for case in document["benchmarks"]}
    assert recorded.keys() == {"plain", "quick"}
    assert {extra["default_mode"] for extra in recorded.values()} == {"plain"}
    assert "dynamic_mode" not in recorded["plain"]
    assert recorded["quick"]["dynamic_mode"] == "plain"
    ours = document["machine_info"]["lenet5"]
    assert ours["colours"]["other"] == "grey"
    assert ours["not_measured"] == {
        "benchmarks/test_predict.py::test_predict[other-odd-batch1]": "mode: 'odd' never does what is asked"
    }
    assert ours["out_of_reach"] == {}


def test_its_tools_are_skipped_where_they_are_not_installed(project):
    """With the reason, and what installs them."""
    verdict = run_pytest(project, "benchmarks/test_flops.py", "-k", "other", "--benchmark-disable")
    line = "other counter: the package 'package_that_nobody_has' is not installed; pip install package_that_nobody_has"
    assert verdict.skipped == {"test_counter[other counter]": line}
