"""What a LeNet-5 costs, counted from its weights alone: parameters, bytes, multiply-accumulates and FLOPs.

A MAC is one multiplication and one addition, so FLOPs are 2 x MACs.  Biases, activations and pooling are not in: the convention of
most papers and counters.  For 3x32x32 and 50 classes, one image forward: 352,800 + 240,000 + 48,000 + 10,080 + 4,200 = 655,080
MACs = 1,310,160 FLOPs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lenet5.architecture import CONVOLUTION_SIDE, LAYERS, kernel_names


def parameters(weights: Mapping[str, Any]) -> int:
    """Numbers that training may change."""
    return sum(array.size for array in weights.values())


def weight_bytes(weights: Mapping[str, Any]) -> int:
    """Bytes of all weights, dense, in their own dtype; no file header, no gradient, no optimizer state."""
    return sum(array.nbytes for array in weights.values())


def gradient_bytes(weights: Mapping[str, Any]) -> int:
    """Bytes of all gradients: one number a parameter, in its dtype."""
    return weight_bytes(weights)


def optimizer_state_bytes(weights: Mapping[str, Any], optimizer: str) -> int:
    """Bytes that an optimizer remembers between steps: Adam two numbers a parameter, plain gradient descent none.

    The count of steps is not in.
    """
    return {"sgd": 0, "adam": 2}[optimizer] * weight_bytes(weights)


def macs_by_layer(weights: Mapping[str, Any]) -> dict[str, int]:
    """Multiply-accumulates of one image's forward pass, layer by layer: every weight is used once an output pixel.

    A factored layer's MACs are those of both its factors.
    """
    kernels = {layer: [name for name in kernel_names(weights) if name.startswith(layer)] for layer in LAYERS}
    return {
        layer: sum(weights[name].size for name in names) * CONVOLUTION_SIDE.get(layer, 1) ** 2 for layer, names in kernels.items()
    }


def forward_macs(weights: Mapping[str, Any]) -> int:
    """Multiply-accumulates of one image's forward pass."""
    return sum(macs_by_layer(weights).values())


def forward_flops(weights: Mapping[str, Any]) -> int:
    """Floating-point operations of one image's forward pass: 2 x MACs."""
    return 2 * forward_macs(weights)


def training_flops(weights: Mapping[str, Any]) -> int:
    """FLOPs of one image's share of a training step, the optimizer's own arithmetic left out.

    Forward, gradient of the weights and gradient of the input cost one forward pass each; the first layer needs no gradient of
    its input, the image.
    """
    return 3 * forward_flops(weights) - 2 * macs_by_layer(weights)[LAYERS[0]]
