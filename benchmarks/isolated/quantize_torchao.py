"""PyTorch's own path to int8 in a process of its own: torch.export, torchao's PT2E for the x86 backend, TorchInductor.

Weights become int8, one scale an output; activations uint8, one scale a tensor (of 7 bits where the processor has no VNNI), fused into
oneDNN's int8 kernels where the processor has them.  Arguments and JSON: see `quantize`.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.arrange.torch_modules import module_of
from benchmarks.isolated.quantize import Int8, Task, main
from lenet5.training import BATCH
from lenet5.with_torch import Module

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # torchao tries kernels for GPUs that are not here
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
    from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer

TITLE = "torchao"
FRAMEWORK = "torch"
PACKAGES = ("torch", "torchao")
KINDS = {"static": "PT2E"}
EXTRA = "int8"


def quantize(task: Task) -> Int8:
    """Both networks compiled by TorchInductor: float32 against int8."""
    dense = module_of(task.weights).eval()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # layers that stay float32, one by one
        small = converted(dense, task)
        state = small.state_dict()
        int8 = [value for value in state.values() if value.dtype == torch.int8]
        scales = [value for name, value in state.items() if name.startswith("_scale")]
        biases = [value for name, value in state.items() if name.endswith(".bias")]
        torch._inductor.config.freezing = True  # weights are constants: without it nothing is fused
        return Int8(
            tensor=torch.from_numpy,
            dense=predictor(torch.compile(dense)),
            predict=predictor(torch.compile(small)),
            weight_bytes=sum(value.numel() * value.element_size() for value in (*int8, *scales, *biases)),
            int8_weights=sum(value.numel() for value in int8),
        )


def converted(dense: Module, task: Task) -> torch.nn.Module:
    """The network with int8 weights, its ranges from the calibration images."""
    batches = [torch.from_numpy(task.calibration[start : start + BATCH]) for start in range(0, len(task.calibration), BATCH)]
    exported: Any = torch.export.export(dense, (batches[0],)).module()
    quantizer: Any = x86_inductor_quantizer.X86InductorQuantizer()
    quantizer.set_global(x86_inductor_quantizer.get_default_x86_inductor_quantization_config(reduce_range=not has_vnni()))
    prepared: Any = prepare_pt2e(exported, quantizer)
    for batch in batches:
        prepared(batch)
    small: torch.nn.Module = convert_pt2e(prepared)
    return small


def has_vnni() -> bool:
    """Whether the processor adds int8 products in 32 bits at once.

    Without it oneDNN adds pairs of them in 16 bits, which uint8 times int8 can exceed: activations then get 7 bits, as torchao's
    configuration asks for on such processors.
    """
    found = torch.cpu.get_capabilities()
    return any(found.get(name, False) for name in ("avx512_vnni", "avx_vnni"))


def predictor(module: Any) -> Callable[[Any], NDArray[np.float32]]:
    """A prediction with its result on the host."""

    def predict(x: Any) -> NDArray[np.float32]:
        with torch.no_grad():
            logits: NDArray[np.float32] = module(x).numpy()
            return logits

    return predict


if __name__ == "__main__":
    sys.exit(main(quantize, tuple(KINDS)))
