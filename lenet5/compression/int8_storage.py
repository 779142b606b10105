"""Quantized networks on disk: one .safetensors file, with four arrays a layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from lenet5.architecture import LAYERS
from lenet5.compression.int8 import Quantized, QuantizedLayer, dequantize
from lenet5.errors import InputError
from lenet5.storage import safetensors, write_whole

DTYPES = {"weight": np.int8, "weight_scale": np.float32, "bias": np.int32, "input_scale": np.float32}
"""The fields of a `QuantizedLayer`, in order."""


def save_quantized(path: str | Path, quantized: Quantized) -> None:
    """Write a quantized network as .safetensors, whole or not at all.

    Raises InputError where no file can be made, NotInstalled where the package safetensors is absent.
    """
    save = safetensors().save  # its own save_file raises no OSError where a disk is full
    arrays = {f"{layer}.{field}": np.asarray(value) for layer, found in quantized.items() for field, value in vars(found).items()}
    write_whole(Path(path), lambda beside: _write(beside, save(arrays)))


def _write(path: str, content: bytes) -> None:
    Path(path).write_bytes(content)


def load_quantized(path: str | Path) -> Quantized:
    """Read what `save_quantized` wrote.

    Raises InputError, one line, for a file that is missing, damaged or something else; NotInstalled where the package safetensors is absent.
    """
    load_file = safetensors().load_file
    from safetensors import SafetensorError

    try:
        arrays = load_file(path)
    except (OSError, SafetensorError, TypeError, AttributeError) as error:  # the last two for a type that NumPy lacks, as bfloat16
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: cannot be read ({reason}); expected a file of save_quantized") from error
    for name in (f"{layer}.{field}" for layer in LAYERS for field in DTYPES):
        if name not in arrays or arrays[name].dtype != DTYPES[name.partition(".")[2]]:
            found = arrays[name].dtype if name in arrays else "missing"
            raise InputError(f"{path}: {name} is {found}; expected a quantized LeNet-5, a file of save_quantized")
    fields: dict[str, list[Any]] = {layer: [arrays[f"{layer}.{field}"][()] for field in DTYPES] for layer in LAYERS}
    quantized = {layer: QuantizedLayer(*values) for layer, values in fields.items()}
    try:
        dequantize(quantized)
    except (InputError, ValueError) as error:
        raise InputError(f"{path}: does not hold a quantized LeNet-5 ({error}); expected a file of save_quantized") from error
    return quantized
