"""What is particular to PyTorch: what it declares, what it says where it is absent, and what a GPU is asked."""

from __future__ import annotations

import os
import re
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose

import lenet5
from benchmarks.arrange import onednn
from lenet5 import cost
from lenet5.compression import factorize
from tests.support.copies import not_installed
from tests.support.mutations import Mutation
from tests.support.networks import answers, problem


def layout_optimization_keeps_gradients():
    """Whether the bug that TRAINING_OPTIONS works around is gone from the PyTorch that is installed, in words."""
    import torch
    from torch.nn import functional

    from lenet5.with_torch import Module

    torch.manual_seed(0)
    module = Module(lenet5.Architecture().shapes, "relu")
    x, y = torch.randn(16, 3, 32, 32), torch.arange(16)
    options = {"layout_optimization": True}
    loss = torch.compile(lambda x, y: functional.cross_entropy(module(x), y), fullgraph=True, dynamic=False, options=options)
    loss(x, y).backward()
    if not module.conv1.weight.grad.any():
        return ""
    return "this version of TorchInductor keeps the convolutions' gradients: its layout optimization can be turned on again"


MUTATIONS = {
    "torch-softmax-before-the-loss": Mutation(
        "with_torch.py",
        "functional.cross_entropy(self._module(x), y)",
        "functional.cross_entropy(self._module(x).softmax(1), y)",
        "lenet5/test_agreement.py::test_smaller_layers[torch-eager]",
    ),
    "torch-layout-optimization": Mutation(
        "with_torch.py",
        '{"layout_optimization": False}',
        '{"layout_optimization": True}',
        "lenet5/test_agreement.py::test_sgd[torch-compile]",
        layout_optimization_keeps_gradients,
    ),
}


def test_declares():
    """Each compiled mode is compared with the eager one of its own layout; the short run has one of each."""
    assert "torch" in lenet5.frameworks()
    assert lenet5.modes("torch") == ("eager", "compile", "eager-channels_last", "compile-channels_last", "compile-cuda_graphs")
    assert lenet5.gpu_only("torch") == ("compile-cuda_graphs",)
    assert lenet5.variants("torch") == ("eager-channels_last", "compile-channels_last", "compile-cuda_graphs")
    assert lenet5.dynamic("torch") == {
        "compile": "eager",
        "compile-channels_last": "eager-channels_last",
        "compile-cuda_graphs": "eager",
    }
    assert lenet5.colour("torch") == "green"
    assert lenet5.ladder("torch") == ()


def test_not_installed(tmp_path):
    """Where PyTorch is absent, the line says what to install, and other frameworks can be used."""
    assert not_installed(tmp_path, "torch", "torch") == ["torch: the package 'torch' is not installed; pip install torch", "True"]


@pytest.mark.parametrize("framework", ["torch"])
def test_every_mode_takes_a_factored_convolution(implementation, framework):
    """No mode refuses a factored conv2: the tests of factored layers leave it out where a mode does."""
    factored = factorize(problem()[0], {"conv2": 9})
    for mode in implementation.modes:
        try:
            implementation(problem()[0], mode=mode)
        except (lenet5.NotSupported, lenet5.NotInstalled):
            continue  # whatever the weights: it needs a GPU, or a compiler that is not here
        assert set(implementation(factored, mode=mode).weights()) == set(factored)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_counted_state_is_its_own(optimizer):
    """Gradients and optimizer state as counted are the arrays that PyTorch keeps; its step counters are single numbers."""
    pytest.importorskip("torch")
    weights, images, labels = problem(batch=2)
    net = lenet5.implementation("torch")(weights, optimizer=optimizer)
    net.train_step(net.tensor(images), net.tensor(labels))
    state = [value for kept in net._optimizer.state.values() for value in kept.values() if value is not None and value.ndim]
    assert sum(value.nbytes for value in state) == cost.optimizer_state_bytes(weights, optimizer)
    assert sum(parameter.grad.nbytes for parameter in net._module.parameters()) == cost.gradient_bytes(weights)


# ------------------------------------------------------------------------------------------------------------------- GPU


@pytest.fixture
def gpu(monkeypatch):
    """A GPU that PyTorch believes in: what is sent to "cuda" stays on the CPU and is noted."""
    torch = pytest.importorskip("torch")
    lenet5.implementation("torch")
    seen = []

    def noted(original):
        def to(self, *arguments, **options):
            if arguments[:1] == ("cuda",):
                seen.append(type(self).__name__)
                arguments = ("cpu", *arguments[1:])
            return original(self, *arguments, **options)

        return to

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: seen.append("arrived"))
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: False)  # a CUDA build without a driver would ask it
    monkeypatch.setattr(torch.Tensor, "to", noted(torch.Tensor.to))
    monkeypatch.setattr(torch.nn.Module, "to", noted(torch.nn.Module.to))
    return seen


