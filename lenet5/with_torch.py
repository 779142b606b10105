"""LeNet-5 in PyTorch, as its users write it: an nn.Module, eager or through torch.compile."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from lenet5 import threads
from lenet5.architecture import CONVOLUTIONS, DENSE, LAYERS, checked, shapes_of
from lenet5.contract import (
    ADAM_BETA1,
    ADAM_BETA2,
    ADAM_EPSILON,
    Weights,
    check_images,
    check_labels,
    check_options,
    check_pair,
    is_labels,
)
from lenet5.errors import NoDevice, NotHonoured, NotInstalled, NotSupported

if number := threads.asked():
    torch.set_num_threads(number)  # PyTorch takes the variable for its OpenMP pool only; say it to all of its pools

# Each batch size, and each network of another shape, is compiled for itself (dynamic=False).  At the default limit of 8 such variants torch.compile
# gives up; fullgraph=True makes that an error rather than a silent return to eager mode.
torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, 256)
torch._dynamo.config.accumulated_recompile_limit = max(torch._dynamo.config.accumulated_recompile_limit, 4096)

# With its layout optimization on, TorchInductor 2.13.0 silently gives both convolutions a gradient of zero at some batch sizes (16 with
# relu, 7 with tanh; not 64): eager and aot_eager are right.  tests/lenet5/test_agreement.py trains at such a size.  Channels last is not
# hit, and for it the option changes nothing: there is no layout left to optimize.
TRAINING_OPTIONS: dict[str, Any] = {"layout_optimization": False}

# TF32 off, here as in TensorFlow: it rounds what a GPU multiplies to 10 bits, three decimal digits, and float32 is float32 on the CPU.
# By the older names, which set everything at once: torch.export raises where some of it was set by the newer ones.
torch.set_float32_matmul_precision("highest")
torch.backends.cudnn.allow_tf32 = False

ACTIVATIONS = {"relu": functional.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}


class FactoredLinear(torch.nn.Linear):
    """A dense layer whose inputs a basis combines first, without bias."""

    def __init__(self, inputs: int, rank: int, outputs: int) -> None:
        super().__init__(rank, outputs)
        self.basis = torch.nn.Parameter(torch.empty(rank, inputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(functional.linear(x, self.basis))


class FactoredConv2d(torch.nn.Conv2d):
    """A convolution of 1 x 1 over the maps of a basis of few filters, without bias."""

    def __init__(self, inputs: int, rank: int, outputs: int, side: int) -> None:
        super().__init__(rank, outputs, 1)
        self.basis = torch.nn.Parameter(torch.empty(rank, inputs, side, side))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(functional.conv2d(x, self.basis))


class Module(torch.nn.Module):
    """The network; its state_dict *is* the canonical weights."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], activation: str) -> None:
        super().__init__()
        for layer in LAYERS:
            self.add_module(layer, layer_of(shapes[f"{layer}.weight"], shapes.get(f"{layer}.basis")))
        self.activation: Any = ACTIVATIONS[activation]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x (n, c, 32, 32) -> logits (n, classes)"""
        for layer in CONVOLUTIONS:
            x = functional.max_pool2d(self.activation(getattr(self, layer)(x)), 2)
        x = x.flatten(1)
        for layer in DENSE[:-1]:
            x = self.activation(getattr(self, layer)(x))
        logits: torch.Tensor = getattr(self, DENSE[-1])(x)
        return logits


class Watched(Module):
    """The network in the compiled modes: it notes when Python itself runs it.

    While it is traced `is_compiling` is a constant, so the compiled code has nothing of this in it.
    """

    ran_eagerly = False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not torch.compiler.is_compiling():
            self.ran_eagerly = True
        return super().forward(x)


def layer_of(weight: tuple[int, ...], basis: tuple[int, ...] | None) -> torch.nn.Module:
    """The layer that holds arrays of these shapes."""
    outputs, inputs, *kernel = weight
    if basis is None:
        return torch.nn.Conv2d(inputs, outputs, kernel[0]) if kernel else torch.nn.Linear(inputs, outputs)
    rank, inputs, *kernel = basis
    return FactoredConv2d(inputs, rank, outputs, kernel[0]) if kernel else FactoredLinear(inputs, rank, outputs)


class LeNet5:
    """LeNet-5 in PyTorch.  Modes: eager and compile (TorchInductor; needs a compiler), each also with channels last; compile with CUDA graphs.

    Channels last is a layout in memory; shapes and numbers stay.  PyTorch's convolutions then skip a conversion of their own.  A CUDA
    graph is a recorded list of kernels that a GPU replays as one call (``torch.compile(mode="reduce-overhead")``); a CPU has none.
    """

    modes = ("eager", "compile", "eager-channels_last", "compile-channels_last", "compile-cuda_graphs")
    variants = ("eager-channels_last", "compile-channels_last", "compile-cuda_graphs")
    gpu_only = ("compile-cuda_graphs",)
    dynamic: ClassVar[dict[str, str]] = {
        "compile": "eager",
        "compile-channels_last": "eager-channels_last",
        "compile-cuda_graphs": "eager",
    }
    colour = "green"
    caches = ("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR")

    def __init__(
        self,
        weights: Mapping[str, Any],
        mode: str = modes[0],
        activation: str = "relu",
        optimizer: str = "adam",
        learning_rate: float = 1e-3,
        device: str = "cpu",
    ) -> None:
        learning_rate = check_options(self.modes, mode, activation, optimizer, learning_rate, device)
        if device == "cuda" and not torch.cuda.is_available():
            raise NoDevice("device: 'cuda' is asked for, but PyTorch sees no GPU; use 'cpu'")
        _require_float32(device)
        arrays = checked(weights)
        self._shapes = shapes_of(arrays)
        self._device = device
        how, _, further = mode.partition("-")
        graphs = further == "cuda_graphs"
        if graphs and device != "cuda":
            raise NotSupported(f"torch: mode {mode!r} replays what a GPU has done; use device 'cuda'")
        self._layout = torch.channels_last if further == "channels_last" else torch.contiguous_format
        made = (Watched if how == "compile" else Module)(self._shapes, activation)
        # The type is said: without it the weights would be of the process's default type, which is the user's to set.
        self._module = made.to(device, torch.float32).to(memory_format=self._layout)  # type: ignore[call-overload]
        # fused: one kernel for all ten arrays; the default walks them one by one.
        self._optimizer: torch.optim.Optimizer
        if optimizer == "sgd":
            self._optimizer = torch.optim.SGD(self._module.parameters(), learning_rate, fused=True)
        else:
            betas = (ADAM_BETA1, ADAM_BETA2)
            self._optimizer = torch.optim.Adam(self._module.parameters(), learning_rate, betas, ADAM_EPSILON, fused=True)
        self._predict: Any = self._module
        self._loss: Any = self._loss_of
        if how == "compile":
            _require_compiling()
            _require_compiler(device)
            _require_folder()
            _keep_headers_with_the_rest()
            options: dict[str, Any] = {"triton.cudagraphs": True} if graphs else {}
            self._predict = torch.compile(self._module, fullgraph=True, dynamic=False, options=options)
            self._loss = torch.compile(self._loss_of, fullgraph=True, dynamic=False, options=options | TRAINING_OPTIONS)
        if graphs:
            self._predict = _rehearsed(self._predict, self._predict)
            self._loss = _rehearsed(self._loss, partial(self._rehearse, self._loss))
        self.load(arrays)

    def check_mode(self) -> None:
        if getattr(self._module, "ran_eagerly", False):
            raise NotHonoured("torch: mode 'compile' ran eagerly; torch.compile did not compile it")

    def tensor(self, array: NDArray[Any]) -> torch.Tensor:
        if is_labels(array):
            check_labels(array, classes=self._shapes["fc3.bias"][0])
            return self._arrived(torch.from_numpy(np.array(array, np.int64)).to(self._device))
        check_images(array, channels=self._shapes["conv1.weight"][1])
        own = torch.from_numpy(np.array(array, order="C")).to(self._device)
        return self._arrived(own.to(memory_format=self._layout))

    def predict(self, x: Any) -> NDArray[np.float32]:
        with torch.inference_mode():
            logits: NDArray[np.float32] = self._predict(self._own(x)).cpu().numpy()
            return logits

    def train_step(self, x: Any, y: Any) -> float:
        check_pair(len(x), len(y))
        self._optimizer.zero_grad()
        loss = self._loss(self._own(x), self._own(y))
        loss.backward()
        self._optimizer.step()
        return float(loss.item())

    def weights(self) -> Weights:
        state = self._module.state_dict()
        return {name: state[name].cpu().numpy().copy() for name in self._shapes}

    def load(self, weights: Mapping[str, Any]) -> None:
        arrays = checked(weights, like=self._shapes)
        self._module.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
        # Zeroed, not dropped: a step that first allocates its state is not the step that a training run consists of.
        for state in self._optimizer.state.values():
            for value in state.values():
                value.zero_()

    @staticmethod
    def describe() -> dict[str, Any]:
        return {
            "version": torch.__version__,
            "threads": torch.get_num_threads(),
            "cuda": torch.version.cuda or "",
            "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "",
            "tf32": _tf32(),
            "simd": torch.backends.cpu.get_cpu_capability(),
            "settings": _settings(),
        }

    @staticmethod
    def device_peak_bytes(function: Callable[[], Any]) -> int:
        torch.cuda.reset_peak_memory_stats()
        function()
        torch.cuda.synchronize()
        return int(torch.cuda.max_memory_allocated())

    def _arrived(self, tensor: torch.Tensor) -> torch.Tensor:
        """The tensor, once it is whole: a copy to a GPU goes on after the call that ordered it."""
        if self._device == "cuda":
            torch.cuda.synchronize()
        return tensor

    def _own(self, x: Any) -> torch.Tensor:
        """What tensor() made, or what it makes of a host array."""
        return x if isinstance(x, torch.Tensor) else self.tensor(x)

    def _rehearse(self, loss: Callable[..., Any], x: torch.Tensor, y: torch.Tensor) -> None:
        """A training step up to its gradients, which are dropped."""
        loss(x, y).backward()
        self._optimizer.zero_grad()

    def _loss_of(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(self._module(x), y)


def _rehearsed(call: Callable[..., Any], rehearse: Callable[..., Any]) -> Callable[..., Any]:
    """The call, which at a new batch size runs a rehearsal twice before: PyTorch compiles in the first, records in the second, and then replays."""
    known: set[int] = set()

    def ready(*tensors: torch.Tensor) -> Any:
        if len(tensors[0]) not in known:
            rehearse(*tensors)
            rehearse(*tensors)
            known.add(len(tensors[0]))
        return call(*tensors)

    return ready


def _tf32() -> str:
    """Whether a GPU would round float32 to TF32 anywhere, in products or in convolutions."""
    newer: Any = getattr(torch.backends.cudnn, "conv", None)  # where there is one, the older name cannot be read once it was used
    convolutions = newer.fp32_precision == "tf32" if newer else torch.backends.cudnn.allow_tf32
    return "on" if convolutions or torch.get_float32_matmul_precision() != "highest" else "off"


def _settings() -> str:
    """Switches of the process that cost time or precision, where they are not as PyTorch has them by itself."""
    onednn: Any = torch.backends.mkldnn
    precisions = {what: getattr(getattr(onednn, what, None), "fp32_precision", "none") for what in ("conv", "matmul")}
    found = {
        "oneDNN off": not getattr(onednn, "enabled", True),
        "deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
        "anomaly detection": torch.is_anomaly_enabled(),
        **{f"oneDNN {what} in {precision}": precision in ("bf16", "tf32") for what, precision in precisions.items()},
    }
    return ", ".join(name for name, is_set in found.items() if is_set)


def _require_float32(device: str) -> None:
    """Under autocast PyTorch computes in half precision, whatever the type of the weights."""
    if torch.is_autocast_enabled(device):
        raise NotSupported(f"torch: torch.autocast is on, in {torch.get_autocast_dtype(device)}; networks are measured in float32")


def _require_compiling() -> None:
    """Each of these settings makes torch.compile give back, or run, the module as it is; or compile by another compiler."""
    stance = getattr(torch._dynamo.eval_frame, "_stance", None)
    found = {
        "TORCHDYNAMO_DISABLE=1": os.environ.get("TORCHDYNAMO_DISABLE") == "1",
        "torch._dynamo.config.disable (TORCH_COMPILE_DISABLE=1)": torch._dynamo.config.disable,
        "torch.compiler.set_stance": stance is not None and stance != type(stance)(),
    }
    if setting := next((name for name, is_set in found.items() if is_set), None):
        raise NotSupported(f"torch: mode 'compile' does not compile here: {setting} is set; unset it")


COMPILERS = {
    "cpu": ("C++", "CXX", ("clang++",) if sys.platform == "darwin" else ("g++",)),
    "cuda": ("C", "CC", ("gcc", "clang")),
}
"""Device -> the language that TorchInductor, or Triton for it, compiles there, the variable that names a compiler, and those that it looks
for where the variable is not set.  TorchInductor takes clang++ on a Linux only if the variable says so."""


def _require_compiler(device: str) -> None:
    """Raise NotInstalled where no compiler is found: TorchInductor's own error would come late and long."""
    language, variable, usual = COMPILERS[device]
    wanted = (os.environ[variable],) if variable in os.environ else usual
    if not any(map(shutil.which, wanted)):
        raise NotInstalled(
            f"torch: mode 'compile' needs a {language} compiler, and {wanted[0]!r} is not on the PATH; "
            f"install {usual[0]} or set {variable} to the compiler that there is"
        )


