"""The tests see red: one mistake at a time in a copy of the code, each of a kind that is easily made."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.support.copies import RUNS_ON_THE_COPY, copy_of_project, run_pytest


class Mutation(NamedTuple):
    """A mistake: what stands in a file of lenet5, what stands there instead, and a case that must fail for it."""

    file: str
    right: str
    wrong: str
    case: str


def logits(framework_and_mode, batch=7):
    return f"lenet5/test_agreement.py::test_logits[{framework_and_mode}-batch={batch}-channels=3-classes=50-relu]"


MUTATIONS = {
    "numpy-kernel-axes-swapped": Mutation(
        "by_hand/layers.py",
        "rows = windows.transpose(0, 2, 3, 1, 4, 5)",
        "rows = windows.transpose(0, 2, 3, 1, 5, 4)",
        logits("numpy-im2col"),
    ),
    "numpy-gradient-axes-swapped": Mutation(
        "by_hand/layers.py",
        "dx[:, a : a + i, b : b + j] += dwindows[..., a, b]",
        "dx[:, a : a + i, b : b + j] += dwindows[..., b, a]",
        "lenet5/test_agreement.py::test_smaller_layers[numpy-im2col]",
    ),
    "numpy-bias-dropped": Mutation(
        "by_hand/layers.py",
        "y = rows @ matrix.T + bias",
        "y = rows @ matrix.T",
        logits("numpy-im2col"),
    ),
    "numpy-fused-bias-dropped": Mutation(
        "by_hand/strips.py",
        "        np.add(self.pooled, self.bias, out=self.pooled)\n",
        "",
        logits("numpy-fused", batch=64),
    ),
    "numpy-ties-all-take-the-derivative": Mutation(
        "by_hand/layers.py",
        "            open_tiles &= ~takes\n",
        "",
        "lenet5/by_hand/test_layers.py::test_ties_go_to_the_first_in_reading_order[max_pool]",
    ),
    "numpy-load-keeps-the-optimizer": Mutation(
        "by_hand/plain.py",
        "        self._optimizer.reset()\n",
        "",
        "lenet5/test_agreement.py::test_load_starts_again[numpy-im2col-adam]",
    ),
    "numpy-adam-biased": Mutation(
        "by_hand/optimizers.py",
        "unbiased_mean = m / (1 - ADAM_BETA1**self.steps)",
        "unbiased_mean = m",
        "lenet5/test_agreement.py::test_adam[torch-eager]",
    ),
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
    ),
    "tensorflow-kernel-axes-swapped": Mutation(
        "channels_last.py",
        "return weight.transpose(2, 3, 1, 0)",
        "return weight.transpose(3, 2, 1, 0)",
        logits("tensorflow-eager"),
    ),
    "tensorflow-fc1-columns-not-permuted": Mutation(
        "channels_last.py",
        ".transpose(0, 2, 3, 1).reshape(units, -1)",
        ".reshape(units, -1)",
        logits("tensorflow-eager"),
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mistake_is_seen(tmp_path, name):
    """A case fails, and by what it asserts: not because the broken code no longer runs."""
    mutation = MUTATIONS[name]
    project = copy_of_project(tmp_path / "project")
    file = project / "lenet5" / mutation.file
    source = file.read_text(encoding="utf-8")
    assert source.count(mutation.right) == 1
    file.write_text(source.replace(mutation.right, mutation.wrong), encoding="utf-8")

    verdict = run_pytest(project, f"tests/{mutation.case}", RUNS_ON_THE_COPY)

    for reason in verdict.skipped.values():
        pytest.skip(reason)
    if name == "torch-layout-optimization" and verdict.exit_code == 0 and not layout_optimization_loses_gradients():
        pytest.skip(
            "this version of TorchInductor keeps the convolutions' gradients: its layout optimization can be turned on again"
        )
    assert verdict.exit_code == 1, verdict.output
    assert verdict.passed == ["test_runs_on_the_copy"]
    assert not verdict.errors
    (message,) = verdict.failed.values()
    assert message.startswith(("AssertionError", "assert "))


def test_without_a_mistake(tmp_path):
    """The same cases pass on a copy in which nothing is broken."""
    project = copy_of_project(tmp_path / "project")
    # Compiling takes longest, and test_agreement.py has that case in any run.
    cases = {mutation.case: None for mutation in MUTATIONS.values() if "compile" not in mutation.case}

    verdict = run_pytest(project, *(f"tests/{case}" for case in cases), RUNS_ON_THE_COPY)

    assert verdict.exit_code == 0, verdict.output
    assert len(verdict.passed) + len(verdict.skipped) == len(cases) + 1
    assert "test_runs_on_the_copy" in verdict.passed


def layout_optimization_loses_gradients():
    """Whether the bug that TRAINING_OPTIONS works around is in the PyTorch that is installed."""
    import torch
    from torch.nn import functional

    from lenet5 import Architecture
    from lenet5.with_torch import Module

    torch.manual_seed(0)
    module = Module(Architecture().shapes, "relu")
    x, y = torch.randn(16, 3, 32, 32), torch.arange(16)
    options = {"layout_optimization": True}
    loss = torch.compile(lambda x, y: functional.cross_entropy(module(x), y), fullgraph=True, dynamic=False, options=options)
    loss(x, y).backward()
    return not module.conv1.weight.grad.any()