def test_on_a_gpu(gpu):
    """Network, images and labels go to the GPU, each of the latter has arrived before tensor() returns; the answers are the same."""
    logits, losses = answers("torch", device="cuda")
    assert gpu == ["Module", "Tensor", "arrived", "Tensor", "arrived"]
    assert type(logits) is np.ndarray
    assert type(losses[0]) is float
    on_cpu = answers("torch", device="cpu")
    assert gpu[5:] == []
    assert_allclose(logits, on_cpu[0], rtol=0, atol=1e-6)
    assert losses == pytest.approx(on_cpu[1], abs=1e-6)


@pytest.fixture
def compiled(monkeypatch):
    """What is compiled stays as it is; its options, and the batch size of each call of it, are noted."""
    torch = pytest.importorskip("torch")
    seen = []

    def compile_nothing(function, options, **_):
        seen.append(options)

        def call(*tensors):
            seen.append(len(tensors[0]))
            return function(*tensors)

        return call

    monkeypatch.setattr(torch, "compile", compile_nothing)
    return seen


def test_cuda_graphs(gpu, compiled):
    """A first call goes on until the graph is recorded, for each batch size anew; what it rehearsed leaves no trace in a training."""
    weights, images, _ = problem(batch=2)
    net = lenet5.implementation("torch")(weights, mode="compile-cuda_graphs", device="cuda")
    for options in compiled:
        assert options["triton.cudagraphs"] is True
    del compiled[:]

    one, two = net.tensor(images[:1]), net.tensor(images)
    for batch in (two, two, one, one, two):
        net.predict(batch)
    assert compiled == [2, 2, 2, 2, 1, 1, 1, 1, 2]

    gradient_descent = {"optimizer": "sgd", "learning_rate": 0.1}  # Adam would not notice gradients of another size
    expected = answers("torch", device="cpu", **gradient_descent)
    logits, losses = answers("torch", mode="compile-cuda_graphs", device="cuda", **gradient_descent)
    assert_allclose(logits, expected[0], rtol=0, atol=1e-6)
    assert losses == pytest.approx(expected[1], abs=1e-6)


def test_cuda_graphs_need_a_gpu(compiled):
    """A CPU has none, and compiling for it asks for none."""
    LeNet5, weights = lenet5.implementation("torch"), problem()[0]
    with pytest.raises(lenet5.NotSupported, match=r"^torch: mode 'compile-cuda_graphs' .*; use device 'cuda'$") as caught:
        LeNet5(weights, mode="compile-cuda_graphs")
    assert not isinstance(caught.value, lenet5.NoDevice)  # another mode reaches this device
    LeNet5(weights, mode="compile")
    assert not any("triton.cudagraphs" in options for options in compiled)