def _require_folder() -> None:
    """Raise NotInstalled where what TorchInductor compiles could not be loaded: its own error would be a page for each mode."""
    folder = Path(os.environ.get("TORCHINDUCTOR_CACHE_DIR") or tempfile.gettempdir())
    place = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if hasattr(os, "statvfs") and os.statvfs(place).f_flag & getattr(os, "ST_NOEXEC", 0):
        raise NotInstalled(
            f"torch: mode 'compile' needs a folder from which code can be loaded, and {place} is on a file system without (noexec); "
            "set TORCHINDUCTOR_CACHE_DIR, or TMPDIR, to another"
        )


def _keep_headers_with_the_rest() -> None:
    """Have TorchInductor keep the C++ headers that it precompiles in TORCHINDUCTOR_CACHE_DIR too, where the variable is set.

    PyTorch puts them into its usual folder whatever the variable says, so that they outlast its fresh caches.  A first call would then
    take seconds less on a machine that has compiled before: ``_precompile_header`` in torch/_inductor/codecache.py.
    """
    from torch._inductor import codecache  # torch.compile imports it too

    folder = os.environ.get("TORCHINDUCTOR_CACHE_DIR")
    if folder and hasattr(codecache, "_HEADER_DIR"):
        headers = os.path.join(folder, "precompiled_headers")
        codecache._HEADER_DIR, codecache._HEADER_LOCK_DIR = headers, os.path.join(headers, "locks")
