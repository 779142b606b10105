"""Another device than the CPU, as far as a machine without one can tell: what is asked of the framework, in which order, and what is said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import lenet5
from benchmarks.report import report
from benchmarks.saved import results
from tests.support.copies import copy_of_project, run_pytest

WEIGHTS = lenet5.initial_weights(lenet5.Architecture(), seed=0)
IMAGES = np.random.RandomState(0).standard_normal((2, 3, 32, 32)).astype(np.float32)
LABELS = np.array([3, 40])
RUN = Path(__file__).parents[1] / "data" / "run"


@pytest.fixture
def torchs_gpu(monkeypatch):
    """A GPU that PyTorch believes in: what is sent to "cuda" stays on the CPU and is noted."""
    torch = pytest.importorskip("torch")
    lenet5.implementation("torch")
    seen = []

    def noted(original):
        def to(self, *arguments, **options):
            if arguments == ("cuda",):
                seen.append(type(self).__name__)
                arguments = ("cpu",)
            return original(self, *arguments, **options)

        return to

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: seen.append("arrived"))
    monkeypatch.setattr(torch.Tensor, "to", noted(torch.Tensor.to))
    monkeypatch.setattr(torch.nn.Module, "to", noted(torch.nn.Module.to))
    return seen


@pytest.fixture
def tensorflows_gpu(monkeypatch):
    """The same for TensorFlow."""
    tf = pytest.importorskip("tensorflow")
    lenet5.implementation("tensorflow")  # before there is a GPU: importing it asks for the real ones
    seen, place = [], tf.device

    def noted(name):
        seen.append(name)
        return place("/CPU:0")

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    monkeypatch.setattr(tf, "device", noted)
    monkeypatch.setattr(tf.test.experimental, "sync_devices", lambda: seen.append("arrived"))
    return seen


def answers(framework, device):
    """Logits and the losses of two steps."""
    net = lenet5.implementation(framework)(WEIGHTS, device=device)
    x, y = net.tensor(IMAGES), net.tensor(LABELS)
    return net.predict(x), [net.train_step(x, y) for _ in range(2)]


def test_torch(torchs_gpu):
    """Network, images and labels go to the GPU, each of the latter has arrived before tensor() returns; the answers are the same."""
    logits, losses = answers("torch", "cuda")
    assert torchs_gpu == ["Module", "Tensor", "arrived", "Tensor", "arrived"]
    assert type(logits) is np.ndarray
    assert type(losses[0]) is float
    on_cpu = answers("torch", "cpu")
    assert torchs_gpu[5:] == []
    assert_allclose(logits, on_cpu[0], rtol=0, atol=1e-6)
    assert losses == pytest.approx(on_cpu[1], abs=1e-6)


def test_tensorflow(tensorflows_gpu):
    """Building, converting, predicting and training are placed on the GPU, and tensor() waits for the copy."""
    logits, losses = answers("tensorflow", "cuda")
    gpu = "/GPU:0"
    assert tensorflows_gpu == [gpu, gpu, "arrived", gpu, "arrived", gpu, gpu, gpu]
    assert type(logits) is np.ndarray
    assert type(losses[0]) is float
    on_cpu = answers("tensorflow", "cpu")
    assert set(tensorflows_gpu[8:]) == {"/CPU:0"}
    assert_allclose(logits, on_cpu[0], rtol=0, atol=1e-6)
    assert losses == pytest.approx(on_cpu[1], abs=1e-6)


@pytest.mark.parametrize("framework", ["tensorflow", "torch"])
def test_float32_is_float32(framework):
    """TF32 is off, and the framework's own settings, not ours, are what says so."""
    pytest.importorskip(framework)
    assert lenet5.implementation(framework).describe()["tf32"] == "off"


def test_tf32_off_leaves_export_alone():
    """torch.export asks for one answer on TF32, of all of cuDNN."""
    torch = pytest.importorskip("torch")
    lenet5.implementation("torch")
    exported = torch.export.export(torch.nn.Conv2d(3, 4, 5), (torch.zeros(1, 3, 8, 8),))
    assert exported.module()(torch.zeros(1, 3, 8, 8)).shape == (1, 4, 4, 4)


