"""torch.nn.utils.prune in a process of its own.  Arguments and JSON: see `prune`.

Pruning moves a layer's weight to ``weight_orig`` and makes ``weight`` = weight_orig x mask before every call; repeated pruning counts its
amount among what is left.  The gradient passes through the mask, so that what is masked stays as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.utils.prune
from numpy.typing import NDArray
from torch.nn import functional

from benchmarks.arrange.torch_modules import module_of
from benchmarks.isolated.prune import Pruned, Task, main
from lenet5 import Weights
from lenet5.architecture import LAYERS
from lenet5.compression.zeros import kept
from lenet5.contract import ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON
from lenet5.training import BATCH
from lenet5.with_torch import Module

TITLE = "torch.nn.utils.prune"
FRAMEWORK = "torch"
PACKAGES = ("torch",)

torch_prune: Any = torch.nn.utils.prune  # without types


def prune(task: Task) -> Pruned:
    """Prune step by step while training; then one copy is stripped by prune.remove, the other keeps its hooks."""
    dense, wrapped, stripped = (module_of(task.weights) for _ in range(3))
    optimizer = optimizer_of(task, wrapped)
    step = 0
    for number in range(task.epochs):
        for x, y in batches(task, number):
            step += 1
            if task.schedule.moves(step):
                prune_to(wrapped, task.schedule.sparsity(step))
            optimizer.zero_grad()
            loss: Any = functional.cross_entropy(wrapped(x), y)
            loss.backward()
            optimizer.step()
    weights = strip(wrapped, stripped)
    return Pruned(weights, torch.from_numpy, eager(dense), eager(stripped), eager(wrapped))


def batches(task: Task, number: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """The batches of one epoch."""
    images, labels = task.epoch(number)
    for start in range(0, len(labels), BATCH):
        yield torch.from_numpy(images[start : start + BATCH]), torch.from_numpy(labels[start : start + BATCH])


def optimizer_of(task: Task, module: Module) -> torch.optim.Optimizer:
    """Pruning keeps the parameter objects, so that an optimizer made before it goes on with them."""
    if task.optimizer == "sgd":
        return torch.optim.SGD(module.parameters(), task.learning_rate)
    return torch.optim.Adam(module.parameters(), task.learning_rate, (ADAM_BETA1, ADAM_BETA2), ADAM_EPSILON)


def prune_to(module: Module, sparsity: float) -> None:
    """Prune each layer for itself until it has that share of zeros; what is pruned already counts.

    Without importance_scores PyTorch would rank the weights of a pruned layer by ``weight``, which the last call has made: the values
    before the optimizer's last step.
    """
    for name in LAYERS:
        layer: Any = getattr(module, name)
        pruned = torch_prune.is_pruned(layer)
        already = int((layer.weight_mask == 0).sum()) if pruned else 0
        size = layer.weight.numel()
        amount = size - kept(size, sparsity) - already
        torch_prune.l1_unstructured(layer, "weight", amount, importance_scores=layer.weight_orig if pruned else None)


def strip(wrapped: Module, stripped: Module) -> Weights:
    """Copy a pruned network and make the copy's masks permanent.   -> its weights"""
    for name in LAYERS:
        source, target = getattr(wrapped, name), getattr(stripped, name)
        torch_prune.custom_from_mask(target, "weight", source.weight_mask)
        with torch.no_grad():
            target.weight_orig.copy_(source.weight_orig)
            target.bias.copy_(source.bias)
        torch_prune.remove(target, "weight")
    return {name: value.numpy().copy() for name, value in stripped.state_dict().items()}


def eager(module: Module) -> Callable[[Any], NDArray[np.float32]]:
    """An eager prediction with its result on the host."""

    def predict(x: Any) -> NDArray[np.float32]:
        with torch.inference_mode():
            logits: NDArray[np.float32] = module(x).numpy()
            return logits

    return predict


if __name__ == "__main__":
    sys.exit(main(prune))
