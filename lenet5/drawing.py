"""A network as a drawing of text: what each layer is, what comes out of it, what it holds and how often it multiplies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lenet5 import cost
from lenet5.architecture import CONVOLUTION_SIDE, CONVOLUTIONS, DENSE, FLAT_SIDE, IMAGE_SIDE, LAYERS, ORDER, POOL_SIDE


def text(weights: Mapping[str, Any], activation: str) -> str:
    """Lines of text, the image at the top and the logits at the bottom."""
    macs = cost.macs_by_layer(weights)
    held = {layer: sum(weights[name].size for name in ORDER if name in weights and name.startswith(layer)) for layer in LAYERS}
    outputs = {layer: weights[f"{layer}.weight"].shape[0] for layer in LAYERS}
    rows = [("image", _shape(weights["conv1.weight"].shape[1], IMAGE_SIDE, IMAGE_SIDE), "", "")]
    for layer in LAYERS:
        rows.append(("  |", f"{layer}: {_arrays(weights, layer)}", f"{held[layer]:,}", f"{macs[layer]:,}"))
        if layer in CONVOLUTIONS:
            side = CONVOLUTION_SIDE[layer]
            pooled = _shape(outputs[layer], side // POOL_SIDE, side // POOL_SIDE)
            flat = f" = {outputs[layer] * FLAT_SIDE**2}" if layer == CONVOLUTIONS[-1] else ""
            rows += [
                ("  v", _shape(outputs[layer], side, side), "", ""),
                ("  |", f"{activation}, then the largest of each {POOL_SIDE} x {POOL_SIDE}", "", ""),
                ("  v", pooled + flat, "", ""),
            ]
        elif layer == DENSE[-1]:
            rows.append(("  v", f"{outputs[layer]} logits, the largest is the class", "", ""))
        else:
            rows += [("  |", activation, "", ""), ("  v", f"{outputs[layer]}", "", "")]
    rows.append(("", "together", f"{cost.parameters(weights):,}", f"{cost.forward_macs(weights):,}"))
    return "\n".join(_aligned([("", "", "parameters", "MACs"), *rows]))


def _arrays(weights: Mapping[str, Any], layer: str) -> str:
    """The arrays of a layer and their shapes."""
    names = [name for name in ORDER if name in weights and name.startswith(layer)]
    return ", ".join(f"{name.partition('.')[2]} {_shape(*weights[name].shape)}" for name in names)


def _shape(*sides: int) -> str:
    return " x ".join(map(str, sides))


def _aligned(rows: list[tuple[str, str, str, str]]) -> list[str]:
    """Words to the left, numbers to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return [
        f"{mark:{widths[0]}}  {words:{widths[1]}}  {held:>{widths[2]}}  {macs:>{widths[3]}}".rstrip()
        for mark, words, held, macs in rows
    ]