def test_tf32_would_be_noticed(monkeypatch):
    """TF32 that other code turns on after the import shows, for products and for convolutions."""
    torch, tf = pytest.importorskip("torch"), pytest.importorskip("tensorflow")
    found = {name: lenet5.implementation(name).describe for name in ("torch", "tensorflow")}
    try:
        tf.config.experimental.enable_tensor_float_32_execution(True)
        assert found["tensorflow"]()["tf32"] == "on"
        torch.set_float32_matmul_precision("high")
        assert found["torch"]()["tf32"] == "on"
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(False)
        torch.set_float32_matmul_precision("highest")
    convolutions = getattr(torch.backends.cudnn, "conv", None)
    if convolutions:
        convolutions.fp32_precision = "tf32"
        try:
            assert found["torch"]()["tf32"] == "on"
        finally:
            torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = True
    try:
        assert found["torch"]()["tf32"] == "on"
    finally:
        torch.backends.cudnn.allow_tf32 = False
    assert [describe()["tf32"] for describe in found.values()] == ["off", "off"]


def test_out_of_reach(framework):
    """A framework that sees no such device says so in one line, as an error of input that can be told from others."""
    LeNet5 = lenet5.implementation(framework)
    if LeNet5.describe().get("gpu"):
        pytest.skip("this machine has a GPU")
    with pytest.raises(lenet5.NoDevice, match=r"^device: 'cuda' .*; use 'cpu'$") as caught:
        LeNet5(WEIGHTS, device="cuda")
    assert isinstance(caught.value, lenet5.InputError)
    assert not hasattr(lenet5.implementation("numpy"), "device_peak_bytes")


# ------------------------------------------------------------------------------------------------------ the command line


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project, which a job may write into."""
    return copy_of_project(tmp_path_factory.mktemp("device") / "project")


NO_GPU = {
    "numpy": "device: 'cuda' is out of NumPy's reach; use 'cpu'",
    "tensorflow": "device: 'cuda' is asked for, but TensorFlow sees no GPU; use 'cpu'",
    "torch": "device: 'cuda' is asked for, but PyTorch sees no GPU; use 'cpu'",
}


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
    for framework, reason in NO_GPU.items():
        found = {message for name, message in verdict.skipped.items() if f"[{framework}-" in name}
        assert found == {reason}
    assert {message for name, message in verdict.skipped.items() if "sgemm" in name} == {
        "measured on the CPU only; --device is 'cuda'"
    }
    run = results.load(project / "run.json")
    assert run.device == "cuda"
    assert NO_GPU.items() <= run.out_of_reach.items()
    assert run.frameworks == sorted(run.out_of_reach) == sorted(lenet5.frameworks())
    for name in ("report.md", "report.html"):
        text = (project / "report" / name).read_text(encoding="utf-8")
        assert "NumPy&#39;s reach" in text or "NumPy's reach" in text
        assert "TensorFlow sees no GPU" in text


def test_disabled(project, monkeypatch):
    """A smoke test on a device that is not there passes."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    verdict = run_pytest(project, "benchmarks", "--device=cuda", "--benchmark-disable", "-k", "test_predict and torch")
    assert verdict.exit_code == 0, verdict.output
    assert set(verdict.skipped.values()) == {NO_GPU["torch"]}


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

    def change(document, number):
        document["machine_info"]["lenet5"] |= {"device": "cuda", "out_of_reach": {"numpy": NO_GPU["numpy"]}}
        cases = document["benchmarks"]
        for case in [case for case in cases if case["extra_info"]["framework"] == "numpy"]:
            cases.remove(case)
        predict = next(case for case in cases if case["group"] == "predict")
        cases.append({**predict, "group": "transfer", "name": "transfer", "fullname": "transfer"})

    found = text(change)

    assert "| device    | cuda " in found
    assert "on the device (cuda): checked, laid out as the framework wants it, copied;" in found
    assert "| torch eager | 2.00 ms [1.96 ms, 2.08 ms] |" in found.partition("## Bringing the images there")[2]
    assert f"numpy has no times here: {NO_GPU['numpy']}." in found
    (accuracy,) = (line for line in found.splitlines() if line.startswith("| test accuracy"))
    assert accuracy.split("|")[2].strip() == "—"


def test_processes_of_one_run_share_a_device(text):
    """A process on another device is none of this run."""

    def change(document, number):
        document["machine_info"]["lenet5"]["device"] = "cuda" if number == 2 else "cpu"

    with pytest.raises(lenet5.InputError, match=r"machine_info\.lenet5\.device is cuda, but cpu in "):
        text(change, processes=2)
