"""Another device than the CPU, as far as a machine without one can tell: what is asked of the framework, in which order, and what is said."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest

import lenet5
from benchmarks.report import report
from benchmarks.saved import results
from tests.support.by_hand import FRAMEWORK
from tests.support.copies import copy_of_project, run_pytest, run_python
from tests.support.frameworks import installed

WEIGHTS = lenet5.initial_weights(lenet5.Architecture(), seed=0)
RUN = Path(__file__).parents[1] / "data" / "run"


def test_out_of_reach(framework):
    """A framework that sees no such device says so in one line, as an error of input that can be told from others."""
    LeNet5 = lenet5.implementation(framework)
    if LeNet5.describe().get("gpu"):
        pytest.skip("this machine has a GPU")
    with pytest.raises(lenet5.NoDevice, match=r"^device: 'cuda' .*; use 'cpu'$") as caught:
        LeNet5(WEIGHTS, device="cuda")
    assert isinstance(caught.value, lenet5.InputError)


# ------------------------------------------------------------------------------------------------------ the command line


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project, which a job may write into."""
    return copy_of_project(tmp_path_factory.mktemp("device") / "project")


NO_GPU = r"device: 'cuda' .*; use 'cpu'"
"""What a framework says; in which words is its own."""


@pytest.mark.slow
def test_skips_with_the_reason(project, monkeypatch):
    """Without a GPU every network is skipped with what its framework says, and the saved file and the report say it too."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    cases = [
        "benchmarks/test_predict.py",
        "benchmarks/test_control.py",
        "benchmarks/test_flops.py",
        "-k",
        "test_predict or sgemm or control",
    ]
    verdict = run_pytest(project, *cases, "--device=cuda", "--benchmark-json=run.json", "--benchmark-max-time=0.01")

    assert verdict.exit_code == 0, verdict.output
    said = {}
    for framework in installed():
        (said[framework],) = {message for name, message in verdict.skipped.items() if f"[{framework}-" in name}
        assert re.fullmatch(NO_GPU, said[framework])
    assert {message for name, message in verdict.skipped.items() if "sgemm" in name} == {
        "measured on the CPU only; --device is 'cuda'"
    }
    run = results.load(project / "run.json")
    assert run.device == "cuda"
    assert run.out_of_reach == said
    assert run.frameworks == sorted(installed())
    for name in ("report.md", "report.html"):
        text = html.unescape((project / "report" / name).read_text(encoding="utf-8"))
        for reason in said.values():
            assert reason in text


def test_disabled(project, monkeypatch):
    """A smoke test on a device that is not there passes."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    verdict = run_pytest(project, "benchmarks", "--device=cuda", "--benchmark-disable", "-k", f"test_predict and {FRAMEWORK}")
    assert verdict.exit_code == 0, verdict.output
    (reason,) = set(verdict.skipped.values())
    assert re.fullmatch(NO_GPU, reason)


@pytest.mark.slow
def test_large_batches(project):
    """4,096 images at once are for a GPU: with --device cuda they are among the cases, on the CPU not even with --heavy."""

    def cases(*options):
        arguments = ("-m", "pytest", "benchmarks", "--collect-only", "-q", "-p", "no:cacheprovider", *options)
        return {line for line in run_python(project, *arguments).stdout.splitlines() if "::" in line}

    on_cpu, on_gpu = cases("--heavy"), cases("--heavy", "--device=cuda")
    assert on_cpu < on_gpu
    assert {case.partition("[")[0].partition("::")[2] for case in on_gpu - on_cpu} == {
        *("test_predict", "test_transfer", "test_graph_predict", "test_graph_train_step"),
        *("test_space_predict", "test_space_train_step"),
    }
    assert all("batch4096" in case for case in on_gpu - on_cpu)
    # --heavy keeps its meaning there.
    assert not any("::test_graph" in case or "::test_space" in case for case in cases("--device=cuda") - cases())


def test_unknown_device(project):
    """A device that does not exist ends the session with exit 2 and one line that says which there are."""
    verdict = run_pytest(project, "benchmarks", "--device=tpu")
    assert verdict.exit_code == 2
    assert verdict.output.strip().endswith("--device: 'tpu' is not known; choose one of cpu, cuda")
    assert verdict.output.strip().count("\n") == 0


# ------------------------------------------------------------------------------------------------------------ the report


@pytest.fixture
def text(tmp_path):
    """text(change, processes) -> the report of saved processes, each changed in place by change(document, number)."""

    def render(change, processes=1):
        for number in range(1, processes + 1):
            document = json.loads((RUN / f"process-00{number}.json").read_text(encoding="utf-8"))
            change(document, number)
            (tmp_path / f"process-00{number}.json").write_text(json.dumps(document), encoding="utf-8")
        return report.write([tmp_path], tmp_path / "report").text

    return render


def test_the_report_of_a_device(text):
    """It says which device, shows what it takes to get there, and keeps a column for who cannot."""
    reason = "device: 'cuda' is out of reach; use 'cpu'"

    def change(document, number):
        document["machine_info"]["lenet5"] |= {"device": "cuda", "out_of_reach": {"numpy": reason}}
        cases = document["benchmarks"]
        for case in [case for case in cases if case["extra_info"]["framework"] == "numpy"]:
            cases.remove(case)
        predict = next(case for case in cases if case["group"] == "predict")
        cases.append({**predict, "group": "transfer", "name": "transfer", "fullname": "transfer"})

    found = text(change)

    assert "| device    | cuda " in found
    assert "on the device (cuda): checked, laid out as the framework wants it, copied;" in found
    assert "| torch eager | 2.00 ms [1.96 ms, 2.08 ms] |" in found.partition("## Bringing the images there")[2]
    assert f"numpy has no times here: {reason}." in found
    (accuracy,) = (line for line in found.splitlines() if line.startswith("| test accuracy"))
    assert accuracy.split("|")[2].strip() == "—"


def test_processes_of_one_run_share_a_device(text):
    """A process on another device is none of this run."""

    def change(document, number):
        document["machine_info"]["lenet5"]["device"] = "cuda" if number == 2 else "cpu"

    with pytest.raises(lenet5.InputError, match=r"machine_info\.lenet5\.device is cuda, but cpu in "):
        text(change, processes=2)