@pytest.mark.parametrize(("device", "compiler"), [("cpu", "g++"), ("cuda", "gcc")])
def test_compiling_needs_a_compiler(gpu, compiled, monkeypatch, device, compiler):
    """Without one the mode says so before anything is compiled, on a GPU too."""
    monkeypatch.setattr("shutil.which", lambda name: None)
    for variable in ("CC", "CXX"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(lenet5.NotInstalled, match=f"needs a C.* compiler, and '{re.escape(compiler)}' is not on the PATH"):
        lenet5.implementation("torch")(problem()[0], mode="compile", device=device)
    assert compiled == []


@pytest.mark.parametrize(
    ("device", "there", "variables", "found"),
    [
        ("cpu", {"clang++"}, {}, False),
        ("cpu", {"clang++"}, {"CXX": "clang++"}, True),
        ("cpu", {"g++"}, {}, True),
        ("cpu", {"g++"}, {"CXX": "/no/such/c++"}, False),
        ("cpu", {"g++"}, {"CXX": "ccache g++"}, False),
        ("cpu", {"g++"}, {"CXX": ""}, False),
        ("cuda", {"clang"}, {}, True),
        ("cuda", {"gcc"}, {"CC": "icc"}, False),
        ("cuda", {"g++"}, {}, False),
    ],
)
@pytest.mark.skipif(sys.platform == "darwin", reason="there clang++ is the usual compiler")
def test_which_compiler(gpu, compiled, monkeypatch, device, there, variables, found):
    """A compiler counts only if TorchInductor, or Triton, would call it: the one that the variable names, else the usual one."""
    monkeypatch.setattr("shutil.which", lambda name: name if name in there else None)
    for variable in ("CC", "CXX"):
        monkeypatch.delenv(variable, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    build = partial(lenet5.implementation("torch"), problem()[0], mode="compile", device=device)
    if found:
        build()
    else:
        with pytest.raises(lenet5.NotInstalled, match=r"is not on the PATH; install g.* or set C"):
            build()


@pytest.mark.parametrize("variable", ["TMPDIR", "TORCHINDUCTOR_CACHE_DIR"])
def test_a_folder_that_may_not_execute(compiled, monkeypatch, tmp_path, variable):
    """What is compiled has to be loaded from somewhere; where that cannot be, one line says it and names the variable."""
    others = {"TMPDIR", "TORCHINDUCTOR_CACHE_DIR"} - {variable}
    for name in others:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    real = os.statvfs
    flags = SimpleNamespace(f_flag=os.ST_NOEXEC)
    monkeypatch.setattr(os, "statvfs", lambda path: flags if Path(path).is_relative_to(tmp_path) else real(path))
    with pytest.raises(
        lenet5.NotInstalled, match=rf"^torch: mode 'compile' needs a folder .* {tmp_path} is on .*noexec.*TORCHINDUCTOR"
    ):
        lenet5.implementation("torch")(problem()[0], mode="compile")
    assert compiled == []


def test_no_gpu(monkeypatch):
    """Where PyTorch sees none, it says so."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(lenet5.NoDevice, match=r"^device: 'cuda' is asked for, but PyTorch sees no GPU; use 'cpu'$"):
        answers("torch", device="cuda")


def test_memory_is_asked_in_the_right_order(monkeypatch):
    """The peak is reset before the call and read after it has finished."""
    torch = pytest.importorskip("torch")
    net, seen = lenet5.implementation("torch"), []
    for name in ("reset_peak_memory_stats", "synchronize", "max_memory_allocated"):
        monkeypatch.setattr(torch.cuda, name, lambda name=name: seen.append(name) or 7)
    assert net.device_peak_bytes(lambda: seen.append("call")) == 7
    assert seen == ["reset_peak_memory_stats", "call", "synchronize", "max_memory_allocated"]


def test_float32_is_float32():
    """TF32 is off, and PyTorch's own settings, not ours, are what says so."""
    pytest.importorskip("torch")
    assert lenet5.implementation("torch").describe()["tf32"] == "off"


def test_tf32_off_leaves_export_alone():
    """torch.export asks for one answer on TF32, of all of cuDNN."""
    torch = pytest.importorskip("torch")
    lenet5.implementation("torch")
    exported = torch.export.export(torch.nn.Conv2d(3, 4, 5), (torch.zeros(1, 3, 8, 8),))
    assert exported.module()(torch.zeros(1, 3, 8, 8)).shape == (1, 4, 4, 4)


def test_tf32_would_be_noticed():
    """TF32 that other code turns on after the import shows, for products and for convolutions."""
    torch = pytest.importorskip("torch")
    describe = lenet5.implementation("torch").describe
    try:
        torch.set_float32_matmul_precision("high")
        assert describe()["tf32"] == "on"
    finally:
        torch.set_float32_matmul_precision("highest")
    convolutions = getattr(torch.backends.cudnn, "conv", None)
    if convolutions:
        convolutions.fp32_precision = "tf32"
        try:
            assert describe()["tf32"] == "on"
        finally:
            torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = True
    try:
        assert describe()["tf32"] == "on"
    finally:
        torch.backends.cudnn.allow_tf32 = False
    assert describe()["tf32"] == "off"


VERBOSE = """\
onednn_verbose,v1,info,cpu,runtime:OpenMP,nthr:2
onednn_verbose,v1,primitive,exec,cpu,reorder,jit:uni,undef,src:f32::blocked:abcd::f0 dst:f32:p:blocked:Acdb16a::f0,attr,,6x3x5x5,0.007
onednn_verbose,v1,primitive,exec,cpu,convolution,jit:avx512_core,forward_training,src:f32:a:blocked:abcd::f0 wei:f32:ap:blocked:Acdb16a::f0 \
bia:f32:a:blocked:a::f0 dst:f32:ap:blocked:aBcd16b::f0,attr-scratchpad:user,alg:convolution_direct,\
mb64_ic3oc6_ih32oh28kh5sh1dh0ph0_iw32ow28kw5sw1dw0pw0,0.3
a line of something else
onednn_verbose,exec,cpu,convolution,brgconv:avx2,forward_inference,src:f32:a:blocked:acdb::f0 dst:f32:a:blocked:acdb::f0,,\
alg:convolution_direct,mb2_ic6oc16_ih14oh10kh5sh1dh0ph0_iw14ow10kw5sw1dw0pw0,0.1
"""


def test_what_onednn_says():
    """Each primitive with its kernel; filters in blocks of 16 are computed whole, and channels last have no blocks."""
    reorder, first, second = onednn.read(VERBOSE)
    assert (reorder.kind, reorder.implementation, reorder.problem) == ("reorder", "jit:uni", "6x3x5x5")
    assert (first.implementation, onednn.macs(first)) == ("jit:avx512_core", 64 * 16 * 3 * 25 * 28 * 28)
    assert (second.implementation, onednn.macs(second)) == ("brgconv:avx2", 2 * 16 * 6 * 25 * 10 * 10)
    with pytest.raises(ValueError, match="reorder 6x3x5x5: no convolution in two dimensions"):
        onednn.macs(reorder)


def test_what_onednn_executes(capfd):
    """Its lines are read, and nothing of them is printed; afterwards it is silent again."""
    weights, images, _ = problem(batch=3)
    net = lenet5.implementation("torch")(weights)
    x = net.tensor(images)
    kinds = [primitive.kind for primitive in onednn.executed(lambda: net.predict(x))]
    net.predict(x)
    assert kinds.count("convolution") in (0, 2)  # none where PyTorch was built without oneDNN
    assert capfd.readouterr().out == ""
