"""PyTorch's module of the network from canonical weights, for tools that work on modules."""

from __future__ import annotations

import torch

from lenet5 import Weights
from lenet5.architecture import shapes_of
from lenet5.with_torch import Module


def module_of(weights: Weights) -> Module:
    """A module with ReLU that holds copies of these weights: images (n, c, 32, 32) -> logits (n, classes)"""
    module = Module(shapes_of(weights), "relu")
    module.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in weights.items()})
    return module
